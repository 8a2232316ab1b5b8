"""numpy's arrays and scalars in a form that says nothing of numpy: any version of it, or none, can read them.

numpy's own pickles name its private modules, which move between versions. What must stay true: nothing here imports numpy
in a process that sends, and a process without numpy gives on what it was sent, unchanged.
"""

import sys

# Of these kinds a value without numpy is a number or text of Python's own, with nothing lost.
_FORMATS = {
    "b1": "?", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "f2": "e",
    "f4": "f", "f8": "d",
}


class Array(object):
    """An array in a process that has no numpy: its bytes, and what they mean.

    ``dtype`` is numpy's text for it (``"<f8"``; a tuple for records), ``shape`` a tuple, ``order`` "C" or "F", ``buffer`` a
    memoryview of the elements. numpy takes it as it is (`numpy.asarray`), and so does a worker.
    """

    __slots__ = ("dtype", "shape", "order", "buffer", "is_scalar")

    def __init__(self, dtype, shape, order, buffer, is_scalar=False):
        self.dtype, self.shape, self.order, self.is_scalar = dtype, shape, order, is_scalar
        self.buffer = memoryview(buffer)

    @property
    def nbytes(self):
        """How many bytes its elements have."""
        return self.buffer.nbytes

    @property
    def size(self):
        """How many elements it has."""
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def __array_interface__(self):
        if not isinstance(self.dtype, str):
            raise AttributeError("an array of records is read by numpy only in a worker")
        found = {"version": 3, "shape": self.shape, "typestr": self.dtype, "data": self.buffer}
        if self.order == "F":
            strides, step = [], self.buffer.nbytes // max(self.size, 1)
            for length in self.shape:
                strides.append(step)
                step *= length
            found["strides"] = tuple(strides)
        return found

    def tobytes(self):
        """A copy of its bytes, in the array's own order."""
        return self.buffer.tobytes()

    def tolist(self):
        """Its numbers as (nested) lists, as numpy would give them."""
        form = isinstance(self.dtype, str) and _native_format(self.dtype)
        if not form:
            raise TypeError("elements of %r cannot be read without numpy" % (self.dtype,))
        flat = self.buffer.cast("B").cast(form).tolist() if self.nbytes else []
        shape = self.shape if self.order == "C" else self.shape[::-1]
        nested = _nested(flat, shape)
        return nested if self.order == "C" or len(shape) < 2 else _transposed(nested, len(shape))

    def __len__(self):
        if not self.shape:
            raise TypeError("len() of an array without dimensions")
        return self.shape[0]

    def __repr__(self):
        return "<omnipkg Array %r, shape %r, %d bytes>" % (self.dtype, self.shape, self.nbytes)

    def __reduce__(self):
        return Array, (self.dtype, self.shape, self.order, self.tobytes(), self.is_scalar)


def _native_format(dtype):
    native = "<" if sys.byteorder == "little" else ">"
    return _FORMATS.get(dtype[1:]) if dtype[:1] in (native, "|", "=") else None


def _nested(flat, shape):
    if not shape:
        return flat[0]
    for length in reversed(shape[1:]):
        flat = [flat[at : at + length] for at in range(0, len(flat), length)] if length else [[]] * shape[0]
    return flat


def _transposed(nested, dimensions):
    """The axes turned round: what is nested by the last axis first, nested by the first axis first."""
    if dimensions < 2:
        return nested
    inner = [_transposed(each, dimensions - 1) for each in nested]
    return _swap_in(inner, dimensions)


def _swap_in(inner, dimensions):
    if dimensions == 1:
        return inner
    return [_swap_in(list(each), dimensions - 1) for each in zip(*inner)]


def numpy():
    """numpy, if this process has loaded it whole."""
    module = sys.modules.get("numpy")
    return module if hasattr(module, "ndarray") and hasattr(module, "generic") else None


def described(dtype, module):
    """A dtype as text and tuples; None if only numpy's own pickle can tell it (objects, other libraries' types)."""
    if dtype.hasobject or dtype.metadata:
        return None
    if dtype.subdtype is not None:
        inner = described(dtype.subdtype[0], module)
        return inner and ("sub", inner, dtype.subdtype[1])
    if dtype.names is None:
        try:
            return dtype.str if module.dtype(dtype.str) == dtype else None
        except TypeError:
            return None
    fields = []
    for name in dtype.names:
        field = dtype.fields[name]
        inner = described(field[0], module)
        if inner is None:
            return None
        fields.append((name, inner, field[1], field[2] if len(field) > 2 else None))
    return ("fields", fields, dtype.itemsize, dtype.isalignedstruct)


def _dtype(description, module):
    if isinstance(description, str):
        return module.dtype(description)
    if description[0] == "sub":
        return module.dtype((_dtype(description[1], module), description[2]))
    fields, itemsize, aligned = description[1:]
    spec = {
        "names": [each[0] for each in fields],
        "formats": [_dtype(each[1], module) for each in fields],
        "offsets": [each[2] for each in fields],
        "itemsize": itemsize,
    }
    if any(each[3] is not None for each in fields):
        spec["titles"] = [each[3] for each in fields]
    return module.dtype(spec, align=aligned)


def taken_apart(array):
    """(dtype, shape, order, view of the bytes, copied) of an ndarray; None if it must be pickled by numpy itself."""
    module = numpy()
    dtype = described(array.dtype, module)
    if dtype is None:
        return None
    order, copied = "C", False
    if not array.flags.c_contiguous:
        if array.flags.f_contiguous:
            order = "F"
        else:
            array, copied = array.copy("C"), True
    flat = (array.T if order == "F" else array).reshape(-1)
    data = memoryview(flat.view(module.uint8)) if flat.nbytes else memoryview(b"")
    return dtype, array.shape, order, data, copied


def scalar_apart(value):
    """(dtype, bytes) of a numpy scalar; None if it must be pickled by numpy itself."""
    dtype = described(value.dtype, numpy())
    return dtype and (dtype, value.tobytes())


def _import_numpy():
    module = numpy()
    if module is None:
        try:
            import numpy as module
        except ImportError:
            return None
    return module


def array(dtype, shape, order, buffer):
    """An ndarray over a buffer; a stand-in where there is no numpy."""
    module = _import_numpy()
    if module is None:
        return Array(dtype, shape, order, buffer)
    made = module.ndarray(shape, _dtype(dtype, module), buffer=buffer, order=order)
    # Small ones came as bytes, which nobody may write to.
    return made if made.flags.writeable else made.copy("K")


def scalar(dtype, data):
    """A numpy scalar; where there is no numpy a number or text of Python's own, or a stand-in."""
    module = _import_numpy()
    if module is not None:
        return module.ndarray((), _dtype(dtype, module), buffer=bytearray(data))[()]
    form = isinstance(dtype, str) and _native_format(dtype)
    if form:
        return memoryview(data).cast(form)[0] if form != "e" else _half(data)
    if isinstance(dtype, str) and dtype[1] == "S":
        return data.rstrip(b"\0")
    if isinstance(dtype, str) and dtype[1] == "U":
        return data.decode("utf-32-le" if sys.byteorder == "little" else "utf-32-be").rstrip("\0")
    if isinstance(dtype, str) and dtype[1:] in ("c8", "c16"):
        return complex(*memoryview(data).cast("f" if dtype[1:] == "c8" else "d"))
    return Array(dtype, (), "C", data, True)


def _half(data):
    import struct

    return struct.unpack("=e", data)[0]
