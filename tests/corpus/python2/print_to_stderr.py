# heals: Python ==2.7.*
import sys
print >>sys.stderr, "starting"
print "done"
