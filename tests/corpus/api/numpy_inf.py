# context: numpy==2.1.3
# heals: numpy <2.0
import numpy as np
print(np.Inf > 1, np.float_(2))
