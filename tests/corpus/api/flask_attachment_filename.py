# context: flask==2.2.5 werkzeug==2.2.3
# heals: flask <2.2
import io
from flask import Flask, send_file
app = Flask(__name__)


@app.route("/report")
def report():
    return send_file(io.BytesIO(b"a,b\n"), mimetype="text/csv", as_attachment=True, attachment_filename="report.csv")


app.testing = True
print(app.test_client().get("/report").status_code)
