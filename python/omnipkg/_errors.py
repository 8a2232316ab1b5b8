"""The exceptions of the Python side. Every one says what to do next; nothing is imported here."""


class OmnipkgError(RuntimeError):
    """What everything that omnipkg raises by itself has in common."""


class CommandError(OmnipkgError):
    """The omnipkg program ended with a failure.

    ``message`` is what it said of it, ``hint`` its next step ("" if there is none), ``code`` its exit code (negative: the
    signal that ended it, as `subprocess` has it).
    """

    def __init__(self, message, code, hint=""):
        super(CommandError, self).__init__(message, code, hint)
        self.message = message
        self.code = code
        self.hint = hint

    def __str__(self):
        return "%s\nhint: %s" % (self.message, self.hint) if self.hint else self.message


class ProcessCorruptedException(OmnipkgError):
    """This process has loaded compiled code that no import can replace any more: the work belongs into another one."""


class WorkerError(OmnipkgError):
    """Code in a worker failed, and its exception cannot be had here.

    ``kind`` is the class's name, ``text`` the traceback as the worker would have printed it.
    """

    def __init__(self, message, kind="", text=""):
        super(WorkerError, self).__init__(message, kind, text)
        self.message = message
        self.kind = kind
        self.text = text

    def __str__(self):
        return self.message


class WorkerDied(WorkerError):
    """A worker's process ended before it answered.

    ``code`` is its exit code, or minus the number of the signal that ended it; None if that cannot be told.
    """

    def __init__(self, message, code=None):
        super(WorkerDied, self).__init__(message)
        self.args = (message, code)
        self.code = code


class WorkerTimeout(WorkerError):
    """A worker did not answer in time; it was ended, so that no answer comes late into another call."""


class WorkerClosed(WorkerError):
    """A worker was used after it was closed, or by another process than the one that started it."""


class RemoteTraceback(Exception):
    """The traceback of an exception as the worker would have printed it: the ``__cause__`` of what is raised here."""

    def __init__(self, text):
        super(RemoteTraceback, self).__init__(text)
        self.text = text

    def __str__(self):
        return "\n\n" + self.text.rstrip("\n")
