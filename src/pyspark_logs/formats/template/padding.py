"""Spaces beside values: blanks between fields, padding to a width, and values that must not be blank."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_numbers
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Int64
from pyspark_logs.formats.template.scan_state import FieldSpans, LineCursor
from pyspark_logs.formats.template.segments import Following, Literal

# Blanks are skipped one by one; a line with more of them is left to the line parser.
_MAX_BLANKS = 100
_SPACE = ord(" ")


def skip_blanks(cursor: LineCursor) -> None:
    """Moves the cursor past spaces and tabs; drops lines with more than ``_MAX_BLANKS`` of them."""
    offsets = cursor.offsets.copy()
    rows = np.flatnonzero(cursor.blank_at(offsets))
    for _ in range(_MAX_BLANKS):
        if len(rows) == 0:
            break
        offsets[rows] += 1
        rows = rows[cursor.blank_at(offsets[rows])]
    _drop_rows(cursor, rows)
    cursor.advance(offsets)


def skip_spaces(cursor: LineCursor, max_count: int) -> None:
    """Moves the cursor past the padding before a value: at most ``max_count`` spaces."""
    offsets = cursor.offsets.copy()
    rows = np.flatnonzero(~cursor.not_scanned())
    for _ in range(max_count):
        rows = rows[spans.bytes_at(cursor.view, offsets[rows]) == _SPACE]
        offsets[rows] += 1
    cursor.advance(offsets)


def strip_spaces(cursor: LineCursor, field_spans: FieldSpans) -> None:
    """Removes the spaces at the end of the values; drops lines with more than ``_MAX_BLANKS`` of them."""
    starts, ends = field_spans.starts, field_spans.ends.copy()
    rows = np.arange(len(ends))
    for _ in range(_MAX_BLANKS):
        rows = rows[(ends[rows] > starts[rows]) & (cursor.view[np.maximum(ends[rows] - 1, 0)] == _SPACE)]
        if len(rows) == 0:
            break
        ends[rows] -= 1
    _drop_rows(cursor, rows)
    field_spans.ends = ends


def skip_padding(cursor: LineCursor, block: bytes, field_spans: FieldSpans, width: int, following: Following) -> None:
    """Moves after the padding of values, up to a width in characters.

    Only where the delimiter after the field consists of spaces: any other delimiter is found after the padding anyway.
    """
    delimiter = following.delimiters[0] if following.delimiters else None
    if not isinstance(delimiter, Literal) or delimiter.text.strip(" "):
        return
    if block.isascii():
        lengths = field_spans.ends - field_spans.starts
    else:
        lengths = as_numbers(pc.utf8_length(spans.field_strings(block, field_spans.starts, field_spans.ends)))
    offsets = cursor.offsets.copy()
    rows = np.flatnonzero(~cursor.not_scanned())
    for count in range(width):
        is_before_delimiter = spans.literal_at(cursor.view, offsets[rows] + np.int32(1), delimiter.raw)
        rows = rows[(lengths[rows] + count < width) & is_before_delimiter]
        if len(rows) == 0:
            break
        offsets[rows] += 1
    cursor.advance(offsets)


def drop_blank_values(cursor: LineCursor, field_spans: FieldSpans, *, check_edges: bool) -> None:
    """Drops lines in which a value is empty, or begins or ends with a space.

    Args:
        cursor: state of the scan.
        field_spans: spans of the values.
        check_edges: True if a value may begin or end with a space.
    """
    starts, ends = field_spans.starts, field_spans.ends
    if len(starts) == 0 or ((ends - starts).min() > 0 and not check_edges):
        return
    blank = (starts == ends) & (ends < cursor.ends)
    if check_edges:
        spaced = spans.bytes_at(cursor.view, starts) == _SPACE
        spaced |= cursor.view[np.maximum(ends - 1, 0)] == _SPACE
        blank |= spaced & (starts < ends)
    cursor.drop(blank if field_spans.null is None else blank & ~field_spans.null)


def _drop_rows(cursor: LineCursor, rows: Int64) -> None:
    if len(rows):
        mask = np.zeros(len(cursor.ends), np.bool_)
        mask[rows] = True
        cursor.drop(mask)
