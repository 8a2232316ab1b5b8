# context: numpy==2.1.3
# heals: numpy <2.0
import numpy
print(numpy.product([1, 2, 3]))
