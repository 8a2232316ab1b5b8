# heals: Python >=3, <3.9
from html.parser import HTMLParser
print(HTMLParser().unescape("a &amp; b"))
