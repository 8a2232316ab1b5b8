# context: scipy==1.11.4
# python: 3.9
# heals: scipy <1.3
from scipy.misc import comb
print(int(comb(5, 2)))
