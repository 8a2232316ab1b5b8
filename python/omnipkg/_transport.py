"""Messages between a caller and its worker: pickles, and the large buffers that stand beside them (``_channel.py``).

What must stay true: a large buffer is never part of a pickle, and one that stands there twice is sent once; nothing here
refers to itself in a circle, so that memory is given back as soon as nobody uses it.
"""

import io
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

HEADER = struct.Struct("!QQQQ")  # bytes of pickles, number of pickles, number of buffers, bytes of shared memory
LENGTH = struct.Struct("!Q")
PLACE = struct.Struct("!QQQ")  # offset and length of a buffer, and which pickle's own (by pickle 5) it is, counted from 1


class Packer(object):
    """One message in the making: pickles, and the large buffers beside them.

    ``travels(value)`` is asked about functions and classes: a key that is sent in their place, or None.
    """

    def __init__(self, protocol, travels=None):
        self._protocol = protocol
        self._travels = travels
        self._pickles = []
        self._buffers = []  # (view, number of the pickle that it belongs to by pickle 5, or 0)
        self._named = {}  # id of a value that stands beside this pickle -> (its number, the value)
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
        pickler = _Pickler(file, self)
        try:
            pickler.dump(value)
        except BaseException:
            del self._buffers[begun:]
            raise
        finally:
            pickler.let_go()
            self._named.clear()
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

    def _once(self, value, identity):
        """Names a value; the same one again in the same pickle is only named, and is one there too."""
        self._named[id(value)] = len(self._named), value
        return identity

    def _again(self, value):
        return ("r", self._named[id(value)][0])

    def _bytes(self, value):
        if id(value) in self._named:
            return self._again(value)
        index = self._share(memoryview(value))
        return None if index is None else self._once(value, ("b", index))

    def _bytearray(self, value):
        if id(value) in self._named:
            return self._again(value)
        index = self._share(memoryview(value))
        return None if index is None else self._once(value, ("y", index))

    def _array(self, value):
        if id(value) in self._named:
            return self._again(value)
        apart = _arrays.taken_apart(value)
        if apart is None:
            return None
        dtype, shape, order, view, copied = apart
        self._made_whole += copied
        index = self._share(view)
        return self._once(value, ("a", dtype, shape, order, view.tobytes() if index is None else index))

    def _stand_in(self, value):
        if value.is_scalar:
            return ("s", value.dtype, value.tobytes())
        if id(value) in self._named:
            return self._again(value)
        index = self._share(value.buffer)
        data = value.tobytes() if index is None else index
        return self._once(value, ("a", value.dtype, value.shape, value.order, data))

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
            table.append(PLACE.pack(offset, view.nbytes, pickle))
            offset = _memory.aligned(offset + view.nbytes)
        lengths = [len(each) for each in self._pickles]
        head = HEADER.pack(sum(lengths), len(lengths), len(table), offset)
        parts = [head + b"".join(map(LENGTH.pack, lengths)) + b"".join(table)] + self._pickles
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

    def let_go(self):
        """Before Python 3.8 a pickler refers to itself: what it holds would stay until the next collection."""
        self.clear_memo()
        vars(self).clear()

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
        options = {}
        if PROTOCOL >= 5:
            options["buffers"] = [view for view, pickle in self._buffers if pickle == index + 1]
        unpickler = _Unpickler(file, self, **options)
        try:
            return unpickler.load()
        finally:
            unpickler.let_go()

    def value(self, identity, named):
        """What stands for a value that was not pickled; `named` are those of this pickle that may come again."""
        kind = identity[0]
        if kind == "r":
            return named[identity[1]]
        if kind == "s":
            return _arrays.scalar(*identity[1:])
        if kind == "d":
            return self.definition(identity[1])
        if kind == "a":
            dtype, shape, order, data = identity[1:]
            found = _arrays.array(dtype, shape, order, self._buffers[data][0] if type(data) is int else data)
        else:
            self.copies += 1
            found = (bytes if kind == "b" else bytearray)(self._buffers[identity[1]][0])
        named.append(found)
        return found


class _Unpickler(Unpickler):
    def __init__(self, file, message, **options):
        self._message = message
        self._named = []
        Unpickler.__init__(self, file, **options)

    def let_go(self):
        """As `_Pickler.let_go`."""
        self.memo.clear()
        vars(self).clear()

    def persistent_load(self, identity):
        return self._message.value(identity, self._named)

    def find_class(self, module, name):
        found = None
        for each in _modules(module):
            try:
                return Unpickler.find_class(self, each, name)
            except (ImportError, AttributeError) as error:
                found = found or error
        raise found


def _modules(module):
    """Where a module's names may be: numpy 2 renamed some that its own pickles (objects, masked arrays, records) name."""
    if module.startswith(("numpy.core", "numpy._core")):
        renamed = module.replace("numpy.core", "numpy._core", 1)
        return renamed, renamed.replace("numpy._core", "numpy.core", 1)
    return (module, "numpy.core.records") if module == "numpy.rec" else (module,)


def read_alone(pickle):
    """Unpickles what `Packer.alone` gave."""
    return Message([pickle], [], 0, 0, 0).read(0)
