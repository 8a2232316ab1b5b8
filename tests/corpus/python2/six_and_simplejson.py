# heals: Python ==2.7.*; add simplejson
import simplejson as json
import six
from tabulate import tabulate

data = json.loads('{"a": 1, "b": [2, 3]}')
for key, value in sorted(six.iteritems(data)):
    print key, value
print tabulate([[1]], tablefmt="plain")
