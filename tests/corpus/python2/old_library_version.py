# context: requests==2.32.3
# heals: Python ==2.7.*
# what is installed has to be of before, too
import requests
print "requests", requests.__version__ < "2.28"
