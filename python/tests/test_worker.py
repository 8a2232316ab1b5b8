"""Workers between all pairs of interpreters that differ in how they talk: callers and workers of every version here.

    python -m unittest discover -s python/tests
"""

import os
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from test_reporter import interpreters  # noqa: E402

PYTHON = os.path.dirname(HERE)
DRIVER = os.path.join(HERE, "worker_driver.py")
LIMIT = 120  # seconds: what hangs is a failure


def drive(check, caller, worker):
    variables = dict(os.environ, PYTHONPATH=PYTHON, PYTHONDONTWRITEBYTECODE="1", PYTHONWARNINGS="error::ResourceWarning")
    return subprocess.run(
        [caller, DRIVER, check, worker], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=variables, timeout=LIMIT)


class WorkerTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.interpreters = interpreters()

    def pairs(self):
        """Each version as a caller of itself, of the oldest and of the newest, and as their worker."""
        all_of_them = [path for _, path in self.interpreters]
        ends = {all_of_them[0], all_of_them[-1]}
        return [(a, b) for a in all_of_them for b in all_of_them if a == b or a in ends or b in ends]

    def check(self, name, pairs=None, out=b"", code=0):
        pairs = [(path, path) for _, path in self.interpreters] if pairs is None else pairs
        with ThreadPoolExecutor(os.cpu_count() or 1) as executor:
            done = executor.map(lambda pair: drive(name, *pair), pairs)
            for (caller, worker), ran in zip(pairs, done):
                with self.subTest(caller=caller, worker=worker):
                    self.assertEqual((ran.returncode, ran.stdout, ran.stderr.decode()), (code, out, ""))

    def test_what_travels(self):
        self.check("calls,functions,classes,run,errors,buffers,pickle_buffers", self.pairs())

    def test_many_mappings(self):
        self.check("many_mappings")

    def test_large_in_band(self):
        self.check("large_in_band")

    def test_threads(self):
        self.check("threads")

    def test_deaths(self):
        self.check("deaths")

    def test_timeout(self):
        self.check("timeout")

    def test_interrupt(self):
        self.check("interrupt")

    def test_fork(self):
        self.check("fork")

    def test_close(self):
        self.check("close", out=b"ended by itself\nended with its caller\n")

    def test_pool(self):
        self.check("pool")

    def test_memory_is_given_back_at_once(self):
        variables = dict(os.environ, PYTHONPATH=PYTHON, PYTHONDONTWRITEBYTECODE="1")
        for _, path in self.interpreters:
            with self.subTest(path):
                subprocess.run([path, os.path.join(HERE, "worker_memory.py"), path], env=variables, check=True, timeout=LIMIT)

    def test_a_killed_callers_worker_ends(self):
        for _, path in self.interpreters:
            with self.subTest(path):
                ran = drive("orphan", path, path)
                # The worker has the same output: while it lives there is no end to be read.
                self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (-9, b"ready\n", b""))


if __name__ == "__main__":
    unittest.main()
