# heals: add jaraco-functools
from jaraco.functools import compose
print(compose(str, int)("7"))
