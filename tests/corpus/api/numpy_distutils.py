# python: 3.12
# context: numpy==1.26.4
# heals: Python <3.12
import numpy.distutils.core
print(callable(numpy.distutils.core.setup))
