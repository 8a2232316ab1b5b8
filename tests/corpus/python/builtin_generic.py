# python: 3.8
# heals: Python >=3.9
def total(values: list[int]) -> int:
    return sum(values)


print(total([1, 2]))
