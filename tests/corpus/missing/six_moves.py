# heals: add six
from six.moves import range
print(list(range(2)))
