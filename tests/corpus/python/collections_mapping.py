# python: 3.11
# heals: Python <3.10
import collections
print(isinstance({}, collections.Mapping))
