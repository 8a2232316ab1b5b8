# heals: Python ==2.7.*
import sys
try:
    try:
        {}["a"]
    except KeyError:
        raise RuntimeError, "again", sys.exc_info()[2]
except RuntimeError, error:
    print error
