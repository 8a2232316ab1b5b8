"""The modules for scripts of the first omnipkg, on every interpreter, over a made-up store and a program that only notes
what it is asked. tests/cli/python_side.rs has the real ones.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from test_reporter import interpreters  # noqa: E402

PACKAGE = os.path.join(os.path.dirname(HERE), "omnipkg")
# Notes its arguments and what it was told, says what is prepared for its verb, and ends as is prepared.
PROGRAM = """\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
echo "$* from=$OMNIPKG_STARTED_FROM home=$OMNIPKG_HOME" >> "$here/asked"
[ -e "$here/error" ] && { cat "$here/error" >&2; exit 3; }
[ -e "$here/do" ] && . "$here/do"
cat "$here/answer" 2>/dev/null
exit 0
"""


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.home = os.path.realpath(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.home)
        self.bin = os.path.join(self.home, "bin")
        os.makedirs(self.bin)
        with open(os.path.join(self.bin, "omnipkg"), "w") as file:
            file.write(PROGRAM)
        os.chmod(os.path.join(self.bin, "omnipkg"), 0o755)

    def write(self, name, text):
        with open(os.path.join(self.bin, name), "w") as file:
            file.write(text)

    def view(self, name, version, interpreter, modules=()):
        """A view of an interpreter, as a store has it."""
        root = os.path.join(self.home, "mnt", name)
        site = os.path.join(root, "lib", "python%d.%d" % version, "site-packages")
        os.makedirs(site)
        os.makedirs(os.path.join(root, "bin"))
        os.symlink(os.path.realpath(interpreter), os.path.join(root, "bin", "python"))
        os.symlink("../../../bin/omnipkg", os.path.join(root, "bin", "omnipkg"))
        os.symlink(PACKAGE, os.path.join(site, "omnipkg"))
        shutil.copy(os.path.join(os.path.dirname(PACKAGE), "_omnipkg.pth"), site)
        for module in modules:
            with open(os.path.join(site, module + ".py"), "w"):
                pass
        for file, text in (("omnipkg.json", "{}"), ("pyvenv.cfg", "home = %s\n" % os.path.dirname(interpreter))):
            with open(os.path.join(root, file), "w") as handle:
                handle.write(text)
        return root

    def environment(self, name, view):
        link = os.path.join(self.home, "envs", name)
        os.makedirs(os.path.dirname(link), exist_ok=True)
        if os.path.lexists(link):
            os.remove(link)
        os.symlink(os.path.relpath(view, os.path.dirname(link)), link)
        return os.path.join(link, "bin", "python")

    def each(self):
        """(version, python of its environment) of each interpreter."""
        for version, interpreter in interpreters():
            name = "%d.%d" % version
            with self.subTest(name):
                for file in ("asked", "answer", "error", "do"):
                    if os.path.exists(os.path.join(self.bin, file)):
                        os.remove(os.path.join(self.bin, file))
                yield version, self.environment(name, self.view("view-" + name, version, interpreter))

    def run_python(self, python, arguments, code=0, stdin=b"", **variables):
        hidden = ("OMNIPKG_", "VIRTUAL_ENV", "PYTHONPATH")
        given = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        given.update(variables, PYTHONDONTWRITEBYTECODE="1", PYTHONIOENCODING="utf-8")
        ran = subprocess.run(
            [python] + arguments, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=given, cwd=self.home,
            timeout=120)
        self.assertEqual(ran.returncode, code, (ran.stdout + ran.stderr).decode())
        return ran.stdout.decode(), ran.stderr.decode()

    def asked(self):
        """What the program was asked since the last time."""
        path = os.path.join(self.bin, "asked")
        if not os.path.exists(path):
            return []
        with open(path) as file:
            lines = file.read().replace(self.home, "HOME").splitlines()
        os.remove(path)
        return lines


class CommandLine(Case):
    def test_the_program_takes_the_place_of_python(self):
        for version, python in self.each():
            name = "%d.%d" % version
            for module in ("omnipkg.cli", "omnipkg"):
                self.run_python(python, ["-m", module, "install", "a b", "--x"])
                self.assertEqual(self.asked(), ["install a b --x from=HOME/envs/%s home=HOME" % name])
            self.write("error", "omnipkg: error: no\n")
            self.assertEqual(self.run_python(python, ["-m", "omnipkg.cli", "x"], 3), ("", "omnipkg: error: no\n"))

    def test_what_a_command_is_told(self):
        for version, python in self.each():
            name = "%d.%d" % version
            self.asked()
            # A view by its own path, the user's other store, and the user's own word for the same store.
            view = os.path.join(self.home, "mnt", "view-" + name, "bin", "python")
            self.run_python(view, ["-m", "omnipkg", "x"], OMNIPKG_STARTED_FROM="/stale")
            self.run_python(python, ["-m", "omnipkg", "x"], OMNIPKG_HOME="/other", OMNIPKG_STARTED_FROM="/stale")
            other = os.path.join(self.home, "same")
            if not os.path.exists(other):
                os.symlink(".", other)
            self.run_python(python, ["-m", "omnipkg", "x"], OMNIPKG_HOME=other)
            self.assertEqual(self.asked(), [
                "x from=HOME/mnt/view-%s home=HOME" % name, "x from= home=/other",
                "x from=HOME/same/envs/%s home=HOME/same" % name])

    def test_a_script_that_leads_back_is_not_taken(self):
        for version, python in self.each():
            scripts = os.path.join(self.home, "mnt", "view-%d.%d" % version, "bin")
            os.remove(os.path.join(scripts, "omnipkg"))
            with open(os.path.join(scripts, "omnipkg"), "w") as file:
                file.write("#!%s\nfrom omnipkg.cli import main\nmain()\n" % python)
            os.chmod(os.path.join(scripts, "omnipkg"), 0o755)
            _, said = self.run_python(python, ["-m", "omnipkg", "x"], 127, PATH=scripts)
            self.assertIn("the omnipkg program is not to be found", said)
            self.run_python(python, ["-m", "omnipkg", "x"], PATH=scripts + os.pathsep + self.bin + os.pathsep + os.defpath)
            program = os.path.join(self.bin, "omnipkg")
            self.run_python(python, ["-m", "omnipkg", "x"], PATH=os.defpath, OMNIPKG_BINARY=program)
            self.assertEqual(len(self.asked()), 2)


class Utilities(Case):
    def test_relaunch(self):
        newest = interpreters()[-1]
        wanted = "%d.%d" % newest[0]
        target = self.environment(wanted, self.view("target", *newest))
        code = (
            "import sys, os; from omnipkg.common_utils import ensure_python_or_relaunch as ensure\nensure(%r)\n"
            "print(sys.executable, sys.argv[1:], sys.flags.dont_write_bytecode, os.environ.get('OMNIPKG_RELAUNCHED_FOR'))\n"
            % wanted)
        script = os.path.join(self.home, "script.py")
        with open(script, "w") as file:
            file.write(code)
        for version, python in self.each():
            if version == newest[0]:
                continue
            self.write("answer", json.dumps({"python": target}))
            for arguments in (["-B", "script.py"], ["-B", "-m", "script"], ["-B", "-c", code]):
                out, _ = self.run_python(python, arguments + ["a b", "", "ä"])
                self.assertEqual(out, "%s ['a b', '', 'ä'] 1 None\n" % target)
                self.assertEqual(len(self.asked()), 1)
            _, said = self.run_python(python, ["-"], 1, stdin=code.encode())
            self.assertIn("was not started from a file", said)
            _, said = self.run_python(python, ["script.py"], 1, OMNIPKG_RELAUNCHED_FOR=wanted)
            self.assertIn("started again for Python %s" % wanted, said)

    def test_no_relaunch(self):
        for version, python in self.each():
            code = "from omnipkg.common_utils import *\nensure_python_or_relaunch('%d.%d')\nensure_python_or_relaunch('3')"
            self.assertEqual(self.run_python(python, ["-c", code % version]), ("", ""))
            self.assertEqual(self.asked(), [])

    def test_commands_and_printing(self):
        code = """
