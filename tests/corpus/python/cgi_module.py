# python: 3.13
# heals: add legacy-cgi
import cgi
print(cgi.parse_header("text/html; charset=utf-8")[0])
