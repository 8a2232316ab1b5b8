# python: 3.9
# context: numba==0.53.1 numpy==1.26.4 setuptools==65.5.1
# heals: numpy <1.24
import numpy as np
from numba import jit


@jit(nopython=True)
def total(values):
    result = 0.0
    for value in values:
        result += value
    return result


print(total(np.arange(5.0)))
