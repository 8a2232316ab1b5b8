# context: wtforms==3.1.2
# heals: wtforms <3.0
from wtforms import Form
from wtforms.fields.html5 import EmailField


class Login(Form):
    mail = EmailField("Mail")


print(Login().mail())
