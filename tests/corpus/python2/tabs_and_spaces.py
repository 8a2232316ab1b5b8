# heals: Python ==2.7.*
def f(x):
    if x:
	print "tab"
    return x


f(1)
