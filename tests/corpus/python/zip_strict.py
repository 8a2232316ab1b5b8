# python: 3.9
# heals: Python >=3.10
print(list(zip([1], [2], strict=True)))
