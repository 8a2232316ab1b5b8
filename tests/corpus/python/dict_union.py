# python: 3.8
# heals: Python >=3.9
print({"a": 1} | {"b": 2})
