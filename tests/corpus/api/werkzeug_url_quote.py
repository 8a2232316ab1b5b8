# context: werkzeug==3.0.4
# heals: werkzeug <3.0
from werkzeug.urls import url_quote
print(url_quote("a b"))
