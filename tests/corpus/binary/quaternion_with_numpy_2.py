# python: 3.10
# context: numpy-quaternion==2023.0.3 numpy==2.0.2
# heals: numpy <2
import numpy as np
import quaternion
print((quaternion.one * np.quaternion(0, 1, 0, 0)).x)
