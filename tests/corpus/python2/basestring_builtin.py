# heals: Python <3
def as_list(value):
    return [value] if isinstance(value, basestring) else list(value)


print(as_list("a"))
