# heals: Python <3
print(sum(i for i in xrange(10)))
