# python: 3.9
# heals: Python >=3.10
def name(value: str | None = None) -> str:
    return value or "nobody"


print(name())
