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

def compiled_cases():
    """Names of the tests that need a process of their own."""
    with open(os.path.join(HERE, "loader_compiled_cases.py")) as file:
        return ["Compiled." + name for name in re.findall(r"def (test_\w+)", file.read())]


class Loader(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def run_case(self, store, case):
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "OMNIPKG"))}
        environment.update(PYTHONDONTWRITEBYTECODE="1", OMNIPKG_HOME=store.home)
        done = subprocess.run(
            [store.python, os.path.join(HERE, "loader_%s_cases.py" % case.split(".")[0].lower()), case], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=store.home)
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def test_under_every_interpreter(self):
        cases = ["Restoring", "Asking", "Threads"] + compiled_cases()
        jobs = []
        for found, python in interpreters():
            store = Store(os.path.join(self.folder, "%d.%d" % found), python)
            # What asks the program counts its calls and spoils the store's memory.
            asked = Store(os.path.join(self.folder, "%d.%d-asked" % found), python)
            jobs += [(found, asked if case == "Asking" else store, case) for case in cases]
        with ThreadPoolExecutor(max_workers=2) as pool:
            ran = list(pool.map(lambda job: self.run_case(job[1], job[2]), jobs))
        for (found, _, case), (code, said) in zip(jobs, ran):
            with self.subTest(python=found, case=case):
                self.assertEqual(code, 0, said)
        self.assertGreater(len(jobs), len(cases) - 1)


if __name__ == "__main__":
    unittest.main()
