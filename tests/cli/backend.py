"""A build backend that a project carries itself: so that a test needs no other from an index."""

import hashlib
import os
import sys
import zipfile

NAME, VERSION = "own", "1.0"
METADATA = "Metadata-Version: 2.1\nName: {}\nVersion: {}\nRequires-Dist: dependency>=1\n".format(NAME, VERSION)


def wheel(directory, files):
    info = "{}-{}.dist-info/".format(NAME, VERSION)
    files = dict(files)
    files[info + "METADATA"] = METADATA
    files[info + "WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[info + "RECORD"] = "".join("{},,\n".format(path) for path in files) + info + "RECORD,,\n"
    name = "{}-{}-py3-none-any.whl".format(NAME, VERSION)
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        for path, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path), text)
    return name


def get_requires_for_build_wheel(settings=None):
    return ["tool"]


def build_wheel(directory, settings=None, metadata=None):
    import tool

    with open(os.path.expanduser("~/count"), "a") as file:
        file.write("built\n")
    if os.path.exists("fail"):
        print("the compiler says: " + open("fail").read())
        sys.exit(3)
    with open("own.py") as file:
        return wheel(directory, {"own.py": file.read() + "TOOL = {!r}\n".format(tool.__version__)})


get_requires_for_build_editable = get_requires_for_build_wheel


def build_editable(directory, settings=None, metadata=None):
    return wheel(directory, {"own.pth": os.getcwd() + "\n"})
