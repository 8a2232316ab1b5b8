# context: numpy==1.26.4
import numpy as np
try:
    kind = np.float
except AttributeError:
    kind = {}["float"]
