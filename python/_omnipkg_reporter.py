"""The failure reporter: tells `omnipkg run` of an uncaught exception and asks whether to print it.

Imported by ``_omnipkg.pth`` when ``OMNIPKG_REPORT=<fd>:<dev>:<ino>`` names a socket of `omnipkg run`, or when
``OMNIPKG_FAILURES=<pid>:<folder>`` says where a Python that the program started leaves its report; it is not in the package,
whose own import would cost as much again. What must stay true: a start costs next to nothing (nothing is
imported here that the interpreter did not already load); the script sees neither the first variable nor a changed
traceback; whatever goes wrong here, the script prints what Python prints. All of it runs under every Python, 2.7 too.
"""

import os
import sys

_socket_id = None  # (fd, device, inode) of the socket, while it may be used
_folder = None  # where reports are left that nobody waits for
_process = os.getpid()
_thread_id = None
_previous = sys.excepthook
# Python 2 has no such class; there it is an IOError among others.
_BROKEN_PIPE = BrokenPipeError if sys.version_info[0] > 2 else MemoryError
_reported = None  # the exception value that the hook has seen
_MOST = 64


def _install():
    global _socket_id, _thread_id, _folder
    try:
        if "OMNIPKG_REPORT" in os.environ:
            given = tuple(int(part) for part in os.environ.pop("OMNIPKG_REPORT").split(":"))
            if len(given) != 3 or not _is_open(given):
                return
            _close_on_exec(given[0])
        else:
            given = None
        process, _, folder = os.environ.get("OMNIPKG_FAILURES", "").partition(":")
        # A Python that outlives what started it has nobody to tell.
        if folder and (given is not None or os.path.isdir("/proc/%d" % int(process))):
            _folder = folder
        if given is None and _folder is None:
            return
        if sys.flags.inspect or sys.flags.interactive:
            return
        import atexit
    except Exception:
        return
    _socket_id = given
    _thread_id = _thread()
    # Both, so that code which asks whether the hook is the default one gets the answer that it would get without us.
    sys.excepthook = sys.__excepthook__ = _hook
    atexit.register(_at_exit)
    if sys.version_info[0] > 2:  # Python 2 asks its own finders after all others
        sys.meta_path.append(_Misses)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_leave)


