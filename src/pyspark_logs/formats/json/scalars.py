"""Conversion of the scalars of JSON lines into columns.

The engine cuts scalars out of a block without parsing them: strings without their quotes but with their escapes, and
unquoted tokens that are numbers, ``true`` or ``false`` if the line is valid JSON.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import FALSE, as_bool, as_numbers, from_texts
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32
from pyspark_logs.formats.json.values import parse_json
from pyspark_logs.formats.timestamps.parsing import HIGHEST_US, LOWEST_US, TimestampContext
from pyspark_logs.formats.timestamps.zones import utc_to_local
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.registry import for_arrow

_FIRST_PRINTABLE = 0x20
_SHORT_ESCAPES = {'"': '"', "/": "/", "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_ZERO, _MINUS, _POINT = b"0-."


def convert_unquoted(
    tokens: pa.Array, dtype: pa.DataType, context: TimestampContext, time: FieldType | None
) -> ConversionResult:
    """Converts numbers, ``true`` and ``false`` to a column.

    Args:
        tokens: the tokens.
        dtype: type of the column.
        context: the zone and the year bound of the file.
        time: notation of a time; None: the type of the column decides.
    """
    field_type = time or for_arrow(dtype)
    if field_type is None or field_type.json_kind == "string":
        return pa.nulls(len(tokens), dtype), np.zeros(len(tokens), np.bool_)
    if field_type.json_kind == "boolean":  # the field type accepts 1 and 0, too
        return pc.equal(tokens, from_texts(["true"])[0]), as_bool(
            pc.is_in(tokens, value_set=from_texts(["true", "false"]))
        )
    return field_type.convert(tokens, context)


def convert_strings(
    strings: pa.Array, dtype: pa.DataType, context: TimestampContext, time: FieldType | None
) -> ConversionResult | None:
    """Converts strings without escapes to a column; None if no string is of the type.

    Args:
        strings: the strings.
        dtype: type of the column.
        context: the zone and the year bound of the file.
        time: notation of a time; None: the type of the column decides.
    """
    field_type = time or for_arrow(dtype)
    if field_type is None or field_type.json_kind not in ("string", "any"):
        return None
    column, certain = field_type.convert(strings, context)
    if not pa.types.is_timestamp(dtype) or dtype.tz is not None:
        return column, certain
    local = utc_to_local(column, context.zone)
    local_us = as_numbers(local.cast(pa.int64()), null=0)
    in_calendar = (local_us >= LOWEST_US) & (local_us <= HIGHEST_US)
    return local, in_calendar if certain is None else certain & in_calendar


def unescape_json(strings: pa.Array) -> pa.Array:
    """Replaces the escape sequences of strings, which may be null; the engines leave out lines with invalid ones."""
    data = spans.string_bytes(strings)
    if len(data) == 0 or not (data == ord("\\")).any():
        return strings
    raw = data.tobytes()
    if b"\\\\" not in raw and b"\\u" not in raw:  # then every backslash begins an escape sequence of one character
        for character, meaning in _SHORT_ESCAPES.items():
            strings = pc.replace_substring(strings, "\\" + character, meaning)
        return strings
    escaped = pc.match_substring(strings, "\\").fill_null(FALSE)
    unescaped = [parse_json(f'"{text}"') for text in strings.filter(escaped).to_pylist()]
    return pc.replace_with_mask(strings, escaped, from_texts(unescaped))


def is_escaped_otherwise(strings: pa.Array) -> Bool:
    r"""Returns a mask of the strings that rendering would escape in another way: with raw control characters or ``\/``."""
    data = spans.string_bytes(strings)
    if len(data) == 0 or (data.min() >= _FIRST_PRINTABLE and not (data == ord("\\")).any()):
        return np.zeros(len(strings), np.bool_)
    return as_bool(pc.match_substring_regex(strings, r"[\x00-\x1f]|\\/"))


def is_number_or_boolean(tokens: pa.Array) -> Bool:
    """Returns a mask of the tokens that are JSON numbers, ``true`` or ``false``."""
    if len(tokens) == 0:
        return np.zeros(0, np.bool_)
    data = spans.string_bytes(tokens)
    offsets = np.frombuffer(tokens.buffers()[1], np.int32)[tokens.offset : tokens.offset + len(tokens) + 1]
    starts, lengths = offsets[:-1] - offsets[0], np.diff(offsets)
    digits = (data - _ZERO) <= 9  # bytes below "0" wrap around
    if digits.all() and (lengths > 0).all():
        return (data[starts] != _ZERO) | (lengths == 1)
    if (lengths > 0).all() and _are_decimals(data, digits, starts, lengths):
        return np.ones(len(tokens), np.bool_)
    booleans = pc.is_in(tokens, value_set=from_texts(["true", "false"]))
    return as_bool(pc.or_(pc.match_substring_regex(tokens, _NUMBER), booleans))


def _are_decimals(data: Bytes, digits: Bool, starts: Int32, lengths: Int32) -> bool:
    """Returns True if all tokens are JSON numbers without an exponent; False if a token may be another number.

    Args:
        data: bytes of all tokens.
        digits: mask of the bytes that are digits.
        starts: offset of each token in ``data``.
        lengths: length of each token, at least 1.
    """
    others = np.flatnonzero(~digits)
    minuses, points = others[data[others] == _MINUS], others[data[others] == _POINT]
    if len(minuses) + len(points) != len(others):
        return False
    negative = data[starts] == _MINUS
    first = starts + negative
    if np.count_nonzero(negative) != len(minuses) or (first >= starts + lengths).any():
        return False
    # Each number has at most one point, which is between digits.
    tokens = np.searchsorted(starts, points, side="right") - 1
    inside = (points > first[tokens]) & (points < (starts + lengths - 1)[tokens])
    if not inside.all() or (np.diff(tokens) == 0).any():
        return False
    # A leading zero is the only digit, or the only digit before the point.
    second = data[np.minimum(first + 1, len(data) - 1)]
    return bool(((data[first] != _ZERO) | (starts + lengths == first + 1) | (second == _POINT)).all())
