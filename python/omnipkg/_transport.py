"""Messages between a caller and its worker: pickles over a socket, and large buffers beside them in shared memory.

All large buffers of a message lie in one nameless file whose descriptor goes with the message's first byte: the sender
copies each once, the receiver maps them, nothing of them goes through the socket. What must stay true: a message is read
whole before any of it is unpickled, so that one that cannot be unpickled leaves the stream in order; nothing here refers
to itself in a circle, so that memory is given back as soon as nobody uses it.
"""

import _socket
import errno
import io
import os
import struct

from omnipkg import _arrays, _memory

try:
    from _pickle import PickleBuffer, Pickler, Unpickler
except ImportError:
    from pickle import Pickler, Unpickler

    PickleBuffer = None

LARGE = 64 << 10
# Before Python 3.8 (protocol 5) only what is named below goes beside the pickle.
PROTOCOL = 4 if PickleBuffer is None else 5
FUNCTION = type(_memory.aligned)

_HEADER = struct.Struct("!QQQQ")  # bytes of pickles, number of pickles, number of buffers, bytes of shared memory
_LENGTH = struct.Struct("!Q")
_PLACE = struct.Struct("!QQQ")  # offset and length of a buffer, and which pickle's own (by pickle 5) it is, counted from 1
_DESCRIPTOR = struct.Struct("i")
_CLOSE_ON_EXEC = getattr(_socket, "MSG_CMSG_CLOEXEC", 0x40000000)


class Packer(object):
    """One message in the making: pickles, and the large buffers beside them.

    ``travels(value)`` is asked about functions and classes: a key that is sent in their place, or None.
    """

    def __init__(self, protocol, travels=None):
        self._protocol = protocol
        self._travels = travels
        self._pickles = []
        self._buffers = []  # (view, number of the pickle that it belongs to by pickle 5, or 0)
        self._numpy = _arrays.numpy()
        self._made_whole = 0

    def trial(self):
        """A packer of another message, to find out what cannot be sent."""
        return Packer(self._protocol, self._travels)

    @property
    def copies(self):
        """How often large buffers are copied to send what is in the message so far."""
        return self._made_whole + len(self._buffers)

    def alone(self):
        """The first pickle for `read_alone`; None if it has buffers beside it."""
        return None if self._buffers else bytes(self._pickles[0])

    def add(self, value):
        """Pickles a value as the next of the message."""
        file = io.BytesIO()
        begun = len(self._buffers)
        try:
            _Pickler(file, self).dump(value)
        except BaseException:
            del self._buffers[begun:]
            raise
        self._pickles.append(file.getvalue())

    def handler(self, kind):
        """What is asked for the identity of values of a type, or None."""
        if kind is bytes:
            return self._bytes
        if kind is bytearray:
            return self._bytearray
        if kind is _arrays.Array:
            return self._stand_in
        if self._numpy is not None:
            if kind is self._numpy.ndarray:
                return self._array
            if issubclass(kind, self._numpy.generic) and kind.__module__ == "numpy":
                return self._scalar
        if self._travels is not None and (kind is FUNCTION or issubclass(kind, type)):
            return self._definition
        return None

    def _share(self, view, pickle=0):
        """The number of a large buffer; None for a small one."""
        if view.nbytes < LARGE:
            return None
        self._buffers.append((view, pickle))
        return len(self._buffers) - 1

    def _bytes(self, value):
        index = self._share(memoryview(value))
        return None if index is None else ("b", index)

    def _bytearray(self, value):
        index = self._share(memoryview(value))
        return None if index is None else ("y", index)

    def _array(self, value):
        apart = _arrays.taken_apart(value)
        if apart is None:
            return None
        dtype, shape, order, view, copied = apart
        self._made_whole += copied
        index = self._share(view)
        return ("a", dtype, shape, order, view.tobytes() if index is None else index)

    def _stand_in(self, value):
        if value.is_scalar:
            return ("s", value.dtype, value.tobytes())
        index = self._share(value.buffer)
        return ("a", value.dtype, value.shape, value.order, value.tobytes() if index is None else index)

    def _scalar(self, value):
        apart = _arrays.scalar_apart(value)
        return None if apart is None else ("s",) + apart

    def _definition(self, value):
        key = self._travels(value)
        return None if key is None else ("d", key)

    def _is_in_band(self, buffer):
        """pickle 5's question about the buffer of any other object."""
        try:
            return self._share(buffer.raw(), len(self._pickles) + 1) is None
        except BufferError:
            return True

    def message(self):
        """(what is to be sent, the descriptor of the shared memory or None, its size)."""
        offset, table = 0, []
        for view, pickle in self._buffers:
            table.append(_PLACE.pack(offset, view.nbytes, pickle))
            offset = _memory.aligned(offset + view.nbytes)
        lengths = [len(each) for each in self._pickles]
        head = _HEADER.pack(sum(lengths), len(lengths), len(table), offset)
        parts = [head + b"".join(map(_LENGTH.pack, lengths)) + b"".join(table)] + self._pickles
        descriptor = _memory.create([view for view, _ in self._buffers]) if table else None
        return parts, descriptor, offset


