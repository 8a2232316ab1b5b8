"""The source of functions, lambdas and classes, and the names that their code uses.

What must stay true: what is found is what the caller has loaded, or an error says why it cannot be told.
"""

import ast
import dis
import linecache
import types

from omnipkg._errors import WorkerError
from omnipkg._functions import called

_trees = {}  # file name -> (lines, tree)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _codes(code):
    stack = [code]
    while stack:
        each = stack.pop()
        yield each
        stack.extend(inner for inner in each.co_consts if isinstance(inner, types.CodeType))


def global_names(code):
    """The names that code looks up in its module."""
    found = set()
    for each in _codes(code):
        for instruction in dis.get_instructions(each):
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
                found.add(instruction.argval)
    return {name for name in found if not (name.startswith("__") and name.endswith("__"))}


def attribute_names(value):
    """The names that a function's code uses in any way."""
    found = set()
    if not isinstance(value, type):
        for each in _codes(value.__code__):
            found.update(each.co_names)
    return found


def _no_ignores():
    return ([],) if "type_ignores" in ast.Module._fields else ()


def _tree(file, names):
    """The lines of a file and their syntax tree."""
    if file not in _trees:
        lines = linecache.getlines(file, names)
        try:
            _trees[file] = lines, ast.parse("".join(lines)) if lines else None
        except SyntaxError:
            _trees[file] = lines, None
    return _trees[file]


def _no_source(value, why):
    return WorkerError(
        "%s cannot be sent to a worker, because %s: put it into a file, or give its code to Worker.run" % (
            called(value), why))


def of_function(function):
    """(the lines of its definition, or the text of the lambda; the line where they begin; whether it is a lambda)."""
    code = function.__code__
    lines, tree = _tree(code.co_filename, function.__globals__)
    if tree is None:
        raise _no_source(function, "its source cannot be read (%s)" % code.co_filename)
    if code.co_name == "<lambda>":
        return _lambda_source(function, lines, tree), code.co_firstlineno, True
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS) and node.name == code.co_name and _first_line(node) == code.co_firstlineno:
            return "".join(lines[_first_line(node) - 1 : _last_line(node, lines)]), _first_line(node), False
    raise _no_source(function, "%s does not have it in line %d" % (code.co_filename, code.co_firstlineno))


def _first_line(node):
    return min([node.lineno] + [each.lineno for each in getattr(node, "decorator_list", [])])


def _last_line(node, lines):
    if hasattr(node, "end_lineno"):
        return node.end_lineno
    import inspect

    first = _first_line(node)
    if not isinstance(node, ast.Assign):
        return first - 1 + len(inspect.getblock(lines[first - 1 :]))
    for last in range(first, len(lines) + 1):
        try:
            ast.parse("if 1:\n " + "".join(lines[first - 1 : last]).lstrip())
            return last
        except SyntaxError:
            pass
    return first


def _lambda_source(function, lines, tree):
    """A lambda that is alone of its kind on its line."""
    code = function.__code__
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    found = [
        node for node in ast.walk(tree)
        if isinstance(node, ast.Lambda) and node.lineno == code.co_firstlineno and _parameters(node) == arguments
    ]
    texts = {_expression(node, lines) for node in found}
    if len(texts) != 1 or None in texts:
        raise _no_source(function, "it cannot be told from other lambdas in line %d of %s: write it with `def`" % (
            code.co_firstlineno, code.co_filename))
    return texts.pop()


def _parameters(node):
    given = node.args
    named = getattr(given, "posonlyargs", []) + given.args + given.kwonlyargs
    return tuple(each.arg for each in named)


def _expression(node, lines):
    """The text of an expression: the longest that begins there and is one, where Python does not tell its end."""
    rest = lines[node.lineno - 1 :]
    start = rest[0].encode("utf-8")[node.col_offset :].decode("utf-8")
    if hasattr(node, "end_lineno"):
        return ast.get_source_segment("".join(lines), node)
    for count in range(1, len(rest) + 1):
        text = "".join([start] + rest[1:count])
        for end in range(len(text), 0, -1):
            try:
                parsed = ast.parse("(%s\n)" % text[:end], mode="eval").body
            except SyntaxError:
                continue
            if isinstance(parsed, ast.Lambda) and ast.dump(parsed) == ast.dump(node):
                return text[:end]
    return None


def of_class(kind, names):
    """(the lines of the statement that makes a class, the first one's number, the file, the statement's code)."""
    file = names.get("__file__") or "<%s>" % kind.__module__
    node, lines = _class_node(kind, file, names)
    first = _first_line(node)
    code = compile(ast.Module([node], *_no_ignores()), file, "exec")
    return "".join(lines[first - 1 : _last_line(node, lines)]), first, file, code


def _class_node(kind, file, names):
    """The statement that makes a class at the top of its module: `class …`, or `Point = namedtuple(…)`."""
    lines, tree = _tree(file, names)
    if tree is None:
        raise _no_source(kind, "its source cannot be read (%s)" % file)
    found, open_blocks = None, [tree]
    while open_blocks:
        block = open_blocks.pop()
        for node in ast.iter_child_nodes(block):
            if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
                found = node
            elif isinstance(node, ast.Assign) and any(getattr(each, "id", None) == kind.__name__ for each in node.targets):
                found = node
            elif isinstance(node, ast.stmt) and not isinstance(node, _FUNCTIONS + (ast.ClassDef,)):
                open_blocks.append(node)
            elif isinstance(node, ast.ExceptHandler):
                open_blocks.append(node)
    if found is None:
        raise _no_source(kind, "%s has no statement that makes it" % file)
    return found, lines
