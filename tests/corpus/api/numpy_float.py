# heals: add numpy; numpy <1.24
import numpy as np
print(np.array([1, 2], dtype=np.float).dtype)
