# heals: Python <3.8
import cgi
print(cgi.escape("a < b"))
