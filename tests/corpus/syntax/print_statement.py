# python: 3.11
# heals: Python ==2.7.*
print "hello", 1
