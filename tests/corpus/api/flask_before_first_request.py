# context: flask==2.3.3
# heals: flask <2.3
from flask import Flask
app = Flask(__name__)


@app.before_first_request
def start():
    pass


print("ready")
