# context: bottleneck==1.3.7 numpy==2.0.2
# heals: numpy <2
import bottleneck as bn
import numpy as np
print(float(bn.nanmean(np.array([1.0, np.nan, 3.0]))))
