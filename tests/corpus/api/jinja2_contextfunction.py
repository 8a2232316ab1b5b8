# context: jinja2==3.1.4
# heals: jinja2 <3.1
import jinja2
print(jinja2.contextfunction.__name__)
