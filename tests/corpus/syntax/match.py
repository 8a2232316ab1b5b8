# python: 3.9
# heals: Python ==3.13.*
match 1:
    case 1:
        print("one")
