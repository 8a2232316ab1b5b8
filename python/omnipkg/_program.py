"""The omnipkg program: where it is, and calling it for the environment that this Python belongs to.

What must stay true: a command that comes from here is told which environment it came from (``OMNIPKG_STARTED_FROM``) by
variables of its own process alone; ``os.environ`` is never changed, so threads do not disturb each other. ``subprocess``
is imported only when the program is called.
"""

import os
import sys

from omnipkg._errors import CommandError

PROJECTIONS = ("mnt", "links")
# What the program is told of its own name: by a path it would know an environment, which its variables alone must tell.
NAME = "omnipkg"


def view():
    """The real path of the view that this Python runs in, `<home>/mnt/<view id>`; None outside of a view."""
    path = os.path.realpath(sys.prefix)
    parent = os.path.basename(os.path.dirname(path))
    return path if parent in PROJECTIONS and os.path.isfile(os.path.join(path, "omnipkg.json")) else None


def home():
    """The store that this Python's view belongs to; None outside of a view."""
    path = view()
    return path and os.path.dirname(os.path.dirname(path))


def environment():
    """The name of the environment that this Python was started as; None for a view that was started by its own path."""
    prefix = _prefix()
    if prefix is None or home() is None:
        return None
    parent, name = os.path.split(prefix)
    is_environment = os.path.basename(parent) == "envs" and os.path.realpath(os.path.dirname(parent)) == home()
    return name if is_environment else _run_over()


def _run_over():
    """The environment whose view this is, if `omnipkg run` started this Python in it: (name, or None)."""
    words = os.environ.get("OMNIPKG_RUN_OVER", "").split(" ")
    return words[1] if len(words) == 3 and words[2] == os.path.basename(view() or "") else None


def _prefix():
    return os.path.dirname(os.path.dirname(os.path.abspath(sys.executable))) if sys.executable else None


def variables():
    """The environment variables of a command that is about this Python's environment."""
    given = dict(os.environ)
    given.pop("OMNIPKG_STARTED_FROM", None)
    store, name = home(), environment()
    if store is None:
        return given
    chosen = given.get("OMNIPKG_HOME")
    if not chosen:
        chosen = given["OMNIPKG_HOME"] = store
    # The user's choice of another store stands; then the command has nothing to do with this Python.
    if os.path.realpath(chosen) == store:
        place = ("envs", name) if name else (os.path.basename(os.path.dirname(view())), os.path.basename(view()))
        given["OMNIPKG_STARTED_FROM"] = os.path.join(chosen, *place)
    return given


def find():
    """The path of the program: the environment's own, `$OMNIPKG_BINARY`, else the one on PATH."""
    scripts = []
    if sys.executable:
        scripts.append(os.path.dirname(os.path.abspath(sys.executable)))
    scripts.append(os.path.join(sys.prefix, "bin"))
    candidates = [os.path.join(folder, "omnipkg") for folder in scripts]
    if os.environ.get("OMNIPKG_BINARY"):
        candidates.append(os.environ["OMNIPKG_BINARY"])
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        if folder and folder not in scripts:
            candidates.append(os.path.join(folder, "omnipkg"))
    for candidate in candidates:
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK) and not _leads_back(candidate):
            return candidate
    raise CommandError(
        "the omnipkg program is not to be found: not beside %s, nor on PATH" % (sys.executable or "this Python"), 127,
        "put it on PATH, or name it with OMNIPKG_BINARY")


def _leads_back(path):
    """True for a console script that would start `omnipkg.cli`, and that this program again."""
    try:
        with open(path, "rb") as file:
            head = file.read(2)
            return head == b"#!" and b"omnipkg.cli" in file.read(4096)
    except OSError:
        return True


def call(arguments, json=True, shown=False):
    """Runs the program and gives the JSON of its stdout as a dict (with `json=False`: the text of its stdout).

    A failure is a `CommandError` with what it said. What it says when it succeeds goes on to this process's stderr; with
    `shown` all of it does, as it comes, and the error has only the exit code.
    """
    import subprocess

    arguments = [os.fspath(each) for each in arguments]
    if json and "--json" not in arguments:
        arguments.insert(0, "--json")
    program = find()
    try:
        started = subprocess.Popen(
            [NAME] + arguments, executable=program, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=None if shown else subprocess.PIPE, env=variables())
    except OSError as error:
        raise _not_started(program, error) from None
    try:
        out, said = started.communicate()
    except BaseException:
        started.kill()
        started.wait()
        raise
    out, said = out.decode("utf-8", "surrogateescape"), (said or b"").decode("utf-8", "replace")
    if started.returncode:
        raise _failure(arguments, started.returncode, said)
    if said and sys.stderr is not None:
        sys.stderr.write(said)
    return _answer(arguments, out) if json else out


def _not_started(program, error):
    return CommandError("cannot start %s: %s" % (program, error), 126, "check that it is a program for this machine")


def run(arguments):
    """Runs the program with this process's own stdio, and gives its exit code (128 + n for a signal)."""
    import subprocess

    code = subprocess.call([NAME] + [os.fspath(each) for each in arguments], executable=find(), env=variables())
    return 128 - code if code < 0 else code


def _answer(arguments, out):
    import json

    try:
        answer = json.loads(out)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise CommandError(
            "omnipkg %s answered %r, which is no JSON object" % (" ".join(arguments), out[:200]), 0,
            "check that %s is the omnipkg that this environment was made by" % find())
    return answer


def _failure(arguments, code, said):
    """The program's own words without their marks: one error, what goes on with it, at most one hint."""
    lines = said.strip().splitlines()
    hint = " ".join(line[len("hint: "):] for line in lines if line.startswith("hint: "))
    message = "\n".join(line for line in lines if not line.startswith("hint: "))
    mark = "omnipkg: error: "
    message = message[message.index(mark) + len(mark):] if mark in message else message
    if code < 0:
        message = "signal %d ended omnipkg %s%s" % (-code, " ".join(arguments), message and ": " + message)
    return CommandError(message or "omnipkg %s failed with exit code %d" % (" ".join(arguments), code), code, hint)
