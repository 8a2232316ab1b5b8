# context: numpy==1.26.4
import numpy as np
for name in ("float64", "flot32"):
    getattr(np, name)
