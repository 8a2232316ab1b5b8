# python: 3.10
# heals: Python ==2.7.*
try:
    {}["a"]
except KeyError, error:
    print("no", error.args)
