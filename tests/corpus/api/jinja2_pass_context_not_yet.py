# context: jinja2==2.11.3 markupsafe==2.0.1
# heals: jinja2 >=3.0
from jinja2 import Environment, pass_context


@pass_context
def greet(context, word):
    return word + " " + context["name"]


environment = Environment()
environment.filters["greet"] = greet
print(environment.from_string("{{ 'hello' | greet }}").render(name="you"))
