# python: 3.11
# heals: Python <3.9
from fractions import gcd
print(gcd(12, 18))
