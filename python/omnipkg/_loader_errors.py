"""What can go wrong with `omnipkgLoader`; each error says what to do next."""

from omnipkg._errors import OmnipkgError, ProcessCorruptedException


class NotAvailableError(OmnipkgError, ImportError):
    """Nothing can be had that answers the requirements."""

    def __init__(self, requirements, reason):
        self.requirements = list(requirements)
        self.reason = reason
        OmnipkgError.__init__(
            self, "%s is not available: %s\ntry: omnipkg install %s" % (
                ", ".join(requirements), reason.rstrip(), " ".join(_quoted(text) for text in requirements)))

    def __reduce__(self):
        return type(self), (self.requirements, self.reason)


class OutsideViewError(OmnipkgError):
    """This Python belongs to no environment of omnipkg."""


class CompiledPackageError(ProcessCorruptedException):
    """A compiled package is loaded in this process in another version; a process can load only one."""

    def __init__(self, project, loaded, wanted, requirements):
        self.project, self.loaded, self.wanted = project, loaded, wanted
        self.requirements = list(requirements)
        shown = self.requirements[0] if len(self.requirements) == 1 else self.requirements
        ProcessCorruptedException.__init__(
            self, "%s %s is loaded in this process and is compiled: %s cannot be loaded beside it. Another process can: "
            "from omnipkg.worker import Worker; Worker(%s)" % (project, loaded, wanted, _shown(shown)))

    def __reduce__(self):
        return type(self), (self.project, self.loaded, self.wanted, self.requirements)

    def worker(self, **options):
        """A worker that has what was asked for."""
        from omnipkg.worker import Worker

        return Worker(self.requirements, **options)


class ThreadConflictError(OmnipkgError):
    """Another thread is in an activation that this one contradicts."""

    def __init__(self, what, requirements, thread, holder):
        self.what, self.thread, self.holder = what, thread, holder
        self.requirements = list(requirements)
        shown = self.requirements[0] if len(self.requirements) == 1 else self.requirements
        OmnipkgError.__init__(
            self, "%s in %s, so %s cannot have %s at the same time: sys.path and sys.modules are shared by all threads of "
            "a process. Another process has its own: from omnipkg.worker import Worker; Worker(%s)" % (
                what, holder, thread, ", ".join(self.requirements), _shown(shown)))

    def __reduce__(self):
        return type(self), (self.what, self.requirements, self.thread, self.holder)

    def worker(self, **options):
        """A worker that has what was asked for."""
        from omnipkg.worker import Worker

        return Worker(self.requirements, **options)


def _shown(value):
    if isinstance(value, str):
        return '"%s"' % value
    return "[%s]" % ", ".join('"%s"' % text for text in value)


def _quoted(text):
    return text if all(character.isalnum() or character in "._-=[]~!," for character in text) else "'%s'" % text
