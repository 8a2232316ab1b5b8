# heals: Python ==2.7.*; add jinja2
from jinja2 import Template

names = {u"a": 1, u"b": 2}
if names.has_key("a"):
    print Template(u"{% for k, v in d.iteritems()|sort %}{{ k }}={{ v }} {% endfor %}").render(d=names)
