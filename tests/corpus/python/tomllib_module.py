# python: 3.9
# heals: Python >=3.11
import tomllib
print(tomllib.loads("a = 1"))
