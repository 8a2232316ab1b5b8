# python: 3.11
# heals: Python ==2.7.*
exec "x = 1"
print(x)
