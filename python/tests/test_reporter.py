"""The failure reporter under every interpreter of this machine: what it finds, and that nobody notices it.

    python -m unittest discover -s python/tests
"""

import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import forms  # noqa: E402

FIXTURE = {
    "rich/__init__.py": '__version__ = "13.7.1"\n__version_info__ = (13, 7, 1)\n',
    "rich/version.py": 'VERSION = "13.7.1"\n',
    "rich-13.7.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: rich\nVersion: 13.7.1\n",
    "rich-13.7.1.dist-info/RECORD": "rich/__init__.py,,\nrich/version.py,,\n",
    "numpy/__init__.py": '__version__ = "2.0.1"\n',
    "numpy-2.0.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: numpy\nVersion: 2.0.1\n",
    "numpy-2.0.1.dist-info/RECORD": "numpy/__init__.py,,\n",
    "cv2/__init__.py": '__version__ = "4.8.0"\n',
    "opencv_python-4.8.0.76.dist-info/METADATA": "Metadata-Version: 2.1\nName: opencv-python\nVersion: 4.8.0.76\n",
    "opencv_python-4.8.0.76.dist-info/RECORD": "cv2/__init__.py,,\n",
    "settings_kit-1.2.3.dist-info/METADATA": "Metadata-Version: 2.1\nName: settings-kit\nVersion: 1.2.3\n",
    # What the two libraries look like from outside.
    "packaging/__init__.py": "",
    "packaging/version.py": (
        "class Version(object):\n"
        "    def __init__(self, text):\n        self._key = tuple(int(part) for part in text.split('.'))\n"
        "    def __str__(self):\n        return '.'.join(str(part) for part in self._key)\n"
        "    def __eq__(self, other):\n        return self._key == other._key\n"
        "    def __ge__(self, other):\n        return self._key >= other._key\n"
        "    @property\n    def major(self):\n        return self._key[0]\n"
        "    @property\n    def release(self):\n        return self._key\n"
        "def parse(text):\n    return Version(text)\n"
    ),
    "packaging/specifiers.py": (
        "class SpecifierSet(object):\n    def __init__(self, text):\n        pass\n"
        "    def __contains__(self, version):\n        return False\n"
    ),
    "sitecustomize.py": "import os, site\nsite.addsitedir(os.path.dirname(__file__))\n",
}
BACKPORT = (
    "class distribution(object):\n    pass\n"
    "def version(name):\n    return {'rich': '13.7.1', 'settings_kit': '1.2.3'}[name]\n"
    "def metadata(name):\n    return {'Version': version(name)}\n"
    "def distribution(name):\n    made = type('Distribution', (object,), {})()\n"
    "    made.version = version(name)\n    return made\n"
)


def interpreters(oldest=(3, 6)):
    found = {}
    for path in sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/python"))) + [sys.executable]:
        out = subprocess.run([path, "-c", "import sys; print(sys.version_info[:2])"], stdout=subprocess.PIPE)
        if out.returncode == 0:
            version = tuple(int(part) for part in out.stdout.decode().strip("()\n").split(","))
            if version >= oldest:
                found.setdefault(version, path)
    return sorted(found.items())


EVERY = (2, 7)


class Ran(object):
    def __init__(self, code, out, err, report, misses=None):
        self.code, self.out, self.err, self.report, self.misses = code, out, err, report, misses


class Case(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.site = os.path.join(cls.folder, "site")
        for name, text in FIXTURE.items():
            cls.write(os.path.join("site", name), text)
        python = os.path.dirname(HERE)
        shutil.copytree(os.path.join(python, "omnipkg"), os.path.join(cls.site, "omnipkg"), ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("_omnipkg.pth", "_omnipkg_reporter.py"):
            shutil.copy(os.path.join(python, name), cls.site)
        cls.write("backport/importlib_metadata.py", BACKPORT)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def write(cls, name, text):
        path = os.path.join(cls.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def environment(self):
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "OMNIPKG"))}
        environment["PYTHONPATH"] = os.pathsep.join([self.site, os.path.join(self.folder, "backport")])
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        environment["PYTHONIOENCODING"] = "utf-8"
        return environment

    def plain(self, python, *arguments):
        """Without a reporter."""
        done = subprocess.run(
            (python,) + arguments, env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd=self.folder)
        return Ran(done.returncode, done.stdout, done.stderr, None)

    def reported(self, python, *arguments, verdict=b"P", **variables):
        """With one. `verdict` None closes the socket instead of answering."""
        ours, theirs = socket.socketpair()
        status = os.fstat(theirs.fileno())
        name = "%d:%d:%d" % (theirs.fileno(), status.st_dev, status.st_ino)
        child = subprocess.Popen(
            (python,) + arguments, env=dict(self.environment(), OMNIPKG_REPORT=name, **variables), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[theirs.fileno()], cwd=self.folder)
        theirs.close()
        with ours, ours.makefile("rb") as stream:
            size = stream.read(4)
            message = stream.read(int.from_bytes(size, "big")).decode() if size else None
            misses = message if message and message.startswith("misses\n") else None
            report = json.loads(message) if message and not misses else None
            if report is not None and report["held"] and verdict is not None:
                try:
                    ours.sendall(verdict)
                except OSError:
                    pass
            elif verdict is None:
                ours.shutdown(socket.SHUT_RDWR)
            out, err = child.communicate()
            rest = stream.read()
        self.assertEqual(rest, b"", "one report at most")
        return Ran(child.returncode, out, err, report, misses)


