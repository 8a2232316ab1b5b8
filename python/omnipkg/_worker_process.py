"""A worker's process: starting it, waiting for it, knowing that it ended, ending it.

What must stay true: whoever waits for an answer learns of the process's end at once, whoever else may still hold the other
end of the socket; a forked child of the caller never touches it.
"""

import _socket
import os
import select
import signal
import subprocess
import time
import weakref

from omnipkg import _channel
from omnipkg._errors import WorkerClosed, WorkerDied, WorkerTimeout

# `-m` would put the working directory in front of everything that the worker imports.
START = (
    "import sys; sys.path[:1] = [] if sys.path[:1] == [''] else sys.path[:1]; "
    "from omnipkg._worker_main import main; main(%d)"
)
# How often the end of a process is looked for where Python has no descriptor for it (before 3.9), in milliseconds.
LOOK = 20
GRACE = 2.0

_all = weakref.WeakSet()


class Late(Exception):
    """The deadline has passed."""


def _weak_wait(process):
    """What the channel waits by: it must not keep the process from being collected."""
    return lambda for_writing: process().wait(for_writing)


class Process(object):
    """The process and its socket. ``name`` is what errors call it."""

    def __init__(self, python, environment, name):
        self.name = name
        self.owner = os.getpid()
        self.deadline = None
        self.ended = None  # the error that every later use gets
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            self._popen = subprocess.Popen(
                [python, "-c", START % theirs.fileno()], stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
                env=environment)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.pid = self._popen.pid
        self.channel = _channel.Channel(ours.detach(), _weak_wait(weakref.ref(self)))
        try:
            self._watched = os.pidfd_open(self.pid)
        except (AttributeError, OSError):
            self._watched = None
        self._finish = weakref.finalize(
            self, _end, self._popen, self.channel, self._watched, self.owner)
        _all.add(self)

    @property
    def alive(self):
        """Whether the process runs."""
        return self.ended is None and self._popen.poll() is None

    def wait(self, for_writing):
        """Until the socket is ready; raises if the process ends before, or at the deadline."""
        wanted = select.POLLOUT if for_writing else select.POLLIN
        poll = select.poll()
        poll.register(self.channel.fileno(), wanted)
        if self._watched is not None:
            poll.register(self._watched, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll(self._patience())]
            if self.channel.fileno() in ready:
                return
            if self._watched in ready or (self._watched is None and self._popen.poll() is not None):
                # It may have answered and ended at once.
                if self.channel.fileno() in [descriptor for descriptor, _ in poll.poll(0)]:
                    return
                raise EOFError("the process ended")
            if self.deadline is not None and time.monotonic() >= self.deadline:
                raise Late()

    def _patience(self):
        left = None if self.deadline is None else max(0, int((self.deadline - time.monotonic()) * 1000) + 1)
        if self._watched is not None:
            return left
        return LOOK if left is None else min(LOOK, left)

    def died(self, doing):
        """Makes its end certain, and gives the error that tells it."""
        try:
            code = self._popen.wait(GRACE)
        except subprocess.TimeoutExpired:
            # Alive, and nobody can talk to it.
            self.kill()
            code, how = None, "closed its connection"
        else:
            how = "ended with exit code %d" % code if code >= 0 else "was ended by %s" % _signal_name(-code)
        self.kill()
        self.ended = WorkerDied("%s %s%s" % (self.name, how, doing), code)
        return self.ended

    def late(self, doing, seconds):
        """Ends it because it took too long, and gives the error that tells it."""
        self.kill()
        self.ended = WorkerTimeout("%s did not answer within %g s%s, and was ended" % (self.name, seconds, doing))
        return self.ended

    def stop(self):
        """Ends it at once, and leaves the rest to the thread that waits for it."""
        if self._popen.poll() is None:
            self._popen.kill()

    def kill(self):
        """Ends it at once."""
        self.stop()
        self._finish()

    def close(self, why):
        """Lets it end by itself, and ends it if it does not."""
        self.ended = self.ended or WorkerClosed("%s %s" % (self.name, why))
        self._finish()

    def resident(self):
        """The memory that it has in use, in bytes; 0 if it ended."""
        try:
            with open("/proc/%d/statm" % self.pid, "rb") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            return 0

    def forget(self):
        """In a forked child: lets go of what is the parent's."""
        self._finish()


def _end(popen, channel, watched, owner):
    channel.close()
    if watched is not None:
        os.close(watched)
    if os.getpid() != owner:
        # It cannot be waited for here, and need not be.
        popen.returncode = 0
        return
    try:
        popen.wait(GRACE)
    except subprocess.TimeoutExpired:
        popen.kill()
        popen.wait()


def _signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number


def _after_fork():
    for each in list(_all):
        each.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
