# python: 3.11
# heals: Python ==2.7.*
import urllib2
print urllib2.quote("a b")
