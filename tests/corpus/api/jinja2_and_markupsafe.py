# context: jinja2==2.11.3 markupsafe==2.1.5
# heals: markupsafe <2.1
from jinja2 import Template
print(Template("{{ a|upper }}").render(a="x"))
