# Python 2 would print a tuple: it is none of its scripts
print("numbers:", list(xrange(3)))
