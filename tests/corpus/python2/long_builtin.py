# heals: Python <3
print(long(3) + 1)
