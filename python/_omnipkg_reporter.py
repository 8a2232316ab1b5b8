"""The failure reporter: tells `omnipkg run` of an uncaught exception and asks whether to print it.

Imported by ``_omnipkg.pth`` when ``OMNIPKG_REPORT=<fd>:<dev>:<ino>`` names a socket of `omnipkg run`; it is not in the
package, whose own import would cost as much again. What must stay true: a start costs next to nothing (nothing is
imported here that the interpreter did not already load); the script sees neither the variable nor a changed traceback;
whatever goes wrong here, the script prints what Python prints. All of it runs under every Python, 2.7 too.
"""

import os
import sys

_socket_id = None  # (fd, device, inode) of the socket, while it may be used
_process = os.getpid()
_thread_id = None
_previous = sys.excepthook
# Python 2 has no such class; there it is an IOError among others.
_BROKEN_PIPE = BrokenPipeError if sys.version_info[0] > 2 else MemoryError
_reported = None  # the exception value that the hook has seen


def _install():
    global _socket_id, _thread_id
    try:
        given = tuple(int(part) for part in os.environ.pop("OMNIPKG_REPORT").split(":"))
        if len(given) != 3 or not _is_open(given):
            return
        _close_on_exec(given[0])
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
    return _socket_id is not None and os.getpid() == _process and _thread() == _thread_id


def _hook(kind, value, traceback):
    global _reported
    _reported = value
    # Called by the interpreter itself, with no Python code below, the exception ends the script. Called by other code (a
    # hook that took our place, a callback of an event loop) it may not: then it is not held, only printed.
    if sys._getframe().f_back is None and _ready() and _is_reported_kind(kind):
        if _exchange(value, traceback, True) == b"Q":
            return
    elif sys._getframe().f_back is not None:
        _reported = None
    _previous(kind, value, traceback)


def _at_exit():
    """For scripts that replaced the hook: the traceback is printed, the report still goes out."""
    value = getattr(sys, "last_value", None)
    if value is None or value is _reported or sys.excepthook is _hook or not _ready():
        return
    traceback = getattr(value, "__traceback__", getattr(sys, "last_traceback", None))
    if isinstance(value, BaseException) and _is_reported_kind(type(value)) and _ended_by(traceback):
        _exchange(value, traceback, False)


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


def _exchange(value, traceback, held):
    """Sends the report; the verdict if it is held, one byte. Anything that goes wrong is the verdict to print."""
    global _socket_id
    given, _socket_id = _socket_id, None
    connection = None
    try:
        # The C type: scripts replace the one of the socket module.
        import _socket

        from omnipkg import _failure

        message = _failure.message(value, traceback, held)
        if message is None or not _is_open(given):
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


_install()
