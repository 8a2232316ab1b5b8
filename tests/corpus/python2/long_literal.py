# heals: Python ==2.7.*
big = 10000000000L
print "%d" % big
