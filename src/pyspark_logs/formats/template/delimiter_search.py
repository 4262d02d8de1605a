"""Where literals and blanks stand in all lines of a block, from a place in each of them on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyspark_logs.formats.columnar import prefix_words, spans
from pyspark_logs.formats.columnar.prefix_words import Words
from pyspark_logs.formats.columnar.spans import Bytes, Int32, Int64
from pyspark_logs.formats.template.notation import Blanks, Literal

# Looking up all places of a separator costs 5 ns for each place, one search 25 ns more than a place known.
_PLACES_A_SEARCH = 4


class DelimiterSearch:
    """Finds what ends the fields of a template, by what is known of the lines already.

    Attributes:
        starts, ends: of the lines.
        separators: literals of one byte, and how many fields they end.
        dense: those that stand everywhere; kept from block to block.
        looked: the places where the first bytes of fields were looked at last, and these; None: nowhere yet.
    """

    def __init__(
        self, block: bytes, view: Bytes, starts: Int32, ends: Int32, separators: dict[bytes, int], dense: set[bytes]
    ) -> None:
        self.block, self.view, self.starts, self.ends = block, view, starts, ends
        self.separators, self.dense = separators, dense
        self._places: dict[bytes, Int32] = {}
        self._cursor: tuple[bytes, Int64] | None = None  # the separator found last, and which of its places
        self.looked: tuple[Int32, Words] | None = None

    def forget(self) -> None:
        """All lines are somewhere else."""
        self._cursor = None

    def step_over(self, literal: Literal) -> None:
        """All lines are behind a literal that was found or stands there."""
        if self._cursor is not None and self._cursor[0] != literal.raw:
            self._cursor = None

    def seek(self, segment: Literal | Blanks, place: Int32) -> Int32:
        """As :meth:`search`, by what is known of the separators and of this literal in other lines."""
        if not isinstance(segment, Literal):
            return self.search(segment, place, self.ends)
        places = self._places_of(segment.raw)
        return self._seek_near(segment, place) if places is None else self._seek_place(segment.raw, places, place)

    def knows(self, separator: bytes) -> bool:
        """Whether all places of it are known, so that the next one is there for the asking."""
        return self._places_of(separator) is not None

    def search(self, segment: Literal | Blanks, place: Int32, limits: Int32) -> Int32:
        """Where a literal or a blank first stands at or behind the place, and before a limit; -1: nowhere."""
        if isinstance(segment, Literal):
            limits = np.minimum(limits + np.int32(len(segment.raw) - 1), self.ends)
            return spans.find_literal(self.block, place, limits, segment.text)
        space = spans.find_literal(self.block, place, limits, " ")
        if self.block.find(b"\t") < 0:
            return space
        tab = spans.find_literal(self.block, place, limits, "\t")
        return np.where((tab >= 0) & ((space < 0) | (tab < space)), tab, space)

    def sooner(self, at: Int32, stops: Sequence[Literal | Blanks], place: Int32) -> Int32:
        """Places, or where one of some stops first stands before them; -1: nowhere."""
        for stop in reversed(stops):
            # What is known of a line that is not walked may lie before its place.
            sooner = self.search(stop, place, np.where(at < 0, self.ends, np.maximum(at, place)))
            at = np.where(sooner < 0, at, sooner)
        return at

    def first(self, stops: Sequence[Literal | Blanks], place: Int32) -> Int32:
        """Where the first of some stops stands at or behind the place; -1: nowhere."""
        return self.sooner(self.search(stops[-1], place, self.ends), stops[:-1], place)

    def _seek_near(self, literal: Literal, place: Int32) -> Int32:
        """As :meth:`seek`, where fields are so short in most lines that looking at a few bytes beats searching."""
        middle = self.starts.size // 2  # a line from the middle is as good a guess as the first, and never a header
        start, end = (int(places[middle]) if len(places) else 0 for places in (place, self.ends))
        if not 0 <= self.block.find(literal.raw, start, end) - start < prefix_words.PREFIX_BYTES:
            return spans.find_literal(self.block, place, self.ends, literal.text)
        near = prefix_words.load_words(self.view, place)
        self.looked = place, near
        at = prefix_words.find_byte_in_prefix(self.view, place, near, literal.raw[0])
        nowhere = at >= self.ends
        right = at - place < prefix_words.PREFIX_BYTES
        if len(literal.raw) > 1:
            right &= spans.literal_at(self.view, at, literal.raw)
        if nowhere.any():
            right |= nowhere
            at[nowhere] = -1
        rest = np.flatnonzero(~right)
        if len(rest):
            if 8 * len(rest) > len(right):
                return spans.find_literal(self.block, place, self.ends, literal.text)
            at[rest] = spans.find_literal(self.block, place[rest], self.ends[rest], literal.text)
        return at

    def _places_of(self, separator: bytes) -> Int32 | None:
        """All places of a separator of one byte, where knowing them is cheaper than searching."""
        if separator not in self.separators or separator in self.dense:
            return None
        if separator not in self._places:
            hits = self.view[: len(self.block)] == separator[0]
            worth = np.count_nonzero(hits) <= _PLACES_A_SEARCH * self.separators[separator] * len(self.starts)
            # Two sentinels, so that an index past the last place is still an index.
            sentinels = np.array([len(self.block)] * 2, np.int32)
            if not worth:
                self.dense.add(separator)
                return None
            self._places[separator] = np.append(np.flatnonzero(hits).astype(np.int32), sentinels)
        return self._places[separator]

    def _seek_place(self, separator: bytes, places: Int32, place: Int32) -> Int32:
        """As :meth:`seek`, among known places."""
        # Right behind a separator the next one is the next of the list.
        if self._cursor is not None and self._cursor[0] == separator:
            index = np.minimum(self._cursor[1] + 1, len(places) - 1)
        else:
            index = np.searchsorted(places[:-1], place)
        self._cursor = (separator, index)
        at = places[index]
        return np.where(at < self.ends, at, np.int32(-1))
