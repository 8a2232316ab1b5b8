# python: 3.11
# heals: Python <3.9
import base64
print(base64.encodestring(b"a"))
