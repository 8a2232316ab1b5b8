# heals: Python ==2.7.*
pairs = [("a", 2), ("b", 1)]
print sorted(pairs, key=lambda (k, v): v)
