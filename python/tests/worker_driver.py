"""The caller's side of test_worker.py: checks in this Python, against workers of another.

    worker_driver.py CHECK[,CHECK…] PYTHON
"""

import collections
import functools
import os
import signal
import sys
import threading
import traceback
import xml.etree.ElementTree

from omnipkg import _memory, worker as workers
from omnipkg.worker import Array, Pool, RemoteTraceback, Worker, WorkerClosed, WorkerDied, WorkerError, WorkerTimeout

LARGE = 64 << 10
factor = 3
Point = collections.namedtuple("Point", "x y")


class Base(object):
    def __init__(self, value):
        self.value = value

    def double(self):
        return type(self)(self.value * 2)


class Derived(Base):
    """A class that names itself, its base and a function of this file."""

    class Inner(object):
        pass

    def twice(self):
        return Derived(scaled(super(Derived, self).double().value))


class Failure(Exception):
    def __init__(self, code):
        super(Failure, self).__init__("failed with %d" % code)
        self.code = code

    def __reduce__(self):
        return Failure, (self.code,)


class Unreadable(Exception):
    def __init__(self, one, two):
        super(Unreadable, self).__init__("unreadable")


def scaled(value):
    return value * factor


def even(number):
    return True if number == 0 else odd(number - 1)


def factorial(number):
    return 1 if number < 2 else number * factorial(number - 1)


def odd(number):
    return False if number == 0 else even(number - 1)


def counted(function):
    @functools.wraps(function)
    def around(*args, **kwargs):
        return [function.__name__, function(*args, **kwargs)]

    return around


@counted
def decorated(value, more=scaled(2), *, last="end"):
    return value, more, last


def parsed(text):
    return xml.etree.ElementTree.fromstring(text).tag


def fail(kind):
    if kind == "own":
        raise Failure(7)
    if kind == "unreadable":
        raise Unreadable(1, 2)
    raise KeyError(kind)


lock = threading.Lock()


def locked():
    return lock


def closure(number):
    def add(value):
        return value + number if value < 10 else add(value - 10)

    return add


def resolve(name):
    return Worker.of_view(workers.View(None, name, "a test"))


