"""Modules and distributions that could not be found."""

import _ast
import os
import sys

from omnipkg import _syntax
from omnipkg._either import IS_PYTHON_2, STRINGS, can_be_found, text
from omnipkg._values import last_name

# Modules that the standard library of some Python has and that of another has not; for Pythons that cannot say
# (before 3.10) also those that a build may lack.
COME_AND_GONE = frozenset(
    """aifc annotationlib asynchat asyncore audioop binhex cgi cgitb chunk compression contextvars crypt dataclasses
    distutils dummy_threading formatter graphlib imghdr imp lib2to3 macpath mailcap msilib nis nntplib ossaudiodev parser
    pipes smtpd sndhdr spwd sunau symbol telnetlib tomllib uu xdrlib zoneinfo
    bz2 ctypes curses dbm lzma readline sqlite3 ssl tkinter turtle winreg winsound msvcrt
    ConfigParser Cookie HTMLParser Queue SocketServer StringIO Tkinter UserDict __builtin__ anydbm cPickle cStringIO
    commands cookielib copy_reg dummy_thread exceptions httplib md5 popen2 robotparser sets sha thread tkMessageBox
    urllib2 urlparse xmlrpclib""".split()
)
# What Python 3 has and Python 2 has not.
ONLY_IN_PYTHON_3 = frozenset(
    """asyncio builtins concurrent configparser copyreg ensurepip enum faulthandler html http ipaddress pathlib queue
    reprlib secrets selectors socketserver statistics tracemalloc typing venv xmlrpc""".split()
)
MODULE = type(sys)
MOST = 32


def missing_module(exceptions, place_of, main):
    """What the first of the exceptions that is about a module says of it; `place_of` gives the file that an exception
    came out of and the statement there."""
    for value in exceptions:
        file, statement = place_of(value)
        name = _name_of(value, statement)
        if name:
            return described(name, file, main, asked(statement))
    return None


def _name_of(value, statement):
    """The first part of a dotted name that is not there."""
    if not isinstance(value, ImportError):
        return None
    if IS_PYTHON_2:
        return _said_by_python_2(value, statement)
    name = getattr(value, "name", None)
    if isinstance(value, ModuleNotFoundError):
        return name if type(name) is str and name else None
    # Of a name that a module does not have 3.6 does not say which module that is.
    return _of_a_namespace(statement) if name is None or name == getattr(statement, "module", None) else None


def _of_a_namespace(statement):
    """`from google.cloud import storage` where other projects' parts of that namespace are there."""
    name = modules(statement)[0] if isinstance(statement, _ast.ImportFrom) and modules(statement) else None
    module = sys.modules.get(name)
    if not isinstance(module, MODULE):
        return None
    contents = vars(module)
    if contents.get("__file__") is not None or "__path__" not in contents:
        return None
    lacking = [each.name for each in statement.names if each.name not in contents and each.name != "*"]
    return "%s.%s" % (name, lacking[0]) if lacking else None


def _said_by_python_2(value, statement):
    """Python 2 says it in words only: of `import a.b.c` all from the part on that it did not find."""
    words = text(value).split("No module named ")
    if type(value) is not ImportError or len(words) != 2 or words[0] or not words[1]:
        return None
    said = str(words[1])
    for dotted in modules(statement):
        if dotted == said or dotted.endswith("." + said):
            return dotted[: len(dotted) - len(said)] + said.split(".")[0]
    calls = _syntax.walk(statement) if statement is not None else ()
    names = [last_name(each.func) for each in calls if isinstance(each, _ast.Call)]
    return said if "import_module" in names or "__import__" in names else None


def modules(statement):
    """The dotted names of the modules that an import statement imports."""
    if isinstance(statement, _ast.Import):
        return [alias.name for alias in statement.names]
    if isinstance(statement, _ast.ImportFrom) and not statement.level and statement.module:
        return [statement.module]
    return []


def asked(statement):
    """All names that an import statement asks for: with what it takes from a module, which may be modules too."""
    found = modules(statement)
    if found and isinstance(statement, _ast.ImportFrom):
        found = ["%s.%s" % (found[0], alias.name) for alias in statement.names if alias.name != "*"] or found
    return found[:MOST]


def also_missing(source, first, main):
    """What the script imports at its top, unconditionally, and what cannot be found either."""
    found = []
    if first is None or source is None:
        return found
    seen = {first["top_level"]}
    for statement in source.tree.body:
        for name in modules(statement):
            top_level = name.split(".")[0]
            if top_level not in seen and len(found) < MOST:
                seen.add(top_level)
                if not can_be_found(top_level):
                    found.append(described(name, None, main, asked(statement)))
    return found


def described(name, file, main, names):
    top_level = name.split(".")[0]
    return {
        "module": name,
        "asked": [each for each in names if each == name or each.startswith(name + ".")],
        "top_level": top_level,
        "top_level_present": top_level != name and sys.modules.get(top_level) is not None,
        "local": _is_local(top_level, file, main),
        "built_for": _built_for(name),
        "stdlib": top_level in COME_AND_GONE or top_level in getattr(sys, "stdlib_module_names", ())
        or (IS_PYTHON_2 and top_level in ONLY_IN_PYTHON_3),
    }


def _built_for(name):
    """The Pythons for which an extension module of this name is there, where there is none for this one."""
    package, _, last = name.rpartition(".")
    module = sys.modules.get(package)
    folders = vars(module).get("__path__") if isinstance(module, MODULE) else None if package else sys.path
    found = set()
    for folder in list(folders or ())[:MOST]:
        try:
            entries = os.listdir(folder or ".") if isinstance(folder, STRINGS) else ()
        except EnvironmentError:
            continue
        for entry in entries:
            # name.cpython-39-x86_64-linux-gnu.so
            parts = entry.split(".")
            tag = parts[1].split("-") if len(parts) == 3 and parts[0] == last and parts[2] == "so" else ()
            digits = tag[1].rstrip("mdu") if len(tag) > 1 and tag[0] == "cpython" else ""
            if digits.isdigit() and len(digits) > 1:
                found.add("%s.%s" % (digits[0], digits[1:]))
    return sorted(found)


def _is_local(top_level, file, main):
    # A package that is found is what Python calls it, wherever it stands.
    if sys.modules.get(top_level) is not None:
        return False
    folders = [os.path.dirname(os.path.realpath(main))] if main else [os.getcwd()]
    if file and IS_PYTHON_2:  # which also looks beside the importing file
        folders.append(os.path.dirname(os.path.abspath(file)))
    return any(
        os.path.exists(os.path.join(folder, top_level + ending)) for folder in folders for ending in ("", ".py", ".pyx")
    )


def missing_distribution(exceptions):
    for value in exceptions:
        names = [each.__name__ for each in type(value).__mro__]
        if "PackageNotFoundError" in names and type(value.args[0] if value.args else None) is str:
            return {"requirement": value.args[0]}
        if "DistributionNotFound" in names and value.args:
            return {"requirement": str(value.args[0])}
    return None
