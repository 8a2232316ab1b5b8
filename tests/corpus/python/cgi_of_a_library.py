# python: 3.13
# context: feedparser==6.0.2
# heals: add legacy-cgi
import feedparser
print(feedparser.parse("<rss version='2.0'><channel><title>x</title></channel></rss>").feed.title)