class Checks(Case):
    def reports(self, scripts):
        """Every script under every interpreter, some at a time: (version, name, script, what came of it)."""
        paths = [(name, self.write("%s.py" % name, forms.HEAD + body + "\n")) for name, body in scripts]
        jobs = [(version, python, name, path) for version, python in interpreters(EVERY) for name, path in paths
                if version >= (3, 0) or name not in forms.NOT_OF_PYTHON_2]
        with ThreadPoolExecutor(4) as pool:
            results = pool.map(lambda job: self.reported(job[1], job[3]), jobs)
            return [(version, name, path, ran) for (version, _, name, path), ran in zip(jobs, results)]

    def test_found(self):
        for version, name, script, ran in self.reports((name, body) for name, (body, _) in forms.FOUND.items()):
            expected = forms.FOUND[name][1]
            with self.subTest(python=version, form=name):
                self.assertIsNotNone(ran.report, ran.err.decode())
                got = [{key: each.get(key) for key in want} for each, want in zip(ran.report["checks"], expected)]
                self.assertEqual((len(ran.report["checks"]), got), (len(expected), expected), ran.report["checks"])
                for each in ran.report["checks"]:
                    self.assertEqual(each["file"], script)
                    self.assertEqual(ran.report["distributions"]["rich"], "13.7.1")

    def test_not_found(self):
        for version, name, _, ran in self.reports(forms.NOT_FOUND.items()):
            with self.subTest(python=version, form=name):
                self.assertIsNotNone(ran.report, ran.err.decode())
                self.assertEqual(ran.report["checks"], [])

    def test_pkg_resources(self):
        for version, python in interpreters(EVERY):
            if self.plain(python, "-c", "import pkg_resources").code:
                continue
            for body, checks, missing in (
                ('assert pkg_resources.get_distribution("rich").version == "13.4.2"', forms.EXACT, None),
                ('assert pkg_resources.parse_version(pkg_resources.get_distribution("rich").version) '
                 '== pkg_resources.parse_version("13.4.2")', forms.EXACT, None),
                ('pkg_resources.require("rich==13.4.2")', [forms.check("satisfies", "==13.4.2")], None),
                ('pkg_resources.require("not-there>=2")', [], "not-there>=2"),
            ):
                with self.subTest(python=version, body=body):
                    ran = self.reported(python, self.write("pkg.py", "import pkg_resources\n" + body + "\n"))
                    got = [{key: each.get(key) for key in want} for each, want in zip(ran.report["checks"], checks)]
                    self.assertEqual((got, len(ran.report["checks"])), (checks, len(checks)))
                    self.assertEqual((ran.report["missing_distribution"] or {}).get("requirement"), missing)