import io, subprocess, sys
from omnipkg.common_utils import print_header, run_command, safe_print
from omnipkg.i18n import _, set_language
done = run_command([sys.executable, "-c", "import sys; print('ä'); print('x', file=sys.stderr); sys.exit(2)"], check=False)
assert (str(done), done.stderr, done.returncode) == ("ä\\n", "x\\n", 2)
try:
    done.check_returncode()
except subprocess.CalledProcessError as error:
    assert str(error).endswith("exit status 2.\\nx"), str(error)
else:
    raise AssertionError
assert run_command(["omnipkg", "list"]) == "answer" and run_command(["cat"], input="ä") == "ä"
stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1", newline="")
safe_print("ä", "\\u2714", end="", file=stream, flush=True)
assert stream.buffer.getvalue() == b"\\xe4 \\\\u2714"
set_language("ja")
assert _("a {}").format(1) == "a 1" and "b" + _("c") == "bc"
print_header("T")
"""
        for version, python in self.each():
            self.write("answer", "answer")
            line = "=" * 60
            self.assertEqual(self.run_python(python, ["-c", code], LC_ALL="C.UTF-8")[0], "\n%s\n  T\n%s\n" % (line, line))
            # What a shell would have asked: no environment in particular.
            self.assertEqual(self.asked(), ["list from= home=HOME"])

    def test_sync(self):
        code = "from omnipkg.common_utils import sync_context_to_runtime as sync; sync()"
        for version, python in self.each():
            name = "%d.%d" % version
            self.write("answer", "{}")
            self.run_python(python, ["-c", code])
            os.symlink(os.path.join("envs", name), os.path.join(self.home, "active"))
            self.run_python(python, ["-c", code])
            os.remove(os.path.join(self.home, "active"))
            self.assertEqual(self.asked(), ["--json swap env %s from=HOME/envs/%s home=HOME" % (name, name)])


class Core(Case):
    def test_a_change_is_followed_by_this_process(self):
        code = """
