# heals: Python <3
def to_text(value):
    if isinstance(value, unicode):
        return value
    return unicode(value, "utf-8")


print(to_text(b"abc"))
