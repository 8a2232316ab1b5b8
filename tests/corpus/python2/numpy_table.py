# heals: Python ==2.7.*; add numpy
import numpy as np

table = np.array([[1, 2], [3, 4]])
for row in xrange(table.shape[0]):
    print row, table[row].sum() / 2
print "mean", table.mean()
