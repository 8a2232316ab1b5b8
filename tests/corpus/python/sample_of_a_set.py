# heals: Python <3.11
import random
print(len(random.sample({1, 2, 3}, 2)))
