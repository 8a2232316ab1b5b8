# python: 3.8
# heals: Python >=3.9
print("prefix-name".removeprefix("prefix-"))
