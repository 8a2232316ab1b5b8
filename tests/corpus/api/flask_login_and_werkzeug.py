# context: flask-login==0.6.2 flask==2.3.3 werkzeug==3.0.4
# heals: werkzeug <3.0
from flask import Flask
from flask_login import LoginManager
app = Flask(__name__)
print(type(LoginManager(app)).__name__)
