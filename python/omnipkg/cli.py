"""`python -m omnipkg.cli …`: the omnipkg program, told which environment this Python belongs to.

The program takes this process's place, so arguments, stdio, exit code and signals are its own.
"""

import os
import sys

from omnipkg import _program
from omnipkg._errors import CommandError


def main(arguments=None):
    """Without arguments: those of this process, and never returns. With arguments (a list): runs them and gives the
    exit code."""
    try:
        if arguments is not None:
            return _program.run(arguments)
        program = _program.find()
        flush()
        _restore_signals()
        os.execve(program, [_program.NAME] + sys.argv[1:], _program.variables())
    except CommandError as error:
        return _fail(error.message, error.hint, error.code)
    except OSError as error:
        return _fail("cannot start the omnipkg program: %s" % error, "check that it is a program for this machine", 126)


def _fail(message, hint, code):
    sys.stderr.write("omnipkg: error: %s\nhint: %s\n" % (message, hint))
    return code


def flush():
    """Writes out what Python holds back, before another program takes this process's place."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, ValueError, OSError):
            pass


def _restore_signals():
    """Python ignores these, and what is ignored stays so in the program that takes its place."""
    import _signal

    for name in ("SIGPIPE", "SIGXFSZ"):
        _signal.signal(getattr(_signal, name), _signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main())
