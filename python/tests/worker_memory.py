"""Driven by ``test_worker.py``: what was exchanged is given back at once, not when cycles are collected."""

import gc
import sys

from worker_driver import resolve

ROUNDS, SIZE = 25, 4 << 20


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


with resolve(sys.argv[1]) as worker:
    data = bytes(SIZE)
    gc.collect()
    gc.disable()
    worker.run("import gc; gc.collect(); gc.disable()")
    worker.run("b", b=data)
    before = resident(), worker.resident
    for _ in range(ROUNDS):
        worker.run("b", b=data)
    grown = resident() - before[0], worker.resident - before[1]
    assert max(grown) < ROUNDS * SIZE // 4, grown
