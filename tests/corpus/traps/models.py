from models import User
