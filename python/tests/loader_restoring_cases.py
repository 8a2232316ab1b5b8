"""Leaving an activation restores everything: run inside of a made-up view by test_loader.py."""

import asyncio
import gc
import importlib
import os
import sys
import types
import unittest
import warnings

from loader_state import HOME, Case, State, version
from omnipkg.loader import ThreadConflictError, omnipkgLoader


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
            with omnipkgLoader("rich==13.4.2"):
                del sys.modules["an_alias"]
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
        names = ("helper_one", "helper_two", "helper_three", "optional", "plain")
        new = {name for name in sys.modules if name not in self.state.modules and name.split(".")[0] in names}
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

        def alive():
            gc.collect()
            modules = [each for each in gc.get_objects() if type(each) is types.ModuleType]
            return sum(each.__name__ == "rich.console" for each in modules)

        self.assertEqual(alive(), 1)
        del rich
        self.assertEqual(alive(), 0)

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
            with omnipkgLoader(wanted):
                for _ in range(turns):
                    await asyncio.sleep(0)
                return importlib.import_module("rich").__version__

        async def together(*wanted):
            tasks = [task(each, 2 * turns) for turns, each in enumerate(wanted, 1)]
            return await asyncio.gather(*tasks, return_exceptions=True)

        def run(*wanted):
            loop = asyncio.new_event_loop()
            try:
                return loop.run_until_complete(together(*wanted))
            finally:
                loop.close()

        # Neither task waits for the other: one of them would see the other's version.
        first, second = sorted(run("rich==13.4.2", "rich==13.5.0"), key=str)
        self.assertIn(first, ("13.4.2", "13.5.0"))
        self.assertIsInstance(second, ThreadConflictError)
        self.assertIn("a task in thread", str(second))
        self.assertEqual(run("rich==13.4.2", "rich==13.4.2"), ["13.4.2", "13.4.2"])
        self.assertIs(importlib.import_module("rich"), rich)
        with omnipkgLoader("rich==13.5.0"):
            self.assertEqual(run("rich==13.4.2"), ["13.4.2"])
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


if __name__ == "__main__":
    unittest.main()
