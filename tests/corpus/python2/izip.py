# python: 3.11
# heals: Python <3
from itertools import izip
print(list(izip([1], [2])))
