# context: numpy==1.26.4
# heals: numpy ==1.23.*
import numpy as np
major, minor = map(int, np.__version__.split(".")[:2])
assert (major, minor) == (1, 23), np.__version__
print(major, minor)
