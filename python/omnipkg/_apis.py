"""Which name of a library a failure is about: an attribute that an object lacks, a name that a module cannot give, an
argument that a function does not take.

Found from the exception's own fields and from the failing statement; nothing of the script's is called. The answer is
names as they may be written in a table, the likeliest first: ``numpy.float``, ``pandas.DataFrame.append``,
``pandas.read_csv(error_bad_lines)``, ``yaml.load(without Loader)``, ``pandas.DataFrame.drop(positional)``.
"""

import _ast
import sys

from omnipkg import _syntax
from omnipkg._either import BUILTINS, IS_PYTHON_2, chain, qualified_name
from omnipkg._values import FUNCTION, MODULE, Unknown, evaluate, last_name

FRAMES = 8  # frames that are looked at, from the innermost outwards
BASES = 24
MODULES = 5000
BUILT_IN = type(len)
METHOD = type((lambda each: None).__get__(0))
WRAPPED = (staticmethod, classmethod)
REMOTE = ("RemoteTraceback", "_RemoteTraceback")  # the causes of exceptions that came from multiprocessing's workers


def names(exceptions, entries_of, scopes_of, place):
    """The names for the first of the exceptions that is about one; `entries_of` gives its tracebacks, `scopes_of` what is
    known of their frames, `place` where a file is."""
    for value in exceptions:
        try:
            found = _answered(entries_of(value), place) or _names(value, scopes_of)
            found = [each for each in found if not _is_own(each.split(".")[0], place)]
        except Exception:
            found = []
        if found:
            unique = []
            for each in found:
                if each not in unique and len(each) <= 300:
                    unique.append(each)
            return unique[:48]
    return []


def _names(value, scopes_of):
    if isinstance(value, AttributeError):
        return _attribute(value, scopes_of)
    if isinstance(value, ImportError) and (IS_PYTHON_2 or not isinstance(value, ModuleNotFoundError)):
        return _imported(value, scopes_of)
    if isinstance(value, TypeError):
        return _argument(str(value), scopes_of(value))
    if type(value) is NameError:
        parts = str(value).split("'")
        return ["builtins." + parts[1]] if len(parts) == 3 and parts[2] == " is not defined" else []
    return []


def _is_own(top_level, place):
    """Whether a module is none of a library's or of Python's: a script's own of that name, or one that was made up."""
    if top_level == "__main__":
        return True
    module = sys.modules.get(top_level)
    if not _is_module(module):
        return module is not None
    path = _contents(module).get("__file__")
    if type(path) is str:
        return place(path) not in ("stdlib", "site")
    known = (BUILTINS,) + tuple(sys.builtin_module_names)
    return top_level not in known and _contents(module).get("__spec__") is None


def _answered(entries, place):
    """What a library's `__getattr__` was asked for that answered with an exception of its own, whatever that is."""
    for entry in reversed(entries[-3:]):
        frame = entry.tb_frame
        if frame.f_code.co_name != "__getattr__" or place(frame.f_code.co_filename) != "site":
            continue
        values = [frame.f_locals.get(each) for each in frame.f_code.co_varnames[: frame.f_code.co_argcount]]
        if len(values) == 1 and type(values[0]) is str:
            return ["%s.%s" % (frame.f_globals.get("__name__"), values[0])]
        if len(values) == 2 and type(values[1]) is str:
            return _members(values[0], values[1])
    return []


def _attribute(value, scopes_of):
    # Since 3.10 the exception says it itself, unless somebody raised it by hand, or it came from another process.
    if sys.version_info >= (3, 10):
        name, owner = _own_field(AttributeError, value, "name"), _own_field(AttributeError, value, "obj")
        if type(name) is str and owner is not None:
            return _members(owner, name)
        if type(chain(value)[0]).__name__ not in REMOTE:
            return []
    kind, name = _of_an_object(str(value))
    built_in = vars(sys.modules[BUILTINS]).get(kind)
    if _is_class(built_in):
        return _members(built_in, name)
    for scope, path in _statements(scopes_of(value)):
        for node in _syntax.walk(path[-1]):
            if not isinstance(node, _ast.Attribute):
                continue
            owner = _owner(node.value, scope)
            if owner is not Unknown and not _has(owner, node.attr):
                return _members(owner, node.attr)
    found = []
    for module in list(sys.modules.values())[:MODULES] if kind else ():
        # What is not seen in the statement is of some class of that name that is loaded.
        each = _contents(module).get(kind) if _is_module(module) else None
        if not _is_class(each) or _has(each, name):
            continue
        if each.__module__ == "__main__":
            return []
        found.extend(_members(each, name))
    return found


def _own_field(kind, value, name):
    """A field of a built-in exception: a class made of it may have another of that name, whose code must not run."""
    field = vars(kind).get(name)
    return field.__get__(value) if field is not None else None


def _of_an_object(text):
    """Class and attribute of `'dict' object has no attribute 'has_key'`: before 3.10 only the words say so."""
    parts = text.split("'")
    if len(parts) == 5 and parts[2] == " object has no attribute " and not parts[0] and not parts[4]:
        return parts[1].rsplit(".", 1)[-1], parts[3]
    return None, None


def _owner(node, scope):
    """The value of an expression, or the class of which a call makes an object."""
    try:
        return evaluate(node, scope)
    except Unknown:
        pass
    try:
        called = evaluate(node.func, scope) if isinstance(node, _ast.Call) else None
    except Unknown:
        called = None
    return called if _is_class(called) else Unknown


