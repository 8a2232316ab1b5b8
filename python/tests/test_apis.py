"""The names that a failure is about, under every interpreter of this machine."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from test_reporter import Case, interpreters  # noqa: E402

SHAPES = '''
import functools


def passes_on(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)
    return inner


class Frame(object):
    def __init__(self, data=None):
        self.data = data

    def merge(self, how=None):
        return self

    def drop(self, label, *, axis=0):
        return self

    @property
    def own(self):
        raise KeyError("no code of a script's runs to find a name")


def read(path=None, sep=None):
    return Frame()


read_on = passes_on(read)


def load(stream, Loader):
    return None
'''

# What fails, and a name that must be among those that are told.
FOUND = [
    ("import rich\nrich.gone", "rich.gone"),
    ("import rich as other\nprint(other.gone)", "rich.gone"),
    ("from rich import version\nversion.gone()", "rich.version.gone"),
    ("from rich import gone", "rich.gone"),
    ("from rich import (\n    __version__,\n    gone,\n)", "rich.gone"),
    ("from rich.version import VERSION, gone as here", "rich.version.gone"),
    ("import shapes\nshapes.Frame().append(1)", "shapes.Frame.append"),
    ("import shapes\nshapes.Frame.append", "shapes.Frame.append"),
    ("import shapes\nclass Mine(shapes.Frame):\n    pass\nmine = Mine()\nmine.append(1)", "shapes.Frame.append"),
    ("import shapes\nprint([each.append for each in [shapes.Frame()]])", "shapes.Frame.append"),
    ("import shapes\ndef f(a):\n    return a.append(1)\nf(shapes.Frame())", "shapes.Frame.append"),
    ("import shapes\nshapes.read(sep=1, gone=2)", "shapes.read(gone)"),
    ("from shapes import read\nread('x', gone=2)", "shapes.read(gone)"),
    ("import shapes\nshapes.read_on('x', gone=2)", "shapes.read(gone)"),
    ("import shapes\nshapes.Frame(gone=2)", "shapes.Frame(gone)"),
    ("import shapes\nframe = shapes.Frame()\nframe.merge(gone=2)", "shapes.Frame.merge(gone)"),
    ("import shapes\ngiven = {'gone': 2}\nshapes.read(**given)", "shapes.read(gone)"),
    ("import shapes\nshapes.load('x')", "shapes.load(without Loader)"),
    ("import shapes\nframe = shapes.Frame()\nframe.drop(1, 2)", "shapes.Frame.drop(positional)"),
    ("{}.has_key(1)", "builtins.dict.has_key"),
    ("'a'.gone", "builtins.str.gone"),
    ("import sys\nsys.maxint", "sys.maxint"),
]

NOT_FOUND = [
    "raise AttributeError(\"module 'rich' has no attribute 'gone'\")",
    "raise ImportError(\"cannot import name 'gone' from 'rich'\")",
    "raise TypeError(\"read() got an unexpected keyword argument 'gone'\")",
    "import no_such_module_at_all",
    "1 / 0",
]


class Names(Case):
    @classmethod
    def setUpClass(cls):
        super(Names, cls).setUpClass()
        cls.write("site/shapes/__init__.py", "from shapes.core import *\n")
        cls.write("site/shapes/core.py", SHAPES)

    def names(self, python, body):
        ran = self.reported(python, self.write("names.py", body + "\n"))
        self.assertIsNotNone(ran.report, ran.err.decode())
        return ran.report["names"]

    def test_found(self):
        for version, python in interpreters():
            for body, expected in FOUND:
                with self.subTest(python=version, body=body):
                    self.assertIn(expected, self.names(python, body))

    def test_modules_that_answer_themselves(self):
        self.write("site/answers.py", "def __getattr__(name):\n    raise AttributeError('`x.%s` was removed' % name)\n")
        self.write("site/refuses.py", "def __getattr__(name):\n    if name == 'gone':\n        raise ImportError('no more')\n"
                   "    raise AttributeError(name)\n")
        for version, python in interpreters((3, 7)):
            with self.subTest(python=version):
                self.assertIn("answers.gone", self.names(python, "import answers\nanswers.gone"))
                self.assertIn("refuses.gone", self.names(python, "from refuses import gone"))
                self.assertIn("refuses.gone", self.names(python, "import refuses\nrefuses.gone"))

    def test_not_found(self):
        for version, python in interpreters():
            for body in NOT_FOUND:
                with self.subTest(python=version, body=body):
                    names = self.names(python, body)
                    self.assertFalse([each for each in names if not each.startswith(("names.", "__main__."))], names)

    def test_files_that_cannot_be_read(self):
        for version, python in interpreters():
            with self.subTest(python=version):
                path = self.write("unread.py", "x = 1\nprint 'hello'\n")
                found = self.reported(python, path).report["syntax"]
                expected = {"file": path, "line": 2, "text": "print 'hello'", "where": "script", "distribution": None}
                self.assertEqual(found, expected)
                self.write("site/rich/unread.py", "def f(:\n    pass\n")
                found = self.reported(python, self.write("reads.py", "import rich.unread\n")).report["syntax"]
                self.assertEqual((found["line"], found["where"]), (1, "site"))


if __name__ == "__main__":
    unittest.main()
