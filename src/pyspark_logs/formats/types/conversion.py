"""Conversion of the fields of a block into columns.

The fields that are not null are converted, and their values are then scattered over all rows. Scattering is avoided for
small integers, which are parsed from the first eight bytes of each field, and for types that convert strings with nulls.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from pyspark_logs.arrow_values import from_numpy
from pyspark_logs.formats.columnar import prefix_words, spans
from pyspark_logs.formats.columnar.conversion import ConversionResult, scatter_result
from pyspark_logs.formats.columnar.prefix_words import Words
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType


def convert_fields(
    block: bytes, view: Bytes, starts: Int32, ends: Int32, null: Bool | None, field_type: FieldType,
    context: TimestampContext, *, words: Words | None = None,
    unescape: Callable[[pa.Array], pa.Array] | None = None,
    convert: Callable[[pa.Array], ConversionResult] | None = None,
) -> ConversionResult:  # fmt: skip
    """Converts the fields ``block[starts[i]:ends[i]]`` to a column.

    Args:
        block: the lines, valid UTF-8.
        view: bytes of the block, from :func:`spans.terminated_view`.
        starts: start offset of each field, ascending.
        ends: end offset of each field; fields do not overlap.
        null: mask of the rows that are null whatever the field contains; None: no row.
        field_type: type of the column.
        context: the zone and the year bound of the file.
        words: first eight bytes of each field, if they are known already.
        unescape: removes the escapes from strings, which may be null; None: there are no escapes.
        convert: converts strings without nulls; None: ``field_type.convert``.

    Returns:
        The column and a mask of the rows with a correct value (None: all rows).
    """
    if null is not None and not null.any():
        null = None
    if null is not None and null.all():
        return pa.nulls(len(null), field_type.arrow()), None
    if field_type.reads_words:
        words = prefix_words.load_words(view, starts) if words is None else words
        array = field_type.convert_words(words, ends - starts, null)
        if array is not None:
            return array, None
    if null is not None and field_type.accepts_nulls:
        strings = spans.mask_strings(spans.field_strings(block, starts, ends), null)
        array = field_type.convert_masked(strings if unescape is None else unescape(strings))
        if array is not None:
            return array, None
    if null is not None:
        present = np.flatnonzero(~null)
        starts, ends = starts[present], ends[present]
    strings = spans.field_strings(block, starts, ends)
    strings = strings if unescape is None else unescape(strings)
    array, valid = field_type.convert(strings, context) if convert is None else convert(strings)
    return (array, valid) if null is None else scatter_result(array, valid, null)


def convert_valid(
    field_type: FieldType, strings: pa.StringArray, null: Bool, context: TimestampContext
) -> ConversionResult:
    """Converts the strings that are not null and scatters the values over all rows."""
    if not null.any():
        return field_type.convert(strings, context)
    return scatter_result(*field_type.convert(strings.filter(from_numpy(~null)), context), null)
