"""Calls one hook of a build backend (PEP 517, PEP 660): reads the call from argv[1], writes what came of it to argv[2]."""

import importlib
import json
import os
import sys


def end_with_parent():
    """A build of nobody's is not to go on: asks the kernel (PR_SET_PDEATHSIG) to end it with the one who waits for it."""
    try:
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
    except Exception:
        pass  # It is a courtesy: a Python without ctypes builds as well.


def main(call_path, result_path):
    end_with_parent()
    with open(call_path) as file:
        call = json.load(file)
    # The directory of this file is no place to import from; the backend's own may be in the project.
    sys.path[0:1] = [os.path.join(os.getcwd(), path) for path in call["backend_path"]]
    module, _, attributes = call["backend"].partition(":")
    backend = importlib.import_module(module)
    for name in filter(None, attributes.split(".")):
        backend = getattr(backend, name)
    hook = getattr(backend, call["hook"], None)
    result = {"missing": True} if hook is None else {"value": hook(*call["arguments"])}
    with open(result_path, "w") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
