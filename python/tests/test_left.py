"""Imports that failed and were caught: which of them ended the program."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from test_reporter import Case, interpreters  # noqa: E402

CAUGHT = "try:\n    import no_yaml\nexcept %s:\n    "
LEFT = {
    "exit": CAUGHT % "ImportError" + "print('no yaml')\n    sys.exit(3)\n",
    "raised": CAUGHT % "Exception" + "raise SystemExit('no yaml')\n",
    "bare": CAUGHT.replace(" %s", "") + "exit(1)\n",
    "several": CAUGHT % "(ImportError, KeyError)" + "quit(1)\n",
    "function": "def die(text):\n    print(text)\n    sys.exit(2)\n" + CAUGHT % "ImportError" + "die('no yaml')\n",
    "outer": "def load():\n    try:\n        import no_yaml\n    except ImportError:\n        raise\n"
             "try:\n    load()\nexcept ImportError:\n    sys.exit(1)\n",
    "flag": CAUGHT % "ImportError" + "no_yaml = None\ndef main():\n    if not no_yaml:\n        sys.exit(1)\nmain()\n",
    "by_name": "import importlib\ntry:\n    importlib.import_module('no_yaml')\nexcept ImportError:\n    sys.exit(1)\n",
}
OTHERWISE = {
    "optional": CAUGHT % "ImportError" + "no_yaml = None\nsys.exit(1)\n",
    "asked": CAUGHT.replace("import no_yaml", "import os") % "ImportError" + "pass\n"
             "try:\n    __import__('os')\nexcept ImportError:\n    sys.exit(1)\nsys.exit(1)\n",
    "another_kind": "try:\n" + "".join("    " + line + "\n" for line in (CAUGHT % "ImportError" + "pass").split("\n"))
                    + "except KeyError:\n    sys.exit(1)\nsys.exit(1)\n",
}
READ = "import sys; sys.path[:1] = []; from omnipkg import _left; _left.main()"


class Left(Case):
    def answer(self, python, name, text):
        script = self.write("left_%s.py" % name, "import sys\n" + text)
        ran, plain = self.reported(python, script), self.plain(python, script)
        self.assertEqual((ran.code, ran.out, ran.err), (plain.code, plain.out, plain.err))
        self.assertNotEqual(ran.code, 0)
        if ran.misses is None:
            return ""
        return subprocess.run(
            [python, "-c", READ], input=ran.misses.encode(), stdout=subprocess.PIPE, env=self.environment(), check=True,
        ).stdout.decode()

    def test_what_ended_the_program(self):
        for version, python in interpreters():
            for name, text in LEFT.items():
                with self.subTest(python=version, script=name):
                    answer = self.answer(python, name, text)
                    self.assertIn('"module":"no_yaml"', answer.replace(" ", ""))
                    self.assertIn("left_%s.py" % name, answer)

    def test_what_did_not(self):
        for version, python in interpreters():
            for name, text in OTHERWISE.items():
                with self.subTest(python=version, script=name):
                    self.assertEqual(self.answer(python, name, text), "")

    def test_a_script_that_misses_nothing_says_nothing(self):
        for version, python in interpreters():
            with self.subTest(python=version):
                ran = self.reported(python, self.write("left_none.py", "import json, os\n"))
                self.assertEqual((ran.report, ran.misses), (None, None))


if __name__ == "__main__":
    unittest.main()
