# python: 3.12
# heals: Python <3.12
import imp
print(imp.is_builtin("sys"))
