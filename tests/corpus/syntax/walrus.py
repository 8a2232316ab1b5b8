# python: 3.7
# heals: Python ==3.13.*
if (n := 3) > 2:
    print(n)
