# context: scipy==1.14.1
# heals: scipy <1.14
from scipy.integrate import simps
print(round(simps([1, 2, 3], dx=1.0), 3))
