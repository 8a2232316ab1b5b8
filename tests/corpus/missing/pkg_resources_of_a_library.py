# python: 3.9
# context: pyemd==1.0.0 numpy==1.24.4
# heals: add setuptools
import numpy as np
from pyemd import emd
print(emd(np.array([0.0, 1.0]), np.array([1.0, 0.0]), np.array([[0.0, 0.5], [0.5, 0.0]])))
