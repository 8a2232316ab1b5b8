"""What a script will fail of, as far as it can be told before it runs: a report (schema 1) of a failure that has not been.

Run by `omnipkg run` in the view that the script would start in; prints JSON. It reads the script and the names of what
is installed, and runs none of it. What must stay true: only what the script does in any case counts: statements at its top,
under no condition but `if __name__ == "__main__":`, up to where it may end itself or change what is imported from where.
"""

import _ast
import os
import sys

try:  # before the script's folder is on the path: what lies there must not run
    import importlib.metadata
except ImportError:
    pass

from omnipkg import _modern, _syntax
from omnipkg._checks import Checks
from omnipkg._distributions import Distributions
from omnipkg._either import STRINGS, can_be_found, text
from omnipkg._failure import SCHEMA, json
from omnipkg._left import ends
from omnipkg._missing import asked, described, modules
from omnipkg._subjects import Subjects
from omnipkg._values import MODULE, Scope, literal

MOST = 64
OWN, LIBRARY = "own", "library"
STANDARD = os.path.dirname(os.__file__) + os.sep
# Of sys, site, os or whatever they are called: what changes where modules come from.
PATHS = ("path", "meta_path", "path_hooks", "modules", "addsitedir", "chdir")
# Words that no list of requirements has, and nearly every sentence.
PROSE = frozenset(
    "a an and as before but did do does fails first for from here if in is it need needed needs not of old on only or "
    "please run so that the then this to try use using version was we when will with works you your".split()
)
VERSION_FILES = ("__init__", "version", "_version", "__version__", "__about__", "_meta")


def main():
    script = sys.argv[1]
    # Python looks beside the file that a link leads to.
    sys.path.insert(0, os.path.dirname(os.path.realpath(script)))
    distributions = Distributions()
    source = _syntax.load(script)
    statements = []
    if source is not None:
        _certain(source.tree.body, source, distributions, statements)
    missing = _missing(statements, script)
    report = {
        "schema": SCHEMA,
        "python": "%d.%d.%d" % sys.version_info[:3],
        "executable": sys.executable or "",
        "frames": [_frame(script, 1)],
        "distributions": {each: distributions.version(each) for each in distributions.names()},
        "checks": _checks(statements, source, distributions)[:MOST],
        "also_missing": missing,
        "uses": _uses(statements, missing, distributions),
        "imports": sorted(set(name.split(".")[0] for each in statements for name in modules(each)))[:MOST],
        "commented": _commented(script, source) if source is not None else [],
        "is_python_3": _modern.is_python_3(script),
        "is_python_2": _modern.is_python_2(script),
    }
    if source is None:
        report.update(_unparsed(script))
    sys.stdout.write(json(report))


def _frame(script, line):
    return {"file": script, "line": line, "function": "<module>", "source": "", "where": "script"}


def _certain(body, source, distributions, found):
    """Notes the statements that a program comes to in any case; whether it may go on behind them as it is."""
    for statement in body:
        found.append(statement)
        if isinstance(statement, _ast.If) and _is_main(statement.test):
            if not _certain(statement.body, source, distributions, found):
                return False
        elif _may_end(statement, source) or _changes_the_path(statement, source):
            return False
        # A module of the script's own may do that as well.
        if any(_origin(name.split(".")[0], distributions) == OWN for name in modules(statement)):
            return False
    return True


def _is_main(test):
    return (
        isinstance(test, _ast.Compare) and isinstance(test.left, _ast.Name) and test.left.id == "__name__"
        and len(test.ops) == 1 and isinstance(test.ops[0], _ast.Eq) and literal(test.comparators[0]) == (True, "__main__")
    )


def _may_end(statement, source):
    """Whether the program may end here as it means to; a definition ends nothing."""
    if hasattr(statement, "decorator_list"):
        return False
    blocks = [getattr(each, field, None) for each in _syntax.walk(statement) for field in ("body", "orelse", "handlers")]
    return any(type(block) is list and ends(block, source) for block in [[statement]] + blocks)


