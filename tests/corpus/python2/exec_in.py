# heals: Python ==2.7.*
names = {}
exec "x = 1" in names
print names["x"]
