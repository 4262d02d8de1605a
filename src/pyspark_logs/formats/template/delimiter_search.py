"""Searches for the literals and blanks that end fields, in all lines of a block at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyspark_logs.formats.columnar import prefix_words, spans
from pyspark_logs.formats.columnar.prefix_words import Words
from pyspark_logs.formats.columnar.spans import Bytes, Int32
from pyspark_logs.formats.template.segments import Blanks, Literal, RightBound

# If the first bytes of more lines than this share hold no delimiter, one search of all lines costs less than a search of
# these lines.
_SHARE_TO_SEARCH_ALL = 1 / 8


class DelimiterSearch:
    """Finds the delimiters of fields from an offset in each line on.

    All methods take and return one offset for each line; -1 in a result is a line without the delimiter.

    Attributes:
        block: lines, valid UTF-8.
        view: bytes of the block, from :func:`spans.terminated_view`.
        ends: end of each line.
        prefixes: offsets whose first eight bytes were loaded last, and these bytes; None: none yet.
    """

    def __init__(self, block: bytes, view: Bytes, ends: Int32) -> None:
        self.block, self.view, self.ends = block, view, ends
        self.prefixes: tuple[Int32, Words] | None = None

    def next(self, delimiter: Literal | Blanks, offsets: Int32) -> Int32:
        """Returns the first occurrence of a delimiter in each line.

        Where fields are short, the first bytes of each line are compared before a search of the whole line.
        """
        if isinstance(delimiter, Literal) and self._is_near(delimiter, offsets):
            return self._next_near(delimiter, offsets)
        return self._search(delimiter, offsets, self.ends)

    def first_of(self, delimiters: Sequence[Literal | Blanks], offsets: Int32) -> Int32:
        """Returns the first occurrence of any of several delimiters in each line."""
        return self.earlier_of(delimiters[:-1], offsets, self._search(delimiters[-1], offsets, self.ends))

    def earlier_of(self, delimiters: Sequence[Literal | Blanks], offsets: Int32, found: Int32) -> Int32:
        """Returns the first occurrence of any of several delimiters before ``found``, else ``found``.

        The last delimiter, which every line has unless only optional groups follow, bounds the search for the others.
        """
        for delimiter in reversed(delimiters):
            # A line that has been dropped may have been found before its offset.
            limits = np.where(found < 0, self.ends, np.maximum(found, offsets))
            earlier = self._search(delimiter, offsets, limits)
            found = np.where(earlier < 0, found, earlier)
        return found

    def last(self, bound: RightBound, offsets: Int32) -> Int32:
        """Returns the end of the field at the offset that ends at the last occurrence of a literal, in each line."""
        delimiter, limit = bound.delimiters[0], bound.limit
        # In most files each line has the delimiter once. Of occurrences that overlap, only the first is counted.
        is_countable = len(bound.delimiters) == 1 and not _overlaps_itself(delimiter.raw)
        if is_countable and self._occurs_at_most(delimiter.raw, len(offsets)):
            first = self.next(delimiter, offsets)
            after = first + np.int32(len(delimiter.raw))
            if (first >= 0).all() and (limit is None or (self.next(limit, after) >= 0).all()):
                return first
        ends, missing = self.ends, np.zeros(len(offsets), np.bool_)
        if limit is not None:
            starts = offsets
            for delimiter in (*bound.delimiters, limit):
                found = self._search(delimiter, starts, self.ends)
                missing |= found < 0
                starts = np.where(missing, self.ends, found + np.int32(len(delimiter.raw)))
            ends = np.where(missing, offsets, found)
        for delimiter in reversed(bound.delimiters):
            found = spans.find_last_literal(self.view, offsets, ends, delimiter.raw)
            missing |= found < 0
            ends = np.where(missing, offsets, found)
        return np.where(missing, np.int32(-1), ends)

    def _occurs_at_most(self, text: bytes, limit: int) -> bool:
        """Returns True if a text occurs at most ``limit`` times in the block.

        The first byte of the text is counted before the text, because counting a byte is twice as fast: if the byte occurs at
        most ``limit`` times, so does the text.
        """
        rare = text.strip(b" ")[:1]
        return (rare != b"" and self.block.count(rare) <= limit) or self.block.count(text) <= limit

    def _search(self, delimiter: Literal | Blanks, offsets: Int32, limits: Int32) -> Int32:
        """Returns the first occurrence of a delimiter that begins before ``limits`` in each line."""
        if isinstance(delimiter, Literal):
            limits = np.minimum(limits + np.int32(len(delimiter.raw) - 1), self.ends)
            return spans.find_literal(self.block, offsets, limits, delimiter.text)
        space = spans.find_literal(self.block, offsets, limits, " ")
        if self.block.find(b"\t") < 0:
            return space
        tab = spans.find_literal(self.block, offsets, limits, "\t")
        return np.where((tab >= 0) & ((space < 0) | (tab < space)), tab, space)

    def _is_near(self, literal: Literal, offsets: Int32) -> bool:
        """Returns True if the literal is among the first bytes of one line, taken as a sample of all.

        The line is in the middle of the block because the first line may be a header.
        """
        if len(offsets) == 0:
            return False
        middle = len(offsets) // 2
        start, end = int(offsets[middle]), int(self.ends[middle])
        return 0 <= self.block.find(literal.raw, start, end) - start < prefix_words.PREFIX_BYTES

    def _next_near(self, literal: Literal, offsets: Int32) -> Int32:
        """Returns the same as :meth:`next`, by the first bytes of each line where these hold the literal."""
        words = prefix_words.load_words(self.view, offsets)
        self.prefixes = offsets, words
        found = prefix_words.find_byte_in_prefix(self.view, offsets, words, literal.raw[0])
        missing = found >= self.ends
        is_final = found - offsets < prefix_words.PREFIX_BYTES
        if len(literal.raw) > 1:
            is_final &= spans.literal_at(self.view, found, literal.raw)
        if missing.any():
            is_final |= missing
            found[missing] = -1
        rows = np.flatnonzero(~is_final)
        if len(rows) > _SHARE_TO_SEARCH_ALL * len(offsets):
            return spans.find_literal(self.block, offsets, self.ends, literal.text)
        if len(rows):
            found[rows] = spans.find_literal(self.block, offsets[rows], self.ends[rows], literal.text)
        return found


def _overlaps_itself(text: bytes) -> bool:
    """Returns True if an occurrence of the text may begin within another one.

    >>> _overlaps_itself(b"::"), _overlaps_itself(b" (")
    (True, False)
    """
    return any(text.endswith(text[:size]) for size in range(1, len(text)))
