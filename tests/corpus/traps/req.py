import requests3
