"""What `sys.modules` holds: where a module came from, and whose it is.

What must stay true: nothing of a module is run to find out. Modules are asked through their dictionaries, so that lazy
ones stay unloaded and proxies unasked.
"""

import os
import sys

_STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_PACKAGES = ("site-packages", "dist-packages")


def contents(module):
    """The dictionary of a module, whatever object `sys.modules` has for it."""
    try:
        return object.__getattribute__(module, "__dict__")
    except (AttributeError, TypeError):
        return {}


def file_of(module):
    """The file that a module was read from; None for built-in ones, namespaces, and what was made in memory."""
    path = contents(module).get("__file__")
    return path if type(path) is str else None


def places(module):
    """Where a module lies: its file, or a namespace's folders."""
    path = file_of(module)
    if path is not None:
        return (path,)
    folders = contents(module).get("__path__")
    # The list inside of a namespace's path: iterating the path itself would make it look for more.
    folders = getattr(folders, "_path", folders)
    return tuple(folder for folder in folders if type(folder) is str) if isinstance(folders, (list, tuple)) else ()


def is_below(module, folders):
    """True if a module lies in one of these folders, each of which ends with a separator."""
    path = file_of(module)
    if path is not None:
        return path.startswith(folders)
    return any((place + os.sep).startswith(folders) for place in places(module))


def is_extension(module):
    """True for compiled code: once it is loaded, a process has it for good."""
    path = file_of(module)
    return path is not None and path.endswith(".so")


def is_namespace(module):
    """True for a package that several distributions have a share in (PEP 420)."""
    found = contents(module)
    return "__path__" in found and found.get("__file__") is None


def is_standard(module):
    """True for the standard library's modules, and for those that are no file's."""
    path = file_of(module)
    if path is None:
        return "__path__" not in contents(module)
    if not path.startswith(_STANDARD_LIBRARY):
        return False
    return path[len(_STANDARD_LIBRARY):].split(os.sep, 1)[0] not in _PACKAGES


def owner(name, names):
    """What `names` has for a module's name or for the nearest package above it; None if it has nothing."""
    while name:
        found = names.get(name)
        if found is not None:
            return found
        name = name.rpartition(".")[0]
    return None


def snapshot():
    """Names and modules as they are now. A copy: other threads go on importing.

    A dict, because a list of a thousand pairs would set off the garbage collector every time.
    """
    found = sys.modules.copy()
    for name in [name for name in found if type(name) is not str]:
        del found[name]
    return found


def bind(name, module):
    """Makes a module the attribute of its package, as an import does."""
    parent, _, attribute = name.rpartition(".")
    found = contents(sys.modules[parent]) if parent in sys.modules else None
    if isinstance(found, dict):
        found[attribute] = module


def unbind(name, module):
    """Undoes `bind`: (package's dictionary, attribute, module) if it was bound, else None."""
    parent, _, attribute = name.rpartition(".")
    found = contents(sys.modules[parent]) if parent in sys.modules else None
    if not isinstance(found, dict) or found.get(attribute) is not module:
        return None
    del found[attribute]
    return (found, attribute, module)


def referring(candidates, modules):
    """Names of those candidates (name -> module) that hold something of `modules`, directly or by another candidate.

    What a module holds inside of containers is not looked for.
    """
    names, ids = set(modules), {id(module) for module in modules.values()}
    found, more = set(), True
    while more:
        more = [name for name in candidates if name not in found and _refers(name, candidates[name], names, ids)]
        found.update(more)
        names.update(more)
        ids.update(id(candidates[name]) for name in more)
    return found


def _refers(name, module, names, ids):
    for attribute, value in list(contents(module).items()):
        if id(value) in ids:
            # A package's own submodule: it is unbound, and nothing is left of it.
            if sys.modules.get(name + "." + attribute) is not value:
                return True
        elif defined_in(value) in names:
            return True
    return False


def defined_in(value):
    """Name of the module whose class or function this is, or of whose class it is an instance; no code of it is run."""
    kind = type(value)
    try:
        if issubclass(kind, type):
            found = type.__getattribute__(value, "__dict__").get("__module__")
        elif kind is _FUNCTION:
            found = value.__module__
        else:
            found = type.__getattribute__(kind, "__dict__").get("__module__")
    except (AttributeError, TypeError):
        return None
    return found if type(found) is str else None


_FUNCTION = type(owner)