def _has(owner, name):
    if _is_module(owner):
        return name in _contents(owner)
    try:
        if name in object.__getattribute__(owner, "__dict__"):
            return True
    except Exception:
        pass
    return any(name in vars(each) for each in _bases(owner))


def _is_module(value):
    # Not isinstance: a proxy may answer for what it stands for.
    return issubclass(type(value), MODULE)


def _is_class(value):
    return issubclass(type(value), type)


def _contents(module):
    """A module's names; one that loads itself when it is looked into is not."""
    return MODULE.__dict__["__dict__"].__get__(module)


def _bases(value):
    """The classes of a class or of an object, nearest first."""
    return type.__dict__["__mro__"].__get__(value if _is_class(value) else type(value))


def _members(owner, name):
    return ["%s.%s" % (each, name) for each in _called(owner)]


def _called(owner):
    """What a module, a class or an object's class is called."""
    if _is_module(owner):
        if getattr(_contents(owner).get("__spec__"), "_initializing", False):
            # It is being imported: a circle of imports, whatever the version.
            return []
        own = _contents(owner).get("__name__")
        found = [own] if type(own) is str else []
        return found + [name for name, module in list(sys.modules.items()) if module is owner and type(name) is str]
    found = []
    for each in _bases(owner)[:BASES]:
        if each is not object:
            found.extend(_defined(each))
    return found


def _defined(value):
    """Of a class or function: its place below the first part of its module, and below all of it."""
    try:
        module, name = value.__module__, qualified_name(value)
    except Exception:
        return []
    if type(module) is not str or type(name) is not str:
        return []
    return ["%s.%s" % (module.split(".")[0], name), "%s.%s" % (module, name)]


def _imported(value, scopes_of):
    module, name = _own_field(ImportError, value, "name"), _own_field(ImportError, value, "name_from")
    module = module if type(module) is str else None
    if type(name) is not str or module is None:
        for scope, path in _statements(scopes_of(value))[:1]:
            node = path[-1]
            if not isinstance(node, _ast.ImportFrom) or node.level:
                return []
            module = module or node.module
            loaded = sys.modules.get(module or "")
            lacking = [each.name for each in node.names if _is_module(loaded) and each.name not in _contents(loaded)]
            lacking = [each for each in lacking if "'%s'" % each in str(value) or str(value).endswith(" " + each)]
            name = lacking[0] if lacking else None
    if type(module) is not str or type(name) is not str:
        return []
    loaded = sys.modules.get(module)
    return _members(loaded, name) if _is_module(loaded) else ["%s.%s" % (module, name)]


def _argument(text, scopes):
    """CPython's own words for arguments that do not fit are the same in every language."""
    function, _, problem = text.partition("() ")
    function = function.rsplit(".", 1)[-1]
    if not problem or " " in function:
        return []
    if "unexpected keyword argument '" in problem:
        keyword = problem.split("unexpected keyword argument '", 1)[1].split("'", 1)[0]
        return _calls(scopes, function, keyword, keyword)
    if problem.startswith("takes no keyword arguments"):
        return _calls(scopes, function, None, None)
    if problem.startswith("missing ") and "required positional argument" in problem and ": '" in problem:
        return _calls(scopes, function, None, "without " + problem.split(": '", 1)[1].split("'", 1)[0])
    if problem.startswith("takes ") and "positional argument" in problem and "given" in problem:
        return _calls(scopes, function, None, "positional")
    return []


def _calls(scopes, function, keyword, problem):
    for scope, path in _statements(scopes):
        if not hasattr(path[-1], "lineno"):
            continue
        calls = [each for each in _syntax.walk(path[-1]) if isinstance(each, _ast.Call)]
        if keyword is not None:
            calls = [each for each in calls if any(given.arg in (keyword, None) for given in each.keywords)]
        found = [(node, _callable_names(node.func, scope)) for node in calls]
        found = [(node, named) for node, named in found if named]
        exact = [named for node, named in found if any(each.rsplit(".", 1)[-1] == function for each in named)]
        if function == "__init__" or not exact:
            exact = exact or [named for node, named in found if len(found) == 1]
        if len(exact) == 1:
            given = [each.arg for node, named in found if named is exact[0] for each in node.keywords if each.arg]
            return ["%s(%s)" % (each, what) for what in ([problem] if problem else given) for each in exact[0]]
    return []


def _callable_names(node, scope):
    try:
        if isinstance(node, _ast.Attribute):
            owner = evaluate(node.value, scope)
            found = _member(owner, node.attr)
            named = _defined(found) if found is not None else []
            members = _members(owner, node.attr)
            # What was put there in a library's place is not the library's.
            same = not named or any(each.split(".")[0] == named[0].split(".")[0] for each in members)
            return named + members if same else named
        found = evaluate(node, scope)
    except Unknown:
        found = vars(sys.modules[BUILTINS]).get(getattr(node, "id", None))
    if _is_class(found) or type(found) in (FUNCTION, BUILT_IN):
        return _defined(found)
    return _defined(found.__func__) if type(found) is METHOD and type(found.__func__) is FUNCTION else []


def _member(owner, name):
    """A function or class in a module or a class; nothing is bound, no descriptor runs."""
    if _is_module(owner):
        places = [_contents(owner)]
    else:
        places = [vars(each) for each in _bases(owner)]
    for each in places:
        if name in each:
            found = each[name]
            found = found.__func__ if type(found) in WRAPPED else found
            return found if _is_class(found) or type(found) in (FUNCTION, BUILT_IN) else None
    return None


def _statements(scopes):
    """(scope, path) of the innermost frames whose source is known, the innermost first."""
    return [(scope, path) for scope, path in reversed(scopes[-FRAMES:]) if scope is not None]
