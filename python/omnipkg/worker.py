"""Warm processes in views of their own: other versions, or another Python, beside this process.

    with Worker("numpy==1.24.3", python="3.9") as worker:
        mean = worker.call("numpy:mean", [1, 2, 3])

What must stay true: an answer belongs to its question (after a timeout, an interrupt or a death the process is ended, and
never asked again); errors come back as what they were; no call waits for a process that is gone.
"""

import os
import threading
import time
from collections import OrderedDict, namedtuple

from omnipkg import _transport
from omnipkg._arrays import Array
from omnipkg._errors import RemoteTraceback, WorkerClosed, WorkerDied, WorkerError, WorkerTimeout
from omnipkg._functions import Travellers
from omnipkg._specification import requirements
from omnipkg._worker_process import Late, Process
from omnipkg._worker_view import View

__all__ = [
    "Array", "Pool", "RemoteTraceback", "Statistics", "Worker", "WorkerClosed", "WorkerDied", "WorkerError", "WorkerTimeout",
]

Statistics = namedtuple("Statistics", "calls bytes_in_band bytes_shared copies")
Statistics.__doc__ = """What went to a worker and back: calls; bytes through the socket; bytes in shared memory; and how often
a large buffer was copied, in both processes (once each way is the least: what is sent must not change any more)."""


class Worker(object):
    """A process in the view of `spec`: "numpy==1.24.3", a list of such, or {"numpy": "1.24.3"}.

    ``python`` is a version or a path (this Python's, if nothing is said); ``timeout`` in seconds holds for every call that
    says no other. The process is started at once and waited for by the first call. It is ended by `close`, by `with`, when
    nothing refers to the worker any more, and with this process.
    """

    def __init__(self, spec, python=None, timeout=None):
        self._begin(View.of(spec, python), timeout)

    @classmethod
    def of_view(cls, view, timeout=None):
        """A worker in a view that is there already."""
        worker = cls.__new__(cls)
        worker._begin(view, timeout)
        return worker

    def _begin(self, view, timeout):
        self.view = view.path
        self.python = view.python
        self.timeout = timeout
        self._name = "the worker for %s" % view.name
        self._process = Process(view.python, view.variables(), self._name)
        self._lock = threading.Lock()
        self.used = time.monotonic()  # when it was last made or asked
        self._holder = None
        self._asking = False
        self._protocol = None  # not known before the process has said hello
        self._importable = {"__main__": False, "builtins": True}
        self._statistics = Statistics(0, 0, 0, 0)

    @property
    def pid(self):
        """The number of its process."""
        return self._process.pid

    @property
    def alive(self):
        """Whether it can be asked."""
        return self._process.owner == os.getpid() and self._process.alive

    @property
    def busy(self):
        """Whether it is being asked."""
        return self._lock.locked()

    @property
    def statistics(self):
        """What went to it and back until now."""
        return self._statistics

    @property
    def resident(self):
        """The memory that its process has in use, in bytes; shared memory that it has mapped counts."""
        return self._process.resident()

    def call(self, function, *args, **kwargs):
        """The result of `function(*args, **kwargs)` in the worker.

        ``function`` is "package.module:name", "package.module.name", the name of something that `run` defined, or a callable.
        One that the worker cannot import (of your script, a closure, a lambda) is sent as source with what it uses.
        ``timeout=`` in seconds is this call's own; for a function that has such a parameter use `functools.partial`.
        """
        timeout = kwargs.pop("timeout", self.timeout)
        name = function if isinstance(function, str) else getattr(function, "__qualname__", repr(function))
        return self._ask(("call", function, args, kwargs), name, timeout)

    def run(self, code, **names):
        """Runs code among names that last from run to run, `names` added; the value of its last expression, or None."""
        import textwrap

        timeout = names.pop("timeout", self.timeout)
        return self._ask(("run", textwrap.dedent(code), names), "the code", timeout)

    def close(self):
        """Ends the process; what it is doing in another thread is cut short. Closing twice is fine."""
        self._close("is closed")

    def _close(self, why):
        if self._process.owner != os.getpid():
            return
        if not self._lock.acquire(False):
            if self._holder == threading.get_ident():
                return self._process.kill()
            self._process.stop()
            self._lock.acquire()
        try:
            self._process.close(why)
        finally:
            self._lock.release()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __repr__(self):
        return "<%s, process %d%s>" % (self._name[len("the "):], self.pid, "" if self.alive else ", ended")

    def _ask(self, request, name, timeout):
        if self._process.owner != os.getpid():
            raise WorkerClosed("%s belongs to process %d, which started it: make one in this process" % (
                self._name, self._process.owner))
        if self._holder == threading.get_ident():
            raise WorkerError("%s was asked while it was being asked by the same thread" % self._name)
        with self._lock:
            self._holder = threading.get_ident()
            self.used = time.monotonic()
            self._process.deadline = None if timeout is None else self.used + timeout
            try:
                if self._process.ended is not None:
                    raise _again(self._process.ended)
                message = self._exchange(request, name, timeout)
                return self._read(message, name)
            except BaseException:
                if self._asking:
                    # An answer may be on its way, and belongs to nobody.
                    self._process.kill()
                    self._process.ended = self._process.ended or WorkerClosed(
                        "%s was ended because a call was interrupted" % self._name)
                raise
            finally:
                self._holder = None

    def _exchange(self, request, name, timeout):
        doing = " while it ran %s" % name
        if self._protocol is None:
            self._greet(doing, timeout)
        travellers = Travellers(lambda module: self._can_import(module, doing, timeout))
        packer = _transport.Packer(self._protocol, travellers.key)
        try:
            packer.add(request)
            travellers.pack(packer)
        except WorkerError:
            raise
        except Exception as error:
            raise WorkerError("what %s is called with cannot be sent to a worker: %s" % (name, error)) from error
        message = self._transfer(packer, doing, timeout)
        self._statistics = self._statistics._replace(calls=self._statistics.calls + 1)
        return message

    def _transfer(self, packer, doing, timeout):
        """Sends a message, if there is one, and receives one."""
        process = self._process
        self._asking = True
        try:
            if packer is not None:
                self._count(packer.copies, *process.channel.send(packer))
            message = process.channel.receive()
        except EOFError:
            raise process.died(doing) from None
        except Late:
            raise process.late(doing, timeout) from None
        self._asking = False
        self._count(0, message.in_band, message.shared)
        return message

    def _count(self, copies, in_band, shared):
        calls, all_in_band, all_shared, all_copies = self._statistics
        self._statistics = Statistics(calls, all_in_band + in_band, all_shared + shared, all_copies + copies)

    def _greet(self, doing, timeout):
        protocol = self._transfer(None, doing, timeout).read(0)[1]
        protocol = min(protocol, _transport.PROTOCOL)
        packer = _transport.Packer(protocol)
        packer.add(("hello", protocol))
        self._transfer(packer, doing, timeout)
        self._protocol = protocol

    def _can_import(self, module, doing, timeout):
        """Whether the worker has a module's project or, if it belongs to none, the module."""
        top = module.partition(".")[0]
        if top not in self._importable:
            packer = _transport.Packer(self._protocol)
            packer.add(("importable", top))
            self._importable[top] = self._transfer(packer, doing, timeout).read(0)[1]
        return self._importable[top]

    def _read(self, message, name):
        try:
            answer = message.read(0)
            copies = message.read(1)
        except Exception as error:
            raise WorkerError("the result of %s cannot be read by this Python: %s: %s" % (
                name, type(error).__name__, error)) from error
        self._count(copies + message.copies, 0, 0)
        if answer[0] == "value":
            return answer[1]
        if answer[0] == "refused":
            raise WorkerError("%s: %s" % (name, answer[1]))
        raise _raised(*answer[1:])


