# python: 3.13
# heals: Python <3.13
import imghdr
print(imghdr.what(None, b"\x89PNG\r\n\x1a\n"))
