# An optional module is no reason for the end of this program: not healed.
import sys
try:
    import simplejson as json
except ImportError:
    import json
print(json.dumps([1]))
sys.exit(4)
