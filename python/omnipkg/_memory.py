"""Memory that is handed to another process as a descriptor: written once by the sender, mapped by the receiver.

What must stay true: the receiver may write to what it mapped and the sender never sees it (private mapping), and once a
descriptor is sent, nobody can write to its file any more (the sender keeps neither the descriptor nor a mapping).
"""

import errno
import io
import mmap
import os

ALIGNMENT = 64
# Each mapping holds a descriptor of its own before Python 3.13, and a process may have about a thousand.
MAPPINGS = 256

_mapped = 0


def aligned(size):
    """The next multiple of the alignment."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def create(buffers):
    """A descriptor of a nameless file that holds byte views, each at the next aligned offset."""
    last = None
    try:
        for make in (_memfd, _shared_memory, _temporary_file):
            descriptor = None
            try:
                descriptor = make()
                _fill(descriptor, buffers)
                return descriptor
            except (OSError, AttributeError) as error:
                last = error
                if descriptor is not None:
                    os.close(descriptor)
                # A full /dev/shm (64 MiB in many containers) is no reason to fail where a disk has room.
                if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
                    break
        raise last
    finally:
        # An error and this frame refer to each other: the buffers would stay until the next collection.
        last = None


def _memfd():
    return os.memfd_create("omnipkg", os.MFD_CLOEXEC)


def _shared_memory():
    return os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)


def _temporary_file():
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _fill(descriptor, buffers):
    offset = 0
    for buffer in buffers:
        at = offset
        while buffer:
            written = os.pwrite(descriptor, buffer, at)
            buffer = buffer[written:]
            at += written
        offset = aligned(at)
    os.ftruncate(descriptor, max(offset, 1))


class _Mapping(mmap.mmap):
    def __del__(self):
        global _mapped
        _mapped -= 1


def receive(descriptor, size):
    """A writable view of a received file, and whether it had to be copied; the descriptor is closed."""
    global _mapped
    try:
        if _mapped < MAPPINGS:
            # Counted first: one that cannot be mapped is made and taken away all the same.
            _mapped += 1
            try:
                access = mmap.PROT_READ | mmap.PROT_WRITE
                return memoryview(_Mapping(descriptor, size, flags=mmap.MAP_PRIVATE, prot=access)), False
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE):
                    raise
        return _read(descriptor, size), True
    finally:
        os.close(descriptor)


def _read(descriptor, size):
    data = memoryview(bytearray(size))
    with io.FileIO(descriptor, "r", closefd=False) as file:
        at = 0
        while at < size:
            count = file.readinto(data[at:])
            if not count:
                raise EOFError("a shared file of a worker is shorter than it should be")
            at += count
    return data
