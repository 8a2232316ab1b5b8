# context: numpy==1.26.4
# heals: numpy <1.24
import multiprocessing
import numpy as np


def work(number):
    return np.float(number)


if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        print(pool.map(work, [1, 2]))
