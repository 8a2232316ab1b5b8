# heals: Python <3
data = {"b": 1, "a": 2}
keys = data.keys()
keys.sort()
print(keys)
