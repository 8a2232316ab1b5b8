"""The failure report of an uncaught exception (schema 1), as a message for `omnipkg run`.

Imported only when a script failed. It reads the traceback, the source files and the names of distributions; it calls
nothing of the script's, and imports nothing that a script could shadow.
"""

import _ast
import errno
import os
import sys

from omnipkg import _apis, _modern, _syntax
from omnipkg._checks import Checks
from omnipkg._distributions import Distributions, normalise
from omnipkg._either import STRINGS, TEXT, chain, qualified_name, text
from omnipkg._missing import also_missing, missing_distribution, missing_module
from omnipkg._subjects import Subjects
from omnipkg._values import MODULE, Scope

SCHEMA = 1
LONGEST_MESSAGE = 1 << 20


def message(value, traceback, held, at_end):
    """The report as length (u32, big-endian) and JSON; None when it cannot be made small enough. `at_end`: how the program
    ends says whether it is about anything."""
    with _Quiet():
        report = dict(_Failure(value, traceback).report(held), at_end=at_end)
    data = json(report).encode("utf-8", "replace")
    if len(data) > LONGEST_MESSAGE:
        report["frames"] = report["frames"][-5:]
        report["chain"] = []
        data = json(report).encode("utf-8", "replace")
    if len(data) > LONGEST_MESSAGE:
        return None
    return bytes(bytearray(len(data) >> shift & 0xFF for shift in (24, 16, 8, 0))) + data


class _Quiet(object):
    """Parsing a file again must not repeat its syntax warnings."""

    def __enter__(self):
        import _warnings

        self._lists = [_warnings.filters, getattr(sys.modules.get("warnings"), "filters", None)]
        self._ignore = ("ignore", None, Warning, None, 0)
        self._lists = [each for each in self._lists if type(each) is list]
        for each in self._lists:
            each.insert(0, self._ignore)

    def __exit__(self, *_):
        for each in self._lists:
            if self._ignore in each:
                each.remove(self._ignore)


