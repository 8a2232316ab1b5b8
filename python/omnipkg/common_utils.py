"""What scripts of the first omnipkg use beside the loader: printing, running commands, choosing the Python that runs them.

What must stay true: stdout gets what a script prints and nothing else; a script is started again at most once for a version.
"""

import os
import sys

from omnipkg import _program
from omnipkg._errors import OmnipkgError, ProcessCorruptedException

__all__ = [
    "CommandOutput", "ProcessCorruptedException", "ensure_python_or_relaunch", "ensure_script_is_running_on_version",
    "is_interactive_session", "print_header", "run_command", "safe_print", "sync_context_to_runtime",
]

RELAUNCHED = "OMNIPKG_RELAUNCHED_FOR"


def safe_print(*args, **named):
    """`print` for every text on every terminal: what the stream cannot encode is written as escapes."""
    import io

    file = named.pop("file", None)
    flush = named.pop("flush", False)
    file = sys.stdout if file is None else file
    if file is None:
        return
    text = io.StringIO(newline="")
    print(*args, file=text, **named)
    text = text.getvalue()
    try:
        # At once: of a text that fails nothing may have been written.
        file.write(text)
    except UnicodeEncodeError:
        encoding = getattr(file, "encoding", None) or "ascii"
        file.write(text.encode(encoding, "backslashreplace").decode(encoding))
    if flush:
        file.flush()


def print_header(title):
    """A title between two lines."""
    line = "=" * max(60, len(str(title)) + 4)
    safe_print("\n%s\n  %s\n%s" % (line, title, line))


class CommandOutput(str):
    """What a command wrote to stdout; its stderr and exit code are attributes, as `subprocess.run` has them."""

    def __new__(cls, args, returncode, stdout, stderr):
        made = str.__new__(cls, stdout)
        made.args, made.returncode, made.stdout, made.stderr = args, returncode, stdout, stderr
        return made

    def check_returncode(self):
        """Raises `subprocess.CalledProcessError`, which shows what was said, if the command failed."""
        if self.returncode:
            raise _failed(self)


def run_command(command_list, check=True, **options):
    """Runs a command and gives its output; a failure is a `subprocess.CalledProcessError` unless `check` is false.

    `omnipkg …` is found also where it is not on PATH, and means what it means in a shell: the active environment, which a
    `swap` before it may have changed. ``input`` and ``timeout`` are those of `subprocess.run`, other options `Popen`'s.
    """
    import subprocess

    command = command_list if isinstance(command_list, str) else [os.fspath(each) for each in command_list]
    if isinstance(command, str):
        options.setdefault("shell", True)
    elif command and command[0] == _program.NAME:
        options["executable"] = _program.find()
        if options.get("env") is None:
            options["env"] = _of_a_shell()
    for name in ("capture_output", "text", "universal_newlines", "encoding", "errors"):
        options.pop(name, None)
    if isinstance(options.get("input"), str):
        options["input"] = options["input"].encode("utf-8")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    out, said = (each.decode("utf-8", "replace") for each in (done.stdout, done.stderr))
    output = CommandOutput(command_list, done.returncode, out, said)
    if check:
        output.check_returncode()
    return output


def _of_a_shell():
    """This process's variables, and its own store if none is named."""
    given = dict(os.environ)
    given.pop("OMNIPKG_STARTED_FROM", None)
    store = _program.home()
    if store and not given.get("OMNIPKG_HOME"):
        given["OMNIPKG_HOME"] = store
    return given


def _failed(output):
    import subprocess

    class CommandFailed(subprocess.CalledProcessError):
        def __str__(self):
            said = (self.stderr or self.stdout or "").strip()
            return subprocess.CalledProcessError.__str__(self) + (said and "\n" + said)

    return CommandFailed(output.returncode, output.args, output.stdout, output.stderr)


def sync_context_to_runtime():
    """Makes the environment that this Python belongs to the active one; nothing for a Python that belongs to none."""
    name = _program.environment()
    if name is None:
        return
    try:
        active = os.path.basename(os.readlink(os.path.join(_program.home(), "active")))
    except OSError:
        active = None
    if active != name:
        _program.call(["swap", "env", name])


def is_interactive_session():
    """Whether somebody can be asked: an interactive Python, or a terminal at both ends."""
    if hasattr(sys, "ps1"):
        return True
    try:
        return sys.stdin.isatty() and sys.stdout.isatty()
    except (AttributeError, ValueError):
        return False


def ensure_python_or_relaunch(version):
    """Returns if this is Python `version` ("3.11"); else starts the same command line again with it, in its environment.

    An interpreter of the machine is taken into use for it if need be.
    """
    version = str(version).strip()
    if _is_running(version):
        os.environ.pop(RELAUNCHED, None)
        return
    if os.environ.get(RELAUNCHED) == version:
        raise OmnipkgError(
            "started again for Python %s, this is still Python %s (%s): `omnipkg info python` shows what %s means" % (
                version, sys.version.split()[0], sys.executable, version))
    python = _program.call(["python", "adopt", version])["python"]
    command = [python] + _own_arguments(version)
    from omnipkg.cli import flush

    flush()
    os.execve(python, command, _relaunch_variables(version, python))


ensure_script_is_running_on_version = ensure_python_or_relaunch


def _is_running(version):
    wanted = version.split(".")
    return wanted == [str(part) for part in sys.version_info[:3]][: len(wanted)]


def _own_arguments(version):
    """The command line of this process without its first word: options, `-m` and `-c` as they were given."""
    words = getattr(sys, "orig_argv", None)
    if words is None:
        with open("/proc/self/cmdline", "rb") as file:
            words = [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]
    if not sys.argv or sys.argv[0] in ("", "-") or hasattr(sys, "ps1"):
        raise OmnipkgError(
            "cannot start again with Python %s what was not started from a file: run it with `omnipkg run --python %s`" % (
                version, version))
    return words[1:]


def _relaunch_variables(version, python):
    given = dict(os.environ)
    given.pop("PYTHONHOME", None)
    given[RELAUNCHED] = version
    # The variables of an activated environment are those of the one that is left.
    old, scripts = given.get("VIRTUAL_ENV"), os.path.dirname(python)
    if old and os.path.realpath(old) == os.path.realpath(sys.prefix):
        given["VIRTUAL_ENV"] = os.path.dirname(scripts)
        path = given.get("PATH", os.defpath).split(os.pathsep)
        given["PATH"] = os.pathsep.join(scripts if each == os.path.join(old, "bin") else each for each in path)
    return given