def _changes_the_path(statement, source, depth=0):
    """Whether what is imported next may come from elsewhere."""
    if hasattr(statement, "decorator_list") and depth == 0:
        return False  # it is only defined
    if isinstance(statement, _ast.ImportFrom) and statement.module == "sys":
        return any(each.name in PATHS for each in statement.names)
    for each in _syntax.walk(statement):
        if isinstance(each, _ast.Attribute) and each.attr in PATHS:
            if (getattr(each.value, "id", None), each.attr) != ("os", "path"):
                return True
        if depth == 0 and isinstance(each, _ast.Call) and isinstance(each.func, _ast.Name):
            called = source.functions().get(each.func.id, ())
            if any(_changes_the_path(one, source, 1) for one in called):
                return True
    return False


def _origin(top_level, distributions):
    """Where an import finds a module first: OWN, LIBRARY, or None where it is Python's or nowhere to be seen."""
    if top_level in sys.builtin_module_names:
        return None
    for folder in sys.path:
        path = os.path.join(folder, top_level) if isinstance(folder, STRINGS) else ""
        file = next((each for each in (os.path.join(path, "__init__.py"), path + ".py") if path and os.path.isfile(each)), None)
        if file is not None:
            if file.startswith(STANDARD) and "-packages" not in file:
                return None
            return LIBRARY if distributions.owner_of_file(file) else OWN
        if path and os.path.isdir(path) and not distributions.site_of(os.path.join(path, "x")):
            return OWN
    return None


def _missing(statements, script):
    found, seen = [], set()
    for statement in statements:
        for name in modules(statement):
            top_level = name.split(".")[0]
            if top_level not in seen and len(found) < MOST:
                seen.add(top_level)
                if not can_be_found(top_level):
                    found.append(dict(described(top_level, script, script, asked(statement)), line=statement.lineno))
    return found


def _uses(statements, missing, distributions):
    """The names that the script imports from what is there, and is not its own."""
    gone = set(each["top_level"] for each in missing)
    found = []
    for statement in statements:
        for name in asked(statement):
            top_level = name.split(".")[0]
            if top_level not in gone and "." in name and len(found) < MOST and _origin(top_level, distributions) != OWN:
                found.append({"name": name, "line": statement.lineno})
    return found


def _commented(script, source):
    """The requirements of comments before the first statement: `# pip install x==1.2`, `# requires: x>=2, y`. The whole
    comment must be of requirements: what stands in prose asks for nothing."""
    found = []
    text_lines, first = _docstring(source.tree.body)
    for number, line in enumerate(_lines(script)[: first - 1]):
        if not line.startswith("#") or number + 1 in text_lines:
            continue
        words = line.lstrip("#!").strip()
        head, colon, rest = words.partition(":")
        if colon and head.strip().lower() in ("requires", "require", "requirements", "dependencies", "depends"):
            texts = _split(rest)
        else:
            before, command, rest = words.partition("pip3 install " if "pip3 install " in words else "pip install ")
            if not command or before.strip() not in ("", "$", ">", "%", "!", "sudo", "python -m", "python3 -m", "$ python -m"):
                continue
            texts = [each.strip("'\"`") for each in rest.split() if not each.startswith("-")]
        if texts and all(_is_requirement(each) and each.lower() not in PROSE for each in texts):
            found.extend({"requirement": each[:300], "line": number + 1} for each in texts)
    return found[:MOST]


def _docstring(body):
    """The lines of a file's docstring, and the line of the first statement that is none."""
    lines = ()
    if body and isinstance(body[0], _ast.Expr) and literal(body[0].value)[0]:
        value, end = literal(body[0].value)[1], _syntax.last_line(body[0])
        # Before 3.8 a text is where it ends.
        lines = range(end - value.count("\n") if type(value) in STRINGS else end, end + 1)
        body = body[1:]
    return lines, body[0].lineno if body else 1 << 30


