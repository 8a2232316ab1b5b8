"""Prints the median of entering and leaving another rich, in seconds; importing it inside is not counted."""

import statistics
import time

from omnipkg.loader import omnipkgLoader

import rich.console

ROUNDS = 30


def enter_and_leave():
    loader = omnipkgLoader("rich==13.4.2")
    began = time.perf_counter()
    loader.__enter__()
    entered = time.perf_counter()
    import rich.console as inside
    imported = time.perf_counter()
    loader.__exit__(None, None, None)
    left = time.perf_counter()
    assert inside is not rich.console and "13.7.1" not in inside.__file__
    return entered - began + left - imported


# The first time asks omnipkg for it, which remembers it.
enter_and_leave()
print(statistics.median(enter_and_leave() for _ in range(ROUNDS)))
