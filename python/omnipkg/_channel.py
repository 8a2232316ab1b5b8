"""The connection of a caller and its worker: messages over a socket, their large buffers in shared memory.

All large buffers of a message lie in one nameless file whose descriptor goes with the message's first byte: the sender
copies each once, the receiver maps them, nothing of them goes through the socket. What must stay true: a message is read
whole before any of it is unpickled, so that one that cannot be unpickled leaves the stream in order.
"""

import _socket
import errno
import os
import struct

from omnipkg import _memory
from omnipkg._transport import HEADER, LENGTH, PLACE, Message

_DESCRIPTOR = struct.Struct("i")
_CLOSE_ON_EXEC = getattr(_socket, "MSG_CMSG_CLOEXEC", 0x40000000)


class Channel(object):
    """One end of the connection. ``wait(for_writing)`` is called where it would block; what it raises ends the message.

    The other end's end is an EOFError.
    """

    def __init__(self, descriptor, wait):
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, descriptor)
        self._socket.setblocking(False)
        self._wait = wait

    def fileno(self):
        """The socket's descriptor; -1 when it is closed."""
        return self._socket.fileno()

    def close(self):
        """Closes it."""
        self._socket.close()

    def send(self, packer):
        """Sends a message; (bytes through the socket, bytes in shared memory)."""
        parts, descriptor, shared = packer.message()
        try:
            extra = []
            if descriptor is not None:
                extra.append((_socket.SOL_SOCKET, _socket.SCM_RIGHTS, _DESCRIPTOR.pack(descriptor)))
            for part in parts:
                view = memoryview(part)
                while view:
                    view = view[self._send(view, extra) :]
                    extra = []
        finally:
            if descriptor is not None:
                os.close(descriptor)
        return sum(len(part) for part in parts), shared

    def _send(self, view, extra):
        while True:
            try:
                if extra:
                    return self._socket.sendmsg([view], extra, _socket.MSG_NOSIGNAL)
                return self._socket.send(view, _socket.MSG_NOSIGNAL)
            except BlockingIOError:
                self._wait(True)
            except ConnectionError as error:
                raise EOFError(str(error)) from None

    def receive(self):
        """The next message, whole."""
        descriptors = []
        try:
            head = self._receive(HEADER.size, descriptors)
            size, pickles, places, shared = HEADER.unpack(head)
            table = self._receive(pickles * LENGTH.size + places * PLACE.size)
            body = memoryview(self._receive(size))
            view, copied = self._map(descriptors, shared)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        found, buffers, at = [], [], 0
        for number in range(pickles):
            length = LENGTH.unpack_from(table, number * LENGTH.size)[0]
            found.append(body[at : at + length])
            at += length
        for number in range(places):
            offset, length, pickle = PLACE.unpack_from(table, pickles * LENGTH.size + number * PLACE.size)
            buffers.append((view[offset : offset + length], pickle))
        return Message(found, buffers, HEADER.size + len(table) + size, shared, places if copied else 0)

    def _map(self, descriptors, shared):
        if not shared:
            return None, False
        if not descriptors:
            # The kernel leaves them out where this process may open no more.
            raise OSError(errno.EMFILE, "%s: cannot receive shared memory" % os.strerror(errno.EMFILE))
        return _memory.receive(descriptors.pop(), shared)

    def _receive(self, size, descriptors=None):
        data = bytearray(size)
        view = memoryview(data)
        while view:
            try:
                count = self._receive_into(view, descriptors)
            except BlockingIOError:
                self._wait(False)
                continue
            except ConnectionError as error:
                raise EOFError(str(error)) from None
            if not count:
                raise EOFError("the connection was closed")
            view = view[count:]
        return data

    def _receive_into(self, view, descriptors):
        if descriptors is None:
            return self._socket.recv_into(view)
        space = _socket.CMSG_SPACE(_DESCRIPTOR.size)
        count, extra, _, _ = self._socket.recvmsg_into([view], space, _CLOSE_ON_EXEC)
        for level, kind, data in extra:
            if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS):
                descriptors.extend(each[0] for each in _DESCRIPTOR.iter_unpack(data[: len(data) // 4 * 4]))
        return count
