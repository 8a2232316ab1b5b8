# python: 3.11
# heals: Python <3
print({"a": 1}.has_key("a"))
