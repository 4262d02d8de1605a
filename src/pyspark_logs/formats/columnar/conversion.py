"""Results of conversions, scattered over the rows that are not null."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import from_numpy, to_scalar
from pyspark_logs.formats.columnar.spans import Bool

# A column, and a mask of the rows with a correct value (None: all rows).
ConversionResult = tuple[pa.Array, Bool | None]


def scatter_result(values: pa.Array, valid: Bool | None, null: Bool) -> ConversionResult:
    """Scatters the values of the rows that are not null over all rows; null rows are valid.

    Args:
        values: a value for each row that is not null.
        valid: mask of the values that are correct; None: all values.
        null: mask of the rows that are null.
    """
    if valid is not None:
        mask = np.ones(len(null), np.bool_)
        mask[~null] = valid
        valid = mask
    return scatter(values, null), valid


def scatter(values: pa.Array, null: Bool) -> pa.Array:
    """Scatters values over the rows that are not null.

    >>> scatter(pa.array(["a", "b"]), np.array([False, True, False])).to_pylist()
    ['a', None, 'b']
    """
    if not pa.types.is_string(values.type) or values.null_count:
        return values.take(from_numpy(np.cumsum(~null) - 1, null))
    # A null row is an empty string, so that only the offsets change and the characters are not copied.
    before = np.zeros(len(null) + 1, np.intp)
    np.cumsum(~null, out=before[1:])
    _, buffer, data = values.buffers()
    offsets = np.frombuffer(buffer, np.int32)[values.offset : values.offset + len(values) + 1].take(before)
    validity = pa.py_buffer(np.packbits(~null, bitorder="little"))
    return pa.StringArray.from_buffers(len(null), pa.py_buffer(offsets), data, validity)


def with_nulls(array: pa.Array, null: Bool) -> pa.Array:
    """Returns the array with further rows set to null."""
    return pc.if_else(from_numpy(null), to_scalar(None, array.type), array)
