# context: numpy==1.26.4
import numpy as np
np.ones((2, 3)) @ np.ones((2, 3))
