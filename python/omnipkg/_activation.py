"""Remembered activations: which view answers requirements over this Python's own view.

``<home>/activations/<key>`` is a link to the view and ``<key>.json`` beside it says what differs; `omnipkg activate` writes
both. What must stay true: an activation that is remembered costs one readlink and one stat and starts no process; the key
is the digest that cli/src/activation.rs takes of the same text.
"""

import json
import os
import sys

from omnipkg import _program
from omnipkg._errors import CommandError
from omnipkg._loader_errors import NotAvailableError, OutsideViewError

REPLACED, ADDED, DEPENDENT, KEPT = "replaced", "added", "dependents", "kept"
ISOLATIONS = ("overlay", "strict")

_known = {}  # key -> (what its link said, Activation)
_views = {}  # sys.prefix -> the view that it is, where it is no link


class Part(object):
    """One project's part in an activation.

    ``identity`` stands for its wheel and the wheels of all that it needs: two parts with one identity are the same code.
    """

    __slots__ = (
        "role", "project", "version", "beneath", "identity", "modules", "compiled", "beneath_compiled", "is_dependent")

    def __init__(self, role, found):
        self.role = role
        self.is_dependent = role == DEPENDENT
        self.project = found["project"]
        self.version = found.get("to") or found["version"]
        self.beneath = found.get("from") or (None if role == ADDED else self.version)
        self.identity = found["identity"]
        self.modules = tuple(found["modules"])
        self.compiled = found["compiled"]
        self.beneath_compiled = found.get("from_compiled", self.compiled)


class Activation(object):
    """What is to be put in front, and what that changes."""

    def __init__(self, found, requirements):
        self.requirements = requirements
        self.key = found["key"]
        self.strict = found["isolation"] == "strict"
        self.site_packages = found["site_packages"]
        home = os.path.dirname(os.path.dirname(found["path"]))
        self.projections = tuple(os.path.join(home, name) + os.sep for name in _program.PROJECTIONS)
        self.parts = {}  # project -> Part
        self.names = {}  # name of a module or package -> Part
        for role in (DEPENDENT, KEPT, REPLACED, ADDED):
            for each in found[role]:
                part = Part(role, each)
                self.parts[part.project] = part
                self.names.update((name, part) for name in part.modules)
        self.tops = {name.partition(".")[0] for name in self.names}
        self.beginnings = tuple(self.tops)
        self.is_empty = not self.strict and not found[REPLACED] and not found[ADDED]

    def parts_of(self, *roles):
        """The parts that have one of these roles."""
        return [part for part in self.parts.values() if part.role in roles]


def find(requirements, isolation):
    """The activation of requirements (in their canonical form) over the view that this Python runs in."""
    base = _base()
    key = key_of(os.path.basename(base), isolation, requirements)
    activations = os.path.join(os.path.dirname(os.path.dirname(base)), "activations")
    return _remembered(activations, key, requirements) or _ask(base, key, isolation, requirements)


def _base():
    view = _views.get(sys.prefix)
    if view is not None:
        return view
    view = _program.view()
    if view is None:
        raise OutsideViewError(
            "%s belongs to no environment of omnipkg, so nothing can be activated in it: run the script with "
            "`omnipkg run`, or with a Python that `omnipkg info python` prints" % (sys.executable or "this Python"))
    if os.path.basename(os.path.dirname(sys.prefix)) in _program.PROJECTIONS:
        _views[sys.prefix] = view
    return view


def key_of(base, isolation, requirements):
    """What an activation is remembered by."""
    text = "\n".join(["omnipkg activation 1", base, isolation] + list(requirements)) + "\n"
    return _sha256(text.encode("utf-8")).hexdigest()


def _remembered(activations, key, requirements):
    link = activations + os.sep + key
    try:
        said = os.readlink(link)
        target, activation = _known.get(key, (None, None))
        if target != said:
            with open(link + ".json", "rb") as file:
                activation = Activation(json.loads(file.read().decode("utf-8")), requirements)
        # The view may not be visible any more: an unmounted store, links that were cleared away.
        os.stat(activation.site_packages)
    except (OSError, ValueError, KeyError, TypeError):
        # Missing, or damaged: it can be made again.
        return None
    _known[key] = (said, activation)
    return activation


def _ask(base, key, isolation, requirements):
    try:
        found = _program.call(["activate", "--view", base, "--isolation", isolation, "--json", "--"] + requirements)
    except CommandError as error:
        # Without the program, its own hint is the next step.
        reason = str(error) if error.code in (126, 127) else error.message
        raise NotAvailableError(requirements, reason) from None
    try:
        activation = Activation(found, requirements)
    except KeyError as error:
        raise NotAvailableError(requirements, "omnipkg answered without %s" % error) from None
    if activation.key != key:
        raise NotAvailableError(requirements, "omnipkg answered another question (%s for %s)" % (activation.key, key))
    return activation


try:
    # Importing hashlib loads OpenSSL.
    from _sha2 import sha256 as _sha256
except ImportError:
    try:
        from _sha256 import sha256 as _sha256
    except ImportError:
        from hashlib import sha256 as _sha256
