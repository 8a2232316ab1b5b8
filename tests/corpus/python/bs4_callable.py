# context: beautifulsoup4==4.4.1
# heals: Python <3.10
from bs4 import BeautifulSoup
print(BeautifulSoup("<b>x</b>", "html.parser").find("b").string)
