"""Activations in several threads: run inside of a made-up view by test_loader.py."""

import importlib
import os
import pickle
import sys
import threading
import unittest

from loader_state import Case, State
from omnipkg.loader import ThreadConflictError, omnipkgLoader


class Threads(Case):
    def in_thread(self, function):
        found = []

        def run():
            try:
                found.append(function())
            except BaseException as error:
                found.append(error)

        thread = threading.Thread(target=run, name="other")
        thread.start()
        thread.join()
        return found[0]

    def test_the_same_version_is_shared(self):
        def same():
            with omnipkgLoader("rich==13.4.2"):
                return importlib.import_module("rich")

        with omnipkgLoader("rich==13.4.2"):
            rich = importlib.import_module("rich")
            self.assertIs(self.in_thread(same), rich)
            self.assertIs(importlib.import_module("rich"), rich)

    def test_another_version_is_refused(self):
        def other():
            with omnipkgLoader("rich==13.5.0"):
                return "entered"

        with omnipkgLoader("rich==13.4.2"):
            inside = State()
            error = self.in_thread(other)
            self.assertIsInstance(error, ThreadConflictError)
            self.assertEqual(inside.differences(), [])
        text = str(error)
        words = ("rich 13.4.2 is active in thread MainThread", "thread other", "sys.modules", 'Worker("rich==13.5.0")')
        for word in words:
            self.assertIn(word, text)
        self.assertEqual(str(pickle.loads(pickle.dumps(error))), text)
        self.assertEqual(self.in_thread(other), "entered")

    def test_strict_and_anything_else_are_refused(self):
        def strict():
            omnipkgLoader("rich==13.4.2", isolation_mode="strict").__enter__()

        def overlay():
            omnipkgLoader("fresh").__enter__()

        with omnipkgLoader("fresh"):
            self.assertIsInstance(self.in_thread(strict), ThreadConflictError)
        with omnipkgLoader("rich==13.4.2", isolation_mode="strict"):
            self.assertIsInstance(self.in_thread(overlay), ThreadConflictError)

    def test_other_projects_are_allowed(self):
        def other():
            with omnipkgLoader("space-one==2"):
                return importlib.import_module("space.one").VERSION, importlib.import_module("rich").__version__

        with omnipkgLoader("rich==13.4.2"):
            self.assertEqual(self.in_thread(other), (2, "13.4.2"))
        sys.modules.pop("space", None)

    def test_many_threads(self):
        specs = ["rich==13.4.2", "space-one==2", "sixish==2.0"]
        faults = []

        def work(spec):
            try:
                for _ in range(100):
                    with omnipkgLoader(spec):
                        pass
            except BaseException as error:
                faults.append(error)

        threads = [threading.Thread(target=work, args=(spec,)) for spec in specs * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(faults, [])

    @unittest.skipUnless(hasattr(os, "register_at_fork"), "3.7")
    def test_a_forked_child_goes_on(self):
        with omnipkgLoader("rich==13.4.2"):
            process = os.fork()
            if not process:
                code = 1
                try:
                    with omnipkgLoader("rich==13.5.0"):
                        code = importlib.import_module("rich").__version__ != "13.5.0"
                finally:
                    os._exit(code)
            self.assertEqual(os.waitpid(process, 0)[1], 0)


if __name__ == "__main__":
    unittest.main()
