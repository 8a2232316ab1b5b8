"""The loader over popular packages of the real index: nothing may be left, whatever is nested or interleaved.

    omnipkg install --python 3.11 $(python loader_popular.py base); <env>/bin/python loader_popular.py
"""
import importlib, os, random, statistics, sys, time, warnings
PAIRS = """requests 2.32.3 2.28.2 requests|urllib3 2.2.2 1.26.18 urllib3|idna 3.7 3.4 idna|certifi 2024.2.2 2023.7.22 certifi
click 8.1.7 8.0.4 click|jinja2 3.1.4 3.0.3 jinja2|flask 3.0.3 2.2.5 flask|werkzeug 3.0.3 2.2.3 werkzeug|itsdangerous 2.2.0 2.1.2 itsdangerous
rich 13.7.1 13.4.2 rich.console|pygments 2.18.0 2.15.1 pygments.lexers|attrs 23.2.0 22.2.0 attr|packaging 24.0 23.0 packaging.version
six 1.16.0 1.15.0 six.moves.urllib.parse|python-dateutil 2.9.0 2.8.2 dateutil.parser|pytz 2024.1 2023.3 pytz|tqdm 4.66.4 4.64.1 tqdm.auto
tabulate 0.9.0 0.8.10 tabulate|toml 0.10.2 0.10.1 toml|tomli 2.0.1 1.2.3 tomli|docutils 0.20.1 0.19 docutils.core|mako 1.3.5 1.2.4 mako.template
networkx 3.3 3.1 networkx|sympy 1.12 1.11.1 sympy|httpx 0.27.0 0.24.1 httpx|anyio 4.4.0 3.7.1 anyio|colorama 0.4.6 0.4.5 colorama
wcwidth 0.2.13 0.2.6 wcwidth|prompt-toolkit 3.0.47 3.0.38 prompt_toolkit|jsonschema 4.17.3 3.2.0 jsonschema|beautifulsoup4 4.12.3 4.11.2 bs4
soupsieve 2.5 2.4 soupsieve|parso 0.8.4 0.8.3 parso|jedi 0.19.1 0.18.2 jedi|typing-extensions 4.12.2 4.6.3 typing_extensions
more-itertools 10.3.0 9.1.0 more_itertools|pyparsing 3.1.2 3.0.9 pyparsing|decorator 5.1.1 4.4.2 decorator|cachetools 5.3.3 4.2.4 cachetools
markdown 3.6 3.4.4 markdown|zipp 3.19.2 3.15.0 zipp|importlib-metadata 7.1.0 6.7.0 importlib_metadata|setuptools 69.5.1 68.2.2 setuptools
zope.interface 6.4 6.2 zope.interface|google-auth 2.30.0 2.22.0 google.auth|google-api-core 2.19.0 2.11.1 google.api_core|pytest 8.2.2 7.4.4 pytest"""
PAIRS = [line.split() for line in PAIRS.replace("\n", "|").split("|")]
if sys.argv[1:] == ["base"]:
    print(" ".join("%s==%s" % (name, base) for name, base, _, _ in PAIRS)); raise SystemExit
import importlib.metadata as metadata
from omnipkg.loader import omnipkgLoader, CompiledPackageError
STANDARD = os.path.dirname(os.__file__) + os.sep
def standard(module):
    path = getattr(module, "__file__", None)
    return path is None and not hasattr(module, "__path__") or (path or "").startswith(STANDARD) and "site-packages" not in (path or "")
def from_base(module):
    """What the environment itself gives, first met inside: it stays. A namespace has its folders there."""
    path = getattr(module, "__file__", None)
    places = [path] if path else list(getattr(module, "__path__", ())) or [(getattr(sys.modules.get(module.__name__.split(".")[0]), "__file__", None) or "")]
    return all(p.startswith(sys.prefix) for p in places)
def answers():
    return sorted((d.metadata["Name"] or "", d.version) for d in metadata.distributions()), [metadata.version(p[0]) for p in PAIRS]
def attributes():
    return {n: {a: id(v) for a, v in list(vars(m).items())} for n, m in list(sys.modules.items()) if type(m) is type(os) and not standard(m) and n != "__main__"}
