# python: 3.11
# heals: Python ==3.6.*
def call(async=False):
    return async


print(call(async=True), f"{1}")
