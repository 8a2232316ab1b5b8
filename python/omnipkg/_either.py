"""What the failure reporter needs and Python 2 has in another form: kinds of syntax, text, tracebacks, finding a module.

Everything here means the same under every Python; nothing that a script could shadow is imported.
"""

import _ast
import os
import sys

IS_PYTHON_2 = sys.version_info[0] == 2
TEXT = type(b"".decode("ascii"))
STRINGS = (str, TEXT) if IS_PYTHON_2 else (str,)
BUILTINS = "__builtin__" if IS_PYTHON_2 else "builtins"


def kinds(*names):
    """The kinds of syntax nodes of these names, as far as this Python has them."""
    return tuple(getattr(_ast, name) for name in names if hasattr(_ast, name))


FUNCTIONS = kinds("FunctionDef", "AsyncFunctionDef")
STARRED = kinds("Starred")


def text(value):
    """Text of a string or of a value; never an error."""
    try:
        if isinstance(value, TEXT):
            return TEXT(value)
        found = str(value)
        return found.decode("utf-8", "replace") if isinstance(found, bytes) else found
    except Exception:
        return b"".decode("ascii")


def plain_string(value):
    """A string as this Python's own `str` where that can be: what a literal or a file says may be of the other kind."""
    if IS_PYTHON_2 and type(value) is TEXT:
        try:
            return value.encode("ascii")
        except UnicodeError:
            pass
    return value


def parameters(arguments):
    """The names of (positional, keyword-only) parameters of a function's node."""
    positional = list(getattr(arguments, "posonlyargs", [])) + arguments.args
    name = lambda each: getattr(each, "arg", getattr(each, "id", None))
    return [name(each) for each in positional], [name(each) for each in getattr(arguments, "kwonlyargs", [])]


def qualified_name(kind):
    """`Outer.Inner`; Python 2 knows only the last part."""
    return getattr(kind, "__qualname__", None) or kind.__name__


def chain(value):
    """(cause, context, traceback) of an exception, as far as it carries them."""
    return tuple(getattr(value, name, None) for name in ("__cause__", "__context__", "__traceback__"))


def can_be_found(top_level):
    """Whether an import of a top-level module finds it. That runs none of it."""
    if sys.modules.get(top_level) is not None or top_level in sys.builtin_module_names:
        return True
    if not IS_PYTHON_2:
        finders = (getattr(finder, "find_spec", None) for finder in sys.meta_path)
        return any(find is not None and find(top_level, None) is not None for find in finders)
    import imp

    for finder in sys.meta_path:
        if getattr(finder, "find_module", None) is not None and finder.find_module(top_level) is not None:
            return True
    try:
        found = imp.find_module(top_level)
    except ImportError:
        return _in_archive(top_level)
    if found[0] is not None:
        found[0].close()
    return True


def _in_archive(top_level):
    """Whether an egg or a zip file on Python 2's path has it, as the importers say that were made for them."""
    importers = [sys.path_importer_cache.get(each) for each in sys.path if not os.path.isdir(each)]
    finds = (getattr(each, "find_module", None) for each in importers)
    return any(find is not None and find(top_level) is not None for find in finds)
