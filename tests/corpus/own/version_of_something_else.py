import sys
assert sys.version_info < (3, 0), "for Python 2 only"
