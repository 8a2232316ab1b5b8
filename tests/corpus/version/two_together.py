# context: numpy==1.26.4 scipy==1.11.4
# heals: numpy 1.24.3; scipy 1.10.1
import numpy
import scipy
assert numpy.__version__ == "1.24.3"
assert scipy.__version__ == "1.10.1"
print(numpy.__version__, scipy.__version__)
