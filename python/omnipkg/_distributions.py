"""Which distributions are there, and which of them owns a file or a module.

Read from the names of ``*.dist-info`` and ``*.egg-info`` on ``sys.path`` and their RECORD files, with nothing imported: a
script's own ``json.py`` or ``email.py`` must not run because it failed.
"""

import os
import sys

from omnipkg._either import STRINGS, plain_string


def normalise(name):
    """PEP 503."""
    return "-".join(part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part)


class Distributions(object):
    def __init__(self):
        self._sites = []  # (folder, {normalised name: (version, metadata folder)})
        self._owners = {}  # folder -> {relative path or top-level name: normalised name}
        seen = set()
        for folder in list(sys.path):
            if isinstance(folder, STRINGS) and folder not in seen:
                seen.add(folder)
                found = _scan(folder or os.getcwd())
                if found:
                    self._sites.append((os.path.abspath(folder), found))

    def version(self, name):
        """The version that an import sees: the first one on the path."""
        found = self._find(normalise(name))
        return found and found[0]

    def names(self):
        return {name for _, found in self._sites for name in found}

    def _find(self, name):
        for _, found in self._sites:
            if name in found:
                return found[name]
        return None

    def site_of(self, path):
        """The folder of the path that holds distributions and this file, and the file's place in it."""
        best = None
        for folder, found in self._sites:
            if path.startswith(folder + os.sep) and (best is None or len(folder) > len(best[0])):
                best = (folder, found)
        return best

    def owner_of_file(self, path):
        site = self.site_of(path)
        if site is None:
            return None
        folder, found = site
        relative = path[len(folder) + 1 :].replace(os.sep, "/")
        top = relative.split("/")[0].split(".")[0]
        same = normalise(top)
        if same in found and _lists(os.path.join(folder, found[same][1]), relative, top):
            return same
        if folder not in self._owners:
            self._owners[folder] = _owners(folder, found)
        owners = self._owners[folder]
        return owners.get(relative) or owners.get("top-level " + top)

    def owner_of_module(self, module):
        """The distribution of a module object that was imported from a file."""
        path = _module_path(module)
        if path is None:
            return None
        owner = self.owner_of_file(path)
        if owner is None and self.site_of(path) is None:
            # An editable install: its files are elsewhere, its name is all there is to go by.
            name = normalise(str(vars(module).get("__name__", "")).split(".")[0])
            return name if self._find(name) else None
        return owner

    def loaded(self):
        """{name: version} of the distributions of which a module is imported."""
        result = {}
        for name, module in list(sys.modules.items()):
            if type(name) is not str or len(result) >= 500:
                continue
            parts = name.split(".")
            # Deeper modules tell of namespace packages only.
            if len(parts) > 1 and _module_path(sys.modules.get(parts[0])) is not None:
                continue
            owner = self.owner_of_module(module)
            if owner is not None:
                result[owner] = self.version(owner)
        return result


def _module_path(module):
    try:
        path = vars(module).get("__file__")
    except TypeError:
        return None
    if type(path) is not str:
        return None
    # Python 2 says which bytecode it read.
    return os.path.abspath(path[:-1] if path.endswith((".pyc", ".pyo")) else path)


def _scan(folder):
    try:
        entries = os.listdir(folder)
    except EnvironmentError:
        return {}
    found = {}
    for entry in entries:
        stem, extension = os.path.splitext(entry)
        parts = stem.split("-")
        if extension in (".dist-info", ".egg-info") and len(parts) >= 2:
            found.setdefault(plain_string(normalise(parts[0])), (plain_string(parts[1]), entry))
    return found


def _read_lines(path):
    try:
        with open(path, "rb") as file:
            return file.read(16 << 20).decode("utf-8", "replace").splitlines()
    except EnvironmentError:
        return []


def _record(metadata):
    for line in _read_lines(os.path.join(metadata, "RECORD")):
        # Paths with a comma are quoted.
        yield line[1:].split('"', 1)[0] if line.startswith('"') else line.split(",", 1)[0]


def _lists(metadata, relative, top):
    any_record = False
    for path in _record(metadata):
        any_record = True
        if path == relative:
            return True
    return not any_record and top in (_read_lines(os.path.join(metadata, "top_level.txt")) or [top])


def _owners(folder, found):
    owners = {}
    for name in sorted(found):
        metadata = os.path.join(folder, found[name][1])
        recorded = False
        for path in _record(metadata):
            recorded = True
            owners.setdefault(path, name)
        if not recorded:
            for top in _read_lines(os.path.join(metadata, "top_level.txt")):
                owners.setdefault("top-level " + top.strip(), name)
    return owners