def _split(text):
    """Requirements between commas; a comma before an operator, or in parentheses, is of the requirement."""
    parts = []
    for part in text.split(","):
        part = part.strip()
        if parts and (part[:1] in "<>=!~" or parts[-1].count("(") > parts[-1].count(")")):
            parts[-1] = "%s,%s" % (parts[-1], part)
        else:
            parts.append(part)
    return [each.strip("'\"`") for each in parts if each]


def _is_requirement(text):
    name = text
    for mark in "<>=!~[(; ":
        name = name.split(mark)[0]
    plain = name.replace("-", "a").replace("_", "a").replace(".", "a").isalnum()
    return plain and (text == name or text[len(name) :].lstrip()[:1] in tuple("<>=!~[(;"))


def _lines(script):
    try:
        with open(script, "rb") as file:
            return file.read(_syntax.LARGEST_SOURCE).decode("utf-8", "replace").splitlines()
    except EnvironmentError:
        return []


def _checks(statements, source, distributions):
    """The comparisons of versions that will not come out as the script needs them."""
    names = {}
    found = []
    for statement in statements:
        _bind(statement, names, distributions)
        scope = Scope(source, None, names, names, line=getattr(statement, "lineno", 1))
        checks = Checks(Subjects(distributions, lambda: ()))
        if isinstance(statement, _ast.Assert):
            found.extend(checks.needed(statement.test, True, scope))
        elif isinstance(statement, _ast.If) and not statement.orelse and _fails(statement.body, source):
            found.extend(checks.needed(statement.test, False, scope))
        if found:
            return found
    return found


def _fails(body, source):
    last = body[-1]
    return ends(body, source, badly=True) or (isinstance(last, _ast.Raise) and not ends([last], source))


def _bind(statement, names, distributions):
    """What an import binds: a module that stands for the one that would be loaded, with its version if that is certain."""
    if isinstance(statement, _ast.Import):
        for alias in statement.names:
            module = _stand_in(alias.name if alias.asname else alias.name.split(".")[0], distributions)
            if module is not None:
                names[alias.asname or alias.name.split(".")[0]] = module
    elif isinstance(statement, _ast.ImportFrom) and not statement.level:
        module = _stand_in(statement.module, distributions)
        for alias in statement.names:
            value = vars(module).get(alias.name) if module is not None else None
            if value is not None:
                names[alias.asname or alias.name] = value


def _stand_in(name, distributions):
    if name in ("importlib", "importlib.metadata"):
        return sys.modules.get(name) if "importlib.metadata" in sys.modules else None
    if "." in name:
        return None
    if _origin(name, distributions) != LIBRARY:
        return None
    for folder in sys.path[1:]:
        for path in (os.path.join(folder, name, "__init__.py"), os.path.join(folder, name + ".py")):
            owner = distributions.owner_of_file(path) if isinstance(folder, STRINGS) and os.path.isfile(path) else None
            if owner is None:
                continue
            module = MODULE(name)
            module.__file__ = path
            installed = distributions.version(owner)
            if _states(os.path.dirname(path), installed):
                module.__version__ = installed
            return module
    return None


def _states(folder, installed):
    """Whether a package's own files say that it is this version."""
    for name in VERSION_FILES:
        try:
            with open(os.path.join(folder, name + ".py"), "rb") as file:
                said = file.read(1 << 20).decode("utf-8", "replace")
        except EnvironmentError:
            continue
        if "'%s'" % installed in said or '"%s"' % installed in said:
            return True
    return False


def _unparsed(script):
    try:
        with open(script, "rb") as file:
            compile(file.read(), script, "exec", _syntax.ONLY_AST, True)
    except SyntaxError as error:
        line = error.lineno if type(error.lineno) is int else 0
        kind = type(error).__name__
        words = error.text.strip()[:500] if type(error.text) in STRINGS else ""
        return {
            "frames": [_frame(script, line)],
            "exception": {"type": kind, "qualified": kind, "bases": [kind, "SyntaxError"], "message": text(error)[:1000]},
            "syntax": {
                "file": os.path.abspath(script), "line": line, "text": words, "where": "script", "distribution": None,
            },
        }
    except Exception:
        pass
    return {}
