"""Demo 8: says which Python runs this, which rich it sees, and where that lies, as one line of JSON.

It judges nothing: whoever starts it knows what should come out. By hand, with any Python that has rich:

    python eight_verify.py
"""

import os
import sys

import rich


def versions(project):
    """Every version of a project that this Python could see; the first is the one that it takes.

    From the same files as importlib.metadata, importing which takes longer than all the rest of this script.
    """
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
    """A JSON string, without the time that importing json takes."""
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


print('{"python": %s, "executable": %s, "prefix": %s, "versions": [%s], "file": %s}' % (
    quoted("%d.%d.%d" % sys.version_info[:3]),
    quoted(sys.executable),
    quoted(sys.prefix),
    ", ".join(quoted(version) for version in versions("rich")),
    quoted(rich.__file__),
))
