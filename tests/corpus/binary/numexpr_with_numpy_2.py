# python: 3.10
# context: numexpr==2.8.4 numpy==2.0.2
# heals: numpy <2
import numexpr as ne
import numpy as np
a = np.arange(3)
print(ne.evaluate("a * 2").tolist())
