# heals: Python <3.9
from array import array
print(len(array("b", [1, 2]).tostring()))