def _raised(kind, line, text, packed):
    """The exception that code in a worker raised: itself, if it can be had here."""
    error = None
    if packed is not None:
        try:
            error = _transport.read_alone(packed)
        except Exception:
            pass  # Of a class that is not known here: its text is.
    if not isinstance(error, BaseException):
        error = WorkerError("%s: %s" % (kind, line) if line else kind, kind, text)
    error.__cause__ = RemoteTraceback(text)
    return error


def _again(error):
    """The same error for another call: an exception collects the traceback of each raise."""
    again = type(error)(*error.args)
    again.__dict__.update(error.__dict__)
    return again


class Pool(object):
    """Warm workers, one for each view, made when they are first asked for.

    When together they use more memory than ``memory_limit`` bytes, those that were idle for longest are closed; the one
    that was asked last stays.
    """

    def __init__(self, memory_limit=None, timeout=None):
        self.memory_limit = memory_limit
        self._timeout = timeout
        self._lock = threading.Lock()
        self._views = {}  # (requirements, python) -> view
        self._workers = OrderedDict()  # path of a view -> worker, the one asked last at the end
        self._users = {}  # path of a view -> calls that are under way
        self._closed = False

    def worker(self, spec, python=None):
        """The worker of a view. One that was closed for its memory says so when it is asked; ask here again then."""
        return self._take(spec, python, 0)

    def call(self, spec, function, *args, **kwargs):
        """`Worker.call` in the worker of a view; ``python=`` chooses its Python."""
        worker = self._take(spec, kwargs.pop("python", None), 1)
        try:
            return worker.call(function, *args, **kwargs)
        finally:
            with self._lock:
                self._users[worker.view] -= 1
            self._shed(worker.view)

    def _take(self, spec, python, users):
        wanted = (tuple(requirements(spec)), None if python is None else os.fspath(python))
        view = self._views.get(wanted)
        if view is None or not os.path.exists(view.python):
            # Without the lock: it may take a while, and others need not wait.
            view = self._views[wanted] = View.of(spec, python)
        with self._lock:
            if self._closed:
                raise WorkerClosed("the pool is closed")
            worker = self._workers.pop(view.path, None)
            if worker is None or not worker.alive:
                worker = Worker.of_view(view, self._timeout)
            self._workers[view.path] = worker
            self._users[view.path] = self._users.get(view.path, 0) + users
            worker.used = time.monotonic()
        self._shed(view.path)
        return worker

    def _shed(self, keep):
        if self.memory_limit is None:
            return
        with self._lock:
            sizes = {path: worker.resident for path, worker in self._workers.items()}
            for path, worker in sorted(self._workers.items(), key=lambda item: item[1].used):
                if sum(sizes.values()) <= self.memory_limit:
                    break
                if path == keep or self._users.get(path) or worker.busy:
                    continue
                del sizes[path], self._workers[path]
                worker._close("was closed because its pool's workers used more than %d bytes" % self.memory_limit)

    def __len__(self):
        return len(self._workers)

    def close(self):
        """Closes every worker."""
        with self._lock:
            self._closed = True
            workers, self._workers = list(self._workers.values()), OrderedDict()
        for worker in workers:
            worker.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
