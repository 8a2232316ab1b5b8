# heals: add beautifulsoup4
import sys
try:
    import bs4
except ImportError:
    bs4 = None

if bs4 is None:
    print("please install beautifulsoup4")
    sys.exit(1)
print(bs4.BeautifulSoup("<i>x</i>", "html.parser").i.text)
