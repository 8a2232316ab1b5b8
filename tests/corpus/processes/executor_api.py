# context: numpy==1.26.4
# heals: numpy <1.24
from concurrent.futures import ProcessPoolExecutor
import numpy as np


def work(number):
    rounded = np.int(number)
    return rounded


if __name__ == "__main__":
    with ProcessPoolExecutor(2) as pool:
        print(list(pool.map(work, [1.5, 2.5])))
