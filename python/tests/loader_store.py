"""A store made by hand for the loader's tests: one view, and activations over it. Used by test_loader.py."""

import hashlib
import json
import os
import shutil
import subprocess
import textwrap

OMNIPKG = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "omnipkg")
BASE = "b" * 40
FACTS = (
    "import json, sys, _bisect; print(json.dumps([list(sys.version_info[:2]), sys.executable,"
    " getattr(_bisect, '__file__', None)]))"
)
# A program that answers as `omnipkg activate` would: from answers.json beside the store.
PROGRAM = """\
#!/bin/sh
exec "%s" -I "%s" "$@"
"""
ANSWER = """\
import json, os, sys
home = %r
with open(os.path.join(home, "calls"), "a") as file:
    file.write("x")
with open(os.path.join(home, "answers.json")) as file:
    answers = json.load(file)
question = " ".join(sys.argv[sys.argv.index("--isolation") + 1:]).replace("--json -- ", "")
if question not in answers:
    sys.stderr.write("omnipkg: error: no version of " + question + " is known\\nhint: look for another\\n")
    sys.exit(1)
answer = answers[question]
link = os.path.join(home, "activations", answer["key"])
with open(link + ".json", "w") as file:
    json.dump(answer, file)
if os.path.lexists(link):
    os.remove(link)
os.symlink("../mnt/" + answer["view"], link)
print(json.dumps(answer))
"""


def package(name, version, **modules):
    """The files of a pure distribution with one package."""
    files = {
        name + "/__init__.py": "__version__ = %r\n" % version,
        "%s-%s.dist-info/METADATA" % (name, version):
            "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version),
    }
    for module, text in modules.items():
        path = name + "/__init__.py" if module == "init" else "%s/%s.py" % (name, module)
        files[path] = (files[path] if module == "init" else "") + textwrap.dedent(text)
    return files


SIX = """
    import sys
    class Importer(object):
        name = __name__
        def find_spec(self, *given):
            return None
    for index, finder in enumerate(sys.meta_path):
        if type(finder).__name__ == "Importer":
            del sys.meta_path[index]
            break
    sys.meta_path.append(Importer())
    moves = sys.modules[__name__ + ".moves"] = type(sys)(__name__ + ".moves")
"""
LOUD = """
    import warnings
    class LoudWarning(Warning):
        pass
    warnings.simplefilter("always", LoudWarning, append=True)
"""
JEALOUS = """
    from importlib.machinery import PathFinder
    for name in ("find_distributions", "find_spec_of_nobody"):
        if name in vars(PathFinder):
            delattr(PathFinder, name)
"""
RICH = {"console": "from . import text\nclass Console(object):\n    text = text\n", "text": "WORDS = 'some'\n"}


