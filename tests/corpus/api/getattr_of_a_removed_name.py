# context: numpy==1.26.4
# heals: numpy <1.24
import numpy as np
print([getattr(np, name).__name__ for name in ("float64", "int")])
