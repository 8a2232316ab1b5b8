"""Which expression denotes (a part of) the version of a distribution.

A subject is proven by where its value comes from: a call of importlib.metadata or pkg_resources, an attribute of a module
whose distribution is known, or a name bound to one of these, followed through assignments, parameters and small
functions. Only when that trail is opaque does the value speak: it equals the installed version of exactly one
distribution that the script mentions or loaded. Where a trail and the frame's value disagree, the trail is dropped.
"""

import _ast

from omnipkg import _syntax
from omnipkg._bindings import bindings
from omnipkg._distributions import normalise
from omnipkg._values import (
    FUNCTION, MODULE, VERSION_WRAPPERS, Scope, Unknown, attribute, called_name, evaluate, is_version, last_name, plain,
)

DEEPEST = 12
METADATA_MODULES = ("importlib.metadata", "importlib_metadata", "pkg_resources")
SAME = ("strip", "lower", "rstrip", "lstrip", "base_version", "public", "replace")
COMPONENTS = {"major": 0, "minor": 1, "micro": 2, "patch": 2}


class Subject(object):
    """A version or a part of it. `kind`: version, prefix, component or text (the first characters)."""

    def __init__(self, distribution, installed, how, value, kind="version", index=None, length=None, ordered=False):
        self.distribution = distribution
        self.installed = installed
        self.how = how
        self.value = value
        self.kind = kind
        self.index = index
        self.length = length
        self.ordered = ordered  # compares as versions do, not as text

    def but(self, value, **changes):
        made = Subject(self.distribution, self.installed, self.how, value, self.kind, self.index, self.length, self.ordered)
        for name, change in changes.items():
            setattr(made, name, change)
        return made


