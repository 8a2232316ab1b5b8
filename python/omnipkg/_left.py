"""A program that did not find a module, dealt with that, and ended itself: which module it was.

Run by `omnipkg run` after such a program has ended badly, with what its reporter noted on standard input; prints a report
(schema 1) or nothing. It reads the files in which the imports stand, and runs none of them. What must stay true: an import
counts only if what catches its failure ends the program, or is a test runner; a library that does without an optional module
says nothing about how the program ended.
"""

import _ast
import os
import sys

from omnipkg import _syntax
from omnipkg._distributions import Distributions
from omnipkg._either import FUNCTIONS, can_be_found, kinds
from omnipkg._failure import SCHEMA, json
from omnipkg._missing import also_missing, asked, described
from omnipkg._values import last_name, literal

TRIES = kinds("Try", "TryStar", "TryExcept")
IMPORTS = kinds("Import", "ImportFrom")
CATCHES = ("ImportError", "ModuleNotFoundError", "Exception", "BaseException", "StandardError")
EXITS = (
    "exit", "quit", "_exit", "abort", "execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe",
)
STANDARD = os.path.dirname(os.__file__) + os.sep
RUNNERS = tuple(
    os.path.join("", *each)
    for each in (("_pytest", ""), ("unittest", "loader.py"), ("unittest", "case.py"), ("nose", ""), ("multiprocessing", "process.py"))
)


def main():
    stream = getattr(sys.stdin, "buffer", sys.stdin)
    main, misses = _read(stream.read().decode("utf-8", "replace"))
    if main is not None:
        sys.path.insert(0, os.path.dirname(os.path.abspath(main)))
    for name, places in reversed(misses):
        if _counts(places) and not can_be_found(name.split(".")[0]):
            sys.stdout.write(json(_report(name, places, main)))
            return


def _read(text):
    lines = text.split("\n")
    main = None if lines[1] == "-" else str(lines[1])
    misses, name, places = [], None, []
    for line in lines[2:]:
        if name is None:
            name = str(line)
        elif line:
            number, _, file = line.partition(" ")
            places.append((str(file), int(number)))
        else:
            misses.append((name, places))
            name, places = None, []
    return main, misses


def _counts(places):
    """Whether the failure of an import led to the end of the program: from the import outwards, what catches it."""
    imported = False
    for file, line in places:
        if any(each in file for each in RUNNERS):
            return imported
        is_import_module = file.endswith(os.path.join("", "importlib", "__init__.py"))
        if not imported and not is_import_module and (file.startswith("<") or _is_standard(file)):
            # What Python's own modules do without is nobody's failure.
            return False
        source = None if is_import_module else _syntax.load(file)
        if source is None:
            continue
        path = _syntax.path_to(source, line, None, IMPORTS)
        if not imported and not _imports(path[-1]):
            return False
        imported = True
        for handler in _handlers(path):
            last = handler.body[-1]
            if isinstance(last, _ast.Raise) and getattr(last, "exc", getattr(last, "type", None)) is None:
                continue
            return ends(handler.body, source) or _is_told_by_a_flag(handler, source)
    return False


def _is_standard(file):
    return file.startswith(STANDARD) and "-packages" not in file


def _imports(node):
    if isinstance(node, IMPORTS):
        return True
    if not hasattr(node, "lineno"):
        return False
    calls = [last_name(each.func) for each in _syntax.walk(node) if isinstance(each, _ast.Call)]
    return "import_module" in calls or "__import__" in calls


def _handlers(path):
    """What catches the failure of an import that ends a path, in its own function, the nearest first."""
    functions = [number for number, node in enumerate(path) if isinstance(node, FUNCTIONS)]
    start = functions[-1] if functions else 0
    for number in range(len(path) - 2, start - 1, -1):
        node = path[number]
        if isinstance(node, TRIES) and path[number + 1] in node.body:
            for handler in node.handlers:
                if _catches(handler.type):
                    yield handler
                    break


def _catches(kind):
    if kind is None:
        return True
    each = kind.elts if isinstance(kind, _ast.Tuple) else [kind]
    return any(last_name(one) in CATCHES for one in each)


def ends(body, source, depth=0, badly=False):
    """Whether a block ends the program, whatever else it does; `badly`: with more than a good end's code."""
    for statement in body:
        if isinstance(statement, _ast.Raise):
            raised = getattr(statement, "exc", getattr(statement, "type", None))
            return last_name(getattr(raised, "func", raised)) == "SystemExit" and (not badly or _is_bad(raised))
        call = getattr(statement, "value", None) if isinstance(statement, (_ast.Expr, _ast.Return)) else None
        if not isinstance(call, _ast.Call):
            continue
        name = last_name(call.func)
        if name in EXITS and (isinstance(call.func, _ast.Name) or getattr(call.func.value, "id", None) in ("sys", "os")):
            return not badly or _is_bad(call)
        if depth == 0 and isinstance(call.func, _ast.Name):
            found = source.functions().get(name, ())
            if len(found) == 1 and ends(found[0].body, source, 1, badly):
                return True
    return False


def _is_bad(call):
    """Whether an exit tells of a failure: not `exit()`, not `exit(0)`."""
    arguments = getattr(call, "args", [])
    return bool(arguments) and literal(arguments[0]) not in ((True, 0), (True, None)) and not _is_named_constant(arguments[0])


def _is_told_by_a_flag(handler, source):
    """`requests = None` in the handler, and somewhere `if requests is None: sys.exit(1)`."""
    names = set()
    for statement in handler.body:
        if isinstance(statement, _ast.Assign) and (literal(statement.value)[0] or _is_named_constant(statement.value)):
            names.update(each.id for each in statement.targets if isinstance(each, _ast.Name))
    for node in _syntax.walk(source.tree) if names else ():
        if isinstance(node, _ast.If) and _is_flag(node.test, names):
            if ends(node.body, source) or ends(node.orelse, source):
                return True
    return False


def _is_flag(test, names):
    """`requests`, `not requests`, `requests is None`: nothing else is asked."""
    if isinstance(test, _ast.UnaryOp) and isinstance(test.op, _ast.Not):
        test = test.operand
    elif isinstance(test, _ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (_ast.Is, _ast.IsNot, _ast.Eq)):
        other = test.comparators[0]
        if not literal(other)[0] and not _is_named_constant(other):
            return False
        test = test.left
    return isinstance(test, _ast.Name) and test.id in names


def _is_named_constant(node):
    return isinstance(node, _ast.Name) and node.id in ("None", "True", "False")


def _report(name, places, main):
    distributions = Distributions()
    file, line = places[0]
    source = _syntax.load(file)
    statement = _syntax.path_to(source, line, None, IMPORTS)[-1] if source is not None else None
    missing = described(name, file, main, asked(statement))
    missing["top_level_present"] = missing["top_level"] != name and can_be_found(missing["top_level"])
    return {
        "schema": SCHEMA,
        "python": "%d.%d.%d" % sys.version_info[:3],
        "executable": sys.executable or "",
        "held": False,
        "at_end": True,
        "exception": {"type": "SystemExit", "qualified": "SystemExit", "bases": ["SystemExit"], "message": ""},
        "frames": [_frame(each, number, file) for each, number in reversed(places)],
        "distributions": {each: distributions.version(each) for each in distributions.names()},
        "missing": missing,
        "also_missing": also_missing(_syntax.load(main), missing, main) if main else [],
    }


def _frame(file, line, importing):
    place = "site" if "-packages" in file else "script" if file == importing else "other"
    return {"file": file, "line": line, "function": "<module>", "source": "", "where": place}
