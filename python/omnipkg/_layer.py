"""One layer: laying it over `sys.path` and `sys.modules`, and lifting it. See ``_layers.py`` for the rules."""

import importlib
import os
import sys
from importlib.machinery import PathFinder

from omnipkg import _compiled, _modules
from omnipkg._activation import KEPT

_PACKAGES = ("site-packages", "dist-packages")
_STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__))
_STANDARD_LIBRARY = (_STANDARD_LIBRARY, os.path.join(_STANDARD_LIBRARY, "lib-dynload"))
_ABSENT = object()
_SPARED = ("__main__", "__mp_main__", "builtins", "sys")


class Layer(object):
    """An activation, while somebody is in it."""

    def __init__(self, activation, thread):
        self.activation = activation
        self.holders = [thread]
        self.modules = {}  # while it is lifted: what it had brought, name -> module
        self.displaced = {}  # while it is laid: what it took out of sys.modules
        self._unbound = []  # (package's dictionary, attribute, module) of the displaced
        self._before = {}  # sys.modules as the layer found it, without the displaced
        self._same = set()  # names of the activation's modules that are the same with and without it
        self._path = None  # (the entries before, the entries after)
        self._finders = None  # _Finders, as the layer found them
        self._filters = []  # warnings.filters before
        self._environment = ()  # folders of the environment and of the store

    # laying

    def lay(self, beneath):
        """Puts the layer over those beneath it, with the modules that it had."""
        if self.activation.is_empty:
            return
        _compiled.remember_place(self.activation)
        self._finders = _Finders()
        self._filters = list(getattr(sys.modules.get("warnings"), "filters", ()))
        self._before = _modules.snapshot()
        first, hidden = self._folders(beneath)
        self._environment = tuple(folder + os.sep for folder in hidden) + self.activation.projections
        before = list(sys.path)
        rest = [entry for entry in before[first:] if not (self.activation.strict and entry in hidden)]
        self._path = (before, before[:first] + [self.activation.site_packages] + rest)
        displaced = self._to_displace(beneath)
        for name, module in displaced.items():
            self.displaced[name] = module
            # What is displaced with its package stays bound in that.
            bound = _modules.unbind(name, module) if name.rpartition(".")[0] not in displaced else None
            if bound is not None:
                self._unbound.append(bound)
            sys.modules.pop(name, None)
            del self._before[name]
        sys.path[:] = self._path[1]
        _invalidate(self.activation)
        self._bring(beneath)

    def _folders(self, beneath):
        """The index on `sys.path` before which the activation belongs, and the folders that a strict one hides.

        It stands before the environment's folders and those of the layers beneath, and after the script's own: there a
        user's module wins, as it does in plain Python.
        """
        start = max([index + 1 for index, entry in enumerate(sys.path) if entry in _STANDARD_LIBRARY] or [0])
        own = (sys.prefix + os.sep, os.path.realpath(sys.prefix) + os.sep)
        layers = {layer.activation.site_packages for layer in beneath}
        first, hidden = len(sys.path), []
        for index, entry in enumerate(sys.path):
            if not isinstance(entry, str) or index < start and entry not in layers:
                continue
            if entry in layers or entry.startswith(own) or os.path.basename(entry) in _PACKAGES:
                first = min(first, index)
                hidden.append(entry)
        return first, hidden

    def _to_displace(self, beneath):
        activation = self.activation
        modules = self._before
        loaded = {}  # id of a part -> (the part, those of its modules that are loaded)
        for name in [name for name in modules if name.startswith(activation.beginnings)]:
            part = _modules.owner(name, activation.names)
            if part is not None and self._is_of_environment(modules[name]):
                loaded.setdefault(id(part), (part, {}))[1][name] = modules[name]
        found = {}
        for part, own in loaded.values():
            if self._changes(part, own, beneath):
                found.update(own)
            else:
                self._same.update(part.modules)
        if activation.strict:
            found.update(_hidden(modules, self._environment, dict.fromkeys(self._same, True)))
        return found

    def _is_of_environment(self, module):
        """False for a module of the script's own, whatever its name."""
        return not _modules.places(module) or _modules.is_below(module, self._environment)

    def _changes(self, part, modules, beneath):
        """True if what is loaded of a project is not what this layer shows."""
        if _compiled.identity_beneath(part.project, beneath, self.activation) == part.identity:
            return False
        # A compiled distribution cannot be loaded anew: it goes on with what it was loaded with.
        return not part.is_dependent or not any(_modules.is_extension(module) for module in modules.values())

    def _bring(self, beneath):
        """Puts modules back: those that the layer had, and compiled ones that were kept aside."""
        for part in self.activation.parts.values():
            if _compiled.identity_beneath(part.project, beneath, self.activation) != part.identity:
                for name, module in _compiled.modules_aside(part.identity).items():
                    if name not in sys.modules:
                        self.modules.setdefault(name, module)
        sys.modules.update(self.modules)
        for name, module in self.modules.items():
            parent = name.rpartition(".")[0]
            if parent and parent not in self.modules:
                # A namespace, which may have left with another layer.
                try:
                    importlib.import_module(parent)
                except Exception:
                    continue  # Laying again what somebody else's leaving lifted is not the place to fail.
                _modules.bind(name, module)
        self.modules = {}

    # lifting

    def lift(self, beneath):
        """Takes the layer away. What it brought is in `modules` then, what it displaced is in `sys.modules` again."""
        if self._path is not None:
            brought = self._brought(beneath)
            self._finders.restore(brought)
            _drop_warnings_filters(self._filters, brought)
            for name, module in brought.items():
                before = self._before.get(name, _ABSENT)
                # Packages that leave keep their modules: somebody may go on using an object of theirs.
                if name.rpartition(".")[0] not in brought:
                    _modules.unbind(name, module)
                    if before is not _ABSENT:
                        _modules.bind(name, before)
                if before is _ABSENT:
                    sys.modules.pop(name, None)
                else:
                    sys.modules[name] = before
            # setuptools, for one, takes out what another one had put in.
            for name in self._before.keys() - sys.modules.keys():
                sys.modules[name] = self._before[name]
            sys.modules.update(self.displaced)
            for package, attribute, module in self._unbound:
                package[attribute] = module
            self._restore_path()
            self.modules = brought
            _invalidate(self.activation)
        self.displaced, self._unbound, self._before, self._same, self._path = {}, [], {}, set(), None
        self._finders, self._filters = None, []

    def _brought(self, beneath):
        """Modules that leave with the layer."""
        now, before = _modules.snapshot(), self._before
        new = {name: now[name] for name in now if before.get(name, _ABSENT) is not now[name] and name not in _SPARED}
        # What stood under a name before comes back in any case.
        brought = {name: module for name, module in new.items() if name in before or self._owns(name, module)}
        if not brought:
            return brought
        self._leave_what_stays(brought, beneath)
        compiled = {name.partition(".")[0] for name, module in new.items() if _modules.is_extension(module)}
        others = {
            name: module for name, module in new.items()
            if name not in brought and name.partition(".")[0] not in compiled and not _modules.is_standard(module)
        }
        for name in _modules.referring(others, brought):
            brought[name] = others[name]
        # A namespace is shared: it stays as long as anything else in it stays.
        for name in [name for name in brought if _modules.is_namespace(brought[name])]:
            if any(other.startswith(name + ".") and other not in brought for other in list(sys.modules)):
                del brought[name]
        return brought

    def _owns(self, name, module):
        activation = self.activation
        if _modules.is_below(module, activation.site_packages + os.sep):
            return True
        if not name.startswith(activation.beginnings):
            return False
        part = _modules.owner(name, activation.names)
        if part is None or part.role == KEPT and not activation.strict or not self._same.isdisjoint(part.modules):
            return False
        # Its name alone does not make it the activation's: the script may have a module of that name.
        return self._is_of_environment(module)

    def _leave_what_stays(self, brought, beneath):
        """A compiled distribution that is the same without this layer stays: it could not be loaded again."""
        names = self.activation.names
        compiled = {id(_modules.owner(name, names)) for name in brought if _modules.is_extension(brought[name])}
        if not compiled:
            return
        for name in list(brought):
            part = _modules.owner(name, names)
            if part is not None and id(part) in compiled and (
                    _compiled.identity_beneath(part.project, beneath, self.activation) == part.identity):
                del brought[name]

    def _restore_path(self):
        before, after = self._path
        if sys.path == after:
            sys.path[:] = before
            return
        # The user changed it meanwhile: what the layer put in goes, what it took out comes back, the rest is the user's.
        if self.activation.site_packages in sys.path:
            sys.path.remove(self.activation.site_packages)
        _put_back(sys.path, before, [entry for entry in before if entry not in after and entry not in sys.path])

    def forget_below(self, folder):
        """Of a layer that is out of effect: drops what came from an activation that was left meanwhile."""
        self.modules = {name: module for name, module in self.modules.items() if not _modules.is_below(module, folder)}


