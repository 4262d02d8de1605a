"""Texts at known places of a block, as a column of a type."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import prefix_words, spans
from pyspark_logs.formats.columnar.decoded_rows import scatter
from pyspark_logs.formats.columnar.prefix_words import Words
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import ConversionResult, FieldType


def equals_literal(view: Bytes, starts: Int32, ends: Int32, text: bytes) -> Bool:
    """Which of the spans are this text, which holds no line end."""
    return (ends - starts == len(text)) & spans.literal_at(view, starts, text)


def convert_fields(
    block: bytes, view: Bytes, starts: Int32, ends: Int32, null: Bool | None, field_type: FieldType,
    context: TimestampContext, *, words: Words | None = None,
    unescape: Callable[[pa.Array], pa.Array] | None = None,
    convert: Callable[[pa.Array], ConversionResult] | None = None,
) -> ConversionResult:  # fmt: skip
    """Returns the column of the texts ``block[starts[i]:ends[i]]``, and a mask of the valid ones (None: all are).

    Args:
        block: valid UTF-8.
        view: bytes of the block, from :func:`spans.terminated_view`.
        starts: start offset of each text, ascending.
        ends: end offset of each text; texts do not overlap.
        null: mask of the rows that are null whatever their text; None: no row is.
        field_type: type of the column.
        context: zone and year bound of the file.
        words: first eight bytes of each text, if they are known already.
        unescape: undoes the escapes of the texts; None: they have none.
        convert: conversion of strings that are not null; None: the type's.
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
    if null is not None:
        strings = spans.mask_strings(spans.field_strings(block, starts, ends), null)
        array = field_type.convert_masked(strings if unescape is None else unescape(strings))
        if array is not None:
            return array, None
        present = np.flatnonzero(~null)
        starts, ends = starts[present], ends[present]
    strings = spans.field_strings(block, starts, ends)
    strings = strings if unescape is None else unescape(strings)
    array, valid = field_type.convert(strings, context) if convert is None else convert(strings)
    return (array, valid) if null is None else scatter_result(array, valid, null)


def scatter_result(array: pa.Array, sure: Bool | None, null: Bool) -> ConversionResult:
    """The values of the rows that are not null, among those that are, and which rows are right."""
    if sure is not None:
        whole = np.ones(len(null), np.bool_)
        whole[~null] = sure
        sure = whole
    return scatter(array, null), sure


def collapse_doubled(array: pa.Array, doubled: str | None) -> pa.Array:
    """The texts with what is doubled in them collapse_doubled."""
    return array if doubled is None else pc.replace_substring(array, 2 * doubled, doubled)
