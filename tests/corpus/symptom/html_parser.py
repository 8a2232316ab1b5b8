# context: beautifulsoup4==4.12.3
# heals: add lxml
from bs4 import BeautifulSoup
print(BeautifulSoup("<p>x</p>", "lxml").p.text)
