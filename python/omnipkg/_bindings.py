"""Where a name, an attribute or an item got its value, by the source: assignments, imports, loops, parameters."""

import _ast
import sys

from omnipkg import _syntax
from omnipkg._either import STARRED, kinds, parameters
from omnipkg._values import Scope, Unknown, evaluate, literal


class Binding(object):
    """One place: an expression in its scope (and which element of it), or an attribute of a module."""

    def __init__(self, node=None, scope=None, index=None, module=None, attribute=None):
        self.node = node
        self.scope = scope
        self.index = index
        self.module = module
        self.attribute = attribute
        self.constant = node is not None and _is_constant(node)


LOOPS = kinds("For", "AsyncFor")
ANNOTATED = kinds("AnnAssign")
DATA = (_ast.Tuple, _ast.List, _ast.Set, _ast.Dict, _ast.expr_context, _ast.BinOp, _ast.operator)


def _is_constant(node):
    return all(literal(each)[0] or isinstance(each, DATA) for each in _syntax.walk(node))


def bindings(node, scope):
    """The bindings of a name (or of `a.b`, `a["b"]`): those before the failing line first, the nearest first."""
    if scope.source is None:
        return []
    if isinstance(node, _ast.Attribute):
        return _attribute_bindings(node, scope)
    if isinstance(node, _ast.Subscript):
        return _item_bindings(node, scope)
    name = node
    found = []
    if scope.function is not None:
        found = _in_block(name, scope, scope.function)
        if not found:
            argument = scope.argument(name)
            if argument is not None:
                return [Binding(argument[0], argument[1])]
            if _is_parameter(name, scope.function):
                return []
            for around in _around(scope):
                found = found or _in_block(name, scope, around)
    if not found:
        outer = scope if scope.function is None else scope.outer()
        found = _in_block(name, outer, outer.source.tree)
    return [binding for _, binding in sorted(found, key=lambda each: (each[0] > scope.line, -each[0]))]


def _is_parameter(name, function):
    found = [getattr(each, "arg", getattr(each, "id", None)) for each in _syntax.walk(function.args)
             if type(each).__name__ == "arg" or isinstance(getattr(each, "ctx", None), kinds("Param"))]
    return name in found + sum(parameters(function.args), [])


def _around(scope):
    """The functions around a scope's function, the nearest first."""
    path = _syntax.path_to(scope.source, scope.function.lineno, None, _syntax.FUNCTIONS)
    return [each for each in reversed(path) if isinstance(each, _syntax.FUNCTIONS) and each is not scope.function]


def _statements(block):
    """The nodes of a function or module, without those of the functions inside it."""
    stack = list(_syntax.children(block))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, _syntax.FUNCTIONS + (_ast.ClassDef, _ast.Lambda)):
            stack.extend(_syntax.children(node))


def _in_block(name, scope, block):
    """[(line, binding)] of a name in one function or module."""
    found = []
    for node in _statements(block):
        line = getattr(node, "lineno", 0)
        for target, value in _targets(node):
            for index in _matches(target, lambda each: isinstance(each, _ast.Name) and each.id == name):
                found.append((line, _element(value, index, scope)))
        if isinstance(node, _ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    module = _imported_module(node, scope)
                    found.append((line, Binding(module=module, attribute=alias.name) if module else Binding()))
        elif isinstance(node, LOOPS):
            if any(True for _ in _matches(node.target, lambda each: isinstance(each, _ast.Name) and each.id == name)):
                found.append((line, Binding()))
    return found


def _imported_module(node, scope):
    """The module object of `from [.]module import ...`."""
    if not node.level:
        return sys.modules.get(node.module)
    package = scope.module_names.get("__package__")
    if type(package) is not str:
        return None
    base = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
    return sys.modules.get("%s.%s" % (base, node.module) if node.module else base)


def _targets(node):
    if isinstance(node, _ast.Assign):
        for target in node.targets:
            yield target, node.value
    elif isinstance(node, ANNOTATED) and node.value is not None:
        yield node.target, node.value
    elif type(node).__name__ == "NamedExpr":
        yield node.target, node.value


def _matches(target, wanted):
    """None for the target itself, the place for an element of it."""
    if wanted(target):
        yield None
    elif isinstance(target, (_ast.Tuple, _ast.List)):
        for index, each in enumerate(target.elts):
            if isinstance(each, STARRED):
                return
            if wanted(each):
                yield index


def _element(value, index, scope):
    if index is not None and isinstance(value, (_ast.Tuple, _ast.List)) and index < len(value.elts):
        return Binding(value.elts[index], scope)
    return Binding(value, scope, index)


def _attribute_bindings(node, scope):
    """`self.version = ...` anywhere in the file; class attributes and keyword arguments are left to their values."""
    found = []
    tree = scope.source.tree
    for block in [tree] + [each for each in _syntax.walk(tree) if isinstance(each, _syntax.FUNCTIONS)]:
        function = None if block is tree else block
        inside = Scope(scope.source, function, {}, scope.module_names, virtual=True)
        for each in _statements(block):
            for target, value in _targets(each):
                for index in _matches(target, lambda one: isinstance(one, _ast.Attribute) and one.attr == node.attr):
                    found.append(_element(value, index, inside))
    return found


def _item_bindings(node, scope):
    """`d["k"]` where `d = {"k": ...}`, `d = dict(k=...)` or `d["k"] = ...` is in the file."""
    index = node.slice.value if type(node.slice).__name__ == "Index" else node.slice
    try:
        key = evaluate(index, scope)
    except Unknown:
        return []
    if not isinstance(node.value, _ast.Name):
        return []
    found = []
    for binding in bindings(node.value.id, scope):
        value = binding.node
        if isinstance(value, _ast.Dict):
            for each, item in zip(value.keys, value.values):
                if each is not None and literal(each) == (True, key):
                    found.append(Binding(item, binding.scope))
        elif isinstance(value, _ast.Call):
            found.extend(Binding(each.value, binding.scope) for each in value.keywords if each.arg == key)
    return found
