# context: numpy==1.26.4
import numpy as np
np.flaot(1)
