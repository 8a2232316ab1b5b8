"""The checks of a failure: which comparisons of versions made a script fail, and what would have to hold instead.

A test is taken apart to the comparisons that decided it. The message is never looked at.
"""

import _ast

from omnipkg import _syntax
from omnipkg._bindings import bindings
from omnipkg._subjects import enter
from omnipkg._values import Specifiers, Unknown, evaluate, last_name, plain

OPERATORS = {
    _ast.Eq: "==", _ast.NotEq: "!=", _ast.Lt: "<", _ast.LtE: "<=", _ast.Gt: ">", _ast.GtE: ">=",
    _ast.Is: "==", _ast.IsNot: "!=", _ast.In: "in", _ast.NotIn: "not in",
}
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "in": "not in", "not in": "in"}
MIRRORED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
DEEPEST = 12


class Checks(object):
    def __init__(self, subjects):
        self.subjects = subjects

    def needed(self, node, wanted, scope, depth=0):
        """The checks that must hold for a test to come out as wanted, which it did not."""
        if depth > DEEPEST:
            return []
        if isinstance(node, _ast.UnaryOp) and isinstance(node.op, _ast.Not):
            return self.needed(node.operand, not wanted, scope, depth + 1)
        if isinstance(node, _ast.BoolOp):
            return self._several(node.values, isinstance(node.op, _ast.And) == wanted, wanted, scope, depth)
        if isinstance(node, _ast.Compare):
            return self._compare(node, wanted, scope)
        if type(node).__name__ == "NamedExpr":
            return self.needed(node.value, wanted, scope, depth + 1)
        if isinstance(node, _ast.IfExp):
            return self._several([node.body, node.orelse], False, wanted, scope, depth)
        if isinstance(node, _ast.Call):
            return self._call(node, wanted, scope, depth)
        if isinstance(node, _ast.Name):
            for binding in bindings(node.id, scope):
                if binding.node is not None and binding.index is None:
                    return self.needed(binding.node, wanted, binding.scope, depth + 1)
        return []

    def _several(self, nodes, all_of_them, wanted, scope, depth):
        """`and` that should be true, `or` that should be false: all; else the first that can be told suffices."""
        found = []
        for node in nodes:
            checks = self.needed(node, wanted, scope, depth + 1)
            if checks and not all_of_them:
                return checks
            found.extend(checks)
        return found

    def _call(self, node, wanted, scope, depth):
        name = last_name(node.func)
        arguments = node.args
        if name in ("startswith", "contains") and isinstance(node.func, _ast.Attribute) and arguments:
            return self._method(name, node, wanted, scope)
        if name in ("all", "any") and len(arguments) == 1 and isinstance(arguments[0], (_ast.Tuple, _ast.List)):
            return self._several(arguments[0].elts, (name == "all") == wanted, wanted, scope, depth)
        if name == "bool" and len(arguments) == 1:
            return self.needed(arguments[0], wanted, scope, depth + 1)
        operator = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.get(name)
        if operator and len(arguments) == 2:
            return self._pair(arguments[0], operator, arguments[1], wanted, node, scope)
        inside = enter(node, scope)
        if inside is not None:
            returns = [each for each in _syntax.walk(inside.function) if isinstance(each, _ast.Return)]
            if len(returns) == 1 and returns[0].value is not None:
                return self.needed(returns[0].value, wanted, inside, depth + 1)
        return []

    def _method(self, name, node, wanted, scope):
        value = self._constant(node.args[0], scope)
        if name == "startswith":
            subject = self.subjects.of(node.func.value, scope)
            if subject is None or value is None or type(subject.value) is not str:
                return []
            starts = tuple(value) if type(value) is list else (value,)
            if not all(type(each) is str for each in starts) or subject.value.startswith(starts) == wanted:
                return []
            if type(value) is list:
                return [self._check(subject, "starts_with", "in" if wanted else "not in", value, node, scope)]
            return [self._check(subject, "starts_with", "==" if wanted else "!=", value, node, scope)]
        specifiers = self._constant(node.func.value, scope)
        subject = self.subjects.of(node.args[0], scope)
        if subject is None or not wanted or not isinstance(specifiers, Specifiers):
            return []
        return [self._check(subject, "version", "satisfies", specifiers.text, node, scope)]

    def _compare(self, node, wanted, scope):
        sides = [node.left] + node.comparators
        found = []
        for left, operator, right in zip(sides, node.ops, sides[1:]):
            checks = self._pair(left, OPERATORS[type(operator)], right, wanted, node, scope)
            if checks and not wanted:
                return checks
            found.extend(checks)
        return found

    def _pair(self, left, operator, right, wanted, node, scope):
        subject, other = self.subjects.of(left, scope), self.subjects.of(right, scope)
        if subject is not None and other is not None:
            # Of two names with versions one may only look like one.
            if (subject.how == "value") == (other.how == "value"):
                return []
            subject, other = (subject, None) if other.how == "value" else (None, other)
        if subject is None and other is not None:
            if operator in ("in", "not in"):
                return self._contained(left, operator, right, wanted, node, scope)
            subject, operator, right = other, MIRRORED[operator], left
        if subject is None:
            return []
        value = self._constant(right, scope)
        if value is None:
            return []
        if isinstance(value, Specifiers):
            if operator != "in" or not wanted:
                return []
            return [self._check(subject, "version", "satisfies", value.text, node, scope)]
        if not wanted:
            operator = OPPOSITE[operator]
        if _holds(subject, operator, value) is True:
            return []
        check = self._shaped(subject, operator, value, node, scope)
        return [] if check is None else [check]

    def _contained(self, left, operator, right, wanted, node, scope):
        """`"13.4." in version`: a text that can only be its beginning."""
        value = self._constant(left, scope)
        subject = self.subjects.of(right, scope) if operator in ("in", "not in") and type(value) is str else None
        if subject is None or type(subject.value) is not str or subject.kind != "version" or subject.how == "value":
            return []
        numbers = value.rstrip(".").split(".")
        holds = (value in subject.value) == ((operator == "in") == wanted)
        if holds or len(numbers) < 2 or not all(each.isdigit() for each in numbers):
            return []
        return [self._check(subject, "starts_with", "==" if (operator == "in") == wanted else "!=", value, node, scope)]

    def _constant(self, node, scope):
        try:
            return plain(evaluate(node, scope))
        except Unknown:
            return None

    def _shaped(self, subject, operator, value, node, scope):
        """The check in the report's terms, or None for comparisons that mean nothing."""
        kind = subject.kind
        members = operator in ("in", "not in")
        if members and type(value) is not list:
            return None
        values = value if members else [value]
        if subject.how == "value" and not all(type(each) is str and each[:1].isdigit() for each in values):
            return None
        if kind == "text":
            texts = [str(each) for each in values]
            if not all(text[:1].isdigit() for text in texts):
                return None
            if operator in ("==", "!=") or members:
                return self._check(subject, "starts_with", operator, texts if members else texts[0], node, scope)
            length = texts[0].rstrip(".").count(".") + 1
            return self._check(subject, "prefix", operator, texts[0].rstrip("."), node, scope, length=length)
        if kind == "component":
            if not all(type(each) is int or str(each).isdigit() for each in values):
                return None
            return self._check(subject, "component", operator, value, node, scope, index=subject.index)
        if kind == "prefix":
            if type(subject.value) in (str, float):
                values = [str(each) for each in values]
                value = values if members else values[0]
            length = subject.length
            return self._check(subject, "prefix", operator, value, node, scope, length=length)
        if kind != "version" or any(type(each) is float for each in values):
            return None
        texts = all(type(each) is str for each in values)
        if texts and subject.value != subject.installed and operator in ("==", "!=", "in"):
            # The module says 4.8.0 where the distribution is 4.8.0.76.
            return self._check(subject, "prefix", operator, value, node, scope, length=values[0].count(".") + 1)
        return self._check(subject, "version", operator, value, node, scope)

    def _check(self, subject, kind, operator, value, node, scope, index=None, length=None):
        check = {
            "distribution": subject.distribution, "installed": subject.installed, "subject": kind, "op": operator,
            "value": value, "text": scope.source.text(node), "file": scope.source.filename, "line": node.lineno,
            "how": subject.how,
        }
        if index is not None:
            check["index"] = index
        if length is not None:
            check["length"] = length
        return check


def _holds(subject, operator, value):
    """Whether a comparison comes out true now, as Python compares; None when that cannot be told."""
    own = subject.value
    if subject.ordered and type(own) is str:
        own, value = _key(own), [_key(each) for each in value] if type(value) is list else _key(value)
        if own is None or value is None:
            return None
    if type(own) is list and type(value) is list and operator in ("in", "not in"):
        value = [list(each) if type(each) is list else each for each in value]
    try:
        return {
            "==": lambda: own == value, "!=": lambda: own != value, "<": lambda: own < value, "<=": lambda: own <= value,
            ">": lambda: own > value, ">=": lambda: own >= value, "in": lambda: own in value,
            "not in": lambda: own not in value,
        }[operator]()
    except TypeError:
        return None


def _key(text):
    """What release versions order by; None for any other."""
    numbers = str(text).split(".")
    if not all(each.isdigit() for each in numbers):
        return None
    key = [int(each) for each in numbers]
    while key and key[-1] == 0:
        key.pop()
    return key
