"""Compiled packages: run inside of a made-up view by test_loader.py, each test in a process of its own."""

import importlib
import os
import pickle
import sys
import unittest

from loader_state import HOME, Case, State
from omnipkg.loader import CompiledPackageError, ProcessCorruptedException, omnipkgLoader


class Compiled(Case):
    """Each test is a process of its own: what is loaded stays loaded."""

    def setUp(self):
        Case.setUp(self)
        if not hasattr(importlib.import_module("_bisect"), "__file__"):
            self.skipTest("this Python has no extension modules as files")

    def tearDown(self):
        pass

    def test_another_version_is_refused_before_anything_changes(self):
        import native  # noqa: F401

        before = State()
        with self.assertRaises(CompiledPackageError) as caught:
            omnipkgLoader(["native==1.0", "rich==13.4.2"]).__enter__()
        self.assertEqual(before.differences(), [])
        error = caught.exception
        self.assertIsInstance(error, ProcessCorruptedException)
        self.assertEqual((error.project, error.loaded, error.wanted), ("native", "2.0", "1.0"))
        self.assertIn('Worker(["native==1.0", "rich==13.4.2"])', str(error))
        with self.assertRaises(CompiledPackageError) as caught:
            omnipkgLoader("native==1.0").__enter__()
        self.assertIn('from omnipkg.worker import Worker; Worker("native==1.0")', str(caught.exception))
        self.assertEqual(str(pickle.loads(pickle.dumps(error))), str(error))
        with omnipkgLoader("rich==13.4.2"):
            self.assertEqual(importlib.import_module("native").__version__, "2.0")
        with omnipkgLoader("native==2.0"):
            self.assertEqual(importlib.import_module("native").__version__, "2.0")

    def test_it_comes_back_with_its_activation_and_others_are_refused(self):
        before = State()
        with omnipkgLoader("native==1.0"):
            native = importlib.import_module("native")
            user = importlib.import_module("uses_native")
            helper = importlib.import_module("helper")
        self.assertEqual(before.differences(meta_path=False), [])
        self.assertEqual(len(sys.meta_path), len(before.rest[0]) + 1)
        with self.assertRaises(CompiledPackageError) as caught:
            importlib.import_module("native")
        said = "native 1.0 is loaded in this process and is compiled: 2.0 cannot be loaded beside it"
        self.assertIn(said, str(caught.exception))
        with self.assertRaises(CompiledPackageError):
            importlib.import_module("uses_native")
        self.assertFalse([name for name in sys.modules if name.startswith(("native", "uses_native"))])
        for spec in ("native==1.5", "native==2.0"):
            with self.assertRaises(CompiledPackageError):
                omnipkgLoader(spec).__enter__()
        with omnipkgLoader("native==1.0"):
            self.assertNotIn("Guard", repr(sys.meta_path[0]))
            self.assertIs(importlib.import_module("native"), native)
            self.assertIs(importlib.import_module("uses_native"), user)
            self.assertIs(importlib.import_module("helper"), helper)
            self.assertIs(native._bisect, importlib.import_module("native._bisect"))
        with omnipkgLoader(["native==1.0", "rich==13.4.2"]):
            self.assertIs(importlib.import_module("native"), native)
            self.assertEqual(importlib.import_module("rich").__version__, "13.4.2")
        self.assertEqual(before.differences(meta_path=False), [])
        importlib.import_module("plain.other")

    def test_nested_ones_share_what_is_the_same(self):
        with omnipkgLoader("native==1.0"):
            native = importlib.import_module("native")
            with omnipkgLoader(["native==1.0", "rich==13.4.2"]):
                self.assertIs(importlib.import_module("native"), native)
            self.assertIs(importlib.import_module("native"), native)
            with self.assertRaises(CompiledPackageError):
                omnipkgLoader("native==1.5").__enter__()
            with self.assertRaises(CompiledPackageError):
                omnipkgLoader("native==2.0").__enter__()
        with omnipkgLoader("native==1.0"):
            self.assertIs(importlib.import_module("native"), native)

    def test_first_met_in_an_inner_one(self):
        with omnipkgLoader("native==1.0"):
            with omnipkgLoader(["native==1.0", "rich==13.4.2"]):
                native = importlib.import_module("native")
            self.assertIs(importlib.import_module("native"), native)
        with self.assertRaises(CompiledPackageError):
            importlib.import_module("native")
        with omnipkgLoader("native==1.0"):
            self.assertIs(importlib.import_module("native"), native)

    def test_compiled_dependents_go_on_with_what_they_were_loaded_with(self):
        import fixed

        before = State()
        with omnipkgLoader("rich==13.4.2"):
            self.assertIs(importlib.import_module("fixed"), fixed)
            self.assertEqual(importlib.import_module("rich").__version__, "13.4.2")
        self.assertEqual(before.differences(), [])

    def test_compiled_dependents_that_were_first_loaded_inside(self):
        with omnipkgLoader("rich==13.4.2"):
            fixed = importlib.import_module("fixed")
            self.assertEqual(fixed.RICH, "13.4.2")
        with self.assertRaises(CompiledPackageError) as caught:
            importlib.import_module("fixed")
        self.assertIn("with the versions that it needs here", str(caught.exception))
        with omnipkgLoader("rich==13.5.0"):
            self.assertEqual(importlib.import_module("rich").__version__, "13.5.0")
            with self.assertRaises(CompiledPackageError):
                importlib.import_module("fixed")
        with omnipkgLoader("rich==13.4.2"):
            self.assertIs(importlib.import_module("fixed"), fixed)

    def test_strict_hides_it_and_brings_it_back(self):
        import native

        with omnipkgLoader("rich==13.4.2", isolation_mode="strict"):
            with self.assertRaises(ImportError):
                importlib.import_module("native")
        self.assertIs(importlib.import_module("native"), native)
        with omnipkgLoader("native==2.0", isolation_mode="strict"):
            self.assertIs(importlib.import_module("native"), native)

    def test_the_environments_own_wheel_stays_when_it_was_first_loaded_in_strict(self):
        with omnipkgLoader("native==2.0", isolation_mode="strict"):
            native = importlib.import_module("native")
        self.assertIs(importlib.import_module("native"), native)

    def test_a_pure_version_beside_a_compiled_one(self):
        with omnipkgLoader("purified==1.0"):
            self.assertEqual(importlib.import_module("purified").__version__, "1.0")
            importlib.import_module("purified._bisect")
        self.assertEqual(importlib.import_module("purified").__version__, "2.0")
        with omnipkgLoader("purified==1.0"):
            self.assertEqual(importlib.import_module("purified").__version__, "1.0")
        self.assertEqual(importlib.import_module("purified").__version__, "2.0")

    def test_a_module_of_the_scripts_own_is_not_guarded(self):
        with omnipkgLoader("native==1.0"):
            importlib.import_module("native")
        folder = os.path.join(HOME, "own-native")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "native.py"), "w") as file:
            file.write("__version__ = 'own'\n")
        sys.path.insert(0, folder)
        self.assertEqual(importlib.import_module("native").__version__, "own")


if __name__ == "__main__":
    unittest.main()
