"""One of many processes that work on one store at once: swaps, installs, uninstalls, reverts, loads and runs, and checks
every answer. Run as: stress.py SEED ROUNDS OMNIPKG STORE PYTHON…; each failure is a line on stdout."""

import json
import os
import random
import subprocess
import sys

seed, rounds, omnipkg, store = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
pythons = sys.argv[5:]
chance = random.Random(seed)
VERSIONS = {"rich": ["13.4.2", "13.6.0", "13.7.1"], "other": ["1.0", "2.0"]}

# What is imported is what the metadata of the very same environment says, and nothing is half there.
CHECK = """
import importlib, importlib.metadata as metadata, sys
assert '%d.%d' % sys.version_info[:2] == sys.argv[1], sys.version
for name in ('rich', 'other'):
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        assert importlib.util.find_spec(name) is None, name
        continue
    module = importlib.import_module(name)
    assert module.__version__ == version, (name, module.__version__, version)
    assert module.__file__.startswith(sys.prefix), module.__file__
""".replace("import importlib,", "import importlib, importlib.util,")

LOAD = """
import sys
from omnipkg.loader import omnipkgLoader
before = list(sys.path), set(sys.modules)
with omnipkgLoader(sys.argv[2] + '==' + sys.argv[3], quiet=True):
    module = __import__(sys.argv[2])
    assert module.__version__ == sys.argv[3], module.__version__
    own = module.__file__.startswith(sys.prefix + '/')
# What the environment itself has in that version is its own module, and stays.
assert sys.path == before[0] and (sys.argv[2] in sys.modules) == own
"""


def do(*line):
    done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        print("seed %d: %s ended with %d: %s" % (seed, " ".join(line), done.returncode, done.stderr.strip()), flush=True)
    return done


def swap(python):
    do(omnipkg, "swap", "python", python)


def install(python):
    name = chance.choice(list(VERSIONS))
    do(omnipkg, "install", "--python", python, "%s==%s" % (name, chance.choice(VERSIONS[name])))


def install_from_inside(python):
    name = chance.choice(list(VERSIONS))
    inside = os.path.join(store, "envs", python, "bin", "python")
    do(inside, "-m", "omnipkg.cli", "install", "%s==%s" % (name, chance.choice(VERSIONS[name])))


def uninstall(python):
    do(omnipkg, "uninstall", "--python", python, chance.choice(list(VERSIONS)))


def revert(python):
    do(omnipkg, "revert", "--python", python)


def load(python):
    name = chance.choice(list(VERSIONS))
    inside = os.path.join(store, "envs", python, "bin", "python")
    do(inside, "-c", LOAD, python, name, chance.choice(VERSIONS[name]))


def run(python):
    do(omnipkg, "run", "--python", python, "--", "python", "-c", CHECK, python)


def run_with(python):
    version = chance.choice(VERSIONS["rich"])
    code = "import rich; assert rich.__version__ == %r, rich.__version__" % version
    do(omnipkg, "run", "--python", python, "--with", "rich==" + version, "--", "python", "-c", code)


def look(python):
    done = do(omnipkg, "--json", "env", "history", python)
    if not done.returncode:
        generations = json.loads(done.stdout)["generations"]
        assert 1 <= len(generations) <= 10, generations
        assert sum(generation["current"] for generation in generations) == 1, generations


for _ in range(rounds):
    chance.choice([swap, install, install_from_inside, uninstall, revert, load, run, run_with, look])(chance.choice(pythons))
