"""What tells that a script is one of Python 2's, or of Python 3's."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from omnipkg import _modern  # noqa: E402

OLD = (
    "print 'x'", "print", "print >>f, x", "except ValueError, e:", "raise E, 'm', trace", "raise ValueError, 'x'",
    "import urllib2", "from urllib2 import urlopen", "import cPickle as pickle", "if x.has_key(1):", "for i in xrange(3):",
    "name = raw_input('? ')", "sys.setdefaultencoding('utf-8')",
)
NEITHER = (
    "print(x)", "print (x)", "print = 3", "except (A, B):", "except Exception as e:", "raise E('a, b, c', d)", "raise E",
    "import urllib", "# print this", "printer.x", "x = 'import urllib2'",
)


class Modern(unittest.TestCase):
    def of(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write(text + "\n")
            file.flush()
            return _modern.is_python_2(file.name), _modern.is_python_3(file.name)

    def test_what_only_python_2_has(self):
        for line in OLD:
            with self.subTest(line=line):
                self.assertEqual(self.of("import os\n" + line), (True, False))

    def test_what_says_nothing(self):
        for line in NEITHER:
            with self.subTest(line=line):
                self.assertEqual(self.of(line), (False, False))

    def test_what_only_python_3_has(self):
        for text in ("#!/usr/bin/env python3\nx", "import pathlib", "print('a', 'b')", "print('a', file=x)\nprint 'x'\nimport asyncio"):
            with self.subTest(text=text):
                self.assertEqual(self.of(text), (False, True))


if __name__ == "__main__":
    unittest.main()
