# heals: Python ==2.7.*
numbers = [3, 1, 2]
numbers.sort(lambda a, b: cmp(b, a))
print `numbers`
