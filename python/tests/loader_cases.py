"""What the loader must do, tried inside a Python of a made-up view (loader_store.py). Started by test_loader.py.

    <view>/bin/python loader_cases.py CASE…
"""

import asyncio
import gc
import importlib
import os
import pickle
import subprocess
import sys
import threading
import types
import unittest
import warnings

from omnipkg.loader import (
    CompiledPackageError, NotAvailableError, OutsideViewError, ProcessCorruptedException, ThreadConflictError, omnipkgLoader)

HOME = os.path.dirname(os.path.dirname(sys.prefix))


class State(object):
    """What must be as it was."""

    def __init__(self):
        self.modules = dict(sys.modules)
        others = [name for name, module in self.modules.items() if "mnt" in (getattr(module, "__file__", None) or "")]
        self.attributes = {name: set(vars(sys.modules[name])) for name in others if name.split(".")[0] != "omnipkg"}
        self.path, self.path_object = list(sys.path), sys.path
        self.rest = (list(sys.meta_path), list(sys.path_hooks), dict(os.environ), list(warnings.filters))
        self.cache = set(sys.path_importer_cache)

    def differences(self, meta_path=True):
        """Texts; the standard library's own modules may come."""
        found = []
        standard = os.path.dirname(os.__file__)
        for name, module in sys.modules.items():
            if self.modules.get(name) is not module:
                path = getattr(module, "__file__", None) or standard
                if name in self.modules or not path.startswith(standard) or "site-packages" in path:
                    found.append("module %s" % name)
        found += ["lost module %s" % name for name in self.modules if name not in sys.modules]
        for name, before in self.attributes.items():
            found += ["attribute %s.%s" % (name, each) for each in set(vars(self.modules[name])) ^ before]
        if sys.path is not self.path_object or sys.path != self.path:
            found.append("path %s" % sys.path)
        now = (list(sys.meta_path), list(sys.path_hooks), dict(os.environ), list(warnings.filters))
        for name, then, after in zip(("meta_path", "path_hooks", "environ", "filters"), self.rest, now):
            if then != after and (meta_path or name != "meta_path"):
                found.append("%s %s" % (name, after))
        found += ["cache %s" % path for path in set(sys.path_importer_cache) - self.cache if "mnt" in path and "b" * 40 not in path]
        return found


def version(name):
    try:
        from importlib import metadata
    except ImportError:
        return None
    return metadata.version(name)


def calls():
    try:
        return os.path.getsize(os.path.join(HOME, "calls"))
    except OSError:
        return 0


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.state = State()

    def tearDown(self):
        self.assertEqual(self.state.differences(), [])


