"""Demo 5, first half of a pipeline: needs an old Python (3.9) with numpy 1 and scipy.

Convolves the signal [1, 2, 3, 4, 5] with itself and prints what came out as one line of JSON, which is all that
the second half needs to know. By hand, with any Python that has the two:

    python five_convolve.py
"""

import json
import platform

import numpy
import scipy
from scipy.signal import convolve

signal = numpy.array([1, 2, 3, 4, 5])
convolved = convolve(signal, signal)

print(json.dumps({
    "python": platform.python_version(),
    "numpy": numpy.__version__,
    "scipy": scipy.__version__,
    "convolved": [int(value) for value in convolved],
    "sum": int(convolved.sum()),
}))
