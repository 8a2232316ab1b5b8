"""The loader under every interpreter of this machine, in a view that is made by hand; no omnipkg program is needed.

    python -m unittest discover -s python/tests
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from loader_store import Store  # noqa: E402
from test_reporter import interpreters  # noqa: E402

CASES = os.path.join(HERE, "loader_cases.py")


def compiled_cases():
    """Names of the tests that need a process of their own."""
    with open(CASES) as file:
        return re.findall(r"def (test_\w+)", file.read().split("class Compiled(")[1])


class Loader(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def run_case(self, store, case):
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "OMNIPKG"))}
        environment.update(PYTHONDONTWRITEBYTECODE="1", OMNIPKG_HOME=store.home)
        done = subprocess.run(
            [store.python, CASES, case], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=store.home)
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def test_under_every_interpreter(self):
        cases = ["Restoring", "Asking", "Threads"] + ["Compiled." + name for name in compiled_cases()]
        jobs = []
        for found, python in interpreters():
            store = Store(os.path.join(self.folder, "%d.%d" % found), python)
            jobs += [(found, store, case) for case in cases]
        # The cases of a store that ask the program take turns: they count its calls.
        with ThreadPoolExecutor(max_workers=2) as pool:
            ran = list(pool.map(lambda job: self.run_case(job[1], job[2]), jobs))
        for (found, _, case), (code, said) in zip(jobs, ran):
            with self.subTest(python=found, case=case):
                self.assertEqual(code, 0, said)
        self.assertGreater(len(jobs), len(cases) - 1)


if __name__ == "__main__":
    unittest.main()
