"""Conversions between Arrow, numpy and Python values that do not import pandas.

``pyarrow.array``, ``pyarrow.scalar``, ``Array.to_numpy`` and kernels that are called with a Python value import pandas where it is
installed, to recognise its values (pyarrow 14 to 26). Each new worker of Spark would spend more time on that than on the import of
this package and pyarrow. The functions of this module never do, and are called instead of those.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.types as t

Bool = npt.NDArray[np.bool_]

_EPOCH = dt.date(1970, 1, 1)


def from_numpy(values: npt.NDArray[Any], null: Bool | None = None) -> pa.Array:
    """Returns an Arrow array over the memory of numbers or booleans.

    Args:
        values: one-dimensional array.
        null: mask of the rows that are null; None: no row.

    >>> from_numpy(np.array([1, 2]), np.array([False, True])).to_pylist()
    [1, None]
    """
    data = np.packbits(values, bitorder="little") if values.dtype == np.bool_ else np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [_validity(null), pa.py_buffer(data)])


def from_texts(texts: Sequence[str | None]) -> pa.Array:
    """Returns an array of strings.

    Args:
        texts: the strings; None is null.

    Raises:
        OverflowError: the strings have more than 2 GiB.

    >>> from_texts(["true", None, "ß"]).to_pylist()
    ['true', None, 'ß']
    """
    encoded = [b"" if text is None else text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    if ends[-1] > np.iinfo(np.int32).max:
        raise OverflowError(f"an array of strings cannot hold {ends[-1]} bytes")
    null = np.fromiter((text is None for text in texts), np.bool_, len(encoded))
    buffers = pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(b"".join(encoded)), _validity(null)
    return pa.StringArray.from_buffers(len(encoded), *buffers)


def from_values(values: Sequence[Any], dtype: pa.DataType) -> pa.Array:
    """Returns an array of a type as ``pyarrow.array`` does, of values as it takes them.

    Types other than strings, booleans, numbers, dates and times are left to ``pyarrow.array``, and so is the report of a value
    that is not of the type.

    >>> from_values([7, None], pa.int16()).to_pylist(), from_values(["a"], pa.string()).to_pylist()
    ([7, None], ['a'])
    """
    try:
        array = _convert(values, dtype)
    except (TypeError, ValueError, OverflowError, AttributeError):
        array = None
    return pa.array(values, dtype) if array is None else array


def scalar(value: Any, dtype: pa.DataType) -> pa.Scalar:
    """Returns a scalar as ``pyarrow.scalar`` does.

    >>> scalar(None, pa.int8()), scalar("x", pa.string())
    (<pyarrow.Int8Scalar: None>, <pyarrow.StringScalar: 'x'>)
    """
    return pa.nulls(1, dtype)[0] if value is None else from_values([value], dtype)[0]


def as_bool(array: Any) -> Bool:
    """Converts a BooleanArray to numpy; nulls are False."""
    if len(array) == 0:
        return np.zeros(0, np.bool_)
    validity, values = array.buffers()
    flags = _unpack_bits(values, array.offset, len(array))
    return flags if validity is None else flags & _unpack_bits(validity, array.offset, len(array))


def null_mask(array: Any) -> Bool:
    """Returns which values of an array are null.

    >>> null_mask(from_values([7, None], pa.int16())).tolist()
    [False, True]
    """
    return as_bool(array.is_null())


def as_numbers(array: Any) -> npt.NDArray[Any]:
    """Returns the values of an array of numbers, dates or times as numpy; the number of a null is not defined.

    Dates are days, and times are numbers of their unit, since the epoch.

    >>> as_numbers(from_values([7, 8], pa.int16())).tolist()
    [7, 8]
    """
    dtype = _stored_dtype(array.type)
    if len(array) == 0:
        return np.zeros(0, dtype)
    return np.frombuffer(array.buffers()[1], dtype)[array.offset : array.offset + len(array)]


def _convert(values: Sequence[Any], dtype: pa.DataType) -> pa.Array | None:
    """Returns an array of values that all have the Python type of an Arrow type; None: pyarrow converts them."""
    if t.is_string(dtype):
        return from_texts(values)
    python_type = next((kind for is_type, kind in _PYTHON_TYPES if is_type(dtype)), None)
    null = np.fromiter((value is None for value in values), np.bool_, len(values))
    # bool is a subclass of int, and datetime of date.
    if python_type is None or any(type(value) is not python_type and value is not None for value in values):
        return None
    if python_type is dt.date:
        values = [None if value is None else (value - _EPOCH).days for value in values]
    stored = _stored_dtype(dtype)
    wide: npt.NDArray[Any] = np.array([0 if value is None else value for value in values], _WIDE[stored.kind])
    with np.errstate(over="ignore"):  # a double beyond the range of a float is infinite
        narrow = wide.astype(stored)
    if stored.kind == "i" and not np.array_equal(wide, narrow):
        return None
    data = np.packbits(narrow, bitorder="little") if stored.kind == "b" else narrow
    return pa.Array.from_buffers(dtype, len(values), [_validity(null), pa.py_buffer(data)])


def _is_micros(dtype: pa.DataType) -> bool:
    return bool(t.is_timestamp(dtype) and dtype.unit == "us")


_PYTHON_TYPES: tuple[tuple[Callable[[pa.DataType], bool], type], ...] = (
    (t.is_boolean, bool),
    (t.is_signed_integer, int),
    (_is_micros, int),
    (t.is_floating, float),
    (t.is_date32, dt.date),
)
_WIDE = {"b": np.bool_, "i": np.int64, "f": np.float64}


def _stored_dtype(dtype: pa.DataType) -> np.dtype[Any]:
    """Returns the numpy type of the values in the memory of an Arrow array."""
    if t.is_boolean(dtype):
        return np.dtype(np.bool_)
    kind = "f" if t.is_floating(dtype) else "u" if t.is_unsigned_integer(dtype) else "i"
    return np.dtype(f"{kind}{dtype.bit_width // 8}")


def _validity(null: Bool | None) -> pa.Buffer | None:
    return None if null is None or not null.any() else pa.py_buffer(np.packbits(~null, bitorder="little"))


def _unpack_bits(buffer: pa.Buffer, start: int, count: int) -> Bool:
    packed = np.frombuffer(buffer, np.uint8)[start // 8 : (start + count + 7) // 8]
    return np.unpackbits(packed, bitorder="little")[start % 8 : start % 8 + count].view(np.bool_)