class Subjects(object):
    def __init__(self, distributions, mentioned):
        self.distributions = distributions
        self._mentioned = mentioned  # () -> names by which a value may be recognised

    def of(self, node, scope, depth=0):
        """The subject that an expression denotes, or None."""
        if depth > DEEPEST:
            return None
        for kind, method in (
            (_ast.Name, self._name), (_ast.Attribute, self._attribute), (_ast.Call, self._call),
            (_ast.Subscript, self._subscript), (_ast.Tuple, self._elements), (_ast.List, self._elements),
            (_ast.GeneratorExp, self._comprehension), (_ast.ListComp, self._comprehension),
        ):
            if isinstance(node, kind):
                return method(node, scope, depth + 1)
        if isinstance(node, _ast.IfExp):
            return self.of(node.body, scope, depth + 1) or self.of(node.orelse, scope, depth + 1)
        if isinstance(node, _ast.BoolOp):
            return self.of(node.values[0], scope, depth + 1)
        if type(node).__name__ == "NamedExpr":
            return self.of(node.value, scope, depth + 1)
        if type(node).__name__ == "JoinedStr" and len(node.values) == 1:
            return self.of(getattr(node.values[0], "value", node), scope, depth + 1)
        return None

    # Where versions come from.

    def _installed(self, name, how):
        if type(name) is not str or len(name) > 200:
            return None
        name = normalise(name.split("[")[0].strip())
        version = self.distributions.version(name)
        return version and Subject(name, version, how, version)

    def module_attribute(self, module, name):
        """`mod.__version__`, `mod.version.VERSION`: when it is the version of the module's distribution."""
        if "version" not in name.lower() or not isinstance(module, MODULE):
            return None
        owner = self.distributions.owner_of_module(module)
        if owner is None:
            return None
        installed = self.distributions.version(owner)
        try:
            value = attribute(module, name)
            known = plain(value)
        except Unknown:
            # Some libraries look it up when it is asked for (PEP 562): in their own metadata.
            if name != "__version__" or "__getattr__" not in vars(module) or name in vars(module):
                return None
            value = known = installed
        texts = _written(known)
        # What was shortened must be the whole version: (2, 0) is none of 2.31.
        if not texts or not (agrees(texts[0], installed) or _shortened(installed) in texts[1:]):
            return None
        found = Subject(owner, installed, "attribute", known, ordered=is_version(value))
        return found if type(known) is str else found.but(known, kind="prefix")

    def _metadata_call(self, node, scope):
        """(function's name, distribution) of a call of importlib.metadata or pkg_resources."""
        if not isinstance(node, _ast.Call) or not (node.args or node.keywords):
            return None
        try:
            function = evaluate(node.func, scope)
            argument = evaluate(node.args[0] if node.args else node.keywords[0].value, scope)
        except Unknown:
            return None
        if type(function) is not FUNCTION and type(function) is not type(Subjects.of):
            return None
        module = str(getattr(function, "__module__", "")).replace(".__init__", "")
        return (function.__name__, argument) if module in METADATA_MODULES else None

    def _metadata_object(self, node, scope, depth):
        """The same for an expression whose value is the distribution, its metadata, or a list of one."""
        if isinstance(node, _ast.Subscript):  # pkg_resources.require("name")[0]
            node = node.value
        if isinstance(node, _ast.Name):
            for binding in bindings(node.id, scope):
                if binding.node is not None and depth < DEEPEST:
                    found = self._metadata_object(binding.node, binding.scope, depth + 1)
                    if found is not None:
                        return found
        if isinstance(node, _ast.Attribute) and node.attr == "metadata":
            return self._metadata_object(node.value, scope, depth + 1)
        found = self._metadata_call(node, scope)
        return found if found and found[0] in ("distribution", "metadata", "get_distribution", "require") else None

    # Names and attributes.

    def _name(self, node, scope, depth):
        for binding in bindings(node.id, scope):
            found = self._bound(binding, depth)
            if found is not None:
                return self._agreeing(found, node, scope)
            if binding.constant:
                return None
        return self._by_value(node, scope)

    def _bound(self, binding, depth):
        if binding.module is not None:
            return self.module_attribute(binding.module, binding.attribute)
        found = binding.node is not None and self.of(binding.node, binding.scope, depth + 1)
        if not found:
            return None
        if binding.index is not None:
            return component(found, binding.index)
        return found.but(found.value, how="binding")

    def _agreeing(self, found, node, scope):
        """The subject, unless the frame's own value says otherwise."""
        try:
            value = plain(evaluate(node, scope))
        except Unknown:
            return found
        same = str(value) == str(found.value) or (type(value) is list and value == list(found.value))
        return found if same else None

    def _by_value(self, node, scope):
        try:
            value = evaluate(node, scope)
            text = plain(value)
        except Unknown:
            return None
        if type(text) is not str or text.count(".") < 1 or not text[:1].isdigit():
            return None
        names = [name for name in self._mentioned() if self.distributions.version(name) == text]
        if len(names) != 1:
            return None
        return Subject(names[0], text, "value", text, ordered=is_version(value))

    def _attribute(self, node, scope, depth):
        try:
            base = evaluate(node.value, scope)
        except Unknown:
            base = None
        found = self.module_attribute(base, node.attr)
        if found is not None:
            return found
        if node.attr in ("version", "parsed_version"):
            named = self._metadata_object(node.value, scope, depth)
            if named is not None:
                found = self._installed(named[1], "call")
                return found and found.but(found.value, ordered=node.attr == "parsed_version")
        inner = self.of(node.value, scope, depth)
        if inner is not None and inner.kind == "version" and type(inner.value) is str:
            if node.attr in COMPONENTS:
                return component(parts(inner, number=True), COMPONENTS[node.attr])
            if node.attr in ("release", "version"):
                return parts(inner, number=True)
            return inner if node.attr in SAME else None
        for binding in bindings(node, scope):
            found = self._bound(binding, depth)
            if found is not None:
                return self._agreeing(found, node, scope)
            if binding.constant:
                return None
        return None if isinstance(base, MODULE) and base.__name__ == "sys" else self._by_value(node, scope)

    # Calls.

    def _call(self, node, scope, depth):
        named = self._metadata_call(node, scope)
        if named is not None:
            return self._installed(named[1], "call") if named[0] == "version" else None
        name = last_name(node.func)
        if isinstance(node.func, _ast.Attribute):
            inner = self.of(node.func.value, scope, depth)
            if inner is not None:
                return self._method(name, inner, node, scope)
            if name == "join" and len(node.args) == 1:
                inner = self.of(node.args[0], scope, depth)
                if inner is not None and type(inner.value) is list:
                    return inner.but(".".join(str(each) for each in inner.value))
        if name == "getattr" and len(node.args) >= 2:
            try:
                return self.module_attribute(evaluate(node.args[0], scope), str(evaluate(node.args[1], scope)))
            except Unknown:
                return None
        if name == "map" and len(node.args) == 2:
            inner = self.of(node.args[1], scope, depth)
            return inner and numbers(inner)
        if node.args and not node.keywords:
            found = self._wrapped(node, scope, depth)
            if found is not None:
                return found
        return self._own_function(node, scope, depth)

    def _wrapped(self, node, scope, depth):
        name = called_name(node, scope)
        if name in VERSION_WRAPPERS + ("tuple", "list", "int", "float"):
            inner = self.of(node.args[0], scope, depth)
            if inner is None or name in ("tuple", "list", "str"):
                return inner
            if name in ("int", "float"):
                return number(inner, float if name == "float" else int)
            return inner.but(inner.value, ordered=True)
        return None

    def _method(self, name, inner, node, scope):
        if type(inner.value) is not str:
            return None
        try:
            arguments = [evaluate(each, scope) for each in node.args]
            if name in ("split", "rsplit", "partition", "rpartition"):
                if any(type(each) not in (str, int) for each in arguments):
                    return None
                value = list(getattr(inner.value, name)(*arguments))
                if arguments[:1] == ["."] and name == "split" and len(arguments) == 1:
                    return parts(inner)
                return inner.but(value, kind="pieces")
            if name in SAME and all(type(each) is str for each in arguments):
                return inner if getattr(inner.value, name)(*arguments) == inner.value else None
        except (Unknown, TypeError, ValueError):
            pass
        return None

    def _own_function(self, node, scope, depth):
        """A function of the script's own whose result is a subject: its `return` is looked at, not run."""
        inside = enter(node, scope)
        if inside is None:
            return None
        for each in _syntax.walk(inside.function):
            if isinstance(each, _ast.Return) and each.value is not None:
                found = self.of(each.value, inside, depth + 1)
                if found is not None:
                    return found
        return None

    # Parts.

    def _subscript(self, node, scope, depth):
        inner = self.of(node.value, scope, depth)
        if inner is not None:
            return part(inner, node.slice, scope)
        if self._metadata_object(node.value, scope, depth) is not None:
            try:
                key = node.slice.value if type(node.slice).__name__ == "Index" else node.slice
                if str(evaluate(key, scope)).lower() == "version":
                    return self._installed(self._metadata_object(node.value, scope, depth)[1], "call")
            except Unknown:
                return None
        for binding in bindings(node, scope):
            found = self._bound(binding, depth)
            if found is not None:
                return self._agreeing(found, node, scope)
            if binding.constant:
                return None
        return self._by_value(node, scope)

    def _elements(self, node, scope, depth):
        """`(major, minor)`: the first components, in order."""
        found = [self.of(each, scope, depth) for each in node.elts]
        if not found or any(each is None or each.kind != "component" or each.index != i for i, each in enumerate(found)):
            return None
        if len({each.distribution for each in found}) != 1:
            return None
        return found[0].but([each.value for each in found], kind="prefix", index=None, length=len(found))

    def _comprehension(self, node, scope, depth):
        inner = self.of(node.generators[0].iter, scope, depth) if len(node.generators) == 1 else None
        if inner is None:
            return None
        return numbers(inner) if isinstance(node.elt, _ast.Call) else inner