class Restoring(Case):
    def test_nothing_was_imported_before(self):
        with omnipkgLoader("rich==13.4.2") as loader:
            import rich
            import rich.console

            self.assertEqual(rich.__version__, "13.4.2")
            self.assertIsInstance(loader, omnipkgLoader)
            self.assertIn(version("rich"), ("13.4.2", None))
        self.assertNotIn("rich", sys.modules)
        self.assertIn(version("rich"), ("13.7.1", None))
        # What was taken out of the block goes on working.
        self.assertEqual(rich.console.Console.text.WORDS, "some")

    def test_what_was_imported_before_comes_back_itself(self):
        import rich.console

        before = State()
        for _ in range(3):
            with omnipkgLoader("rich==13.4.2", quiet=True):
                self.assertNotIn("rich", sys.modules)
                import rich.text

                self.assertEqual(rich.__version__, "13.4.2")
                self.assertFalse(hasattr(rich, "console"))
            self.assertEqual(before.differences(), [])
            import rich.console

            self.assertEqual(rich.__version__, "13.7.1")
            self.assertIs(rich.console.text, rich.text)
        for name in ("rich", "rich.console", "rich.text"):
            del sys.modules[name]

    def test_after_an_exception(self):
        with self.assertRaises(ZeroDivisionError):
            with omnipkgLoader("rich==13.4.2"):
                import rich.console  # noqa: F401

                1 / 0
        self.assertEqual(self.state.differences(), [])

    def test_an_activation_is_imported_afresh_each_time(self):
        found = []
        for _ in range(2):
            with omnipkgLoader("rich==13.4.2"):
                found.append(importlib.import_module("rich"))
        self.assertIsNot(found[0], found[1])

    def test_nested(self):
        with omnipkgLoader("rich==13.4.2"):
            outer = importlib.import_module("rich")
            inside = State()
            with omnipkgLoader("rich==13.5.0"):
                self.assertEqual(importlib.import_module("rich").__version__, "13.5.0")
                with omnipkgLoader("fresh"):
                    self.assertEqual(importlib.import_module("fresh").RICH, "13.5.0")
                    with omnipkgLoader("rich==13.4.2"):
                        self.assertEqual(importlib.import_module("rich").__version__, "13.4.2")
            self.assertEqual(inside.differences(), [])
            self.assertIs(importlib.import_module("rich"), outer)

    def test_the_same_one_nested_is_one(self):
        loader = omnipkgLoader("rich==13.4.2")
        with loader:
            rich = importlib.import_module("rich")
            with loader:
                self.assertIs(importlib.import_module("rich"), rich)
            self.assertIs(importlib.import_module("rich"), rich)
        self.assertEqual(self.state.differences(), [])

    def test_left_in_another_order(self):
        import rich

        one, two, three = omnipkgLoader("rich==13.4.2"), omnipkgLoader("fresh"), omnipkgLoader("sixish==2.0")
        one.__enter__()
        two.__enter__()
        fresh = importlib.import_module("fresh")
        three.__enter__()
        sixish = importlib.import_module("sixish")
        self.assertEqual(fresh.RICH, "13.4.2")
        one.__exit__(None, None, None)
        self.assertIs(importlib.import_module("rich"), rich)
        self.assertIs(importlib.import_module("fresh"), fresh)
        self.assertIs(importlib.import_module("sixish"), sixish)
        two.__exit__(None, None, None)
        self.assertNotIn("fresh", sys.modules)
        self.assertIs(importlib.import_module("sixish"), sixish)
        three.__exit__(None, None, None)
        self.assertIs(sys.modules.pop("rich"), rich)

    def test_the_environments_own_version_inside_of_another(self):
        import rich

        with omnipkgLoader("rich==13.4.2"):
            other = importlib.import_module("rich")
            with omnipkgLoader("rich==13.7.1"):
                self.assertIs(importlib.import_module("rich"), rich)
            self.assertIs(importlib.import_module("rich"), other)
            first, second = omnipkgLoader("rich==13.7.1"), omnipkgLoader("fresh")
            first.__enter__()
            second.__enter__()
            self.assertEqual(importlib.import_module("fresh").RICH, "13.7.1")
            first.__exit__(None, None, None)
            self.assertIs(importlib.import_module("rich"), other)
            second.__exit__(None, None, None)
        del sys.modules["rich"]

    def test_users_changes_of_the_path_stay(self):
        with omnipkgLoader("rich==13.4.2", isolation_mode="strict"):
            sys.path.insert(0, "/user/front")
            sys.path.append("/user/back")
        self.assertEqual(sys.path, ["/user/front"] + self.state.path + ["/user/back"])
        sys.path[:] = self.state.path

    def test_an_activation_stands_behind_the_scripts_own_folder(self):
        with omnipkgLoader("rich==13.4.2"):
            index = [i for i, path in enumerate(sys.path) if "mnt" in path][0]
            self.assertNotIn("b" * 40, sys.path[index])
            self.assertIn("b" * 40, sys.path[index + 1])
            self.assertGreater(index, sys.path.index(os.path.dirname(os.__file__)))

    def test_the_scripts_own_module_of_that_name_wins(self):
        folder = os.path.join(HOME, "own")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "rich.py"), "w") as file:
            file.write("__version__ = 'own'\n")
        sys.path.insert(0, folder)
        try:
            with omnipkgLoader("rich==13.4.2"):
                own = importlib.import_module("rich")
                self.assertEqual(own.__version__, "own")
            self.assertIs(sys.modules["rich"], own)
            with omnipkgLoader("rich==13.4.2"):
                self.assertIs(importlib.import_module("rich"), own)
        finally:
            del sys.modules["rich"]
            sys.path.remove(folder)
            sys.path_importer_cache.pop(folder, None)

    def test_modules_that_are_no_files(self):
        with omnipkgLoader("sixish==2.0"):
            import sixish

            self.assertIs(sys.modules["sixish.moves"], sixish.moves)
        self.assertEqual(self.state.differences(), [])

    def test_finders_that_imported_code_exchanged(self):
        import sixish

        before = State()
        with omnipkgLoader("sixish==2.0"):
            import sixish as other

            self.assertIsNot(other, sixish)
            self.assertIs(type(sys.meta_path[-1]), other.Importer)
        self.assertEqual(before.differences(), [])
        self.assertIs(type(sys.meta_path.pop()), sixish.Importer)
        del sys.modules["sixish"], sys.modules["sixish.moves"]

    def test_what_imported_code_took_out_of_the_import_system(self):
        from importlib.machinery import PathFinder

        had = sorted(vars(PathFinder))
        with omnipkgLoader("jealous==2.0"):
            importlib.import_module("jealous")
        self.assertEqual(sorted(vars(PathFinder)), had)
        self.assertIn(version("rich"), ("13.7.1", None))

    def test_what_stood_under_a_name_comes_back(self):
        sys.modules["an_alias"] = before = types.ModuleType("json")
        try:
            with omnipkgLoader("rich==13.4.2"):
                sys.modules["an_alias"] = types.ModuleType("json")
            self.assertIs(sys.modules["an_alias"], before)
        finally:
            del sys.modules["an_alias"]

    def test_warning_filters_for_classes_that_left(self):
        import loud

        before = State()
        for _ in range(3):
            with omnipkgLoader("loud==2.0"):
                importlib.import_module("loud")
            self.assertEqual(before.differences(), [])
        self.assertIs(sys.modules.pop("loud"), loud)
        warnings.filters[:] = self.state.rest[3]

    def test_namespaces_are_shared(self):
        import space.one
        import space.two

        before = State()
        with omnipkgLoader("space-one==2"):
            self.assertFalse(hasattr(space, "one"))
            self.assertEqual(importlib.import_module("space.one").VERSION, 2)
            self.assertIs(importlib.import_module("space.two"), space.two)
        self.assertEqual(space.one.VERSION, 1)
        self.assertEqual(before.differences(), [])
        for name in ("space", "space.one", "space.two"):
            del sys.modules[name]
        with omnipkgLoader("space-one==2"):
            # The environment's part is first met inside: it stays, and its namespace with it.
            two = importlib.import_module("space.two")
            importlib.import_module("space.one")
        self.assertEqual(sorted(name for name in sys.modules if name.startswith("space")), ["space", "space.two"])
        import space.two

        self.assertIs(space.two, two)
        self.assertFalse(hasattr(space, "one"))
        self.assertEqual(importlib.import_module("space.one").VERSION, 1)
        for name in ("space", "space.one", "space.two"):
            del sys.modules[name]

    def test_a_namespace_of_two_activations(self):
        one, two = omnipkgLoader("space-one==2"), omnipkgLoader("space-three")
        one.__enter__()
        importlib.import_module("space.one")
        two.__enter__()
        three = importlib.import_module("space.three")
        one.__exit__(None, None, None)
        import space.three

        self.assertIs(space.three, three)
        self.assertFalse(hasattr(space, "one"))
        self.assertEqual(importlib.import_module("space.one").VERSION, 1)
        two.__exit__(None, None, None)
        self.assertEqual(sorted(name for name in sys.modules if name.startswith("space")), ["space", "space.one"])
        for name in ("space", "space.one"):
            del sys.modules[name]

    def test_dependents_see_the_version_that_is_active(self):
        import uses_rich

        before = State()
        with omnipkgLoader("rich==13.4.2"):
            self.assertEqual(importlib.import_module("uses_rich").RICH, "13.4.2")
        self.assertEqual(before.differences(), [])
        self.assertEqual(uses_rich.RICH, "13.7.1")
        for name in ("rich", "uses_rich"):
            del sys.modules[name]
        with omnipkgLoader("rich==13.4.2"):
            importlib.import_module("uses_rich")
        self.assertEqual(importlib.import_module("uses_rich").RICH, "13.7.1")
        for name in ("rich", "uses_rich"):
            del sys.modules[name]

    def test_what_holds_a_part_of_it_leaves_and_the_rest_stays(self):
        folder = os.path.join(HOME, "helpers")
        os.makedirs(folder, exist_ok=True)
        for name, text in (("helper_one", "from rich.console import Console\n"), ("helper_two", "import helper_one\n"),
                           ("helper_three", "import plain.other\n")):
            with open(os.path.join(folder, name + ".py"), "w") as file:
                file.write(text)
        sys.path.insert(0, folder)
        self.state = State()
        with omnipkgLoader("rich==13.4.2"):
            importlib.import_module("helper_two")
            three = importlib.import_module("helper_three")
            importlib.import_module("optional.plain")
            optional = importlib.import_module("optional")
            importlib.import_module("optional.fancy")
        new = {name for name in sys.modules if name not in self.state.modules and name.split(".")[0] not in ("rich",)}
        new = {name for name in new if name.split(".")[0] in ("helper_one", "helper_two", "helper_three", "optional", "plain")}
        self.assertEqual(new, {"helper_three", "optional", "optional.plain", "plain", "plain.other"})
        self.assertIs(sys.modules["helper_three"], three)
        self.assertFalse(hasattr(optional, "fancy"))
        for name in new:
            del sys.modules[name]
        sys.path.remove(folder)
        sys.path_importer_cache.pop(folder, None)
        self.state.path.remove(folder)
        self.state.cache.discard(folder)

    def test_the_standard_library_stays(self):
        sys.modules.pop("this_is_absent", None)
        name = next(name for name in ("colorsys", "chunk", "sndhdr", "nturl2path") if name not in sys.modules)
        with omnipkgLoader("rich==13.4.2"):
            module = importlib.import_module(name)
        self.assertIs(sys.modules[name], module)

    def test_names_that_stand_for_nothing(self):
        sys.modules["rich.absent"] = None
        try:
            with omnipkgLoader("rich==13.4.2"):
                self.assertNotIn("rich.absent", sys.modules)
            self.assertIsNone(sys.modules["rich.absent"])
        finally:
            del sys.modules["rich.absent"]

    def test_nothing_is_kept_alive(self):
        with omnipkgLoader("rich==13.4.2"):
            import rich.console
        gc.collect()
        modules = [each for each in gc.get_objects() if type(each) is types.ModuleType and each.__name__ == "rich.console"]
        self.assertEqual(len(modules), 1)
        del rich, modules
        gc.collect()
        self.assertFalse([each for each in gc.get_objects() if type(each) is types.ModuleType and each.__name__ == "rich.console"])

    def test_strict_shows_nothing_else(self):
        import plain
        import uses_rich  # noqa: F401
        import rich

        before = State()
        with omnipkgLoader("rich==13.4.2", isolation_mode="strict"):
            self.assertIsNot(importlib.import_module("rich"), rich)
            self.assertIs(importlib.import_module("plain"), plain)
            for name in ("uses_rich", "sixish", "native"):
                with self.assertRaises(ImportError):
                    importlib.import_module(name)
            importlib.import_module("omnipkg._specification")
            self.assertFalse([path for path in sys.path if "b" * 40 in path])
            with omnipkgLoader("fresh"):
                self.assertEqual(importlib.import_module("fresh").RICH, "13.4.2")
        self.assertEqual(before.differences(), [])
        for name in ("plain", "uses_rich", "rich"):
            del sys.modules[name]

    def test_generators_and_tasks(self):
        import rich

        def versions(wanted):
            with omnipkgLoader("rich==" + wanted):
                while True:
                    yield importlib.import_module("rich").__version__

        one = versions("13.4.2")
        two = versions("13.5.0")
        self.assertEqual([next(one), next(two)], ["13.4.2", "13.5.0"])
        one.close()
        self.assertEqual(next(two), "13.5.0")
        two.close()
        self.assertIs(importlib.import_module("rich"), rich)

        async def task(wanted, turns):
            with omnipkgLoader("rich==" + wanted):
                first = importlib.import_module("rich").__version__
                for _ in range(turns):
                    await asyncio.sleep(0)
                return first

        async def both():
            return await asyncio.gather(task("13.4.2", 1), task("13.5.0", 3))

        loop = asyncio.new_event_loop()
        self.assertEqual(loop.run_until_complete(both()), ["13.4.2", "13.5.0"])
        loop.close()
        self.assertIs(sys.modules.pop("rich"), rich)

    def test_an_interruption_while_entering_leaves_nothing(self):
        import rich

        from omnipkg import _layer

        real, before = _layer._invalidate, State()

        def interrupted(activation):
            _layer._invalidate = real
            raise KeyboardInterrupt

        _layer._invalidate = interrupted
        with self.assertRaises(KeyboardInterrupt):
            omnipkgLoader("rich==13.4.2").__enter__()
        self.assertEqual(before.differences(), [])
        self.assertIs(sys.modules.pop("rich"), rich)


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
                (" Rich == 13.4.2 ", ["rich==13.4.2"]), (["b", "A>=1, <2"], ["a<2,>=1", "b"]), ({"x": "1.0"}, ["x==1.0"]),
                ({"x": ">=1"}, ["x>=1"]), ({"x": None, "y": "", "z": "*"}, ["x", "y", "z"]), (("a", "a"), ["a"]),
                ("Zope.Interface_x", ["zope-interface-x"]), ("a[C, b]==1", ["a[b,c]==1"]), ("a (>=1)", ["a>=1"]),
                ("a==1;python_version>'3'", ["a==1 ; python_version>'3'"]), ("a @ http://x/y.whl", ["a @ http://x/y.whl"]),
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
                ["rich==13.4.2"], config={"a": 1}, quiet=True, force_activation=True, use_worker_pool=False, worker_fallback=False,
                cache_client=None, redis_key_prefix="x", isolation_mode=None, something_new=1) as loader:
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
            "try:\n    omnipkgLoader('rich').__enter__()\nexcept Exception as error:\n    print(type(error).__name__, error)")
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
        code = "import sys; from omnipkg.loader import omnipkgLoader\nwith omnipkgLoader('rich==13.4.2'): import rich\nprint(rich.__version__)"
        said = subprocess.check_output([os.path.join(link, "bin", "python"), "-c", code]).decode()
        self.assertEqual(said, "13.4.2\n")


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
        for word in ("rich 13.4.2 is active in thread MainThread", "thread other", "sys.modules", 'Worker("rich==13.5.0")'):
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
        self.assertIn("native 1.0 is loaded in this process and is compiled: 2.0 cannot be loaded beside it", str(caught.exception))
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
