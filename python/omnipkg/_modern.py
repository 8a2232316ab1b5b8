"""Whether a script is certainly one of Python 3's, so that Python 2 is no remedy for it (what Python 2 would make of it is
another program), or looks like one of Python 2's."""

import _ast

from omnipkg import _syntax

# Modules that only Python 3's standard library has.
MODULES = frozenset(
    """asyncio builtins concurrent configparser contextvars copyreg dataclasses enum faulthandler graphlib html http
    importlib.metadata importlib.resources ipaddress lzma pathlib queue reprlib secrets selectors socketserver statistics
    tkinter tomllib tracemalloc typing unittest.mock urllib.error urllib.parse urllib.request venv winreg xmlrpc zoneinfo
    """.split()
)


OLD_MODULES = frozenset(
    """BaseHTTPServer ConfigParser Cookie HTMLParser Queue SimpleHTTPServer SocketServer StringIO Tkinter cPickle cStringIO
    cookielib httplib tkMessageBox urllib2 urlparse xmlrpclib""".split()
)
OLD_NAMES = (
    "raw_input(", "xrange(", ".has_key(", ".iteritems(", ".itervalues(", ".iterkeys(", "unicode(", "basestring", "unichr(",
    "execfile(", "sys.maxint", "sys.setdefaultencoding(", "urllib.urlopen(", "urllib.urlencode(", "urllib.quote(",
    "string.letters", "os.getcwdu(", "itertools.izip", "itertools.imap",
)


def is_python_3(main):
    """By its first line, by what it imports or by how it prints; of a file that cannot be parsed only by its lines."""
    lines = _lines(main)
    if lines and lines[0].startswith("#!") and "python3" in lines[0]:
        return True
    if _says_python_2(lines):
        return False
    source = _syntax.load(main) if main else None
    if source is None:
        return any(_imports(line) for line in lines)
    future = False
    found = False
    for node in _syntax.walk(source.tree):
        if isinstance(node, _ast.ImportFrom):
            future = future or node.module == "__future__"
            found = found or (not node.level and _is_new(node.module or ""))
        elif isinstance(node, _ast.Import):
            found = found or any(_is_new(each.name) for each in node.names)
        elif isinstance(node, _ast.Call) and getattr(node.func, "id", None) == "print":
            # Python 2 prints a tuple, or knows no such argument.
            found = found or (not future and (len(node.args) > 1 or bool(node.keywords)))
    return found


def is_python_2(main):
    """Whether some line has what only Python 2 has: a statement, a module, a function."""
    lines = _lines(main)
    return not is_python_3(main) and (_says_python_2(lines) or any(_is_old(line.strip()) for line in lines))


def _says_python_2(lines):
    return bool(lines) and lines[0].startswith("#!") and "python2" in lines[0]


def _is_old(line):
    rest = line[6:].lstrip() if line.startswith("print ") else "("
    if rest[:1] not in ("(", "=", ".", "") or line == "print":
        return True
    words = line.replace(",", " , ").split()
    if words[:1] == ["except"] and "(" not in line and len(words) == 4 and words[2] == "," and line.endswith(":"):
        return True
    if words[:1] == ["raise"] and len(words) > 3 and words[2] == "," and "(" not in line.split(",")[0]:
        return True
    if words[:1] in (["import"], ["from"]) and len(words) > 1:
        return words[1].split(".")[0].rstrip(";") in OLD_MODULES
    return any(name in line for name in OLD_NAMES)


def _is_new(module):
    return module in MODULES or module.split(".")[0] in MODULES


def _imports(line):
    words = line.split()
    return len(words) > 1 and words[0] in ("import", "from") and _is_new(words[1].rstrip(",;"))


def _lines(main):
    try:
        with open(main, "rb") as file:
            return file.read(_syntax.LARGEST_SOURCE).decode("utf-8", "replace").splitlines()
    except Exception:
        return []
