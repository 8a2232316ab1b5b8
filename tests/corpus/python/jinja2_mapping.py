# context: jinja2==2.10.1 markupsafe==2.0.1
# heals: Python <3.10
from jinja2 import Template
print(Template("{{ a }}").render(a=1))
