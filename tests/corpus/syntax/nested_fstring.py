# python: 3.11
# heals: Python ==3.13.*
names = {"a": 1}
print(f"{names["a"]}")