class Missing(Case):
    def missing(self, python, text, name="missing.py"):
        return self.reported(python, self.write(name, text)).report["missing"]

    def test_modules(self):
        for version, python in interpreters(EVERY):
            with self.subTest(python=version):
                plain = {"module": "no_yaml", "top_level": "no_yaml", "top_level_present": False, "local": False,
                         "stdlib": False, "asked": ["no_yaml"], "built_for": []}
                self.assertEqual(self.missing(python, "import no_yaml\n"), plain)
                inside = self.missing(python, "def f():\n    from no_yaml import load, dump\nf()\n")
                self.assertEqual(inside, dict(plain, asked=["no_yaml.load", "no_yaml.dump"]))
                called = self.missing(python, "import importlib\nimportlib.import_module('no_yaml')\n")
                self.assertEqual(called, dict(plain, asked=[]))
                by_hand = "import importlib\ndef f():\n    raise ImportError('No module named no_yaml')\nf()\n"
                self.assertIsNone(self.missing(python, by_hand))
                found = self.missing(python, "import rich.externals.more\n")
                self.assertEqual((found["module"], found["top_level_present"]), ("rich.externals", True))
                other = "import asyncio\n" if version < (3, 0) else "import ConfigParser\n"
                self.assertTrue(self.missing(python, other)["stdlib"])
                self.write("beside.pyx", "")
                self.assertTrue(self.missing(python, "import beside\n")["local"])

    def test_parts_of_namespaces(self):
        self.write("site/space/cloud/one.py", "")
        for version, python in interpreters():
            with self.subTest(python=version):
                found = self.missing(python, "from space.cloud import one, storage\n")
                self.assertEqual((found["module"], found["asked"]), ("space.cloud.storage", ["space.cloud.storage"]))
                found = self.missing(python, "from space.other import storage\n")
                self.assertEqual((found["module"], found["asked"]), ("space.other", ["space.other.storage"]))
                self.assertIsNone(self.missing(python, "from rich import storage\n"))

    def test_chain(self):
        for version, python in interpreters():
            with self.subTest(python=version):
                turned = "try:\n    import no_yaml\nexcept ImportError:\n    raise RuntimeError('install it')\n"
                self.assertEqual(self.missing(python, turned)["module"], "no_yaml")
                own = "try:\n    import no_yaml\nexcept ImportError:\n    int('x')\n"
                self.assertIsNone(self.missing(python, own))

    def test_distribution(self):
        for version, python in interpreters((3, 8)):
            with self.subTest(python=version):
                ran = self.reported(python, self.write("gone.py", "import importlib.metadata as m\nm.version('gone')\n"))
                self.assertEqual(ran.report["missing_distribution"], {"requirement": "gone"})


SAMPLE = """\
import rich
try:
    import no_such_module
except ImportError:
    pass
    if tuple(int(part) for part in rich.__version__.split(".")[:2]) != (13, 4):
        raise RuntimeError("no")
"""


class Schema(Case):
    def test_the_sample_that_the_healer_reads(self):
        """Also `OMNIPKG_WRITE_SAMPLE=1` writes it anew."""
        sample = os.path.join(HERE, "..", "..", "healer", "data", "report.json")
        # Before 3.8 a node's text is its whole lines.
        for version, python in interpreters((3, 8)):
            with self.subTest(python=version):
                report = self.reported(python, self.write("sample.py", SAMPLE)).report
                text = json.dumps(report, indent=1).replace(self.folder, "/work") + "\n"
                report = json.loads(text)
                report.update(python="3.11.7", executable="/usr/bin/python", distributions={"rich": "13.7.1"})
                if os.environ.get("OMNIPKG_WRITE_SAMPLE"):
                    with open(sample, "w") as file:
                        json.dump(report, file, indent=1)
                        file.write("\n")
                with open(sample) as file:
                    self.assertEqual(report, json.load(file))


UNCAUGHT = {
    "plain": "def f():\n    return {}['x']\nf()\n",
    "chained": "try:\n    1/0\nexcept ZeroDivisionError as e:\n    raise ValueError('x') from e\n",
    "context": "try:\n    1/0\nexcept ZeroDivisionError:\n    raise ValueError('x')\n",
    "syntax": "x = 1\nif x\n    pass\n",
    "syntax_inside": "compile('a b', 'made.py', 'exec')\n",
    "missing": "import no_such_module\n",
    "recursion": "def f():\n    f()\nf()\n",
    "unicode": "raise ValueError('\u010d\\udc80 \\x1b[1m')\n",
    "bad_str": "class E(Exception):\n    def __str__(self):\n        raise KeyError\nraise E\n",
    "warning": "x = '\\d'\nassert x is None\n",
    "executed": "exec(compile('1/0', '<made>', 'exec'))\n",
    "shadowed_library": "import sys\nsys.path.insert(0, 'shadow')\nsys.modules.pop('json', None)\n1/0\n",
    "excepthook_asked": "import sys\nprint(sys.excepthook is sys.__excepthook__)\n1/0\n",
    "at_exit": "import atexit\natexit.register(print, 'bye')\n1/0\n",
    "closed_descriptors": "import os\nos.closerange(3, 256)\n1/0\n",
}
UNREPORTED = {
    "exit_seven": "import sys\nsys.exit(7)\n",
    "exit_text": "raise SystemExit('no')\n",
    "interrupt": "import signal\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\nimport os\nos.kill(os.getpid(), 2)\n",
    "memory": "raise MemoryError('x')\n",
    "broken_pipe": "raise BrokenPipeError('x')\n",
    "passes": "print('fine')\n",
    "thread": "import threading\nt = threading.Thread(target=lambda: None)\nt.start()\nt.join()\n",
    "fork": "import os\npid = os.fork()\nif pid == 0:\n    1/0\nos.waitpid(pid, 0)\n",
}


