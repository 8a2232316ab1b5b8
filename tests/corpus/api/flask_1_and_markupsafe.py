# context: flask==1.1.4 markupsafe==2.1.5
# heals: markupsafe <2.1
from flask import Flask, jsonify
app = Flask(__name__)


@app.route("/")
def index():
    return jsonify(ok=True)


print(app.test_client().get("/").get_json())
