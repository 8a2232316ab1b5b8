# context: numpy==1.26.4
import numpy as np
assert np.__version__ and np.array([1, 2]).sum() == 4
