"""Prints the median of handing an array of 100 MB from numpy 1 on Python 3.9 to numpy 2 on Python 3.12, in seconds, and
how often it is copied on its way. What arrives is checked: its sum, which numpy 2 adds up, is counted too."""

import statistics
import time

from omnipkg.worker import Worker

ROUNDS = 10
LENGTH = 100_000_000 // 8

with Worker("numpy==1.24.3", python="3.9") as old, Worker("numpy>=2.2,<2.3", python="3.12") as new:
    old.run("import numpy; array = numpy.arange(length, dtype=float)", length=LENGTH)

    def hand_over():
        before = old.statistics.copies + new.statistics.copies
        began = time.perf_counter()
        total = new.call("numpy:sum", old.run("array"))
        took = time.perf_counter() - began
        assert float(total) == LENGTH * (LENGTH - 1) / 2, total
        return took, old.statistics.copies + new.statistics.copies - before

    hand_over()
    rounds = [hand_over() for _ in range(ROUNDS)]

print(statistics.median(took for took, _ in rounds))
print(max(copies for _, copies in rounds))
