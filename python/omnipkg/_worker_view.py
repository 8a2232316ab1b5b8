"""Where a worker runs: the view that its requirements mean, and what a program in it is told."""

import os
import sys

from omnipkg import _program
from omnipkg._errors import WorkerError
from omnipkg._specification import requirements


class View(object):
    """Where a worker's Python is."""

    def __init__(self, path, python, name):
        self.path, self.python, self.name = path, python, name

    @classmethod
    def of(cls, spec, python=None):
        """The view of requirements, made if need be."""
        wanted = requirements(spec)
        # One word that is a file's name would be taken for a script.
        words = wanted * 2 if len(wanted) == 1 and os.path.exists(wanted[0]) else wanted
        chosen = os.path.realpath(sys.executable) if python is None else os.fspath(python)
        path = _program.call(["mount", "--python", chosen, "--"] + words)["path"]
        name = ", ".join(wanted) if python is None else "%s on Python %s" % (", ".join(wanted), chosen)
        if os.path.isdir(os.path.join(path, "lib", "python2.7")):
            raise WorkerError("a worker needs Python 3.6 or newer, and %s is older: `omnipkg run --python %s` runs scripts "
                              "there" % (chosen, chosen))
        return cls(path, os.path.join(path, "bin", "python"), name)

    def variables(self):
        """The environment variables of a program in the view, as `omnipkg run` sets them."""
        hidden = ("PYTHONHOME", "OMNIPKG_REPORT", "OMNIPKG_STARTED_FROM")
        given = {name: value for name, value in os.environ.items() if name not in hidden}
        if self.path is not None:
            scripts, rest = os.path.join(self.path, "bin"), given.get("PATH")
            given["PATH"] = scripts + os.pathsep + rest if rest else scripts
            given["VIRTUAL_ENV"] = self.path
        return given
