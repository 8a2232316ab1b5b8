# python: 3.9
# context: numpy==1.21.6
# heals: numpy >=1.22
import numpy as np
print(np.percentile([1, 2, 3, 4], 50, method="lower"))
