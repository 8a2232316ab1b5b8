# heals: Python ==2.7.*
def check(value):
    if value <> 1:
        raise ValueError, "not one: %r" % value


try:
    check(2)
except ValueError as error:
    print(error)
