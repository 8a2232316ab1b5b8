"""Values of expressions in a failed frame, found without running any of the script's code.

Names come from the frame, attributes only from modules and the dictionaries of objects, items only from built-in
containers. Nothing is called.
"""

import _ast
import sys

from omnipkg import _syntax
from omnipkg._either import BUILTINS, IS_PYTHON_2, STARRED, parameters, plain_string

MODULE = type(sys)
FUNCTION = type(lambda: None)
PLAIN = (str, int, float, bool, type(None))
VERSION_TYPES = ("Version", "LegacyVersion", "LooseVersion", "StrictVersion", "NormalizedVersion", "SetuptoolsVersion")
VERSION_WRAPPERS = VERSION_TYPES + ("parse", "parse_version", "str", "_parse_version")
VERSION_MODULES = ("packaging", "distutils", "setuptools", "pkg_resources", "pip", "looseversion", "semver")


class Unknown(Exception):
    """The value cannot be known without running code."""


class Scope(object):
    """Where an expression stands: a frame, or a function whose body is looked into (then without local values)."""

    def __init__(self, source, function, names, module_names, line=1 << 30, caller=None, call=None, virtual=False):
        self.source = source
        self.function = function  # its node, or None in a module
        self.names = names
        self.module_names = module_names
        self.line = line
        self.caller = caller
        self.call = call  # the Call node in the caller that led here
        self.virtual = virtual

    def lookup(self, name):
        if name in self.names:
            return self.names[name]
        if self.virtual and self.function is not None:
            argument = self.argument(name)
            if argument is not None:
                return evaluate(*argument)
            for binding in _imports(self.function, name):
                return binding
        if name in self.module_names:
            return self.module_names[name]
        if IS_PYTHON_2 and name in ("None", "True", "False"):
            return vars(sys.modules[BUILTINS])[name]
        raise Unknown(name)

    def argument(self, name):
        """The (expression, scope) that a parameter of this function was given."""
        if self.function is None:
            return None
        arguments = self.function.args
        names, only_by_name = parameters(arguments)
        if name not in names and name not in only_by_name:
            return None
        if self.call is not None and self.caller is not None:
            for keyword in self.call.keywords:
                if keyword.arg == name:
                    return keyword.value, self.caller
            if name in names:
                index = names.index(name)
                if names[:1] in (["self"], ["cls"]) and isinstance(self.call.func, _ast.Attribute):
                    index -= 1
                given = self.call.args
                if any(isinstance(each, STARRED) for each in given[: index + 1]):
                    return None
                if 0 <= index < len(given):
                    return given[index], self.caller
        return self._default(name, names, arguments)

    def _default(self, name, names, arguments):
        if name in names:
            offset = names.index(name) - len(names) + len(arguments.defaults)
            if 0 <= offset:
                return arguments.defaults[offset], self.outer()
        for each, default in zip(parameters(arguments)[1], getattr(arguments, "kw_defaults", [])):
            if each == name and default is not None:
                return default, self.outer()
        return None

    def outer(self):
        """The module around this function."""
        return Scope(self.source, None, self.module_names, self.module_names)


def _imports(function, name):
    for node in _syntax.walk(function):
        if isinstance(node, (_ast.Import, _ast.ImportFrom)):
            for alias in node.names:
                if (alias.asname or alias.name.split(".")[0]) != name:
                    continue
                if isinstance(node, _ast.Import):
                    found = sys.modules.get(alias.name if alias.asname else name)
                else:
                    found = from_module(node, alias)
                if found is not None:
                    yield found


def from_module(node, alias):
    """The object that `from module import name` binds, when the module is imported."""
    module = sys.modules.get(node.module or "") if not node.level else None
    if module is None:
        return None
    return vars(module).get(alias.name, sys.modules.get("%s.%s" % (node.module, alias.name)))


def literal(node):
    """(True, value) of a literal, on every Python's tree."""
    kind = type(node).__name__
    if kind == "Constant" or kind == "NameConstant":
        return True, node.value
    if kind == "Str":
        return True, plain_string(node.s)
    if kind == "Num":
        return True, node.n
    return False, None


def evaluate(node, scope, depth=0):
    """The value of an expression, or Unknown."""
    if depth > 20:
        raise Unknown()
    is_literal, value = literal(node)
    if is_literal:
        return value
    if isinstance(node, _ast.Name):
        return scope.lookup(node.id)
    if isinstance(node, _ast.Attribute):
        return attribute(evaluate(node.value, scope, depth + 1), node.attr)
    if isinstance(node, _ast.Subscript):
        return _item(evaluate(node.value, scope, depth + 1), node.slice, scope, depth)
    if isinstance(node, (_ast.Tuple, _ast.List, _ast.Set)):
        values = [evaluate(each, scope, depth + 1) for each in node.elts]
        return values if isinstance(node, _ast.List) else tuple(values)
    if isinstance(node, _ast.UnaryOp) and isinstance(node.op, _ast.USub):
        value = evaluate(node.operand, scope, depth + 1)
        if type(value) in (int, float):
            return -value
    if isinstance(node, _ast.BinOp) and isinstance(node.op, _ast.Add):
        left, right = evaluate(node.left, scope, depth + 1), evaluate(node.right, scope, depth + 1)
        if type(left) is type(right) and type(left) in (str, tuple, list, int) and bounded(left) and bounded(right):
            return left + right
    if type(node).__name__ == "JoinedStr":
        return "".join(_formatted(each, scope, depth) for each in node.values)
    if isinstance(node, _ast.Call):
        return _call(node, scope, depth)
    raise Unknown()


