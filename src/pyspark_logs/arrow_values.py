"""Conversions between Arrow, numpy and Python values that do not import pandas.

``pyarrow.array``, ``pyarrow.scalar``, ``Array.to_numpy`` and kernels that are called with a Python value import pandas where it is
installed, to recognise its values (pyarrow 26). Each new worker of Spark would spend more time on that than on the import of
this package and pyarrow. The functions of this module do not, and are called instead of those.
"""

from __future__ import annotations

import array
import datetime as dt
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

Bool = npt.NDArray[np.bool_]

_MAX_OFFSET = 2**31 - 1
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
    ends = list(itertools.accumulate(map(len, encoded), initial=0))
    if ends[-1] > _MAX_OFFSET:
        raise OverflowError(f"an array of strings cannot hold {ends[-1]} bytes")
    null = np.array([text is None for text in texts], np.bool_) if None in texts else None
    # Line parsers make arrays of one string, for which this is faster than an array of numpy.
    buffers = pa.py_buffer(array.array("i", ends)), pa.py_buffer(b"".join(encoded)), _validity(null)
    return pa.StringArray.from_buffers(len(encoded), *buffers)


def from_values(values: Sequence[Any], dtype: pa.DataType) -> pa.Array:
    """Returns an array of a type as ``pyarrow.array`` does, of values as it takes them.

    Decimals and binary values are left to ``pyarrow.array``, and so is the report of a value that is not of the type.

    >>> from_values([7, None], pa.int16()).to_pylist(), from_values(["a"], pa.string()).to_pylist()
    ([7, None], ['a'])
    """
    try:
        array = _convert(values, dtype)
    except (TypeError, ValueError, OverflowError, AttributeError, LookupError):
        array = None
    return pa.array(values, dtype) if array is None else array


def to_scalar(value: Any, dtype: pa.DataType) -> pa.Scalar:
    """Returns a scalar as ``pyarrow.scalar`` does.

    >>> to_scalar(None, pa.int8()), to_scalar("x", pa.string())
    (<pyarrow.Int8Scalar: None>, <pyarrow.StringScalar: 'x'>)
    """
    return pa.nulls(1, dtype)[0] if value is None else from_values([value], dtype)[0]


def text_scalar(value: str) -> pa.Scalar:
    """Returns a string as a scalar, for kernels.

    >>> text_scalar("x")
    <pyarrow.StringScalar: 'x'>
    """
    return from_texts([value])[0]


def concat_texts(*parts: pa.Array | str, separator: str = "") -> pa.Array:
    """Returns the strings of several arrays, row by row, as one string; a row with a null is null.

    Args:
        *parts: arrays of equal length, and strings that are the same in each row.
        separator: string between two parts.

    >>> concat_texts("<", from_texts(["a", None]), ">").to_pylist()
    ['<a>', None]
    """
    scalars = [text_scalar(part) if isinstance(part, str) else part for part in (*parts, separator)]
    return pc.binary_join_element_wise(*scalars)


def only_where(condition: pa.Array, array: pa.Array) -> pa.Array:
    """Returns an array with nulls where a condition is not true.

    >>> only_where(from_numpy(np.array([True, False])), from_texts(["a", "b"])).to_pylist()
    ['a', None]
    """
    return pc.if_else(condition, array, to_scalar(None, array.type))


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


def as_numbers(array: Any, *, null: int | None = None) -> npt.NDArray[Any]:
    """Returns the values of an array of numbers, dates or times as numpy. Dates and times are numbers since the epoch.

    Args:
        array: the array.
        null: number of the rows that are null; None: it is not defined.

    >>> as_numbers(from_values([7, 8], pa.int16())).tolist()
    [7, 8]
    """
    dtype = _stored_dtype(array.type)
    if len(array) == 0:
        return np.zeros(0, dtype)
    values = np.frombuffer(array.buffers()[1], dtype)[array.offset : array.offset + len(array)]
    return values if null is None or array.null_count == 0 else np.where(null_mask(array), dtype.type(null), values)


def _convert(values: Sequence[Any], dtype: pa.DataType) -> pa.Array | None:
    """Returns an array of values that all have the Python type of an Arrow type; None: pyarrow converts them."""
    if t.is_string(dtype):
        return from_texts(values)
    if t.is_nested(dtype):
        return _convert_nested(values, dtype)
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


def _convert_nested(values: Sequence[Any], dtype: pa.DataType) -> pa.Array | None:
    """Returns an array of lists of elements, of lists of pairs for maps, or of dicts for structs."""
    validity = _validity(np.fromiter((value is None for value in values), np.bool_, len(values)))
    present = [value for value in values if value is not None]
    if t.is_struct(dtype):
        if not all(isinstance(value, dict) for value in present):
            return None
        rows = [{} if value is None else value for value in values]
        children = [from_values([row.get(field.name) for row in rows], field.type) for field in dtype]
        return pa.Array.from_buffers(dtype, len(values), [validity], children=children)
    if not (t.is_list(dtype) or t.is_map(dtype)) or not all(isinstance(value, list) for value in present):
        return None
    elements = [element for value in present for element in value]
    if t.is_map(dtype):
        keys, items = zip(*elements, strict=True) if elements else ((), ())
        if None in keys:
            return None
        pairs = [from_values(keys, dtype.key_type), from_values(items, dtype.item_type)]
        entry = pa.struct([dtype.key_field, dtype.item_field])
        child = pa.Array.from_buffers(entry, len(elements), [None], children=pairs)
    else:
        child = from_values(elements, dtype.value_type)
    offsets = np.cumsum([0, *(0 if value is None else len(value) for value in values)], dtype=np.int32)
    return pa.Array.from_buffers(dtype, len(values), [validity, pa.py_buffer(offsets)], children=[child])


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


FALSE, TRUE = from_numpy(np.array([False, True]))
