# context: jinja2==3.1.4
# heals: jinja2 <3.1
from jinja2 import Markup
print(Markup("<b>") + "&")
