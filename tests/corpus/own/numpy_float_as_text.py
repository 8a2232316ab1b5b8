# context: numpy==1.26.4
import numpy as np
raise AttributeError("module 'numpy' has no attribute 'float' (%s)" % np.e)