def _hidden(modules, folders, stays):
    """Modules that lie in folders which are taken out, and what belongs to them without being a file."""
    found = {}
    for name, module in modules.items():
        if name in _SPARED or name.partition(".")[0] == "omnipkg" or _modules.owner(name, stays):
            continue
        if _modules.is_below(module, folders):
            found[name] = module
    tops = {name for name in found if "." not in name and not _modules.is_namespace(found[name])}
    for name, module in modules.items():
        if name.partition(".")[0] in tops and not _modules.owner(name, stays):
            found[name] = module
    return found


def _put_back(entries, before, missing):
    """Puts entries back into a list, each behind the nearest one that stood before it."""
    for entry in missing:
        index = 0
        for earlier in reversed(before[:before.index(entry)]):
            if earlier in entries:
                index = entries.index(earlier) + 1
                break
        entries.insert(index, entry)


class _Finders(object):
    """The finders and hooks of the import system, to be restored."""

    def __init__(self):
        self._lists = [(each, list(each)) for each in (sys.meta_path, sys.path_hooks)]
        self._path_finder = dict(vars(PathFinder))

    def restore(self, brought):
        """Those whose code leaves go; those that it took out (six replaces its own) come back."""
        for entries, before in self._lists:
            if entries != before:
                entries[:] = [entry for entry in entries if entry in before or _modules.defined_in(entry) not in brought]
                _put_back(entries, before, [entry for entry in before if entry not in entries])
        # importlib_metadata deletes the method that makes importlib.metadata find anything.
        for name in set(self._path_finder).difference(vars(PathFinder)):
            setattr(PathFinder, name, self._path_finder[name])


def _drop_warnings_filters(before, brought):
    """A filter for a category whose class leaves would keep all of that module alive, one more each time."""
    warnings = sys.modules.get("warnings")
    filters = getattr(warnings, "filters", [])
    if filters == before:
        return
    left = [each for each in filters if each in before or _modules.defined_in(each[2]) not in brought]
    if len(left) != len(filters):
        filters[:] = left
        if hasattr(warnings, "_filters_mutated"):
            warnings._filters_mutated()


def _invalidate(activation):
    """As `importlib.invalidate_caches()`, except for folders of the store: what is in them never changes.

    That function would also import importlib.metadata (3.10 and later), for caches that are kept by folder and time.
    """
    folder = activation.site_packages
    for path, finder in list(sys.path_importer_cache.items()):
        if path.startswith(folder):
            del sys.path_importer_cache[path]
        elif not path.startswith(activation.projections) and hasattr(finder, "invalidate_caches"):
            finder.invalidate_caches()
    for finder in list(sys.meta_path):
        if finder is not PathFinder and hasattr(finder, "invalidate_caches"):
            finder.invalidate_caches()
