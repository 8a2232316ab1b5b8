# heals: add beautifulsoup4
from bs4 import BeautifulSoup
print(BeautifulSoup("<b>x</b>", "html.parser").b.text)