class Unnoticed(Case):
    def test_the_same_output(self):
        self.write("shadow/json.py", "print('mine')\n")
        for version, python in interpreters(EVERY):
            for verdict in (b"P", None):
                for name, text in UNCAUGHT.items():
                    with self.subTest(python=version, script=name, verdict=verdict):
                        script = self.write("uncaught_%s.py" % name, text)
                        plain, ran = self.plain(python, script), self.reported(python, script, verdict=verdict)
                        self.assertEqual((ran.code, ran.out), (plain.code, plain.out))
                        self.assertEqual(ran.err, plain.err)
                        self.assertEqual(ran.report is None, name == "closed_descriptors")

    def test_quiet(self):
        for version, python in interpreters(EVERY):
            for name in ("plain", "chained", "syntax", "at_exit"):
                with self.subTest(python=version, script=name):
                    ran = self.reported(python, self.write("quiet.py", UNCAUGHT[name]), verdict=b"Q")
                    self.assertEqual((ran.code, ran.err), (1, b""))
                    self.assertTrue(ran.report["held"])

    def test_not_reported(self):
        for version, python in interpreters(EVERY):
            for name, text in UNREPORTED.items():
                if version < (3, 0) and name == "broken_pipe":
                    continue
                with self.subTest(python=version, script=name):
                    script = self.write("unreported_%s.py" % name, text)
                    plain, ran = self.plain(python, script), self.reported(python, script)
                    self.assertEqual((ran.code, ran.out, ran.err, ran.report), (plain.code, plain.out, plain.err, None))

    def test_the_environment_is_the_users(self):
        text = (
            "import os, sys, subprocess\nassert 'OMNIPKG_REPORT' not in os.environ\n"
            "ask = 'import os; print(sorted(k for k in os.environ if \"OMNI\" in k))'\n"
            "print(subprocess.check_output([sys.executable, '-c', ask]).decode())\n"
        )
        for version, python in interpreters(EVERY):
            with self.subTest(python=version):
                ran = self.reported(python, self.write("environment.py", text))
                self.assertEqual((ran.code, ran.out.strip(), ran.err), (0, b"[]", b""))

    def test_a_replaced_hook_prints_and_is_reported(self):
        text = "import sys\ndef mine(t, v, tb):\n    print('mine ' + t.__name__)\nsys.excepthook = mine\nassert 1 == 2\n"
        for version, python in interpreters(EVERY):
            with self.subTest(python=version):
                ran = self.reported(python, self.write("replaced.py", text), verdict=b"Q")
                self.assertEqual((ran.code, ran.out), (1, b"mine AssertionError\n"))
                self.assertFalse(ran.report["held"])

    def test_a_hook_that_wraps_prints_and_is_reported_once(self):
        text = "import sys\nold = sys.excepthook\ndef mine(*a):\n    print('mine')\n    old(*a)\nsys.excepthook = mine\n1/0\n"
        for version, python in interpreters(EVERY):
            with self.subTest(python=version):
                ran = self.reported(python, self.write("wraps.py", text), verdict=b"Q")
                self.assertEqual((ran.code, ran.out), (1, b"mine\n"))
                self.assertIn(b"ZeroDivisionError", ran.err)
                self.assertFalse(ran.report["held"])

    def test_a_wrong_descriptor_is_nothing(self):
        script = self.write("wrong.py", UNCAUGHT["plain"])
        for version, python in interpreters(EVERY):
            for value in ("", "1", "x:y:z", "1:0:0", "999:1:1", "-1:1:1", "99999999999999999999:1:1"):
                with self.subTest(python=version, value=value):
                    environment = dict(self.environment(), OMNIPKG_REPORT=value)
                    done = subprocess.run([python, script], env=environment, stderr=subprocess.PIPE)
                    self.assertEqual(done.stderr, self.plain(python, script).err)

    def test_a_start_imports_nothing(self):
        text = "import sys\nprint(' '.join(sys.modules))\n"
        for version, python in interpreters(EVERY):
            with self.subTest(python=version):
                script = self.write("modules.py", text)
                plain, ran = self.plain(python, script), self.reported(python, script)
                new = set(ran.out.decode().split()) - set(plain.out.decode().split())
                # Of these Python 2 has not loaded one that is built in, and one that is in a file.
                own = {"atexit"} if version >= (3, 0) else {"atexit", "thread", "fcntl"}
                self.assertEqual(new - own, {"_omnipkg_reporter"})


if __name__ == "__main__":
    unittest.main()
