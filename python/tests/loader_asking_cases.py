"""How an activation is asked for and remembered: run inside of a made-up view by test_loader.py."""

import importlib
import os
import pickle
import subprocess
import sys
import unittest

from loader_state import HOME, Case, calls
from omnipkg.loader import NotAvailableError, OutsideViewError, omnipkgLoader


class Asking(Case):
    def test_what_is_remembered_starts_no_process(self):
        before = calls()
        with omnipkgLoader("rich==13.4.2"):
            pass
        with omnipkgLoader({"Rich": "13.4.2"}, isolation_mode="strict"):
            pass
        self.assertEqual(calls(), before)

    def test_what_is_not_is_asked_for_once(self):
        before = calls()
        for _ in range(3):
            with omnipkgLoader("rich==13.3"):
                self.assertEqual(importlib.import_module("rich").__version__, "13.3")
        self.assertEqual(calls(), before + 1)

    def test_a_view_that_cannot_be_seen_any_more_is_asked_for(self):
        from omnipkg import _activation

        found = _activation.find(["rich==13.5.0"], "overlay")
        os.rename(found.site_packages, found.site_packages + ".gone")
        before = calls()
        try:
            found = _activation.find(["rich==13.5.0"], "overlay")
        finally:
            os.rename(found.site_packages + ".gone", found.site_packages)
        self.assertEqual(calls(), before + 1)

    def test_a_damaged_memory_is_asked_for(self):
        from omnipkg import _activation

        found = _activation.find(["rich==13.5.0"], "overlay")
        path = os.path.join(HOME, "activations", found.key + ".json")
        for text in ("", "[]", "{}", '{"key": 1'):
            _activation._known.clear()
            with open(path, "w") as file:
                file.write(text)
            self.assertEqual(_activation.find(["rich==13.5.0"], "overlay").site_packages, found.site_packages)

    def test_not_available(self):
        with self.assertRaises(NotAvailableError) as caught:
            with omnipkgLoader("rich==99.0"):
                self.fail("entered")
        text = str(caught.exception)
        self.assertIn("rich==99.0 is not available: no version of overlay rich==99.0 is known", text)
        self.assertIn("omnipkg install rich==99.0", text)
        self.assertIsInstance(caught.exception, ImportError)
        self.assertIsInstance(caught.exception, RuntimeError)
        self.assertEqual(str(pickle.loads(pickle.dumps(caught.exception))), text)

    def test_what_is_asked_for(self):
        from omnipkg._specification import requirements

        for given, expected in (
                (" Rich == 13.4.2 ", ["rich==13.4.2"]), (["b", "A>=1, <2"], ["a<2,>=1", "b"]),
                ({"x": "1.0"}, ["x==1.0"]),
                ({"x": ">=1"}, ["x>=1"]), ({"x": None, "y": "", "z": "*"}, ["x", "y", "z"]), (("a", "a"), ["a"]),
                ("Zope.Interface_x", ["zope-interface-x"]), ("a[C, b]==1", ["a[b,c]==1"]), ("a (>=1)", ["a>=1"]),
                ("a==1;python_version>'3'", ["a==1 ; python_version>'3'"]),
                ("a @ file:///x/y.whl", ["a @ file:///x/y.whl"]),
                ({"a": "~=1.0"}, ["a~=1.0"]), ({"a[x]": "1"}, ["a[x]==1"]), (frozenset(["a===1.0"]), ["a===1.0"])):
            self.assertEqual(requirements(given), expected, given)
        for bad in (None, 3, 1.0, b"rich", [None], {"a": 1}, {1: "a"}, object()):
            self.assertRaises(TypeError, requirements, bad)
        for bad in ("", "  ", [], {}, "==1", "rich 13", "-e .", "a[b", "rich==1,2", "a-"):
            self.assertRaises(ValueError, requirements, bad)
        self.assertRaises(ValueError, omnipkgLoader, "rich", isolation_mode="loose")
        self.assertRaises(TypeError, omnipkgLoader)

    def test_arguments_of_the_first_tool(self):
        with omnipkgLoader(
                ["rich==13.4.2"], config={"a": 1}, quiet=True, force_activation=True, use_worker_pool=False,
                worker_fallback=False, cache_client=None, redis_key_prefix="x", isolation_mode=None,
                something_new=1) as loader:
            self.assertGreater(loader.activation_time_ms, 0)
        stats = loader.get_performance_stats()
        self.assertEqual(sorted(stats), ["activation_time_ms", "deactivation_time_ms", "package_spec"])

    def test_it_says_nothing_unless_asked(self):
        code = "from omnipkg.loader import omnipkgLoader\nwith omnipkgLoader('rich==13.4.2'%s): pass"
        for more, lines in (("", 0), (", quiet=False", 0), (", enable_profiling=True", 1)):
            ran = subprocess.run([sys.executable, "-c", code % more], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual((ran.returncode, ran.stdout, len(ran.stderr.splitlines())), (0, b"", lines), ran.stderr)

    def test_outside_of_a_view(self):
        code = (
            "import sys; sys.prefix = '/usr'\nfrom omnipkg.loader import omnipkgLoader\n"
            "try:\n    omnipkgLoader('rich').__enter__()\n"
            "except Exception as error:\n    print(type(error).__name__, error)")
        said = subprocess.check_output([sys.executable, "-c", code]).decode()
        self.assertIn("OutsideViewError", said)
        self.assertIn("omnipkg run", said)
        self.assertTrue(issubclass(OutsideViewError, RuntimeError))

    def test_without_the_program(self):
        program = os.path.join(HOME, "bin", "omnipkg")
        os.rename(program, program + ".away")
        path = os.environ["PATH"]
        os.environ["PATH"] = ""
        try:
            with omnipkgLoader("rich==13.4.2"):
                pass
            with self.assertRaises(NotAvailableError) as caught:
                omnipkgLoader("rich==13.1").__enter__()
        finally:
            os.environ["PATH"] = path
            os.rename(program + ".away", program)
        self.assertIn("omnipkg program", str(caught.exception))

    def test_an_environments_name_leads_to_its_view(self):
        envs = os.path.join(HOME, "envs")
        os.makedirs(envs, exist_ok=True)
        link = os.path.join(envs, "work")
        os.symlink(os.path.join("..", "mnt", "b" * 40), link)
        code = (
            "from omnipkg.loader import omnipkgLoader\n"
            "with omnipkgLoader('rich==13.4.2'): import rich\nprint(rich.__version__)")
        said = subprocess.check_output([os.path.join(link, "bin", "python"), "-c", code]).decode()
        self.assertEqual(said, "13.4.2\n")


if __name__ == "__main__":
    unittest.main()