class _Pickler(Pickler):
    def __init__(self, file, packer):
        self._handler = packer.handler
        self._handlers = {}
        if packer._protocol >= 5:
            Pickler.__init__(self, file, 5, buffer_callback=packer._is_in_band)
        else:
            Pickler.__init__(self, file, packer._protocol)

    def persistent_id(self, value):
        # Asked for each value of a message: one look-up must be enough.
        try:
            handler = self._handlers[type(value)]
        except KeyError:
            handler = self._handlers[type(value)] = self._handler(type(value))
        return None if handler is None else handler(value)


class Message(object):
    """One received message, each pickle of which is read when it is wanted.

    ``definition(key)`` gives what the key of a function or class that travels stands for.
    """

    def __init__(self, pickles, buffers, in_band, shared, copies):
        self._pickles = pickles
        self._buffers = buffers  # (view, number of the pickle that it belongs to by pickle 5, or 0)
        self.in_band, self.shared, self.copies = in_band, shared, copies
        self.definition = None

    def __len__(self):
        return len(self._pickles)

    def read(self, index):
        """Unpickles one."""
        file = io.BytesIO(self._pickles[index])
        if PROTOCOL < 5:
            return _Unpickler(file, self).load()
        own = [view for view, pickle in self._buffers if pickle == index + 1]
        return _Unpickler(file, self, buffers=own).load()

    def value(self, identity):
        """What stands for a value that was not pickled."""
        kind = identity[0]
        if kind == "a":
            dtype, shape, order, data = identity[1:]
            return _arrays.array(dtype, shape, order, self._buffers[data][0] if type(data) is int else data)
        if kind == "s":
            return _arrays.scalar(*identity[1:])
        if kind == "d":
            return self.definition(identity[1])
        self.copies += 1
        return (bytes if kind == "b" else bytearray)(self._buffers[identity[1]][0])


class _Unpickler(Unpickler):
    def __init__(self, file, message, **options):
        self._message = message
        Unpickler.__init__(self, file, **options)

    def persistent_load(self, identity):
        return self._message.value(identity)

    def find_class(self, module, name):
        # What numpy pickles by itself (objects, masked arrays) names modules that were renamed with numpy 2.
        if module.startswith(("numpy.core", "numpy._core")):
            renamed = module.replace("numpy.core", "numpy._core", 1)
            for each in (renamed, renamed.replace("numpy._core", "numpy.core", 1)):
                try:
                    return Unpickler.find_class(self, each, name)
                except ImportError:
                    continue
        return Unpickler.find_class(self, module, name)


def read_alone(pickle):
    """Unpickles what `Packer.alone` gave."""
    return Message([pickle], [], 0, 0, 0).read(0)


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
            head = self._receive(_HEADER.size, descriptors)
            size, pickles, places, shared = _HEADER.unpack(head)
            table = self._receive(pickles * _LENGTH.size + places * _PLACE.size)
            body = memoryview(self._receive(size))
            view, copied = self._map(descriptors, shared)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        found, buffers, at = [], [], 0
        for number in range(pickles):
            length = _LENGTH.unpack_from(table, number * _LENGTH.size)[0]
            found.append(body[at : at + length])
            at += length
        for number in range(places):
            offset, length, pickle = _PLACE.unpack_from(table, pickles * _LENGTH.size + number * _PLACE.size)
            buffers.append((view[offset : offset + length], pickle))
        return Message(found, buffers, _HEADER.size + len(table) + size, shared, places if copied else 0)

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
