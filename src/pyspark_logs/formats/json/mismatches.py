"""Searches for the lines that are not JSON objects, by the text at their beginning.

A JSON decoder reads a line up to its first error. Lines of another format, among them texts that begin with a number or an
address, have this error within or after their first word.
"""

from __future__ import annotations

import numpy as np

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import (
    Bool,
    Bytes,
    Int32,
    Int64,
)
from pyspark_logs.formats.decoding.mismatches import UNCERTAIN, byte_table, classes_at
from pyspark_logs.formats.timestamps.parsing import TimestampContext

_BLANKS = byte_table(" \t")
_DIGITS = byte_table("0123456789")
_BRACKET, _BRACE, _ZERO, _POINT, _MINUS = b"[{0.-"
_NO_VALUE, _NO_ELEMENT, _NO_KEY, _EXTRA = range(4)  # problems
_MAX_BLANKS = 100
_MAX_DIGITS = 40
_WORDS = (b"null", b"true", b"false", b"NaN", b"Infinity")
# Bytes with which a value may begin. Line ends may be blanks of a record of several lines, and change its positions.
_BEGINS_VALUE = byte_table('"{[-0123456789') | byte_table([chr(word[0]) for word in _WORDS]) | byte_table("\r\n")
_BEGINS_KEY = byte_table('"}\r\n')
_AFTER_NUMBER = byte_table("\r\n")


class JsonMismatchSearch:
    """Finds lines that are not JSON objects."""

    def find(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> Int64:
        """Returns the classes of the lines that do not match; see :class:`MismatchSearch`."""
        view = spans.terminated_view(block)
        classes = np.full(len(starts), UNCERTAIN, np.int64)
        first = spans.bytes_at(view, starts)
        if ((first == _BRACE) & (spans.bytes_at(view, starts + np.int32(1)) == ord('"'))).all():
            return classes  # the usual case: lines with a wrong value
        offsets, rows = _skip(view, starts, ends, np.arange(len(starts)), _BLANKS, _MAX_BLANKS)
        first = spans.bytes_at(view, offsets)

        def report(rows: Int64, problem: int, offsets: Int32) -> None:
            classes[rows] = classes_at(problem, offsets - starts[rows])

        lacking = ~_begins_value(view, offsets) & (offsets < ends[rows])
        report(rows[lacking], _NO_VALUE, offsets[lacking])
        for opening, begins, problem in ((_BRACKET, None, _NO_ELEMENT), (_BRACE, _BEGINS_KEY, _NO_KEY)):
            opened = first == opening
            inner, kept = _skip(view, offsets[opened] + np.int32(1), ends, rows[opened], _BLANKS, _MAX_BLANKS)
            if begins is None:
                fails = ~_begins_value(view, inner) & (spans.bytes_at(view, inner) != ord("]"))
            else:
                fails = ~begins[spans.bytes_at(view, inner)]
            fails &= inner < ends[kept]
            report(kept[fails], problem, inner[fails])
        numbers = _DIGITS[first]
        after, kept = _after_numbers(view, offsets[numbers], ends, rows[numbers])
        after, kept = _skip(view, after, ends, kept, _BLANKS, _MAX_BLANKS)
        extra = (after < ends[kept]) & ~_AFTER_NUMBER[spans.bytes_at(view, after)]
        report(kept[extra], _EXTRA, after[extra])
        return classes


def _begins_value(view: Bytes, offsets: Int32) -> Bool:
    """Returns a mask of the offsets at which a JSON value may begin, or a line end is."""
    first = spans.bytes_at(view, offsets)
    begins = _BEGINS_VALUE[first]
    for word in _WORDS:
        rows = np.flatnonzero(first == word[0])
        begins[rows] = spans.literal_at(view, offsets[rows], word)
    rows = np.flatnonzero(first == _MINUS)
    following = spans.bytes_at(view, offsets[rows] + np.int32(1))
    begins[rows] = _DIGITS[following] | (following == ord("I"))
    return begins


def _after_numbers(view: Bytes, offsets: Int32, ends: Int32, rows: Int64) -> tuple[Int32, Int64]:
    """Returns the offsets after numbers without an exponent, and their lines; lines with other numbers are left out."""
    zero = spans.bytes_at(view, offsets) == _ZERO
    after, kept = _skip(view, offsets, ends, rows, _DIGITS, _MAX_DIGITS)
    after = np.where(zero[np.searchsorted(rows, kept)], offsets[np.searchsorted(rows, kept)] + np.int32(1), after)
    has_fraction = spans.bytes_at(view, after) == _POINT
    has_fraction &= _DIGITS[spans.bytes_at(view, after + np.int32(1))]
    whole, fractions = ~has_fraction, np.flatnonzero(has_fraction)
    ended, with_fraction = _skip(view, after[fractions] + np.int32(1), ends, kept[fractions], _DIGITS, _MAX_DIGITS)
    after, kept = np.concatenate([after[whole], ended]), np.concatenate([kept[whole], with_fraction])
    order = np.argsort(kept, kind="stable")
    after, kept = after[order], kept[order]
    exponent = np.isin(spans.bytes_at(view, after), np.frombuffer(b"eE", np.uint8))
    return after[~exponent], kept[~exponent]


def _skip(view: Bytes, offsets: Int32, ends: Int32, rows: Int64, table: Bool, most: int) -> tuple[Int32, Int64]:
    """Moves after the bytes of a table; lines with more than ``most`` of them are left out.

    Args:
        view: bytes of the block.
        offsets: offset in each of the lines.
        ends: end of all lines of the block.
        rows: indices of the lines.
        table: mask of the bytes that are skipped.
        most: largest number of bytes that are skipped.

    Returns:
        The offsets, and the indices of their lines.
    """
    offsets, left = offsets.copy(), np.arange(len(rows))
    for _ in range(most):
        left = left[table[spans.bytes_at(view, offsets[left])] & (offsets[left] < ends[rows[left]])]
        if len(left) == 0:
            return offsets, rows
        offsets[left] += 1
    kept = np.ones(len(rows), np.bool_)
    kept[left] = False
    return offsets[kept], rows[kept]