class _Failure(object):
    def __init__(self, value, traceback):
        self.value = value
        self.chain = _chain(value)
        self.tracebacks = {id(value): _entries(traceback)}
        for each in self.chain:
            self.tracebacks[id(each)] = _entries(chain(each)[2])
        self.traceback = traceback
        self.distributions = Distributions()
        self.subjects = Subjects(self.distributions, self._mentioned)
        self.main = getattr(sys.modules.get("__main__"), "__file__", None)
        self._names = None

    def report(self, held):
        loaded = self.distributions.loaded()
        self._loaded = loaded
        checks = self._conflicts() or self._checks()
        relevant = [self.value] + self._relevant_chain()
        missing = None if checks else missing_module(relevant, self._missing_at, self.main)
        return {
            "schema": SCHEMA,
            "python": "%d.%d.%d" % sys.version_info[:3],
            "executable": sys.executable or "",
            "held": held,
            # The text layer remembers that it has seen a line end; what was read below it leaves no trace.
            "input_read": getattr(sys.stdin, "newlines", None) is not None,
            "exception": self._exception(self.value),
            "chain": [self._exception(each) for each in self.chain],
            "frames": self._frames(),
            "checks": checks[:32],
            "distributions": loaded,
            "missing": missing,
            "also_missing": also_missing(_syntax.load(self.main), missing, self.main) if self.main else [],
            "missing_distribution": None if checks else missing_distribution(relevant),
            "names": [] if checks else self._api_names(relevant),
            "syntax": self._unparsed(),
            "is_python_3": _modern.is_python_3(self.main),
            "is_python_2": _modern.is_python_2(self.main),
        }

    def _api_names(self, exceptions):
        entries_of = lambda each: self.tracebacks[id(each)]
        scopes_of = lambda each: self._scopes(entries_of(each)) + self._remote_scope(each)
        return _apis.names(exceptions, entries_of, scopes_of, self.place)

    def _remote_scope(self, value):
        """Where an exception came from that a worker of multiprocessing sent: its cause has the traceback as a text."""
        cause = chain(value)[0]
        if type(cause).__name__ not in _apis.REMOTE:
            return []
        for line in reversed(text(cause).splitlines()):
            parts = line.split('"')
            if not line.startswith('  File "') or len(parts) != 3 or self.place(parts[1]) not in ("script", "other"):
                continue
            number = parts[2].replace(",", " ").split()
            source = _syntax.load(parts[1])
            modules = [each for each in list(sys.modules.values()) if type(each) is MODULE]
            modules = [each for each in modules if vars(each).get("__file__") == parts[1]]
            if source is None or not modules or len(number) < 2 or not number[1].isdigit():
                return []
            path = _syntax.path_to(source, int(number[1]), None, (_ast.Assert, _ast.Raise))
            names = vars(modules[0])
            return [(Scope(source, _syntax.function(path), {}, names, int(number[1]), virtual=True), path)]
        return []

    def _unparsed(self):
        """The file that this Python cannot read, if that is the failure: the script's own, or one that was imported."""
        for value in [self.value] + self._relevant_chain():
            if not issubclass(type(value), SyntaxError):
                continue
            fields = vars(SyntaxError)
            filename, line, line_text = (fields[each].__get__(value) for each in ("filename", "lineno", "text"))
            if type(filename) is not str or not os.path.isfile(filename) or _syntax.load(filename) is not None:
                continue
            if filename == self.main or self._was_imported(value):
                line = line if type(line) is int and line > 0 else 0
                return {
                    "file": os.path.abspath(filename),
                    "line": line,
                    "text": line_text.strip()[:500] if type(line_text) in STRINGS else "",
                    "where": self.place(filename),
                    "distribution": self.distributions.owner_of_file(os.path.abspath(filename)),
                }
        return None

    def _was_imported(self, value):
        """Whether it was an import that an exception came out of: the import system takes its own frames away."""
        traceback = self.traceback if value is self.value else chain(value)[2]
        while traceback is not None and traceback.tb_next is not None:
            traceback = traceback.tb_next
        if traceback is None:
            return False
        name = traceback.tb_frame.f_code.co_filename
        if name.startswith("<frozen importlib") or name.endswith(os.path.join("", "importlib", "__init__.py")):
            return True
        found = self._path(traceback)
        return found is not None and isinstance(found[1][-1], (_ast.Import, _ast.ImportFrom))

    def _missing_at(self, value):
        """The file that an exception came out of, and its failing statement as far as that is known."""
        entries = self.tracebacks[id(value)]
        while entries and entries[-1].tb_frame.f_code.co_filename.endswith(os.path.join("", "importlib", "__init__.py")):
            entries = entries[:-1]
        if not entries:
            return None, None
        found = self._path(entries[-1])
        return entries[-1].tb_frame.f_code.co_filename, found and found[1][-1]

    def _exception(self, value):
        kind = type(value)
        path = _string(getattr(value, "path", None)) if isinstance(value, ImportError) else None
        return {
            "type": kind.__name__,
            "qualified": "%s.%s" % (kind.__module__, qualified_name(kind)),
            "bases": [each.__name__ for each in kind.__mro__][:16],
            "message": text(value)[:10000],
            "name": _string(getattr(value, "name", None)) if isinstance(value, ImportError) else None,
            "path": path,
            "distribution": self.distributions.owner_of_file(os.path.abspath(path)) if path else None,
            "program": self._program(value),
        }

    def _program(self, value):
        """The program that was to be started and is not there."""
        if not isinstance(value, EnvironmentError) or getattr(value, "errno", None) != errno.ENOENT:
            return None
        entries = self.tracebacks[id(value)]
        function = entries[-1].tb_frame.f_code if entries else None
        if function is None or function.co_name != "_execute_child" or self.place(function.co_filename) != "stdlib":
            return None
        name = getattr(value, "filename", None)
        if name is None:  # Python 2 does not say it
            arguments = entries[-1].tb_frame.f_locals.get("args")
            name = arguments[0] if type(arguments) is list and arguments else None
        if type(name).__module__.split(".")[0] == "pathlib":
            name = str(name)
        return _string(name)

    def _frames(self):
        entries = self.tracebacks[id(self.value)]
        return [self._frame(each) for each in (entries if len(entries) <= 80 else entries[:20] + entries[-60:])]

    def _frame(self, traceback):
        code = traceback.tb_frame.f_code
        place = self.place(code.co_filename)
        source = _syntax.load(code.co_filename) if place != "stdlib" else None
        statement = ""
        if source is not None:
            line, column = _syntax.place_of(traceback)
            node = _syntax.path_to(source, line, column, (_ast.Assert, _ast.Raise))[-1]
            compound = hasattr(node, "body") or not hasattr(node, "lineno")
            statement = source.lines[line - 1].strip() if compound and line <= len(source.lines) else ""
            statement = statement or source.text(node)
        return {
            "file": code.co_filename,
            "line": traceback.tb_lineno or 0,
            "function": code.co_name,
            "source": statement[:2000],
            "module": _string(traceback.tb_frame.f_globals.get("__name__")),
            "where": place,
            "distribution": self.distributions.owner_of_file(code.co_filename) if place == "site" else None,
        }

    def place(self, path):
        if self.main and path == self.main:
            return "script"
        if self.distributions.site_of(path) or "/site-packages/" in path or "/dist-packages/" in path:
            return "site"
        if path.startswith(os.path.dirname(os.__file__) + os.sep) or path.startswith("<frozen "):
            return "stdlib"
        main = self.main if self.main and not self.distributions.site_of(self.main) else None
        folder = os.path.dirname(os.path.abspath(main)) if main else os.getcwd()
        return "script" if path.startswith(folder + os.sep) else "other"

    def _relevant_chain(self):
        """Exceptions that the failure is about: explicit causes, and what a handler turned into another by `raise`."""
        result = []
        current = self.value
        for each in self.chain:
            if chain(current)[0] is not each and not self._raised_in_handler(current):
                break
            result.append(each)
            current = each
        return result

    def _raised_in_handler(self, value):
        entries = self.tracebacks[id(value)]
        if not entries:
            return False
        found = self._path(entries[-1])
        return found is not None and isinstance(found[1][-1], _ast.Raise) and _syntax.in_handler(found[1])

    def _path(self, traceback):
        source = _syntax.load(traceback.tb_frame.f_code.co_filename)
        if source is None:
            return None
        line, column = _syntax.place_of(traceback)
        return source, _syntax.path_to(source, line, column, (_ast.Assert, _ast.Raise))

    def _checks(self):
        for value in [self.value] + self._relevant_chain():
            checks = self._checks_of(value)
            if checks:
                return checks
        return []

    def _checks_of(self, value):
        """From the frame that raised outwards: the first one in which the failing statement was conditional decides."""
        scopes = self._scopes(self.tracebacks[id(value)])
        for number, (scope, path) in enumerate(reversed(scopes)):
            if scope is None:
                return []
            node = path[-1]
            if number == 0 and not isinstance(node, (_ast.Assert, _ast.Raise)):
                return []
            if isinstance(node, _ast.Assert):
                if number or not isinstance(value, AssertionError):
                    return []
                return Checks(self.subjects).needed(node.test, True, scope)
            conditions = _syntax.conditions(path)
            if conditions:
                return self._first_that_tells(conditions, scope)
            if _syntax.in_handler(path):
                return []
        return []

    def _first_that_tells(self, conditions, scope):
        for number, (test, held) in enumerate(conditions):
            checks = Checks(self.subjects).needed(test, not held, scope)
            if checks and (number == 0 or all(each["op"] in ("==", "in") for each in checks)):
                return checks
        return []

    def _scopes(self, entries):
        """[(scope, path)] of the frames, outermost first; each knows the call in the one before that led to it."""
        result = []
        caller = call = None
        for traceback in entries:
            frame = traceback.tb_frame
            found = None if self.place(frame.f_code.co_filename) == "stdlib" else self._path(traceback)
            if found is None:
                result.append((None, None))
                caller = call = None
                continue
            source, path = found
            function = _syntax.function(path)
            if caller is not None and function is not None:
                call = _call_of(path_before, function.name, frame.f_code.co_name)
            line = path[-1].lineno if len(path) > 1 else 1
            scope = Scope(source, function, frame.f_locals, frame.f_globals, line, caller, call)
            result.append((scope, path))
            caller, call, path_before = scope, None, path
        return result

    def _conflicts(self):
        """pkg_resources.VersionConflict carries its evidence itself."""
        for value in [self.value] + self._relevant_chain():
            arguments = value.args
            if not any(each.__name__ == "VersionConflict" for each in type(value).__mro__) or len(arguments) < 2:
                continue
            name = normalise(str(getattr(arguments[1], "project_name", "")))
            installed = self.distributions.version(name) or str(getattr(arguments[0], "version", ""))
            specifiers = str(getattr(arguments[1], "specifier", ""))
            if name and specifiers:
                frame = self.tracebacks[id(value)][0]
                return [{
                    "distribution": name, "installed": installed, "subject": "version", "op": "satisfies",
                    "value": specifiers, "text": "%s%s" % (name, specifiers), "file": frame.tb_frame.f_code.co_filename,
                    "line": frame.tb_lineno, "how": "call",
                }]
        return []

    def _mentioned(self):
        """Distributions that are loaded, or whose name stands in the script."""
        if self._names is None:
            words = set()
            for entry in self.tracebacks[id(self.value)]:
                source = _syntax.load(entry.tb_frame.f_code.co_filename)
                if source is not None and self.place(source.filename) in ("script", "other"):
                    text = "".join(each if each.isalnum() or each in "_-." else " " for each in "\n".join(source.lines))
                    words.update(normalise(word) for word in text.split())
            self._names = set(self._loaded) | (words & self.distributions.names())
        return self._names


