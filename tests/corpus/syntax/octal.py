# python: 3.11
# heals: own
print(0777)
