"""Tries every system call that could change a view, and prints how each ended: `name ERRNO`, or `name done`.

Called with a file and a directory of a view, and an empty directory of the caller's own. Each call gets what it needs
afresh, so that one that is not refused does not spoil the next.
"""

import ctypes
import errno
import fcntl
import mmap
import os
import socket
import stat
import sys

FILE, DIRECTORY, OWN = sys.argv[1:]
NEW = os.path.join(DIRECTORY, "new")
FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR, FICLONE = 0x40086602, 0x401C5820, 0x40049409
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2
library = ctypes.CDLL(None, use_errno=True)


def opened(flags, path=FILE):
    return lambda: os.close(os.open(path, flags, 0o644))


def with_descriptor(change, path=FILE):
    """A change through a descriptor that is open for reading."""

    def attempt():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            change(descriptor)
        finally:
            os.close(descriptor)

    return attempt


def map_and_write(descriptor):
    with mmap.mmap(descriptor, 1, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE) as mapped:
        mapped[0] = 0


def own_file(name):
    path = os.path.join(OWN, name)
    with open(path, "wb") as file:
        file.write(b"of the caller")
    return path


def bind_socket():
    # By a descriptor: the path of a socket must be short.
    folder = os.open(DIRECTORY, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("/proc/self/fd/%d/new" % folder)


def rename_with(flags, old, new):
    def attempt():
        if library.renameat2(-100, os.fsencode(old), -100, os.fsencode(new), flags) != 0:
            raise OSError(ctypes.get_errno(), "renameat2")

    return attempt


def may_write(path):
    def attempt():
        if library.access(os.fsencode(path), os.W_OK) != 0:
            raise OSError(ctypes.get_errno(), "access")

    return attempt


def copy_into(descriptor):
    source = os.open(own_file("source"), os.O_RDONLY)
    os.copy_file_range(source, descriptor, 3)


def clone_into(descriptor):
    fcntl.ioctl(descriptor, FICLONE, os.open(own_file("source"), os.O_RDONLY))


CHANGES = {
    "open to write": opened(os.O_WRONLY),
    "open to read and write": opened(os.O_RDWR),
    "open to append": opened(os.O_WRONLY | os.O_APPEND),
    "open to truncate": opened(os.O_RDONLY | os.O_TRUNC),
    "create": opened(os.O_WRONLY | os.O_CREAT, NEW),
    "create exclusively": opened(os.O_WRONLY | os.O_CREAT | os.O_EXCL, NEW),
    "create for a moment": opened(os.O_WRONLY | os.O_TMPFILE, DIRECTORY),
    "open again to write": with_descriptor(lambda fd: os.open("/proc/self/fd/%d" % fd, os.O_WRONLY)),
    "write to what is open to read": with_descriptor(lambda fd: os.write(fd, b"x")),
    "map to write": with_descriptor(map_and_write),
    "truncate": lambda: os.truncate(FILE, 0),
    "truncate what is open to read": with_descriptor(lambda fd: os.ftruncate(fd, 0)),
    "allocate": with_descriptor(lambda fd: os.posix_fallocate(fd, 0, 1 << 20)),
    "copy a range": with_descriptor(copy_into),
    "clone": with_descriptor(clone_into),
    "unlink": lambda: os.unlink(FILE),
    "rmdir": lambda: os.rmdir(DIRECTORY),
    "mkdir": lambda: os.mkdir(NEW),
    "mkfifo": lambda: os.mkfifo(NEW),
    "mknod": lambda: os.mknod(NEW, stat.S_IFREG | 0o644),
    "bind a socket": bind_socket,
    "symlink": lambda: os.symlink("x", NEW),
    "link": lambda: os.link(FILE, NEW),
    "link in": lambda: os.link(own_file("link"), NEW),
    "rename": lambda: os.rename(FILE, NEW),
    "rename a directory": lambda: os.rename(DIRECTORY, DIRECTORY + "-new"),
    "rename over": lambda: os.rename(own_file("over"), FILE),
    "rename out": lambda: os.rename(FILE, os.path.join(OWN, "out")),
    "rename if free": rename_with(RENAME_NOREPLACE, FILE, NEW),
    "exchange": rename_with(RENAME_EXCHANGE, FILE, own_file("exchanged")),
    "chmod": lambda: os.chmod(FILE, 0o777),
    "chmod by descriptor": with_descriptor(lambda fd: os.fchmod(fd, 0o777)),
    "chmod a directory": lambda: os.chmod(DIRECTORY, 0o777),
    "chown": lambda: os.chown(FILE, os.geteuid(), os.getegid()),
    "chown by descriptor": with_descriptor(lambda fd: os.fchown(fd, os.geteuid(), os.getegid())),
    "set times": lambda: os.utime(FILE, (1, 1)),
    "set times to now": lambda: os.utime(FILE),
    "set times by descriptor": with_descriptor(lambda fd: os.utime(fd, (1, 1))),
    "set an attribute": lambda: os.setxattr(FILE, "user.new", b"x"),
    "set an attribute by descriptor": with_descriptor(lambda fd: os.setxattr(fd, "user.new", b"x")),
    "remove an attribute": lambda: os.removexattr(FILE, "user.new"),
    "set flags": with_descriptor(lambda fd: fcntl.ioctl(fd, FS_IOC_SETFLAGS, bytes(8))),
    "set more flags": with_descriptor(lambda fd: fcntl.ioctl(fd, FS_IOC_FSSETXATTR, bytes(28))),
    "may write": may_write(FILE),
    "may write a directory": may_write(DIRECTORY),
}


def restore():
    """Takes back what was not refused, as far as the next call needs it."""
    for undo in (
        lambda: os.rename(DIRECTORY + "-new", DIRECTORY),
        lambda: os.unlink(NEW),
        lambda: os.rmdir(NEW),
        lambda: os.rename(os.path.join(OWN, "out"), FILE),
        lambda: os.chmod(FILE, 0o444),
        lambda: os.chmod(DIRECTORY, 0o555),
    ):
        try:
            undo()
        except OSError:
            pass
    if os.access(DIRECTORY, os.W_OK) and not (os.path.exists(FILE) and os.path.getsize(FILE)):
        with open(FILE, "wb") as file:
            file.write(b"again")


def main():
    for name, change in CHANGES.items():
        try:
            restore()
            change()
            print(name, "done")
        except AttributeError:
            # os has had some calls since 3.8 only.
            print(name, "unknown")
        except OSError as error:
            print(name, errno.errorcode[error.errno])


main()