def _call_of(path, *names):
    """The one call in a statement that may have called a function of this name."""
    if not hasattr(path[-1], "lineno"):
        return None
    calls = [each for each in _syntax.walk(path[-1]) if isinstance(each, _ast.Call)]
    named = [each for each in calls if getattr(each.func, "attr", getattr(each.func, "id", None)) in names]
    return named[0] if len(named) == 1 else calls[0] if len(calls) == 1 else None


def _chain(value):
    found, seen = [], {id(value)}
    while len(found) < 8:
        cause, context, _ = chain(value)
        value = cause or context
        if value is None or id(value) in seen:
            break
        seen.add(id(value))
        found.append(value)
    return found


def _entries(traceback):
    entries = []
    while traceback is not None and len(entries) < 2000:
        if not traceback.tb_frame.f_code.co_filename.startswith("<frozen "):
            entries.append(traceback)
        traceback = traceback.tb_next
    return entries


def _string(value):
    return value if type(value) in STRINGS else None


def json(value):
    """JSON; the json module may be the script's own."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if type(value) is int:
        return "%d" % value
    if type(value) is float:
        written = repr(value)
        return written if written.lstrip("-")[:1].isdigit() and "n" not in written else "null"
    if isinstance(value, (list, tuple)):
        return "[%s]" % ",".join(json(each) for each in value)
    if isinstance(value, dict):
        return "{%s}" % ",".join("%s:%s" % (json(text(key)), json(each)) for key, each in value.items())
    escaped = (
        each if each not in '"\\' and each >= " " else "\\u%04x" % ord(each) for each in text(value)
    )
    return '"%s"' % TEXT().join(escaped)
