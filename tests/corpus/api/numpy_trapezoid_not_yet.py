# context: numpy==1.26.4
# heals: numpy >=2.0
import numpy as np
print(float(np.trapezoid([1, 2, 3])))
