"""Functions and classes that a worker cannot import, as source: of the caller's script, closures and lambdas.

What goes along is what the code uses: other functions and classes of the same kind as source too, modules by their names,
everything else by value, as it is at the time of the call. A class is the same class in the worker from call to call, as
long as its source is the same. The other half is ``_definitions.py``.
"""

import os
import sys
import types

from omnipkg._errors import WorkerError


class Travellers(object):
    """The functions and classes of one message.

    ``importable(module)`` tells whether the worker can import a module by itself.
    """

    def __init__(self, importable):
        self._importable = importable
        self._keys = {}  # id -> key
        self._queue = []

    def key(self, value):
        """What is sent in place of a function or class; None if its name suffices."""
        module = getattr(value, "__module__", None)
        if not isinstance(module, str):
            return None
        name = value.__qualname__
        is_class = isinstance(value, type)
        if "<locals>" in name or "<lambda>" in name:
            if is_class:
                raise WorkerError(
                    "the class %s is made inside a function, so no other process can find it: define it at the top of "
                    "its module" % name)
        elif self._importable(module):
            return None
        root, path = self._root(value, module, name)
        number = self._keys.get(id(root))
        if number is None:
            number = self._keys[id(root)] = len(self._queue)
            self._queue.append(root)
        return (number, path)

    @staticmethod
    def _root(value, module, name):
        """A method or an inner class is found by way of the class around it."""
        first, dot, path = name.partition(".")
        root = getattr(sys.modules.get(module), first, None) if dot and "<" not in name else None
        found = root
        for part in path.split("."):
            found = getattr(found, part, None)
        return (root, path) if isinstance(root, type) and found is value else (value, "")

    def pack(self, packer):
        """Adds two pickles for each to the message, what it is and what it uses; one may bring others along."""
        done = 0
        while done < len(self._queue):
            value = self._queue[done]
            head, used = self._class(value) if isinstance(value, type) else self._function(value)
            packer.add(head)
            try:
                packer.add(used)
            except WorkerError:
                raise
            except Exception as error:
                raise self._culprit(value, used, packer, error) from error
            done += 1

    @staticmethod
    def _culprit(value, used, packer, error):
        for names in ("values", "cells", "attributes"):
            for name, each in used[names].items():
                try:
                    packer.trial().add(each)
                except Exception as found:
                    return WorkerError(
                        "%s uses %s (a %s), which cannot be sent to a worker (%s): make it inside the function"
                        % (called(value), name, type(each).__name__, found))
        return WorkerError("%s cannot be sent to a worker: %s" % (called(value), error))

    def _function(self, function):
        from omnipkg import _sources

        code = function.__code__
        source, line, is_lambda = _sources.of_function(function)
        head = self._head(function, "lambda" if is_lambda else "function", source, line, _absolute(code.co_filename))
        head.update(qualname=function.__qualname__, free=code.co_freevars)
        used = self._used(function, head, _sources.global_names(code), function.__globals__)
        for name, cell in zip(code.co_freevars, function.__closure__ or ()):
            try:
                used["cells"][name] = cell.cell_contents
            except ValueError:
                pass  # Not bound yet, and not in the worker either.
        used["attributes"] = {name: each for name, each in vars(function).items() if name != "__wrapped__"}
        used.update(defaults=function.__defaults__, keyword_defaults=function.__kwdefaults__)
        return head, used

    def _class(self, kind):
        from omnipkg import _sources

        module = sys.modules.get(kind.__module__)
        names = vars(module) if module is not None else {}
        source, line, file, code = _sources.of_class(kind, names)
        head = self._head(kind, "class", source, line, file)
        head["futures"] = [name for name in ("annotations",) if hasattr(names.get(name), "compiler_flag")]
        return head, self._used(kind, head, _sources.global_names(code) - {kind.__name__}, names)

    def _head(self, value, kind, source, line, file):
        return {
            "kind": kind, "name": value.__name__, "module": value.__module__, "source": source, "line": line, "file": file,
            "importable": self._importable(value.__module__),
        }

    def _used(self, value, head, used, names):
        """What code uses of its module's names: definitions by key, modules by name, values as they are."""
        references, modules, values = {}, {}, {}
        # A module that the worker can import has its names there.
        for name in () if head["importable"] else used & set(names):
            each = names[name]
            if isinstance(each, types.ModuleType):
                modules[name] = self._module(value, each, used)
                continue
            key = self.key(each) if isinstance(each, (type, types.FunctionType)) else None
            if key is None:
                values[name] = each
            else:
                references[name] = key
        return {"references": references, "modules": modules, "values": values, "cells": {}, "attributes": {}}

    def _module(self, value, module, used):
        found = module.__name__
        if not self._importable(found):
            raise WorkerError(
                "%s uses the module %s, which the worker cannot import: add its project to what the worker is made of, "
                "or its folder to PYTHONPATH" % (called(value), found))
        # `import xml.etree.ElementTree` binds `xml` alone.
        from omnipkg import _sources

        below = [each for each in list(sys.modules) if each.startswith(found + ".")]
        named = used | _sources.attribute_names(value)
        return found, [each for each in below if set(each[len(found) + 1 :].split(".")) <= named]


def _absolute(file):
    """A script's code names its file as it was typed (before Python 3.9), and the worker may be elsewhere."""
    return os.path.abspath(file) if os.path.exists(file) else file


def called(value):
    """How errors speak of a function or class."""
    return "%s %s" % ("the class" if isinstance(value, type) else "the function", value.__qualname__)