class Store(object):
    """`home`, with a view whose Python is `python`."""

    def __init__(self, home, interpreter):
        facts = json.loads(subprocess.check_output([interpreter, "-c", FACTS]).decode())
        self.version, self.interpreter, self.extension = tuple(facts[0]), facts[1], facts[2]
        self.home = os.path.realpath(home)
        self.packages = "lib/python%d.%d/site-packages" % self.version
        self.python = os.path.join(self.home, "mnt", BASE, "bin", "python")
        self.answers = {}
        self._view(BASE, [
            package("rich", "13.7.1", **RICH),
            package("uses_rich", "1.0", init="import rich\nRICH = rich.__version__\n"),
            package("optional", "1.0", plain="", fancy="import rich\n"), package("plain", "1.0", other=""),
            package("sixish", "1.0", init=SIX), package("loud", "1.0", init=LOUD),
            {"space/one.py": "VERSION = 1\n", "space/two.py": "VERSION = 1\n"},
            self.native("native", "2.0"),
            package("uses_native", "1.0", init="import native\nNATIVE = native.__version__\n"),
            self.native("fixed", "1.0", "import rich\nRICH = rich.__version__\n"), package("purified", "2.0"),
        ])
        site = os.path.join(self.home, "mnt", BASE, self.packages)
        shutil.copytree(OMNIPKG, os.path.join(site, "omnipkg"), ignore=shutil.ignore_patterns("__pycache__"))
        os.makedirs(os.path.join(self.home, "activations"))
        self._program()
        self._activations()
        self.write("answers.json", json.dumps(self.answers))

    def write(self, path, text):
        path = os.path.join(self.home, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def native(self, name, version, init=""):
        """A distribution with an extension module: one of the standard library's, under a name of its own."""
        files = package(name, version, init=init + "from . import _bisect\n")
        if self.extension:
            files["%s/%s" % (name, os.path.basename(self.extension))] = self.extension
        else:
            files[name + "/_bisect.py"] = ""
        return files

    def _view(self, view, distributions):
        root = os.path.join("mnt", view)
        for files in distributions:
            for path, text in files.items():
                if path.endswith(".so"):
                    target = os.path.join(self.home, root, self.packages, path)
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    shutil.copy(text, target)
                else:
                    self.write(os.path.join(root, self.packages, path), text)
        self.write(root + "/omnipkg.json", "{}")
        home = os.path.dirname(self.interpreter)
        self.write(root + "/pyvenv.cfg", "home = %s\ninclude-system-site-packages = false\n" % home)
        os.makedirs(os.path.join(self.home, root, "bin"))
        os.symlink(self.interpreter, os.path.join(self.home, root, "bin", "python"))
        os.symlink("../../../bin/omnipkg", os.path.join(self.home, root, "bin", "omnipkg"))

    def _program(self):
        answer = self.write("bin/answer.py", ANSWER % self.home)
        program = self.write("bin/omnipkg", PROGRAM % (self.interpreter, answer))
        os.chmod(program, 0o755)

    def activation(self, view, question, isolation="overlay", distributions=(), remembered=True, **parts):
        """`view` "" changes nothing. Parts: replaced, added, dependents, kept."""
        view = view and hashlib.sha1(view.encode()).hexdigest()
        if view and not os.path.isdir(os.path.join(self.home, "mnt", view)):
            self._view(view, distributions)
        text = "omnipkg activation 1\n%s\n%s\n%s\n" % (BASE, isolation, "\n".join(question))
        path = os.path.join(self.home, "mnt", view or BASE)
        found = {
            "schema": 1, "key": hashlib.sha256(text.encode()).hexdigest(), "isolation": isolation, "view": view or BASE,
            "path": path, "site_packages": os.path.join(path, self.packages), "base": BASE,
            "replaced": [], "added": [], "dependents": [], "kept": [],
        }
        found.update(parts)
        self.answers[" ".join([isolation] + list(question))] = found
        if remembered:
            link = os.path.join(self.home, "activations", found["key"])
            self.write(link + ".json", json.dumps(found))
            os.symlink("../mnt/" + found["view"], link)

    def _activations(self):
        uses_rich = [part("uses_rich", "1.0", "uses_rich+%s")]
        fixed = [part("fixed", "1.0", "fixed+%s", compiled=True)]

        def linked(version):
            return [dict(each, identity=each["identity"] % version) for each in uses_rich + fixed]

        for version in ("13.4.2", "13.5.0"):
            self.activation(
                "rich" + version, ["rich==" + version], distributions=[package("rich", version, **RICH)],
                replaced=[changed("rich", "13.7.1", version)], dependents=linked(version))
        self.activation("", ["rich==13.7.1"], kept=[part("rich", "13.7.1")])
        self.activation(
            "rich13.3", ["rich==13.3"], distributions=[package("rich", "13.3", **RICH)], remembered=False,
            replaced=[changed("rich", "13.7.1", "13.3")], dependents=linked("13.3"))
        self.activation(
            "strict", ["rich==13.4.2"], "strict",
            [package("rich", "13.4.2", **RICH), package("plain", "1.0", other="")],
            replaced=[changed("rich", "13.7.1", "13.4.2")], kept=[part("plain", "1.0")])
        self.activation(
            "fresh", ["fresh"], distributions=[package("fresh", "1.0", init="import rich\nRICH = rich.__version__\n")],
            added=[part("fresh", "1.0")])
        self.activation(
            "six2", ["sixish==2.0"], distributions=[package("sixish", "2.0", init=SIX)],
            replaced=[changed("sixish", "1.0", "2.0")])
        self.activation(
            "loud2", ["loud==2.0"], distributions=[package("loud", "2.0", init=LOUD)],
            replaced=[changed("loud", "1.0", "2.0")])
        self.activation(
            "jealous2", ["jealous==2.0"], distributions=[package("jealous", "2.0", init=JEALOUS)],
            added=[part("jealous", "2.0")])
        self.activation(
            "space2", ["space-one==2"], distributions=[{"space/one.py": "VERSION = 2\n"}],
            replaced=[changed("space-one", "1", "2", modules=["space.one"])])
        self.activation(
            "space3", ["space-three"], distributions=[{"space/three.py": ""}],
            added=[part("space-three", "1", modules=["space.three"])])
        for version in ("1.0", "1.5"):
            self.activation(
                "native" + version, ["native==" + version],
                distributions=[self.native("native", version), package("helper", version)],
                replaced=[changed("native", "2.0", version, compiled=True)], added=[part("helper", version)],
                dependents=[part("uses_native", "1.0", "uses_native+" + version)])
        self.activation(
            "native1.0rich", ["native==1.0", "rich==13.4.2"],
            distributions=[self.native("native", "1.0"), package("rich", "13.4.2", **RICH)],
            replaced=[changed("native", "2.0", "1.0", compiled=True), changed("rich", "13.7.1", "13.4.2")],
            dependents=[part("uses_native", "1.0", "uses_native+1.0")] + linked("13.4.2"))
        self.activation(
            "nativestrict", ["native==2.0"], "strict", [self.native("native", "2.0")],
            kept=[part("native", "2.0", compiled=True)])
        self.activation("", ["native==2.0"], kept=[part("native", "2.0", compiled=True)])
        self.activation(
            "purified", ["purified==1.0"], distributions=[self.native("purified", "1.0")],
            replaced=[dict(changed("purified", "2.0", "1.0", compiled=True), from_compiled=False)])


def part(project, version, identity=None, compiled=False, modules=None):
    return {
        "project": project, "version": version, "modules": modules or [project], "compiled": compiled,
        "identity": identity or "%s-%s" % (project, version),
    }


def changed(project, before, after, compiled=False, modules=None):
    found = part(project, after, None, compiled, modules)
    del found["version"]
    return dict(found, **{"from": before, "to": after, "from_compiled": compiled})
