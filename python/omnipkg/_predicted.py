"""What a script will fail of, as far as it can be told before it runs: a report (schema 1) of a failure that has not been.

Run by `omnipkg run` in the view that the script would start in; prints JSON. It reads the script and the names of what
is installed, and runs none of it. What must stay true: only what the script does in any case counts: statements at its top,
under no condition but `if __name__ == "__main__":`, up to where it may end itself or change what is imported from where.
"""

import _ast
import os
import sys

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
VERSION_FILES = ("__init__", "version", "_version", "__version__", "__about__", "_meta")


def main():
    script = sys.argv[1]
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    distributions = Distributions()
    source = _syntax.load(script)
    statements = list(_certain(source.tree.body, source)) if source is not None else []
    missing = _missing(statements, script)
    report = {
        "schema": SCHEMA,
        "python": "%d.%d.%d" % sys.version_info[:3],
        "executable": sys.executable or "",
        "frames": [_frame(script, 1)],
        "distributions": {each: distributions.version(each) for each in distributions.names()},
        "checks": _checks(statements, source, distributions)[:MOST],
        "also_missing": missing,
        "uses": _uses(statements, missing),
        "commented": _commented(script),
        "is_python_3": _modern.is_python_3(script),
        "is_python_2": _modern.is_python_2(script),
    }
    if source is None:
        report.update(_unparsed(script))
    sys.stdout.write(json(report))


def _frame(script, line):
    return {"file": script, "line": line, "function": "<module>", "source": "", "where": "script"}


def _certain(body, source):
    """The statements that a program comes to in any case."""
    for statement in body:
        yield statement
        if isinstance(statement, _ast.If) and _is_main(statement.test):
            for each in _certain(statement.body, source):
                yield each
        elif _may_end(statement, source) or _changes_the_path(statement):
            return


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


def _changes_the_path(statement):
    """Whether what is imported next may come from elsewhere."""
    for each in _syntax.walk(statement):
        if isinstance(each, _ast.Attribute) and each.attr in ("path", "meta_path", "path_hooks", "addsitedir", "chdir"):
            if getattr(each.value, "id", None) in ("sys", "site", "os") and (each.value.id, each.attr) != ("os", "path"):
                return True
    return False


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


def _uses(statements, missing):
    """The names that the script imports from what is there."""
    gone = set(each["top_level"] for each in missing)
    found = []
    for statement in statements:
        for name in asked(statement):
            if name.split(".")[0] not in gone and "." in name and len(found) < MOST:
                found.append({"name": name, "line": statement.lineno})
    return found


def _commented(script):
    """The requirements of comments: `# pip install x==1.2`, `# requires: x>=2, y`."""
    found = []
    for number, line in enumerate(_lines(script)):
        words = line.strip().lstrip("#!").strip() if line.strip().startswith("#") else ""
        head, colon, rest = words.partition(":")
        if colon and head.strip().lower() in ("requires", "require", "requirements", "dependencies", "depends"):
            texts = [each.strip() for each in rest.split(",")]
        elif "pip install " in words and words.split("pip install ")[0].strip("$> ").split(" ")[-1] in (
            "", "-m", "sudo", "!", "uv", "run",
        ):
            texts = words.split("pip install ", 1)[1].split()
        elif "pip3 install " in words and words.split("pip3 install ")[0].strip("$> ") in ("", "sudo", "!"):
            texts = words.split("pip3 install ", 1)[1].split()
        else:
            continue
        texts = [each.strip("'\"`") for each in texts if each and not each.startswith("-")]
        found.extend({"requirement": each[:300], "line": number + 1} for each in texts)
    return found[:MOST]


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
    return isinstance(body[-1], _ast.Raise) or ends(body, source)


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
        try:
            import importlib.metadata

            return sys.modules[name]
        except ImportError:
            return None
    if "." in name:
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