def enter(node, scope):
    """The scope inside the function that a call calls, if its source is known."""
    try:
        function = evaluate(node.func, scope)
    except Unknown:
        return None
    function = getattr(function, "__func__", function) if type(function).__name__ == "method" else function
    if type(function) is not FUNCTION:
        return None
    source = _syntax.load(function.__code__.co_filename)
    if source is None:
        return None
    for each in _syntax.walk(source.tree):
        if isinstance(each, _syntax.FUNCTIONS) and each.name == function.__code__.co_name:
            first = min([each.lineno] + [decorator.lineno for decorator in each.decorator_list])
            if first == function.__code__.co_firstlineno:
                return Scope(source, each, {}, function.__globals__, caller=scope, call=node, virtual=True)
    return None


def _written(value):
    """A version as text; of a tuple also without what stands for no more of it: (6, 4, 1, 0), (1, 2, 0, "final", 0)."""
    if type(value) is not list:
        return [value] if type(value) is str and value else []
    texts = []
    while value:
        texts.append(".".join(str(each) for each in value))
        if value[-1] != 0 and not (type(value[-1]) is str and value[-1] == "final"):
            break
        value = value[:-1]
    return texts


def _shortened(version):
    while version.endswith(".0"):
        version = version[:-2]
    return version


def agrees(text, installed):
    """Whether a module's own version is the installed one, or its beginning (4.8.0 of 4.8.0.76)."""
    return text == installed or installed.startswith(text + ".") or installed.startswith(text + "+")


def parts(subject, number=False):
    if type(subject.value) is not str or subject.kind == "component":
        return None
    value = subject.value.split(".")
    made = subject.but(value, kind="prefix", length=subject.length if subject.kind == "prefix" else None)
    return numbers(made) if number else made


def numbers(subject):
    if type(subject.value) is not list:
        return None
    value = [int(each) if str(each).isdigit() else each for each in subject.value]
    return subject.but([each for each in value if type(each) is int] or value)


def number(subject, kind):
    try:
        value = kind(subject.value)
    except (TypeError, ValueError):
        return None
    if kind is int and subject.kind == "text":
        return subject.but(value, kind="component", index=0)
    return subject.but(value)


def component(subject, index):
    if subject is None or type(subject.value) is not list or not -len(subject.value) <= index < len(subject.value):
        return None
    if subject.kind == "pieces":
        value = subject.value[index]
        whole = subject.installed.startswith(value + ".") and index == 0
        if whole:
            return subject.but(value, kind="prefix", length=value.count(".") + 1)
        return subject.but(value, kind="version") if value == subject.installed else None
    return subject.but(subject.value[index], kind="component", index=index % len(subject.value), length=None)


def part(subject, index, scope):
    """`subject[...]`."""
    if type(index).__name__ == "Index":
        index = index.value
    try:
        if isinstance(index, _ast.Slice):
            lower = 0 if index.lower is None else evaluate(index.lower, scope)
            upper = None if index.upper is None else evaluate(index.upper, scope)
            if lower != 0 or index.step is not None or type(upper) not in (int, type(None)):
                return None
            value = subject.value[:upper]
            if type(subject.value) is str:
                return subject.but(value, kind="text", length=None)
            if type(subject.value) is list and subject.kind == "prefix":
                return subject.but(value, length=len(value) if upper is not None else subject.length)
            return None
        index = evaluate(index, scope)
    except (Unknown, TypeError):
        return None
    if type(index) is not int:
        return None
    if type(subject.value) is str and index == 0:
        return subject.but(subject.value[:1], kind="text")
    return component(subject, index)
