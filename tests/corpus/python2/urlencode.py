# python: 3.11
# heals: Python <3
import urllib
print(urllib.urlencode({"a": 1}))
