# python: 3.7
# heals: Python >=3.8
import math
print(math.dist((0, 0), (3, 4)))
