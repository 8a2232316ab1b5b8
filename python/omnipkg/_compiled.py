"""Compiled packages: a process can load one version of each, once, and never lets go of it.

Two rules follow. What would need a second version is refused before anything changes. And the modules of a compiled
distribution that leave `sys.modules` with their activation are kept aside, to be put back when the same distribution (by
its identity: its wheel and all that it needs) is asked for again; while another version of it is visible, a finder in
`sys.meta_path` refuses its import. That finder is the one trace that an activation may leave, and it goes when the version
that is loaded is visible again.
"""

import os
import sys
from importlib.machinery import PathFinder

from omnipkg import _modules
from omnipkg._activation import ADDED, KEPT, REPLACED
from omnipkg._loader_errors import CompiledPackageError

_aside = {}  # identity -> _Aside
_places = {}  # site-packages folder of an activation, with a separator -> Activation


class _Aside(object):
    """A distribution whose modules are kept aside."""

    def __init__(self, activation, part, modules, compiled):
        self.activation, self.part, self.modules, self.compiled = activation, part, modules, compiled


def remember_place(activation):
    """From here on, modules below the activation's folder are known to be its."""
    _places[activation.site_packages + os.sep] = activation


def identity_beneath(project, layers, activation):
    """The identity of a project as these layers show it; None if that is the environment's and not the activation's."""
    for layer in reversed(layers):
        part = layer.activation.parts.get(project)
        if part is not None:
            return part.identity
        if layer.activation.strict:
            return None
    part = activation.parts.get(project)
    return part.identity if part is not None and part.role == KEPT else None


def refuse_second_versions(activation, layers):
    """Raises before anything is changed if the activation needs what this process has loaded in another version.

    `layers` are all that were entered: some hold what is not in `sys.modules` for the time.
    """
    wanted = [part for part in activation.parts_of(REPLACED, ADDED, KEPT) if part.compiled]
    if not wanted:
        return
    loaded = []
    for modules in [_modules.snapshot()] + [each for layer in layers for each in (layer.displaced, layer.modules)]:
        loaded += [(name, modules[name]) for name in modules if name.partition(".")[0] in activation.tops]
    for part in wanted:
        for aside in _aside.values():
            if aside.compiled and aside.part.project == part.project and aside.part.identity != part.identity:
                raise _refusal(activation, part, aside.part.version)
        for name, module in loaded:
            if _modules.is_extension(module) and _modules.owner(name, activation.names) is part:
                identity, version = _loaded_as(module, part)
                if identity != part.identity:
                    raise _refusal(activation, part, version)


def _loaded_as(module, part):
    """Identity and version that a loaded module belongs to; what lies in no activation's folder is the environment's."""
    for folder, activation in _places.items():
        if _modules.is_below(module, folder):
            found = activation.parts.get(part.project)
            return (found.identity, found.version) if found is not None else (None, "of another version")
    return (part.identity if part.role == KEPT else None), part.beneath or "of another version"


def _refusal(activation, part, loaded):
    return CompiledPackageError(part.project, loaded, _wanted(part.version, loaded), activation.requirements)


def _wanted(version, loaded):
    """One wheel may be loaded with other versions of what it needs."""
    return version if version != loaded else version + ", with the versions that it needs here,"


def keep_aside(activation, modules):
    """Keeps the modules (name -> module) of an activation if there is compiled code among them.

    Then those of its pure distributions are kept too: compiled code refers to them.
    """
    if not any(_modules.is_extension(module) for module in modules.values()):
        return
    parts = {}
    for name, module in modules.items():
        part = _modules.owner(name, activation.names)
        if part is not None:
            parts.setdefault(part.identity, (part, {}))[1][name] = module
    for identity, (part, own) in parts.items():
        compiled = any(_modules.is_extension(module) for module in own.values())
        _aside[identity] = _Aside(activation, part, own, compiled)


def modules_aside(identity):
    """The modules that are kept of a distribution: name -> module."""
    aside = _aside.get(identity)
    return aside.modules if aside is not None else {}


class _Guard(object):
    """Refuses to import another version of what is loaded."""

    def __init__(self):
        self.names = {}  # name of a module or package -> _Aside
        self.layers = []

    def find_spec(self, name, path=None, target=None):
        aside = _modules.owner(name, self.names)
        if aside is None:
            return None
        found = PathFinder.find_spec(name, path, target)
        if found is None:
            return None
        places = [found.origin] if found.has_location else list(found.submodule_search_locations or ())
        version, compiled = self._visible(places, aside)
        if not compiled:
            return None
        raise CompiledPackageError(
            aside.part.project, aside.part.version, _wanted(version or "another version", aside.part.version),
            [aside.part.project + ("==" + version if version else "")])

    def _visible(self, places, aside):
        """Version of what an import would find, and whether that is compiled; a module of the user's own is not."""
        for place in places:
            for layer in reversed(self.layers):
                if place.startswith(layer.activation.site_packages + os.sep):
                    part = layer.activation.parts.get(aside.part.project)
                    return (part.version, part.compiled) if part is not None else (None, False)
            store = aside.activation.projections + (os.path.realpath(sys.prefix) + os.sep,)
            if place.startswith(store) or _PACKAGES.intersection(place.split(os.sep)):
                return aside.part.beneath, aside.part.beneath_compiled
        return None, False


_PACKAGES = {"site-packages", "dist-packages"}
_guard = _Guard()


def update_guard(layers):
    """Puts the guard in place for what is loaded and not visible under these layers, or takes it away."""
    names = {}
    for identity, aside in _aside.items():
        if aside.compiled and identity_beneath(aside.part.project, layers, aside.activation) != identity:
            names.update((name, aside) for name in aside.part.modules)
    _guard.names, _guard.layers = names, list(layers)
    if names and _guard not in sys.meta_path:
        sys.meta_path.insert(0, _guard)
    elif not names and _guard in sys.meta_path:
        sys.meta_path.remove(_guard)
