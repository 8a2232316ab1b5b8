# python: 3.11
# heals: Python <3
import sys
print(sys.maxint > 0)
