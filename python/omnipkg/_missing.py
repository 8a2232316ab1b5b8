"""What could not be found: the module of a ModuleNotFoundError, the distribution of a PackageNotFoundError."""

import os
import sys

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


def missing_module(exceptions, tracebacks, main):
    for value in exceptions:
        name = getattr(value, "name", None)
        if not isinstance(value, ModuleNotFoundError) or type(name) is not str or not name:
            continue
        return _described(name, tracebacks[id(value)], main)
    return None


def also_missing(source, first, main):
    """What the script imports at its top, unconditionally, and what cannot be found either."""
    found = []
    if first is None or source is None:
        return found
    seen = {first["top_level"]}
    for statement in source.tree.body:
        kind = type(statement).__name__
        if kind == "Import":
            names = [alias.name for alias in statement.names]
        elif kind == "ImportFrom" and not statement.level and statement.module:
            names = [statement.module]
        else:
            continue
        for name in names:
            top_level = name.split(".")[0]
            if top_level not in seen and len(found) < 32:
                seen.add(top_level)
                if not _can_be_found(top_level):
                    found.append(_described(name, [], main))
    return found


def _can_be_found(top_level):
    # Finding a top-level module runs none of it.
    if top_level in sys.modules:
        return True
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        if find is not None and find(top_level, None) is not None:
            return True
    return False


def _described(name, entries, main):
    top_level = name.split(".")[0]
    return {
        "module": name,
        "top_level": top_level,
        "top_level_present": top_level != name and sys.modules.get(top_level) is not None,
        "local": _is_local(top_level, entries, main),
        "stdlib": top_level in COME_AND_GONE or top_level in getattr(sys, "stdlib_module_names", ()),
    }


def _is_local(top_level, entries, main):
    # A package that is found is what Python calls it, wherever it stands.
    if sys.modules.get(top_level) is not None:
        return False
    folders = [os.path.dirname(os.path.abspath(main))] if main else [os.getcwd()]
    if entries:
        folders.append(os.path.dirname(os.path.abspath(entries[-1].tb_frame.f_code.co_filename)))
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
