# python: 3.9
# heals: Python <3.8
import time
print(time.clock() >= 0)
