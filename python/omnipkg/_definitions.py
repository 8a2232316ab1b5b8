"""Functions and classes that came to a worker as source, made into what they were: the other half of ``_functions.py``.

They live in a module of their caller's name, so that what is made of them finds its way back. Decorators, defaults and
annotations of a function are not run again: its defaults come as values, and what a decorator made is what was sent.
"""

import ast
import importlib
import sys
import types

from omnipkg._worker_main import module

_codes = {}  # (source, line, free variables) -> code
_classes = {}  # (module, name, source) -> class


class Definitions(object):
    """Those of one message."""

    def __init__(self, message):
        self._message = message
        self._made = {}  # number -> what it is
        self._cells = {}
        self._records = {}

    def get(self, key):
        """What a key stands for."""
        number, path = key
        self._make(number)
        if number not in self._made:
            raise TypeError("a class and the values that it is made with need each other: %r" % (key,))
        found = self._made[number]
        for part in path.split(".") if path else ():
            found = getattr(found, part)
        return found

    def _make(self, number):
        if number in self._records:
            return
        # Set before it is read: it may lead back here.
        self._records[number] = None
        record = self._records[number] = self._read(number)
        module = _module(record)
        names = vars(module)
        for name, (imported, below) in record["modules"].items():
            names[name] = _import(imported, below)
        names.update(record["values"])
        for name, key in record["references"].items():
            self._make(key[0])
            if key[0] in self._made:
                names[name] = self.get(key)
        if record["kind"] == "class":
            self._made[number] = names[record["name"]] = _class(record, names)
            self._bind_late(number)
        else:
            self._fill(number, record, names)

    def _fill(self, number, record, names):
        function = self._made[number]
        for name, value in record["cells"].items():
            self._cells[number][name](value)
        function.__defaults__ = record["defaults"]
        function.__kwdefaults__ = record["keyword_defaults"]
        vars(function).update(record["attributes"])
        if not record["importable"] and "<" not in record["qualname"]:
            names[record["name"]] = function

    def _read(self, number):
        """A function exists, without what it uses, before that is read: it may name the function."""
        head = self._message.read(2 * number + 1)
        if head["kind"] != "class":
            self._made[number], self._cells[number] = _function(head, vars(_module(head)))
        return dict(head, **self._message.read(2 * number + 2))

    def _bind_late(self, number):
        """Names for a class that was in the making when those who use it were done."""
        for record in self._records.values():
            for name, key in (record or {}).get("references", {}).items():
                if key[0] == number:
                    vars(_module(record))[name] = self.get(key)


def _module(record):
    name = record["module"]
    if record["importable"]:
        return importlib.import_module(name)
    if name not in sys.modules:
        sys.modules[name] = module(name)
    return sys.modules[name]


def _import(name, below):
    module = importlib.import_module(name)
    for each in below:
        try:
            importlib.import_module(each)
        except ImportError:
            pass  # Only a guess from the names that are used.
    return module


def _parsed(record, mode="exec"):
    """The syntax tree of a record's source, with the lines of its file."""
    source, line = record["source"], record["line"]
    if mode == "eval":
        tree = ast.parse("(\n%s\n)" % source, record["file"], mode)
        return ast.increment_lineno(tree, line - 2)
    if source[:1] in " \t":
        tree = ast.parse("if 1:\n" + source, record["file"])
        tree.body = tree.body[0].body
        return ast.increment_lineno(tree, line - 2)
    return ast.increment_lineno(ast.parse(source, record["file"]), line - 1)


def _function(record, names):
    identity = (record["source"], record["file"], record["line"], record["free"])
    if identity not in _codes:
        _codes[identity] = _code(record)
    code = _codes[identity]
    cells = [_cell() for _ in code.co_freevars]
    function = types.FunctionType(code, names, record["name"], None, tuple(cell for cell, _ in cells))
    function.__qualname__ = record["qualname"]
    function.__module__ = record["module"]
    return function, dict(zip(code.co_freevars, (fill for _, fill in cells)))


def _code(record):
    """The code of a function, compiled inside another one that has its free variables."""
    if record["kind"] == "lambda":
        inner = _parsed(record, "eval").body
    else:
        inner = _parsed(record).body[0]
        inner.decorator_list = []
        inner.returns = None
    _bare(inner.args)
    lines = [" %s = None\n" % name for name in record["free"]]
    if record["kind"] != "lambda" and inner.name not in record["free"]:
        # Its own name is its module's, not one of the function around it here.
        lines.append(" global %s\n" % inner.name)
    outer = ast.parse("def outer():\n pass\n" + "".join(lines))
    body = outer.body[0].body
    body.append(ast.copy_location(ast.Expr(inner), inner) if record["kind"] == "lambda" else inner)
    # Not what this file's own future is.
    compiled = compile(ast.fix_missing_locations(outer), record["file"], "exec", dont_inherit=True)
    name = "<lambda>" if record["kind"] == "lambda" else inner.name
    for code in _inner(next(_inner(compiled))):
        if code.co_name == name:
            return code
    raise TypeError("the source of %s does not define it" % record["qualname"])


def _inner(code):
    return (each for each in code.co_consts if isinstance(each, types.CodeType))


def _bare(arguments):
    """Without annotations; defaults stay in number and are set later."""
    named = getattr(arguments, "posonlyargs", []) + arguments.args + arguments.kwonlyargs
    for each in named + [each for each in (arguments.vararg, arguments.kwarg) if each is not None]:
        each.annotation = None
    arguments.defaults = []
    arguments.kw_defaults = [None for _ in arguments.kwonlyargs]


def _cell():
    """An empty cell, and what fills it (Python 3.6 has no other way)."""
    if False:
        value = None

    def fill(new):
        nonlocal value
        value = new

    return fill.__closure__[0], fill


def _class(record, names):
    identity = (record["module"], record["name"], record["source"])
    if identity not in _classes:
        import __future__

        flags = 0
        for name in record["futures"]:
            flags |= getattr(getattr(__future__, name, None), "compiler_flag", 0)
        code = compile(_parsed(record), record["file"], "exec", flags=flags, dont_inherit=True)
        exec(code, names)
        _classes[identity] = names[record["name"]]
    return _classes[identity]
