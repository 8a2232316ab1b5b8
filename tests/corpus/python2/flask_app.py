# heals: Python <3; add flask
from urllib import urlencode
from flask import Flask, request

app = Flask(__name__)


@app.route("/")
def index():
    return u"hello %s" % request.args.get("name", u"nobody")


print(app.test_client().get("/?" + urlencode({"name": "me"})).data)
