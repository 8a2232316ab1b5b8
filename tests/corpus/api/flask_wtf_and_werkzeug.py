# python: 3.9
# context: flask-wtf==0.14.2 flask==1.1.4 werkzeug==1.0.1 markupsafe==2.0.1 wtforms==2.3.3
# heals: werkzeug <1.0
from flask_wtf import FlaskForm
print(FlaskForm.__name__)
