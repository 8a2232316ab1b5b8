"""A 100 MB array goes back and forth between numpy 1.24.3 on Python 3.9 and numpy 2.2 on Python 3.12.

    omnipkg run bench/src/programs/exchange_arrays.py [ROUNDS]        # this process needs no numpy

Each side changes the array and says its checksum, which is compared with that of what arrived here. At the end: bytes that
went through the socket and through shared memory, copies, and the most memory that each process ever had.
"""

import sys
import time
import zlib

from omnipkg.worker import Worker

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
ITEMS = 100_000_000 // 8


def step(array, round_):
    import zlib

    array[round_] = round_
    return array, zlib.adler32(memoryview(array).cast("B"))


def most_memory(process):
    with open("/proc/%s/status" % process) as status:
        return [int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM")][0]


with Worker("numpy==1.24.3", python="3.9") as old, Worker("numpy==2.2.0", python="3.12") as new:
    print("workers:", old.run("import numpy; numpy.__version__"), new.run("import numpy; numpy.__version__"))
    array = old.run("import numpy\nnumpy.random.default_rng(1).random(%d)" % ITEMS)
    before = [worker.statistics for worker in (old, new)]
    started = time.perf_counter()
    for round_ in range(ROUNDS):
        array, said = (new, old)[round_ % 2].call(step, array, round_)
        # Without numpy an array is a stand-in that carries its buffer.
        found = zlib.adler32(memoryview(getattr(array, "buffer", array)).cast("B"))
        assert found == said, "round %d: the array that arrived is not the one that was sent" % round_
    took = time.perf_counter() - started
    for name, worker, start in (("3.9", old, before[0]), ("3.12", new, before[1])):
        print(name, type(start)(*(now - then for now, then in zip(worker.statistics, start))))
    print("%d exchanges, each checked: %.1f s" % (ROUNDS, took))
    print("most memory (MB): here %d, 3.9 %d, 3.12 %d" % tuple(map(most_memory, ("self", old.pid, new.pid))))
