# python: 3.10
# context: numpy==1.23.5
# heals: numpy >=1.25
import numpy as np
from numpy.exceptions import AxisError
try:
    np.sum(np.arange(4), axis=2)
except AxisError:
    print("no axis 2")
