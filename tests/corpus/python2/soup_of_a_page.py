# heals: Python ==2.7.*; add beautifulsoup4
# scrapes the links of a page
import urllib2
from bs4 import BeautifulSoup

PAGE = "<html><body><a href='/a'>one</a> <a href='/b'>two</a></body></html>"
soup = BeautifulSoup(PAGE, "html.parser")
for a in soup.find_all("a"):
    print a["href"], urllib2.quote(a.text)
