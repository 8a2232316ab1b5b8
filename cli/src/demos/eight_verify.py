"""Demo 8: says which Python runs this, which rich it sees, and where that lies, as one line of JSON.

It judges nothing: whoever starts it knows what should come out. By hand, with any Python that has rich:

    python eight_verify.py
"""

import json
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
                with open(os.path.join(directory, name, "METADATA"), encoding="utf-8") as metadata:
                    lines = [line for line in metadata if line.startswith("Version: ")]
                yield lines[0].split()[1]


print(json.dumps({
    "python": "%d.%d.%d" % sys.version_info[:3],
    "executable": sys.executable,
    "prefix": sys.prefix,
    "versions": list(versions("rich")),
    "file": rich.__file__,
}))
