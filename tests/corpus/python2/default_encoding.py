# heals: Python <3
# -*- coding: utf-8 -*-
import sys
reload(sys)
sys.setdefaultencoding("utf-8")
print(str(u"\xe9") == "\xc3\xa9")
