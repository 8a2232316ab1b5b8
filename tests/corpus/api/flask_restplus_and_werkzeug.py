# python: 3.9
# context: flask-restplus==0.13.0 flask==1.1.4 werkzeug==1.0.1 markupsafe==2.0.1
# heals: werkzeug <1.0
from flask import Flask
from flask_restplus import Api
print(Api(Flask(__name__), title="Things").title)
