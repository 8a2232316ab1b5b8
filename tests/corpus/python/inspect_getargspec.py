# python: 3.11
# heals: Python <3.11
import inspect
print(inspect.getargspec(lambda a, b: a).args)
