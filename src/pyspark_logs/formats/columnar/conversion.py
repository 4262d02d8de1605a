"""Texts at known places of a block, as a column of a type."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import prefix_words, spans
from pyspark_logs.formats.columnar.decoded_rows import scatter
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import ConversionResult, FieldType
from pyspark_logs.formats.types.numeric import Floating, Integer, has_plain_numbers
from pyspark_logs.formats.types.text import Text

_NARROWEST = 32  # bits of the integers that any number of few digits fits in


def equals_literal(view: Bytes, starts: Int32, ends: Int32, text: bytes) -> Bool:
    """Which of the spans are this text, which holds no line end."""
    return (ends - starts == len(text)) & spans.literal_at(view, starts, text)


def convert_fields(
    block: bytes, view: Bytes, starts: Int32, ends: Int32, null: Bool, kind: FieldType, context: TimestampContext,
    doubled: str | None = None,
) -> ConversionResult:  # fmt: skip
    """The column of the texts ``block[starts[i]:ends[i]]``, and which of its rows are surely right (None: all).

    Args:
        block: valid UTF-8.
        view: of it, from :func:`spans.terminated_view`.
        starts: of the texts, ascending.
        ends: one past each; texts do not overlap.
        null: which rows are null whatever their text.
        kind: what the texts mean.
        context: of the file.
        doubled: a character that stands in the texts twice where it is meant once; None: there is none.
    """
    if not null.any():
        if type(kind) is Integer and kind.bits >= _NARROWEST:
            numbers = prefix_words.parse_small_integers(prefix_words.load_words(view, starts), ends - starts)
            if numbers is not None:
                return pa.array(numbers).cast(kind.arrow()), None
        return kind.convert(collapse_doubled(spans.field_strings(block, starts, ends), doubled), context)
    if null.all():
        return pa.nulls(len(null), kind.arrow()), None
    if type(kind) is Text:
        return collapse_doubled(spans.mask_strings(spans.field_strings(block, starts, ends), null), doubled), None
    if type(kind) in (Integer, Floating):
        numbers = _numbers(spans.mask_strings(spans.field_strings(block, starts, ends), null), kind)
        if numbers is not None:
            return numbers, None
    there = np.flatnonzero(~null)
    array, sure = kind.convert(
        collapse_doubled(spans.field_strings(block, starts[there], ends[there]), doubled), context
    )
    return scatter_result(array, sure, null)


def scatter_result(array: pa.Array, sure: Bool | None, null: Bool) -> ConversionResult:
    """The values of the rows that are not null, among those that are, and which rows are right."""
    if sure is not None:
        whole = np.ones(len(null), np.bool_)
        whole[~null] = sure
        sure = whole
    return scatter(array, null), sure


def _numbers(array: pa.Array, kind: FieldType) -> pa.Array | None:
    """Arrow's own cast, if it reads these texts as we do; they are rarely bad."""
    try:
        return array.cast(kind.arrow()) if has_plain_numbers(array) else None
    except pa.ArrowInvalid:
        return None


def collapse_doubled(array: pa.Array, doubled: str | None) -> pa.Array:
    """The texts with what is doubled in them collapse_doubled."""
    return array if doubled is None else pc.replace_substring(array, 2 * doubled, doubled)
