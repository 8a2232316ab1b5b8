"""Demo 8: says which Python runs this, which rich it has, and where that lies, as one line of JSON.

It judges nothing: whoever starts it knows what should come out. By hand, with any Python that has rich:

    python eight_verify.py

Nothing but what Python has loaded anyway is imported, so that the time of the demo is that of the environments: rich is
looked up as `import rich` would look it up, and its version is read from the files that importlib.metadata reads.
"""

import os
import sys


def file_of(name):
    """What an import of `name` would load."""
    for finder in sys.meta_path:
        found = finder.find_spec(name, None)
        if found is not None:
            return found.origin
    raise ImportError("there is no " + name)


def versions(project):
    """Every version of a project that this Python could see; the first is the one that it takes."""
    for directory in sys.path:
        names = os.listdir(directory) if os.path.isdir(directory) else []
        for name in names:
            if name.startswith(project + "-") and name.endswith(".dist-info"):
                yield version_in(os.path.join(directory, name, "METADATA"))


def version_in(path):
    with open(path, encoding="utf-8") as metadata:
        for line in metadata:
            if line.startswith("Version: "):
                return line.split()[1]


def quoted(text):
    """A JSON string."""
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


print('{"python": %s, "executable": %s, "prefix": %s, "versions": [%s], "file": %s}' % (
    quoted("%d.%d.%d" % sys.version_info[:3]),
    quoted(sys.executable),
    quoted(sys.prefix),
    ", ".join(quoted(version) for version in versions("rich")),
    quoted(file_of("rich")),
))
