# python: 3.8
# heals: Python >=3.9
from functools import cache


@cache
def square(n):
    return n * n


print(square(3))
