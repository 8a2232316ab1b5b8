# heals: Python <3
import sys
print >>sys.stderr, "starting"
print("done")