def raised(kind, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except kind as error:
        assert type(error) is kind, type(error)
        return error
    raise AssertionError("%s was not raised" % kind.__name__)


def check_calls(worker):
    assert worker.call("os:getpid") == worker.pid
    assert worker.call("os.path.join", "a", "b") == worker.call("os.path:join", "a", "b") == "a/b"
    assert worker.call("xml.etree.ElementTree.fromstring", "<a/>") is not None
    assert worker.call("len", "abc") == worker.call(len, "abc") == 3
    assert worker.call(functools.partial(int, base=2), "101") == 5
    assert worker.call("subprocess:run", ["false"]).returncode == 1
    for name in ("os:nothing", "os.path.nothing", "nothing"):
        raised(AttributeError, worker.call, name)
    raised(ModuleNotFoundError, worker.call, "no_such_module:name")
    assert worker.statistics.calls == 12


def check_functions(worker):
    global factor
    assert worker.call(scaled, 2) == 6
    factor = 5
    assert worker.call(scaled, 2) == 10, "as it is at the time of the call"
    assert worker.call(even, 7) is False and worker.call(factorial, 5) == 120
    assert worker.call(decorated, 1) == ["decorated", (1, 6, "end")]
    assert worker.call(decorated, 1, 2, last=3) == ["decorated", (1, 2, 3)]
    assert worker.call(closure(3), 25) == 8
    assert worker.call(lambda a, b=4: (a, b, factor), 1) == (1, 4, 5)
    assert worker.call(lambda a: [
        a, a], 1) == [1, 1]
    assert worker.call(parsed, "<tag/>") == "tag"
    assert worker.call(lambda function, values: [function(each) for each in values], scaled, [1, 2]) == [5, 10]
    error = raised(WorkerError, worker.call, [lambda: 1, lambda: 2][0])
    assert "<lambda>" in str(error) and "def" in str(error), error
    error = raised(WorkerError, worker.call, locked)
    assert "function locked uses lock (a lock)" in str(error), error
    error = raised(WorkerError, worker.call, eval("lambda: 1"))
    assert "source cannot be read" in str(error), error
    error = raised(WorkerError, worker.call, len, threading.Lock())
    assert "cannot be sent" in str(error), error
    assert worker.call(len, "ab") == 2


def check_classes(worker):
    result = worker.call(Derived(2).twice)
    assert type(result) is Derived and result.value == 2 * 2 * factor
    assert worker.call(isinstance, result, Base) is True
    assert worker.call(Derived.twice, Derived(1)).value == 2 * factor
    assert worker.call(Point, 1, y=2) == Point(1, 2) and type(worker.call(Point, 1, 2)) is Point
    assert worker.call(type, Derived.Inner()) is Derived.Inner
    # One and the same class from call to call.
    worker.run("kept.append(new)", kept=[], new=Base(1))
    assert worker.run("isinstance(new, type(kept[0]))", new=Base(2)) is True

    class Local(object):
        pass

    assert "inside a function" in str(raised(WorkerError, worker.call, len, Local))


def check_run(worker):
    assert worker.run("1 + n", n=2) == 3
    assert worker.run("x = 4") is None and worker.run("x") == 4
    assert worker.run("") is None
    assert worker.run("""
        def twice(value):
            return value * 2

        twice(x)
    """) == 8
    assert worker.call("twice", "ab") == "abab"
    error = raised(ZeroDivisionError, worker.run, "def f():\n    return 1 / 0  # here\n\nf()")
    assert "return 1 / 0  # here" in str(error.__cause__), error.__cause__
    raised(SyntaxError, worker.run, "1 +")
    assert worker.run("factor = 1; factor") == 1 and worker.call(scaled, 1) == factor and worker.run("factor") == 1


def check_errors(worker):
    error = raised(Failure, worker.call, fail, "own")
    assert error.code == 7 and isinstance(error.__cause__, RemoteTraceback)
    text = "".join(traceback.format_exception(type(error), error, None))
    assert "raise Failure(7)" in text and "_worker_main" not in text, text
    assert raised(KeyError, worker.call, fail, "key").args == ("key",)
    error = raised(WorkerError, worker.call, fail, "unreadable")
    assert error.kind == "__main__.Unreadable" and "Unreadable" in error.text and "unreadable" in str(error), error
    assert "sys.exit(3)" in str(raised(WorkerError, worker.run, "import sys; sys.exit(3)"))
    assert "generator" in str(raised(WorkerError, worker.run, "(each for each in ())"))
    error = raised(WorkerError, worker.run, "class Own(object):\n    pass\nOwn()")
    assert "cannot be read by this Python" in str(error), error
    error = raised(WorkerError, worker.run, "class Odd(Exception):\n    def __str__(self): raise ValueError()\nraise Odd()")
    assert error.kind == "__worker__.Odd", error.kind
    assert worker.alive and worker.call(len, "ab") == 2


def check_buffers(worker):
    before = worker.statistics
    data = os.urandom(LARGE)
    result = worker.call(lambda value: (type(value).__name__, value), data)
    assert result == ("bytes", data) and type(result[1]) is bytes
    after = worker.statistics
    assert after.bytes_shared - before.bytes_shared == 2 * LARGE and after.copies - before.copies == 4
    assert after.bytes_in_band - before.bytes_in_band < 4000

    array = bytearray(data)
    result = worker.call(lambda value: [value.__setitem__(0, 1), value][1], array)
    assert type(result) is bytearray and result[0] == 1 and array == data, "what is received is the receiver's own"

    stand_in = Array("|u1", (LARGE,), "C", bytearray(data))
    before = worker.statistics
    result = worker.call(lambda value: [value.buffer.__setitem__(0, 7), value][1], stand_in)
    assert type(result) is Array and result.buffer[0] == 7 and stand_in.tobytes() == data
    assert result.buffer[1:] == data[1:] and result.shape == (LARGE,) and not result.buffer.readonly
    assert worker.statistics.copies - before.copies == 2, "one each way"

    # Sizes around the limit, and many in one message.
    parts = [os.urandom(size) for size in (0, 1, LARGE - 1, LARGE, LARGE + 1, 3 * LARGE)] + [data] * 500
    assert worker.call(lambda value: value, parts) == parts
    for value in (array, data, stand_in, Array("|u1", (1,), "C", b"1")):
        before = worker.statistics
        first, second = worker.call(lambda value: value + [value[0] is value[1]], [value, value])[:2]
        assert first is second and worker.statistics.bytes_shared - before.bytes_shared <= 2 * LARGE


def check_pickle_buffers(worker):
    """pickle 5's own buffers, of any library's objects."""
    if sys.version_info < (3, 8) or worker.run("import sys; sys.version_info < (3, 8)"):
        return
    from pickle import PickleBuffer

    data = bytearray(os.urandom(2 * LARGE))
    for value in (PickleBuffer(data), [PickleBuffer(data), bytes(data), PickleBuffer(b"small")]):
        before = worker.statistics
        worker.call(lambda value: None, value)
        assert worker.statistics.bytes_shared - before.bytes_shared == 2 * LARGE * (2 if type(value) is list else 1)
    result = worker.call(lambda value: bytes(value[0]) + value[1], [PickleBuffer(data), bytes(data)])
    assert result == data + data


def check_many_mappings(worker):
    """More arrays are kept than a process may have open files."""
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400))
    kept = [worker.call(lambda n: bytearray([n % 251]) * 65536, number) for number in range(10)]
    kept = [worker.call(stand_in, number) for number in range(500)]
    assert [each.buffer[0] for each in kept] == [number % 251 for number in range(500)]
    assert _memory._mapped <= _memory.MAPPINGS
    del kept
    assert _memory._mapped == 0


