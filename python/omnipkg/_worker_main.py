"""The process of a worker: does one thing after another that its caller asks for, until the caller is gone.

Started by ``_worker_process.py`` with a socket. What must stay true: whatever the code that runs here does, short of ending
the process, is an answer; little is imported before the first request, so that a worker is there quickly.
"""

import os
import select
import sys

from omnipkg import _channel, _transport

NAMES = "__worker__"  # the module that holds what `run` defines


def main(descriptor):
    """Answers requests on a socket until it is closed."""
    os.set_inheritable(descriptor, False)
    _ignore_interrupts()
    sys.argv = [""]
    # Functions of the caller's own script live in a module of that name, apart from what `run` defines.
    sys.modules["__main__"], sys.modules[NAMES] = module("__main__"), module(NAMES)
    server = _Server(descriptor)
    try:
        server.serve()
    except EOFError:
        pass
    finally:
        server.close()


def module(name):
    """An empty module in which code can run."""
    made = type(sys)(name)
    made.__dict__["__builtins__"] = sys.modules["builtins"]
    return made


def _ignore_interrupts():
    """Ctrl-C reaches every process of the terminal: the caller decides what becomes of its workers. What they start
    begins with the default, which a handler (unlike SIG_IGN) leaves to it."""
    import _signal

    _signal.signal(_signal.SIGINT, lambda *_: None)


class _Server(object):
    def __init__(self, descriptor):
        self._parent = os.getppid()
        try:
            self._watched = os.pidfd_open(self._parent)
        except (AttributeError, OSError):
            # Before Python 3.9 and Linux 5.3: it looks once a second.
            self._watched = None
        self._channel = _channel.Channel(descriptor, self._wait)
        self._protocol = 4
        self._runs = 0

    def close(self):
        self._channel.close()
        if self._watched is not None:
            os.close(self._watched)

    def serve(self):
        self._send(("hello", _transport.PROTOCOL, sys.version_info[:3]), 0)
        while True:
            message = self._channel.receive()
            answer = self._answer(message)
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except (AttributeError, ValueError, OSError):
                    pass
            self._send(answer, message.copies)
            # A large result is not kept until the next one.
            del answer, message

    def _wait(self, for_writing):
        """Until the socket is ready, or the caller is gone though some process of its still holds the other end."""
        poll = select.poll()
        poll.register(self._channel.fileno(), select.POLLOUT if for_writing else select.POLLIN)
        if self._watched is not None:
            poll.register(self._watched, select.POLLIN)
        ready = []
        while self._channel.fileno() not in ready:
            ready = [descriptor for descriptor, _ in poll.poll(None if self._watched is not None else 1000)]
            if self._watched in ready or os.getppid() != self._parent:
                raise EOFError("the caller is gone")

    def _send(self, answer, copies):
        packer = _transport.Packer(self._protocol)
        try:
            packer.add(answer)
        except Exception as error:
            packer = _transport.Packer(self._protocol)
            packer.add(("refused", "the result, a %s, cannot be sent: %s" % (_name(type(answer[1])), _line(error))))
        packer.add(copies + packer.copies)
        self._channel.send(packer)

    def _answer(self, message):
        try:
            request = self._read(message)
        except BaseException as error:
            return self._failure(error, "the worker cannot read what it was sent: ")
        verb, rest = request[0], request[1:]
        del request
        try:
            return ("value", getattr(self, "_" + verb)(*rest))
        except SystemExit as error:
            return ("refused", "the code called sys.exit(%s); the worker goes on" % (
                "" if error.code is None else repr(error.code)))
        except BaseException as error:
            return self._failure(error, "")

    def _read(self, message):
        if len(message) > 1:
            from omnipkg._definitions import Definitions

            message.definition = Definitions(message).get
        try:
            return message.read(0)
        finally:
            # They refer to each other: what they hold would stay until the next collection.
            message.definition = None

    def _hello(self, protocol):
        self._protocol = min(protocol, _transport.PROTOCOL)

    def _importable(self, name):
        """Whether a module can be imported here (not: was made here from a caller's source)."""
        import importlib.util

        try:
            return importlib.util.find_spec(name) is not None
        except (ImportError, AttributeError, ValueError):
            return False

    def _call(self, function, arguments, named):
        if isinstance(function, str):
            function = _resolve(function)
        return function(*arguments, **named)

    def _run(self, code, names):
        import ast
        import linecache

        self._runs += 1
        file = "<worker run %d>" % self._runs
        linecache.cache[file] = (len(code), None, code.splitlines(True), file)
        space = vars(sys.modules[NAMES])
        space.update(names)
        del names
        tree = ast.parse(code, file)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, file, "exec", dont_inherit=True), space)
        if last is not None:
            return eval(compile(ast.Expression(last.value), file, "eval", dont_inherit=True), space)

    def _failure(self, error, prefix):
        import traceback

        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        text = "".join(traceback.format_exception(type(error), error, trace))
        packed = None
        if isinstance(error, SyntaxError) and len(error.args) == 2 and isinstance(error.args[1], tuple):
            # Where it ends is told since Python 3.10 and not understood before.
            error.args = (error.args[0], error.args[1][:4])
        try:
            packer = _transport.Packer(self._protocol)
            packer.add(error)
            packed = packer.alone()
        except Exception:
            pass  # Then its text must do.
        return ("error", _name(type(error)), prefix + _line(error), text, packed)


def _name(kind):
    return kind.__name__ if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, kind.__qualname__)


def _line(error):
    try:
        return str(error)
    except Exception:
        return "(its text cannot be had)"


def _resolve(name):
    """`package.module:name`, `package.module.name`, or a name that `run` has defined."""
    import importlib

    module, colon, attributes = name.partition(":")
    if colon:
        found, rest = importlib.import_module(module), attributes.split(".")
    else:
        rest = name.split(".")
        space = vars(sys.modules[NAMES])
        if rest[0] in space:
            found, rest = space[rest[0]], rest[1:]
        elif len(rest) == 1:
            found = importlib.import_module("builtins")
        else:
            found, rest = importlib.import_module(rest[0]), rest[1:]
    for number, each in enumerate(rest):
        try:
            found = _attribute(found, each, not colon)
        except AttributeError:
            raise AttributeError("there is no %s in the worker: %s has no %s" % (
                name, ".".join([module] * bool(colon) + rest[:number]) or "the module", each)) from None
    return found


def _attribute(found, name, or_module):
    """An attribute, or a module of a package that nobody has imported yet."""
    if or_module and hasattr(found, "__path__") and not hasattr(found, name):
        import importlib

        try:
            importlib.import_module("%s.%s" % (found.__name__, name))
        except ModuleNotFoundError as error:
            if error.name != "%s.%s" % (found.__name__, name):
                raise
    return getattr(found, name)
