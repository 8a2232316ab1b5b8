"""Runs CPython's own tests of importing, and numpy's, in a view and in a plain read-only environment, and compares.

    python3 tests/conformance/compare.py --omnipkg target/debug/omnipkg --python ~/.pyenv/versions/3.11.7/bin/python3.11

Every test must end in both as it ends in the other, by its name: passed, failed, error, skipped. The mount is compared
with a venv that root mounts read-only (some tests clear away beside what they import, and then it matters that even a
missing file is EROFS); links with a venv whose write permissions are taken away. Both have the same versions, installed
by pip. It needs a package index, so it is no part of the test suite. Nothing is left behind. The exit code is 1 if there
is a difference.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

CPYTHON = ["test_import", "test_importlib", "test_zipimport", "test_pkgutil", "test_runpy", "test_site"]
NUMPY = ["numpy.linalg", "numpy.lib", "numpy.ma"]
REQUIREMENTS = ["numpy", "pytest", "hypothesis", "typing-extensions", "setuptools"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--omnipkg", required=True, type=Path, help="the program")
    parser.add_argument("--python", required=True, type=Path, help="an interpreter that has its own tests")
    parser.add_argument("--projection", action="append", choices=["fuse", "link"], help="both, if none is named")
    parser.add_argument("--suite", action="append", choices=["path", "cpython", "numpy"], help="all, if none is named")
    arguments = parser.parse_args()
    same = True
    with tempfile.TemporaryDirectory(prefix="omnipkg-conformance-") as scratch:
        place = Path(scratch).resolve()
        with Store(arguments.omnipkg.resolve(), place / "store") as store:
            for projection in arguments.projection or ["fuse", "link"]:
                view = store.view(projection, arguments.python)
                with PlainEnvironment(arguments.python, place / ("plain-" + projection), view, projection) as plain:
                    for suite in arguments.suite or ["path", "cpython", "numpy"]:
                        same &= compare(suite, arguments.python, plain, view, projection, place)
    return 0 if same else 1


class Store:
    """A store of its own, whose server is stopped at the end."""

    def __init__(self, program, home):
        self.program, self.home = program, home

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run("fuse", "server", "stop")

    def run(self, projection, *arguments):
        variables = dict(os.environ, OMNIPKG_HOME=str(self.home), OMNIPKG_PROJECTION=projection)
        command = [str(self.program), *arguments]
        return subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE).stdout.decode().strip()

    def view(self, projection, python):
        return Path(self.run(projection, "mount", "--python", str(python), *REQUIREMENTS))


class PlainEnvironment:
    """A venv with what a view has; it is as read-only as that projection of the view."""

    def __init__(self, python, path, view, projection):
        self.path, self.bound = path, projection == "fuse"
        subprocess.run([str(python), "-m", "venv", str(path)], check=True)
        wheels = json.loads((view / "omnipkg.json").read_text())["wheels"]
        pins = ["{name}=={version}".format(**wheel) for wheel in wheels]
        pip = [str(path / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
        subprocess.run(pip + pins, check=True)

    def __enter__(self):
        if self.bound:
            subprocess.run(["mount", "--bind", str(self.path), str(self.path)], check=True)
            subprocess.run(["mount", "-o", "remount,bind,ro", str(self.path)], check=True)
        else:
            subprocess.run(["chmod", "-R", "a-w", str(self.path)], check=True)
        return self.path

    def __exit__(self, *_):
        if self.bound:
            subprocess.run(["umount", str(self.path)], check=True)
        else:
            subprocess.run(["chmod", "-R", "u+w", str(self.path)], check=True)


def compare(suite, python, plain, view, projection, scratch):
    """Prints how the tests ended in both environments; true if each ended in the view as in the plain one."""
    expected = results(suite, python, plain, scratch)
    show(suite, "plain directory beside " + projection, expected)
    found = results(suite, python, view, scratch)
    show(suite, "view by " + projection, found)
    different = [name for name in sorted(set(expected) | set(found)) if expected.get(name) != found.get(name)]
    for name in different:
        was, became = expected.get(name, "absent"), found.get(name, "absent")
        print("  %s: %s in the plain directory, %s in the view" % (name, was, became))
    return bool(expected) and not different


def results(suite, python, environment, scratch):
    """How each test ended, by its name."""
    directory = Path(tempfile.mkdtemp(dir=str(scratch)))
    report = directory / "report.xml"
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    interpreter = environment / "bin/python"
    if suite == "path":
        # The interpreter alone, with the packages on its path.
        variables["PYTHONPATH"] = str(next(environment.glob("lib/python3*/site-packages")))
        interpreter = python
    if suite == "numpy":
        command = ["-m", "pytest", "-q", "-m", "not slow", "--junit-xml", str(report), "--pyargs"] + NUMPY
    else:
        command = ["-m", "test", "--junit-xml", str(report)] + CPYTHON
    ended = subprocess.run(
        [str(interpreter)] + command,
        cwd=str(directory),
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if not report.exists():
        sys.exit("%s in %s made no report:\n%s" % (suite, environment, ended.stdout.decode(errors="replace")))
    found = {}
    for case in ElementTree.parse(str(report)).iter("testcase"):
        # A class may come by several names, and one test may be there twice: both count.
        name = "%s.%s" % (case.get("classname", ""), case.get("name"))
        outcomes = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        outcome = outcomes[0] if outcomes else "passed"
        found[name] = found[name] + "+" + outcome if name in found else outcome
    shutil.rmtree(str(directory))
    return found


def show(suite, where, found):
    counts = Counter(outcome for outcomes in found.values() for outcome in outcomes.split("+"))
    text = ", ".join("%d %s" % (count, outcome) for outcome, count in sorted(counts.items()))
    print("%s in a %s: %d tests: %s" % (suite, where, sum(counts.values()), text), flush=True)


if __name__ == "__main__":
    sys.exit(main())
