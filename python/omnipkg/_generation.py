"""Going on in the newest generation of an environment, in a process that began in an earlier one.

A process keeps the view that it started with, so that nobody's change reaches it in the middle of its work. The one
exception is its own change: a script that installs something and imports it in its next line. So only the calls of
``core.py`` come here, after they succeeded. What is imported stays as it is: a loaded package finds its further modules in
the view that it came from.
"""

import importlib
import os
import sys

from omnipkg import _program


def names():
    """The environments whose current generation is this process's view."""
    view, store = _program.view(), _program.home()
    if view is None:
        return set()
    mine = _program.environment()
    envs = os.path.join(store, "envs")
    same = {name for name in os.listdir(envs) if os.path.realpath(os.path.join(envs, name)) == view}
    return same | {mine} if mine else same


def follow(name):
    """Points this process's paths to the current generation of an environment."""
    old = _program.view()
    new = os.path.realpath(os.path.join(_program.home(), "envs", name))
    if new == old or not os.path.isdir(new):
        return
    # As it was started, and without links.
    for folder in {sys.prefix, old}:
        sys.path[:] = [_moved(entry, folder, new) for entry in sys.path]
        for entry in [each for each in list(sys.path_importer_cache) if _moved(each, folder, new) != each]:
            del sys.path_importer_cache[entry]
    sys.prefix = sys.exec_prefix = new
    importlib.invalidate_caches()


def _moved(path, old, new):
    return new + path[len(old) :] if isinstance(path, str) and (path + os.sep).startswith(old + os.sep) else path