def stand_in(number):
    return Array("|u1", (65536,), "C", bytearray([number % 251]) * 65536)


def check_large_in_band(worker):
    numbers = list(range(300000))
    assert worker.call(lambda value: value[::-1], numbers) == numbers[::-1]


def dies(worker, code, **how):
    error = raised(WorkerDied, worker.run, code, **how)
    assert not worker.alive
    assert type(raised(WorkerDied, worker.run, "1")) is WorkerDied
    return error


def check_deaths(python):
    assert dies(resolve(python), "import os; os._exit(7)").code == 7
    error = dies(resolve(python), "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert error.code == -signal.SIGSEGV and "SIGSEGV" in str(error) and "the code" in str(error), error
    # A child of the worker holds the socket, and lives until its standard input ends.
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    worker = resolve(python)
    code = "import os\nif not os.fork():\n    os.read(int(path), 1)\n    os._exit(0)\nos._exit(9)"
    worker.run("import os; path = os.open(name, os.O_RDONLY)", name="/proc/%d/fd/%d" % (os.getpid(), reader))
    assert dies(worker, code).code == 9
    os.close(writer)
    # While nobody waits.
    worker = resolve(python)
    worker.call(len, "")
    os.kill(worker.pid, signal.SIGKILL)
    assert raised(WorkerDied, worker.call, len, bytes(10 * LARGE)).code == -signal.SIGKILL
    # It closes what it talks through, and lives.
    assert "closed its connection" in str(dies(resolve(python), "import os, signal; os.closerange(3, 64); signal.pause()"))
    # It never starts.
    assert dies(resolve("/bin/false"), "1").code == 1


def check_timeout(python):
    worker = resolve(python)
    assert worker.call(len, "ab", timeout=60) == 2
    error = raised(WorkerTimeout, worker.run, "import signal; signal.pause()", timeout=0.05)
    assert "0.05 s" in str(error) and not worker.alive
    raised(WorkerTimeout, worker.call, len, "")
    # While it does not read.
    worker = resolve(python)
    worker.call(len, "")
    os.kill(worker.pid, signal.SIGSTOP)
    raised(WorkerTimeout, worker.call, len, list(range(500000)), timeout=0.05)


def check_interrupt(python):
    # Whoever starts this in the background may have had the signal ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    worker = resolve(python)
    raised(KeyboardInterrupt, worker.run,
           "import os, signal; os.kill(os.getppid(), signal.SIGINT); signal.pause()")
    assert not worker.alive
    assert "interrupted" in str(raised(WorkerClosed, worker.call, len, ""))
    # One that the caller does not take for its own end leaves the worker as it was.
    signal.signal(signal.SIGINT, lambda *_: None)
    worker = resolve(python)
    assert worker.run("import os, signal\nfor each in (os.getpid(), os.getppid()):\n    os.kill(each, signal.SIGINT)\n5") == 5
    worker.close()


def check_fork(python):
    worker = resolve(python)
    worker.call(len, "")
    child = os.fork()
    if not child:
        try:
            assert not worker.alive
            raised(WorkerClosed, worker.call, len, "")
            worker.close()
            del worker
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert worker.call(len, "ab") == 2


def check_threads(worker):
    found = []

    def ask(number):
        found.extend(worker.call(lambda value: value, number) == number for _ in range(20))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    [each.start() for each in threads]
    [each.join() for each in threads]
    assert found == [True] * 160


def check_close(python):
    with resolve(python) as worker:
        assert worker.call(len, "ab") == 2
        worker.run("import atexit; atexit.register(print, 'ended by itself', flush=True)")
    assert not worker.alive and not os.path.exists("/proc/%d" % worker.pid)
    assert "is closed" in str(raised(WorkerClosed, worker.call, len, ""))
    worker.close()
    # When nothing refers to it any more.
    worker = resolve(python)
    worker.call(scaled, 1)
    process = worker.pid
    del worker
    assert not os.path.exists("/proc/%d" % process)
    # What another thread waits for is cut short.
    worker = resolve(python)
    reader, writer = os.pipe()
    found = []

    def wait():
        try:
            worker.run("import os, signal; os.write(os.open(name, os.O_WRONLY), b'x'); signal.pause()",
                       name="/proc/%d/fd/%d" % (os.getpid(), writer))
        except WorkerError as error:
            found.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    os.read(reader, 1)
    worker.close()
    thread.join()
    assert type(found[0]) is WorkerDied and found[0].code == -signal.SIGKILL, found
    # Of what is not closed, the end of this process is the end.
    global left
    left = resolve(python)
    left.run("import atexit; atexit.register(print, 'ended with its caller', flush=True)")


def check_orphan(python):
    """The caller is killed: whoever reads our standard output sees its end when the worker is gone too."""
    worker = resolve(python)
    worker.call(len, "")
    print("ready", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def check_pool(python):
    made = []

    class MadeUp(workers.View):
        @classmethod
        def of(cls, spec, python=None):
            made.append((spec, python))
            return cls("/view of %s" % spec, interpreter, spec)

    interpreter, workers.View = python, MadeUp
    with Pool() as pool:
        first = pool.worker("a")
        assert pool.worker("a") is first and pool.worker(["A"]) is first and pool.worker("b") is not first
        assert len(pool) == 2 and made == [("a", None), ("b", None)]
        assert pool.call("a", "os:getpid") == first.pid
        raised(WorkerDied, pool.call, "a", "os:_exit", 1)
        assert pool.call("a", len, "ab", python=None) == 2 and pool.worker("a") is not first
    assert not pool.worker.__self__._workers and not first.alive
    raised(WorkerClosed, pool.worker, "a")
    with Pool(memory_limit=1) as pool:
        first, second = pool.worker("a"), None
        second = pool.worker("b")
        assert len(pool) == 1 and not first.alive and second.alive
        assert "pool" in str(raised(WorkerClosed, first.call, len, "")) and pool.call("a", len, "ab") == 2
        assert not second.alive and len(pool) == 1


def main(names, python):
    for name in names.split(","):
        check = globals()["check_" + name]
        if check.__code__.co_varnames[0] == "python":
            check(python)
            continue
        with resolve(python) as worker:
            check(worker)


if __name__ == "__main__":
    main(*sys.argv[1:])
