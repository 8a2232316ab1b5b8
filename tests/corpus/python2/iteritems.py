# python: 3.11
# heals: Python <3
print(list({"a": 1}.iteritems()))
