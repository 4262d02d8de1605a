"""The fast engine for values between separators: where all separators of a block are, as a matrix.

Quotes come in pairs that belong to one value, so a separator with an odd number of quotes before it in its line stands
within a value. The engine takes the lines whose quotes are all where RFC 4180 has them: an opening one at the start of
a value, a closing one at its end, a doubled one between these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import convert_fields, scatter_result
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows, drop_uncertain_rows
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32, Int64
from pyspark_logs.formats.delimited.line_parser import Cutter, DelimitedColumn, DelimitedRules
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import ConversionResult


class _Cut:
    """Where the values of some lines of a block are.

    Attributes:
        lines: which of the lines.
        separators: places of all that end a value, in order.
        first: for each line, which of these is its first.
        counts: and how many it has.
    """

    def __init__(
        self, starts: Int32, ends: Int32, lines: Int64, separators: Int32, first: Int64, counts: Int64
    ) -> None:
        self.lines, self.separators = lines, separators
        self.starts, self.ends = starts[lines], ends[lines]
        self.first, self.counts = first[lines], counts[lines]
        # Nearly always each line has as many: a matrix, of which no value must be looked up.
        width = len(separators) // max(len(starts), 1)
        regular = len(lines) == len(starts) and bool((counts == width).all()) and width * len(starts) == len(separators)
        self.table = separators.reshape(len(starts), width) if regular and width else None

    def bounds(self, place: int, size: int) -> tuple[Int32, Int32]:
        """Where the values of this place begin and end, quotes included; separators are of so many bytes."""
        starts, ends = self.starts, self.ends
        if self.table is not None:
            if place:
                starts = self.table[:, place - 1] + np.int32(size)
            return starts, (self.table[:, place] if place < self.table.shape[1] else ends)
        if place:
            starts = self.separators[self.first + (place - 1)] + np.int32(size)
        if len(self.separators) and (more := self.counts > place).any():
            at = self.separators[np.minimum(self.first + place, len(self.separators) - 1)]
            ends = at if more.all() else np.where(more, at, ends)
        return starts, ends


class DelimitedColumns:
    """Lines of values between separators, by the block."""

    def __init__(self, cutter: Cutter, columns: Sequence[DelimitedColumn], rules: DelimitedRules) -> None:
        self.columns, self.rules = tuple(columns), rules
        self.separator, self.quote = cutter.separator.encode(), (cutter.quote or "").encode()
        self.null = rules.null_value.encode()
        self.furthest = max(
            [rules.last_judged(columns), *(index for column in columns for index in column.source.indices)]
        )

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """The columns of the lines ``block[starts[i]:ends[i]]`` that have their values where they should be."""
        if len(starts) == 0:
            return None
        view = spans.terminated_view(block)
        cut = self._cut(block, view, starts, ends)
        if cut is None or len(cut.lines) == 0:
            return None
        has_quotes = bool(self.quote) and self.quote in block
        unescape = self._collapse_doubled if has_quotes and 2 * self.quote in block else None
        quoted: dict[int, tuple[Int32, Int32, Bool]] = {}
        found = []
        for column in (*self.columns, *self.rules.unasked):
            for index in column.source.indices:
                if index not in quoted:
                    quoted[index] = self._inside(view, *cut.bounds(index, len(self.separator)), has_quotes)
            bounds = [quoted[index] for index in column.source.indices]
            found.append(self._column(column, bounds, len(cut.lines), block, view, unescape, context))
        arrays, valid = [array for array, _ in found], [mask for _, mask in found]
        rows = None if len(cut.lines) == len(starts) else cut.lines
        return drop_uncertain_rows(rows, arrays, valid, len(self.columns))

    # --- separators and quotes -----------------------------------------------------------------------------

    def _cut(self, block: bytes, view: Bytes, starts: Int32, ends: Int32) -> _Cut | None:
        good: Bool = np.ones(len(starts), np.bool_)
        separators = self._occurrences(view, self.separator)
        if len(self.separator) > 1:
            # Of occurrences that overlap the first counts, but in which line that is so is not worth finding out.
            close = np.flatnonzero(np.diff(separators) < len(self.separator))
            good[_line_of(separators[close], starts)] = False
        if self.quote and self.quote in block:
            outside, well = self._quotes(view, starts, ends, separators)
            separators, good = separators[outside], good & well
        first = np.searchsorted(separators, starts)
        counts = np.searchsorted(separators, ends) - first
        last = self.rules.count - 1
        if self.furthest < last:
            good &= counts > self.furthest
        else:
            good &= (counts >= last) if self.rules.allow_trailing else (counts == last)
        return _Cut(starts, ends, np.flatnonzero(good), separators, first, counts)

    def _occurrences(self, view: Bytes, text: bytes) -> Int32:
        places = np.flatnonzero(view == text[0]).astype(np.int32)
        if len(text) > 1:
            places = places[spans.literal_at(view, places, text)]
        return places

    def _quotes(self, view: Bytes, starts: Int32, ends: Int32, separators: Int32) -> tuple[Bool, Bool]:
        """Which separators are outside of quotes, and which lines have all their quotes where they belong."""
        if len(self.quote) > 1 or len(self.separator) > 1:
            # Lines with quotes are then for the exact parser.
            good: Bool = np.ones(len(starts), np.bool_)
            good[_line_of(self._occurrences(view, self.quote), starts)] = False
            return np.ones(len(separators), np.bool_), good
        is_quote = view == self.quote[0]
        # Whether the number of quotes up to a byte, itself included, is odd.
        odd = np.bitwise_xor.accumulate(is_quote.view(np.uint8))
        before = np.where(starts > 0, odd[np.maximum(starts - 1, 0)], 0)
        good = odd[np.maximum(ends - 1, 0)] == before
        quotes = np.flatnonzero(is_quote).astype(np.int32)
        opening, outside = odd[quotes], odd[separators]
        if before.any():  # behind a line with an odd number of them
            opening = opening ^ before[_line_of(quotes, starts)]
            outside = outside ^ before[_line_of(separators, starts)]
        edges: Bool = np.zeros(256, np.bool_)
        edges[[self.separator[0], self.quote[0]]] = True
        begins = edges[view[np.maximum(quotes - 1, 0)]]
        finishes = edges[spans.bytes_at(view, quotes + np.int32(1))]
        # The others are at the ends of lines, or astray. A record of several lines has line ends within it.
        odd_ones = np.flatnonzero(np.where(opening, ~begins, ~finishes))
        line = _line_of(quotes[odd_ones], starts)
        fine = np.where(opening[odd_ones], quotes[odd_ones] == starts[line], quotes[odd_ones] + 1 == ends[line])
        good[line[~fine]] = False
        return outside == 0, good

    def _inside(self, view: Bytes, starts: Int32, ends: Int32, has_quotes: bool) -> tuple[Int32, Int32, Bool]:
        """The same spans without their quotes, and which had some."""
        if not has_quotes:
            return starts, ends, np.zeros(len(starts), np.bool_)
        quoted = spans.literal_at(view, starts, self.quote) & (ends > starts)
        if not quoted.any():
            return starts, ends, quoted
        return starts + quoted.astype(np.int32), ends - quoted.astype(np.int32), quoted

    # --- values ----------------------------------------------------------------------------------------------

    def _column(
        self, column: DelimitedColumn, bounds: Sequence[tuple[Int32, Int32, Bool]], rows: int, block: bytes, view: Bytes,
        unescape: Callable[[pa.Array], pa.Array] | None, context: TimestampContext,
    ) -> ConversionResult:  # fmt: skip
        if not bounds:
            return pa.nulls(rows, column.type.arrow()), None
        null = np.logical_or.reduce([self._null(column, view, *span) for span in bounds])
        if len(bounds) == 1 and not column.source.suffix:
            starts, ends, _ = bounds[0]
            return convert_fields(block, view, starts, ends, null, column.type, context, unescape=unescape)
        there = np.flatnonzero(~null)
        pieces = [spans.field_strings(block, starts[there], ends[there]) for starts, ends, _ in bounds]
        pieces = pieces if unescape is None else [unescape(strings) for strings in pieces]
        joined = pc.binary_join_element_wise(*pieces, " ")
        array, sure = column.type.convert(pc.binary_join_element_wise(joined, column.source.suffix, ""), context)
        return scatter_result(array, sure, null)

    def _collapse_doubled(self, strings: pa.Array) -> pa.Array:
        """Replaces each doubled quote by one quote."""
        quote = self.quote.decode()
        return pc.replace_substring(strings, 2 * quote, quote)

    def _null(self, column: DelimitedColumn, view: Bytes, starts: Int32, ends: Int32, quoted: Bool) -> Bool:
        empty = ends == starts
        if column.type.keeps_text:
            empty &= ~quoted
        return empty | (spans.equals_literal(view, starts, ends, self.null) & ~quoted)


def _line_of(places: Int32, starts: Int32) -> Int64:
    """The line that each place is in or behind; -1: it is before the first."""
    return np.searchsorted(starts, places, side="right") - 1
