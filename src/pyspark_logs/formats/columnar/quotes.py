"""Pairing of the double quotes of a block, in all lines at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import (
    Bool,
    Bytes,
    Int32,
    Int64,
)


class Quotes:
    """Quotes of a block that are not escaped by a backslash, read in pairs from left to right in each line.

    Args:
        block: the lines.
        view: bytes of the block.
        count: number of lines.
        escapes: True if the block contains a backslash.
    """

    def __init__(self, block: bytes, view: Bytes, count: int, *, escapes: bool) -> None:
        quotes = spans.unescaped_quote_offsets(block, view, escapes=escapes)
        # Three sentinels, so that an index past the last quote is valid.
        self._offsets: Int32 = np.append(quotes, np.array([len(block)] * 3, np.int32))
        self._count = count
        # Usually all lines have equally many quotes. The next quotes of all lines are then a slice with a fixed step.
        per_line = max(len(quotes) // max(count, 1), 1)
        self._index: Int64 | slice = slice(0, per_line * count, per_line)

    def next_pair(self, offsets: Int32, is_settled: Callable[[Bool], bool]) -> tuple[Int32, Int32]:
        """Returns the offsets of the next two quotes in each line.

        Args:
            offsets: current offset in each line, at which the first quote is expected.
            is_settled: tells of a mask of lines if it holds in all lines that are still parsed.
        """
        index = self._index
        opening, closing = self._pairs_at(index)
        if len(closing) != self._count or not is_settled(opening == offsets):
            index = np.searchsorted(self._offsets[:-2], offsets)
            opening, closing = self._pairs_at(index)
        if isinstance(index, slice):
            self._index = slice(index.start + 2, index.stop + 2, index.step)
        else:
            self._index = np.minimum(index + 2, len(self._offsets) - 2)
        return opening, closing

    def following(self, offsets: Int32) -> Int32:
        """Returns the offset of the first quote at or after each offset; the end of the block if there is none."""
        quotes: Int32 = self._offsets[np.searchsorted(self._offsets[:-2], offsets)]
        return quotes

    def _pairs_at(self, index: Int64 | slice) -> tuple[Int32, Int32]:
        """Returns the quotes with the given indices and the quotes after them."""
        if isinstance(index, slice):
            return self._offsets[index], self._offsets[index.start + 1 : index.stop + 1 : index.step]
        return self._offsets[index], self._offsets[index + 1]
