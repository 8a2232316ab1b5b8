# heals: Python ==2.7.*
def add((x, y)):
    return x + y


print add((1, 2))