import os, sys
from omnipkg.core import omnipkg
core = omnipkg()
assert core.smart_install([%r]) == 0
import added
assert sys.prefix == added.__file__[: len(sys.prefix)] == os.path.realpath(sys.prefix), (sys.prefix, added.__file__)
print(os.path.basename(sys.prefix), [each for each in sys.path if "view-" in each])
"""
        for version, interpreter in interpreters():
            name = "%d.%d" % version
            with self.subTest(name):
                python = self.environment(name, self.view("view-" + name, version, interpreter))
                self.view("new-" + name, version, interpreter, ["added"])
                self.write("answer", json.dumps({"environment": name}))
                self.write("do", "ln -sfn ../mnt/new-%s '%s/envs/%s'\n" % (name, self.home, name))
                self.asked()
                for start in (python, os.path.join(self.home, "mnt", "view-" + name, "bin", "python")):
                    self.environment(name, os.path.join(self.home, "mnt", "view-" + name))
                    self.assertEqual(self.run_python(start, ["-c", code % "added"])[0], "new-%s []\n" % name)
                self.assertEqual(self.asked()[0], "--json install -- added from=HOME/envs/%s home=HOME" % name)

    def test_answers_and_failures(self):
        code = """
from pathlib import Path
from omnipkg.core import ConfigManager, omnipkg
config = ConfigManager(suppress_init_messages=True)
assert config.list_available_pythons() == {"3.8": Path("/b"), "3.9": Path("/c")}, config.list_available_pythons()
assert config.get_interpreter_for_version("3.8.1") == Path("/b") and config.get_interpreter_for_version(3.7) is None
"""
        failing = """
import sys
from omnipkg.core import omnipkg
from omnipkg import _program
from omnipkg._errors import CommandError
core = omnipkg()
assert (core.smart_install("a"), core.adopt_interpreter("3"), core.switch_active_python("3")) == (3, 3, 3)
assert core.get_available_versions("a") == []
try:
    _program.call(["x"])
except CommandError as error:
    assert (error.message, error.hint, error.code) == ("what\\n  more", "do this", 3), error
    assert str(error) == "what\\n  more\\nhint: do this"
"""
        pythons = [
            {"environment": "work", "short": "3.8", "python": "/a"}, {"environment": "3.8", "short": "3.8", "python": "/b"},
            {"environment": "other", "short": "3.9", "python": "/c"}]
        for _, python in self.each():
            self.write("answer", json.dumps({"pythons": pythons}))
            self.run_python(python, ["-c", code])
            self.write("error", "omnipkg: error: what\n  more\nhint: do this\n")
            said = self.run_python(python, ["-c", failing])[1]
            self.assertEqual(said.count("omnipkg: error: what"), 3, said)
            os.remove(os.path.join(self.bin, "error"))
            self.write("answer", "no JSON")
            _, said = self.run_python(python, ["-c", "from omnipkg import _program; _program.call(['x'])"], 1)
            self.assertIn("is no JSON object", said)


if __name__ == "__main__":
    unittest.main()
