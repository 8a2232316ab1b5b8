# heals: add numpy; numpy <1.24
import numpy as np


def rounded(values):
    return np.asarray(values).astype(np.int)


print(rounded([1.5, 2.5]))
