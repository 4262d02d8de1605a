"""Which of a block's quotes belong together, in all lines at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32, Int64


class Quotes:
    """The quotes of a block that no backslash escapes, taken by pairs from the left of each line on.

    Args:
        block: the text.
        view: its bytes.
        count: of lines.
        escapes: whether there is a backslash in the block.
    """

    def __init__(self, block: bytes, view: Bytes, count: int, *, escapes: bool) -> None:
        quotes = spans.unescaped_quote_offsets(block, view, escapes=escapes)
        # Sentinels, so that an index past the last quote is still an index.
        self._places: Int32 = np.append(quotes, np.array([len(block)] * 3, np.int32))
        self._count = count
        # Where all lines have the same number of quotes, as they mostly do, it is clear which are whose.
        each = max(len(quotes) // max(count, 1), 1)
        self._index: Int64 | slice = slice(0, each * count, each)

    def next_pair(self, places: Int32, settled: Callable[[Bool], bool]) -> tuple[Int32, Int32]:
        """The next two quotes in each line, which stand at its place if all is well.

        Args:
            places: where the lines have got to.
            settled: whether it is enough that a condition holds in these lines.
        """
        index = self._index
        opening, closing = self._and_next(index)
        if len(closing) != self._count or not settled(opening == places):
            index = np.searchsorted(self._places[:-2], places)
            opening, closing = self._and_next(index)
        if isinstance(index, slice):
            self._index = slice(index.start + 2, index.stop + 2, index.step)
        else:
            self._index = np.minimum(index + 2, len(self._places) - 2)
        return opening, closing

    def following(self, places: Int32) -> Int32:
        """The next quote at or behind each place; the end of the block, where there is none."""
        found: Int32 = self._places[np.searchsorted(self._places[:-2], places)]
        return found

    def _and_next(self, index: Int64 | slice) -> tuple[Int32, Int32]:
        """The places of these indices, and of those one higher."""
        if isinstance(index, slice):
            return self._places[index], self._places[index.start + 1 : index.stop + 1 : index.step]
        return self._places[index], self._places[index + 1]
