"""What a process is like before and after an activation: for the loader_*_cases.py, which test_loader.py starts."""

import os
import sys
import types
import unittest
import warnings

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
        folders = [path for path in set(sys.path_importer_cache) - self.cache if "mnt" in path and "b" * 40 not in path]
        found += ["cache %s" % path for path in folders]
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
