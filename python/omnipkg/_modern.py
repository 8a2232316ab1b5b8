"""Whether a script is certainly one of Python 3's, so that Python 2 is no remedy for it: what Python 2 would make of it is
another program."""

import _ast

from omnipkg import _syntax

# Modules that only Python 3's standard library has.
MODULES = frozenset(
    """asyncio builtins concurrent configparser contextvars copyreg dataclasses enum faulthandler graphlib html http
    importlib.metadata importlib.resources ipaddress lzma pathlib queue reprlib secrets selectors socketserver statistics
    tkinter tomllib tracemalloc typing unittest.mock urllib.error urllib.parse urllib.request venv winreg xmlrpc zoneinfo
    """.split()
)


def is_python_3(main):
    """By its first line, by what it imports or by how it prints; of a file that cannot be parsed only by its lines."""
    lines = _lines(main)
    if lines and lines[0].startswith("#!") and "python3" in lines[0]:
        return True
    source = _syntax.load(main) if main else None
    if source is None:
        return any(_imports(line) for line in lines)
    future = False
    found = False
    for node in _syntax.walk(source.tree):
        if isinstance(node, _ast.ImportFrom):
            future = future or node.module == "__future__"
            found = found or (not node.level and _is_new(node.module or ""))
        elif isinstance(node, _ast.Import):
            found = found or any(_is_new(each.name) for each in node.names)
        elif isinstance(node, _ast.Call) and getattr(node.func, "id", None) == "print":
            # Python 2 prints a tuple, or knows no such argument.
            found = found or (not future and (len(node.args) > 1 or bool(node.keywords)))
    return found


def _is_new(module):
    return module in MODULES or module.split(".")[0] in MODULES


def _imports(line):
    words = line.split()
    return len(words) > 1 and words[0] in ("import", "from") and _is_new(words[1].rstrip(",;"))


def _lines(main):
    try:
        with open(main, "rb") as file:
            return file.read(_syntax.LARGEST_SOURCE).decode("utf-8", "replace").splitlines()
    except Exception:
        return []
