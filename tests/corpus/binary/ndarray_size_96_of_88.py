# python: 3.9
# context: pykdtree==1.3.6 numpy==1.21.6
# heals: numpy >=1.22; numpy <2
import numpy as np
from pykdtree.kdtree import KDTree
distance, index = KDTree(np.array([[0.0], [1.0]])).query(np.array([[0.9]]), k=1)
print(int(index[0]))
