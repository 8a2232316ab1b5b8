# heals: Python ==2.7.*
import re
print re.sub(ur"\s+", u" ", u"a  b")
