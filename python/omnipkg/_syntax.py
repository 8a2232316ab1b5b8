"""The failing statement of a frame, and under which conditions it ran.

Works on syntax trees from ``compile`` alone, so that no module of the standard library that a script could shadow is
imported. Statements are found by line, and by column where the interpreter knows it (3.11).
"""

import _ast
import os

from omnipkg._either import FUNCTIONS

ONLY_AST = 0x400
LARGEST_SOURCE = 4 << 20
_cache = {}


class Source(object):
    """A parsed file."""

    def __init__(self, data, filename):
        self.tree = compile(data, filename, "exec", ONLY_AST, True)
        self.filename = filename
        self._functions = None
        text = data.decode(_encoding(data), "replace")
        self.lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def functions(self):
        """The functions of the file by name: {name: [node]}."""
        if self._functions is None:
            self._functions = {}
            for each in walk(self.tree):
                if isinstance(each, FUNCTIONS):
                    self._functions.setdefault(each.name, []).append(each)
        return self._functions

    def text(self, node):
        """The source of a node, in one line, bounded."""
        start = getattr(node, "lineno", 1)
        end = last_line(node)
        lines = self.lines[start - 1 : end]
        if hasattr(node, "end_col_offset") and lines:
            lines[-1] = _bytes_slice(lines[-1], None, node.end_col_offset)
            lines[0] = _bytes_slice(lines[0], node.col_offset, None)
        return " ".join(line.strip() for line in lines)[:2000]


def load(filename):
    """The parsed file, or None."""
    if filename not in _cache:
        try:
            data = None
            if os.path.isfile(filename):  # a pipe would never end
                with open(filename, "rb") as file:
                    data = file.read(LARGEST_SOURCE + 1)
            is_usable = data is not None and len(data) <= LARGEST_SOURCE
            _cache[filename] = Source(data, filename) if is_usable else None
        except Exception:
            _cache[filename] = None
    return _cache[filename]


def _encoding(data):
    for line in data.split(b"\n", 2)[:2]:
        if line.lstrip().startswith(b"#") and b"coding" in line:
            name = line.split(b"coding", 1)[1].lstrip(b":= \t").decode("ascii", "replace")
            end = 0
            while end < len(name) and (name[end].isalnum() or name[end] in "-_."):
                end += 1
            try:
                b"".decode(name[:end])
                return name[:end]
            except LookupError:
                pass
    return "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"


def _bytes_slice(line, start, end):
    return line.encode("utf-8", "replace")[start:end].decode("utf-8", "replace")


def children(node):
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, _ast.AST):
            yield value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, _ast.AST):
                    yield item


def walk(node):
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(children(current))


def last_line(node):
    end = getattr(node, "end_lineno", None)
    if end is not None:
        return end
    return max(getattr(each, "lineno", 1) for each in walk(node))


def _start(node):
    decorators = getattr(node, "decorator_list", None)
    if decorators:
        return min((each.lineno, each.col_offset) for each in [node] + decorators)
    if not hasattr(node, "lineno"):  # a match case
        return min((each.lineno, each.col_offset) for each in walk(node) if hasattr(each, "lineno"))
    return (node.lineno, node.col_offset)


def _blocks(node):
    for field in ("body", "handlers", "cases", "orelse", "finalbody"):
        block = getattr(node, field, None)
        if isinstance(block, list) and not isinstance(node, _ast.expr):
            yield block


def path_to(source, line, column, prefer):
    """The nodes from the module to the innermost statement at a place. `prefer`: the kind of statement that it is, for
    several on one line whose column is not known."""
    path = [source.tree]
    place = (line, 1 << 30 if column is None else column)
    while True:
        inside = [child for block in _blocks(path[-1]) for child in block if _start(child) <= place]
        if not inside:
            return path
        chosen = max(inside, key=_start)
        if column is None:
            same = [child for child in inside if _start(child)[0] == line]
            chosen = next((child for child in same if isinstance(child, prefer)), chosen)
        if last_line(chosen) < line:
            return path
        path.append(chosen)


def place_of(traceback):
    """Line and column (in UTF-8 bytes, None if not known) at which a frame failed."""
    code = traceback.tb_frame.f_code
    if hasattr(code, "co_positions"):
        index = traceback.tb_lasti // 2
        for number, position in enumerate(code.co_positions()):
            if number == index:
                if position[0] is not None and position[2] is not None:
                    return position[0], position[2]
                break
    return traceback.tb_lineno, None


def statement(path):
    return path[-1]


def function(path):
    """The innermost function around a statement, or None."""
    for node in reversed(path):
        if isinstance(node, FUNCTIONS):
            return node
    return None


def in_handler(path):
    """Whether a statement stands in an `except` block of its own function."""
    for node in reversed(path):
        if isinstance(node, FUNCTIONS + (_ast.ClassDef,)):
            return False
        if isinstance(node, _ast.ExceptHandler):
            return True
    return False


def conditions(path):
    """What held when a statement ran: [(expression, whether it was true)], the nearest first."""
    found = _short_circuit(path[-1])
    for index in range(len(path) - 1, 0, -1):
        node, parent = path[index], path[index - 1]
        if isinstance(node, FUNCTIONS + (_ast.ClassDef, _ast.ExceptHandler)):
            break
        if not found:
            found.extend(_guards(node, parent))
        if isinstance(parent, (_ast.If, _ast.While)):
            found.append((parent.test, node in parent.body))
    return found


def _short_circuit(node):
    """`ok or fail()`, `bad and fail()`, `fail() if bad else None`."""
    value = getattr(node, "value", None) if isinstance(node, (_ast.Expr, _ast.Assign, _ast.Return)) else None
    if isinstance(value, _ast.BoolOp) and isinstance(value.values[-1], _ast.Call):
        return [(each, isinstance(value.op, _ast.And)) for each in reversed(value.values[:-1])]
    if isinstance(value, _ast.IfExp) and isinstance(value.body, _ast.Call) != isinstance(value.orelse, _ast.Call):
        return [(value.test, isinstance(value.body, _ast.Call))]
    return []


def _guards(node, parent):
    """`if ok: return` before the statement, in the same block, the nearest first."""
    for block in _blocks(parent):
        if node in block:
            for before in reversed(block[: block.index(node)]):
                if isinstance(before, _ast.If) and not before.orelse and _leaves(before.body[-1]):
                    yield (before.test, False)


def _leaves(node):
    return isinstance(node, (_ast.Return, _ast.Continue, _ast.Break, _ast.Raise))