class State:
    def __init__(self):
        self.modules, self.path, self.po, self.env = dict(sys.modules), list(sys.path), sys.path, dict(os.environ)
        self.meta, self.hooks, self.filters, self.answers, self.attributes = list(sys.meta_path), list(sys.path_hooks), list(warnings.filters), answers(), attributes()
        self.cache = set(sys.path_importer_cache)
    def check(self, what):
        faults = []
        for n, m in list(sys.modules.items()):
            if self.modules.get(n) is not m and (n in self.modules or not standard(m) and not from_base(m) and not n.startswith("omnipkg")): faults.append("module " + n)
        faults += ["lost " + n for n in self.modules if n not in sys.modules]
        if sys.path is not self.po or sys.path != self.path: faults.append("path")
        if os.environ != self.env: faults.append("environ %s" % (set(os.environ.items()) ^ set(self.env.items())))
        meta = [f for f in sys.meta_path if type(f).__name__ != "_Guard" and (f in self.meta or type(f).__module__ not in sys.modules or not from_base(sys.modules[type(f).__module__]))]
        if meta != [f for f in self.meta if type(f).__name__ != "_Guard"]: faults.append("meta_path %s" % sys.meta_path)
        if sys.path_hooks != self.hooks: faults.append("path_hooks")
        if warnings.filters != self.filters: faults.append("filters %s" % [f for f in warnings.filters if f not in self.filters])
        if answers() != self.answers: faults.append("metadata")
        now = attributes()
        for n, a in self.attributes.items():
            if n.startswith("omnipkg"): continue
            b = now.get(n)
            if b != a: faults.append("attributes of %s: %s" % (n, [k for k in set(a) | set(b or {}) if a.get(k) != (b or {}).get(k)][:5]))
        view = [p for p in sys.path_importer_cache if "/mnt/" in p and not p.startswith(sys.prefix) and p not in self.cache and p not in sys.path]
        if view: faults.append("importer cache %s" % view[:2])
        if faults: FAULTS.append((what, faults)); print("FAULT", what, faults[:8], flush=True)
FAULTS, TIMES, REFUSED, IMPORTS = [], [], [], []
def enter(pair, mode="overlay"):
    loader = omnipkgLoader("%s==%s" % (pair[0], pair[2]), isolation_mode=mode)
    loader.__enter__()
    return loader
def use(pair):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try: module = importlib.import_module(pair[3])
        except ImportError as error:
            IMPORTS.append((pair[0], str(error))); return
    found = metadata.version(pair[0])
    if found != pair[2] and found + ".0" != pair[2]: FAULTS.append((pair, found)); print("VERSION", pair, found)
    path = sys.modules[pair[3].split(".")[0]]
    origin = getattr(module, "__file__", None) or ""
    if origin.startswith(sys.prefix): FAULTS.append((pair, origin)); print("ORIGIN", pair, origin)
def leave(loader):
    loader.__exit__(None, None, None)
    TIMES.append(loader.activation_time_ms + loader.deactivation_time_ms)
def attempt(pair, mode="overlay"):
    try: return enter(pair, mode)
    except CompiledPackageError as error: REFUSED.append((pair[0], mode, str(error).split(":")[0])); return None
def passes(label, modes=("overlay", "strict")):
    for mode in modes:
        for pair in PAIRS:
            for _ in range(2):
                state = State(); loader = attempt(pair, mode)
                if loader: use(pair); leave(loader)
                state.check((label, mode, pair[0]))
    for a, b in zip(PAIRS, PAIRS[1:] + PAIRS[:1]):
        state = State(); one = attempt(a); use(a) if one else 0
        inner = State(); two = attempt(b); use(b) if two else 0
        if two: leave(two)
        if one and two: inner.check((label, "nested inner", a[0], b[0]))
        if one: leave(one)
        state.check((label, "nested", a[0], b[0]))
        state = State(); one = attempt(a); use(a) if one else 0; two = attempt(b); use(b) if two else 0
        if one: leave(one)
        if two: use(b); leave(two)
        state.check((label, "interleaved", a[0], b[0]))
    chance = random.Random(3)
    for turn in range(30):
        state = State(); open_ = []
        for pair in chance.sample(PAIRS, 5):
            loader = attempt(pair)
            if loader:
                try: use(pair)
                except Exception as error: print("  (mixed %s: %s: %s)" % (pair[0], type(error).__name__, error))
                open_.append(loader)
        chance.shuffle(open_)
        for loader in open_: leave(loader)
        state.check((label, "shuffled", turn))
began = time.time()
for _ in PAIRS:
    loader = attempt(_)
    if loader: leave(loader)
TIMES.clear()
passes("nothing imported")
for _, _, _, module in PAIRS:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try: importlib.import_module(module)
        except CompiledPackageError as error: REFUSED.append((module, "import", str(error).split(":")[0]))
passes("all imported")
print(sys.version.split()[0], "faults %d, enterings %d, median %.3f ms, p95 %.3f, max %.1f, %.0f s" % (len(FAULTS), len(TIMES), statistics.median(TIMES), sorted(TIMES)[int(len(TIMES)*.95)], max(TIMES), time.time() - began))
print("not importable", sorted(set(IMPORTS)))
print("refused", sorted(set(REFUSED)))