def _formatted(node, scope, depth):
    if type(node).__name__ == "FormattedValue":
        value = evaluate(node.value, scope, depth + 1)
        if node.format_spec is None and node.conversion in (-1, 115) and type(value) in (str, int):
            return str(value)
        raise Unknown()
    return evaluate(node, scope, depth + 1)


def _call(node, scope, depth):
    """The few calls whose result is known without making them."""
    name = called_name(node, scope)
    if len(node.args) == 1 and not node.keywords:
        argument = evaluate(node.args[0], scope, depth + 1)
        if name in VERSION_WRAPPERS and type(argument) in (str, int) + ((float,) if name == "str" else ()):
            return str(argument)
        if name in ("tuple", "list", "set", "frozenset") and type(argument) in (tuple, list, set, frozenset):
            return list(argument) if name == "list" else tuple(argument)
        if name == "SpecifierSet" and type(argument) is str:
            return Specifiers(argument)
        if name == "join" and isinstance(node.func, _ast.Attribute) and type(argument) in (tuple, list):
            separator = evaluate(node.func.value, scope, depth + 1)
            if type(separator) is str and all(type(each) is str for each in argument):
                return separator.join(argument)
        if name in ("import_module", "__import__") and type(argument) is str and argument in sys.modules:
            return sys.modules[argument]
    raise Unknown()


class Specifiers(object):
    """The text of a packaging SpecifierSet."""

    def __init__(self, text):
        self.text = text


def bounded(value):
    return not hasattr(value, "__len__") or len(value) <= 1000


def attribute(value, name):
    if isinstance(value, MODULE):
        found = value.__dict__.get(name, sys.modules.get("%s.%s" % (value.__dict__.get("__name__"), name)))
        if found is not None:
            return found
        raise Unknown()
    try:
        own = object.__getattribute__(value, "__dict__")
    except Exception:
        own = None
    if type(own) is dict and name in own:
        return own[name]
    for kind in value.__mro__ if isinstance(value, type) else type(value).__mro__:
        found = kind.__dict__.get(name, Unknown)
        if found is not Unknown:
            # A descriptor would run code.
            if type(found) in PLAIN + (tuple, list, dict):
                return found
            break
    raise Unknown()


def _item(value, index, scope, depth):
    if type(index).__name__ == "Index":  # before 3.9
        index = index.value
    if isinstance(index, _ast.Slice):
        if type(value) not in (str, tuple, list):
            raise Unknown()
        bounds = (index.lower, index.upper, index.step)
        parts = [None if each is None else evaluate(each, scope, depth + 1) for each in bounds]
        if not all(each is None or type(each) is int for each in parts) or parts[2] == 0:
            raise Unknown()
        return value[slice(*parts)]
    key = evaluate(index, scope, depth + 1)
    if isinstance(value, dict) and type(key) in PLAIN:
        try:
            return dict.__getitem__(value, key)
        except KeyError:
            raise Unknown()
    if type(value) in (str, tuple, list) and type(key) is int and -len(value) <= key < len(value):
        return value[key]
    raise Unknown()


def last_name(node):
    """`c` of `a.b.c`."""
    return node.attr if isinstance(node, _ast.Attribute) else getattr(node, "id", "")


def called_name(node, scope):
    """The name of what is called, as it was defined: `Version` for `V` after `import Version as V`."""
    try:
        kind = evaluate(node.func, scope)
    except Unknown:
        return last_name(node.func)
    return kind.__name__ if isinstance(kind, type) or type(kind) is FUNCTION else last_name(node.func)


def is_version(value):
    kind = type(value)
    return kind.__name__ in VERSION_TYPES and str(kind.__module__).split(".")[0] in VERSION_MODULES


def plain(value, depth=0):
    """A value as data (str, int, float or a list of them), or Unknown."""
    value = plain_string(value)
    if type(value) in (str, int, float):
        if type(value) is str and len(value) > 200:
            raise Unknown()
        return value
    if is_version(value):
        return str(value)
    if type(value).__name__ == "SpecifierSet" and str(type(value).__module__).split(".")[0] in VERSION_MODULES:
        return Specifiers(str(value))
    if isinstance(value, Specifiers):
        return value
    if type(value) in (tuple, list, set, frozenset, dict) and len(value) <= 64 and depth < 2:
        values = [plain(each, depth + 1) for each in value]
        return sorted(values, key=str) if type(value) in (set, frozenset) else values
    # A named tuple of numbers, such as a __version_info__.
    if isinstance(value, tuple) and 0 < len(value) <= 8:
        return [plain(each, depth + 1) for each in tuple.__iter__(value)]
    raise Unknown()
