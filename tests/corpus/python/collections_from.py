# python: 3.12
# heals: Python <3.10
from collections import Iterable, OrderedDict
print(isinstance([], Iterable), OrderedDict())