def _close_on_exec(descriptor):
    if hasattr(os, "set_inheritable"):
        os.set_inheritable(descriptor, False)
        return
    import fcntl

    fcntl.fcntl(descriptor, fcntl.F_SETFD, fcntl.fcntl(descriptor, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)


def _thread():
    if sys.version_info[0] == 2:
        import thread
    else:
        import _thread as thread
    return thread.get_ident()


def _is_open(given):
    try:
        status = os.fstat(given[0])
    except (OSError, OverflowError):
        return False
    return status.st_mode & 0o170000 == 0o140000 and (status.st_dev, status.st_ino) == given[1:]


def _leave():
    """In a forked child: the socket is the parent's."""
    global _socket_id
    given, _socket_id = _socket_id, None
    if given is not None and _is_open(given):
        os.close(given[0])


def _ready():
    is_first = os.getpid() == _process and _thread() == _thread_id
    return is_first and (_socket_id is not None or _folder is not None)


class _Misses(object):
    """The last on the path of finders: what it is asked for nobody has found. A program that deals with that by ending
    itself leaves no exception; so it is noted where it happened, and looked at only if the program ends badly."""

    noted = []
    process = _process

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        cls.note(name)

    @classmethod
    def note(cls, name):
        try:
            if name in ("sitecustomize", "usercustomize"):  # each start of Python asks for them
                return
            if cls.process != os.getpid():  # a forked child
                cls.process, cls.noted = os.getpid(), []
            if len(cls.noted) >= _MOST:
                return
            frame, places = sys._getframe(2), []
            while frame is not None and len(places) < _MOST:
                file = frame.f_code.co_filename
                if not file.startswith("<frozen importlib"):
                    places.append((file, frame.f_lineno))
                frame = frame.f_back
            cls.noted.append((name, places))
            if cls.process != _process and _folder is not None:
                # It may end with no more ado than that.
                _leave_behind(_misses())
        except Exception:
            pass


def _hook(kind, value, traceback):
    global _reported
    _reported = value
    # Called by the interpreter itself, with no Python code below, the exception ends the script. Called by other code (a
    # hook that took our place, a callback of an event loop) it may not: then it is not held, only printed.
    if sys._getframe().f_back is None and _ready() and _is_reported_kind(kind):
        if _exchange(value, traceback, True, False) == b"Q":
            return
    elif sys._getframe().f_back is not None:
        _reported = None
    _previous(kind, value, traceback)


def _at_exit():
    """For scripts that replaced the hook: the traceback is printed, the report still goes out. For those that ended
    themselves: what they did not find."""
    try:
        _tell_at_exit()
    except BaseException:
        pass


def _tell_at_exit():
    if not _ready():
        return
    value = getattr(sys, "last_value", None)
    if value is not None and value is not _reported and sys.excepthook is not _hook:
        traceback = getattr(value, "__traceback__", getattr(sys, "last_traceback", None))
        if isinstance(value, BaseException) and _is_reported_kind(type(value)) and _ended_by(traceback):
            _exchange(value, traceback, False, False)
            return
    if value is None or value is _reported:
        # A Python that the program started has its own way to deal with an exception only if multiprocessing made it.
        if value is None and _Misses.noted and (_socket_id is not None or "multiprocessing.spawn" in sys.modules):
            _tell_misses()
    elif "_pytest.runner" in sys.modules and isinstance(value, BaseException) and _is_reported_kind(type(value)):
        # A test failed of it; whether that matters the end of the program says.
        _exchange(value, getattr(value, "__traceback__", None), False, True)


def _ended_by(traceback):
    """Whether what came this way left the program: a test runner or a console notes there what it has dealt with."""
    if traceback is None:
        return False
    frame = traceback.tb_frame
    name = frame.f_code.co_filename
    if name == "<frozen runpy>" or name.endswith(os.sep + "runpy.py"):
        return True
    return frame.f_globals is vars(sys.modules["__main__"]) and frame.f_code.co_name == "<module>"


def _is_reported_kind(kind):
    try:
        return issubclass(kind, Exception) and not issubclass(kind, (_BROKEN_PIPE, MemoryError))
    except TypeError:
        return False


def _connection(module, descriptor):
    if sys.version_info[0] == 2:  # its sockets have descriptors of their own
        return module.fromfd(descriptor, module.AF_UNIX, module.SOCK_STREAM)
    return module.socket(module.AF_UNIX, module.SOCK_STREAM, 0, descriptor)


def _exchange(value, traceback, held, at_end):
    """Sends the report; the verdict if it is held, one byte. Anything that goes wrong is the verdict to print."""
    try:
        from omnipkg import _failure

        held = held and _socket_id is not None
        message = _failure.message(value, traceback, held, at_end)
        return b"P" if message is None else _send(message, held)
    except BaseException:
        return b"P"


def _misses():
    """A message: lines of text, a file and the place in it for each frame, innermost first, and an empty line after each
    miss."""
    lines = ["misses", getattr(sys.modules.get("__main__"), "__file__", None) or "-"]
    size = 0
    for name, places in _Misses.noted:
        miss = [name] + ["%d %s" % (line, file) for file, line in places[:24] if "\n" not in file] + [""]
        size += sum(map(len, miss))
        if size > 1 << 15:  # several Pythons may write at once
            break
        lines.extend(miss)
    data = "\n".join(lines)
    data = data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape")
    return bytes(bytearray(len(data) >> shift & 0xFF for shift in (24, 16, 8, 0))) + data


def _tell_misses():
    try:
        _send(_misses(), False)
    except BaseException:
        pass


def _send(message, held):
    global _socket_id
    if _socket_id is None:
        return _leave_behind(message)
    given, _socket_id = _socket_id, None
    connection = None
    try:
        # The C type: scripts replace the one of the socket module.
        import _socket

        if not _is_open(given):
            return b"P"
        connection = _connection(_socket, given[0])
        connection.settimeout(None)
        view = memoryview(message)
        while view:
            # Not SIGPIPE, whatever the script made of that signal.
            view = view[connection.send(view, getattr(_socket, "MSG_NOSIGNAL", 0)) :]
        return connection.recv(1) if held else b"P"
    except BaseException:
        return b"P"
    finally:
        try:
            if connection is not None and hasattr(connection, "detach"):
                connection.detach()
        except BaseException:
            pass


def _leave_behind(message):
    """For `omnipkg run` to find when the program has ended."""
    try:
        if not os.path.isdir(_folder):
            os.mkdir(_folder, 0o700)
        path = os.path.join(_folder, "%d" % os.getpid())
        descriptor = os.open(path + ".part", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, message[4:])
        finally:
            os.close(descriptor)
        os.rename(path + ".part", path)
    except EnvironmentError:
        pass
    return b"P"


_install()
