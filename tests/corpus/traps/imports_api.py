from api import client
