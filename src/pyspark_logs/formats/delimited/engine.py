"""Columnar engine for separated values.

The offsets of all separators of a block divide its lines into values. A quoted value contains both of its quotes, so a
separator with an odd number of quotes before it in its line is part of a value. The engine takes lines whose quotes are
all at the positions of RFC 4180: the opening quote at the start of a value, the closing quote at its end, and a doubled
quote between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import concat_texts
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult, scatter_result
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows, drop_uncertain_rows
from pyspark_logs.formats.columnar.spans import (
    Bool,
    Bytes,
    Int32,
    Int64,
)
from pyspark_logs.formats.delimited.line_parser import DelimitedColumn, DelimitedRules
from pyspark_logs.formats.delimited.splitter import ValueSplitter
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.conversion import convert_fields
from pyspark_logs.records import byte_offsets


class _LineValues:
    """Offsets of the values in some lines of a block.

    Args:
        starts: start offset of each line of the block.
        ends: end offset of each line of the block.
        lines: indices of the lines.
        separators: offsets of all separators that are not part of a value, ascending.
        first: index of the first separator of each line of the block.
        counts: number of separators in each line of the block.
    """

    def __init__(
        self, starts: Int32, ends: Int32, lines: Int64, separators: Int32, first: Int64, counts: Int64
    ) -> None:
        self.lines, self.separators = lines, separators
        self.starts, self.ends = starts[lines], ends[lines]
        self.first, self.counts = first[lines], counts[lines]
        # Usually all lines have equally many separators: then they are a matrix, whose columns need no lookup.
        width = len(separators) // max(len(starts), 1)
        regular = len(lines) == len(starts) and bool((counts == width).all()) and width * len(starts) == len(separators)
        self.matrix = separators.reshape(len(starts), width) if regular and width else None

    def spans(self, index: int, size: int) -> tuple[Int32, Int32]:
        """Returns the start and end offset of a value in each line, its quotes included.

        Args:
            index: index of the value.
            size: length of a separator.
        """
        starts, ends = self.starts, self.ends
        if self.matrix is not None:
            if index:
                starts = self.matrix[:, index - 1] + np.int32(size)
            return starts, (self.matrix[:, index] if index < self.matrix.shape[1] else ends)
        if index:
            starts = self.separators[self.first + (index - 1)] + np.int32(size)
        if len(self.separators) and (ended := self.counts > index).any():
            separators = self.separators[np.minimum(self.first + index, len(self.separators) - 1)]
            ends = separators if ended.all() else np.where(ended, separators, ends)
        return starts, ends

    def rests(self, count: int, size: int) -> Int32:
        """Returns the offset after the separator of the last value that has a name; the end of a line without further values.

        Args:
            count: number of values that have a name.
            size: length of a separator.
        """
        if not len(self.separators):
            return self.ends
        index = np.minimum(self.first + (count - 1), len(self.separators) - 1)
        return np.where(self.counts >= count, self.separators[index] + np.int32(size), self.ends)


@dataclass(frozen=True)
class _UnquotedSpans:
    """Offsets of one value in some lines, without its quotes.

    Attributes:
        starts: start offset in each line.
        ends: end offset in each line.
        quoted: mask of the lines in which the value is quoted.
    """

    starts: Int32
    ends: Int32
    quoted: Bool


class DelimitedEngine:
    """Parses whole blocks of lines; see :class:`~pyspark_logs.formats.columnar.decoded_rows.Engine`."""

    name: ClassVar[str] = "numpy"

    def __init__(self, splitter: ValueSplitter, columns: Sequence[DelimitedColumn], rules: DelimitedRules) -> None:
        self.columns, self.rules = tuple(columns), rules
        self.separator, self.quote = splitter.separator.encode(), (splitter.quote or "").encode()
        self.escapes = splitter.escapes
        self.null = rules.null_value.encode()
        indices = [index for column in columns for index in column.source.indices]
        self.last_parsed = max([rules.last_validated(columns), *indices])

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """Returns the columns of the lines that have the expected number of values and no stray quotes."""
        if len(starts) == 0:
            return None
        view = spans.terminated_view(block)
        has_quotes = bool(self.quote) and self.quote in block
        line_values = self._split(block, view, starts, ends, has_quotes)
        if len(line_values.lines) == 0:
            return None
        unescape = self._collapse_doubled if has_quotes and 2 * self.quote in block else None
        values: dict[int, _UnquotedSpans] = {}
        converted = []
        for column in (*self.columns, *self.rules.validated_only):
            for index in column.source.indices:
                if index not in values:
                    values[index] = self._unquote(view, *line_values.spans(index, len(self.separator)), has_quotes)
            sources = [values[index] for index in column.source.indices]
            converted.append(self._column(column, sources, len(line_values.lines), block, view, unescape, context))
        arrays, valid = [array for array, _ in converted], [mask for _, mask in converted]
        rows = None if len(line_values.lines) == len(starts) else line_values.lines
        decoded = drop_uncertain_rows(rows, arrays, valid, len(self.columns))
        if self.rules.allow_trailing:
            rests = line_values.rests(self.rules.value_count, len(self.separator))
            kept = slice(None) if decoded.rows is None else np.searchsorted(line_values.lines, decoded.rows)
            decoded.rests = rests[kept]
        return decoded

    def _split(self, block: bytes, view: Bytes, starts: Int32, ends: Int32, has_quotes: bool) -> _LineValues:
        valid: Bool = np.ones(len(starts), np.bool_)
        separators = self._find_all(view, self.separator)
        if len(self.separator) > 1:
            # The first of two overlapping occurrences is the separator. Such lines are left to the line parser.
            overlapping = np.flatnonzero(np.diff(separators) < len(self.separator))
            valid[_line_of(separators[overlapping], starts)] = False
        if has_quotes:
            outside, well_quoted = self._check_quotes(view, starts, ends, separators)
            separators, valid = separators[outside], valid & well_quoted
            if self.escapes:  # lines with a backslash are left to the line parser
                valid[_line_of(self._find_all(view, b"\\"), starts)] = False
        first = np.searchsorted(separators, starts)
        counts = np.searchsorted(separators, ends) - first
        last = self.rules.value_count - 1
        escaped_quote = b"\\" + self.quote
        if has_quotes and not self.escapes and b"\\" in block and escaped_quote in block:
            # The line parser may read a line with another number of values in another way.
            other = (counts < last) if self.rules.allow_trailing else (counts != last)
            rows = _line_of(self._find_all(view, escaped_quote), starts)
            valid[rows[other[rows]]] = False
        if self.last_parsed < last:
            valid &= counts > self.last_parsed
        else:
            valid &= (counts >= last) if self.rules.allow_trailing else (counts == last)
        return _LineValues(starts, ends, np.flatnonzero(valid), separators, first, counts)

    def _find_all(self, view: Bytes, text: bytes) -> Int32:
        """Returns the offsets of all occurrences of a text, which may overlap."""
        offsets = np.flatnonzero(view == text[0]).astype(np.int32)
        return offsets[spans.literal_at(view, offsets, text)] if len(text) > 1 else offsets

    def _check_quotes(self, view: Bytes, starts: Int32, ends: Int32, separators: Int32) -> tuple[Bool, Bool]:
        """Returns a mask of the separators outside of quotes, and a mask of the lines without stray quotes."""
        if len(self.quote) > 1 or len(self.separator) > 1:
            # Lines with quotes are left to the line parser.
            valid: Bool = np.ones(len(starts), np.bool_)
            valid[_line_of(self._find_all(view, self.quote), starts)] = False
            return np.ones(len(separators), np.bool_), valid
        quotes = byte_offsets(view, self.quote[0])
        if _have_even_counts(quotes, starts, ends):
            # The quotes with even indices open values, or are the second ones of doubled quotes.
            inside = np.searchsorted(quotes, separators) & 1
            opening, closing = quotes[::2], quotes[1::2]
            valid = np.ones(len(starts), np.bool_)
            before = self._unbounded(view, opening, -1)
            after = self._unbounded(view, closing, 1)
            line = _line_of(before, starts)
            valid[line[before != starts[line]]] = False
            line = _line_of(after, starts)
            valid[line[after + 1 != ends[line]]] = False
            return inside == 0, valid
        is_quote = view == self.quote[0]
        odd = np.bitwise_xor.accumulate(is_quote.view(np.uint8))  # parity of the number of quotes up to each byte
        before = np.where(starts > 0, odd[np.maximum(starts - 1, 0)], 0)
        valid = odd[np.maximum(ends - 1, 0)] == before
        opening, inside = odd[quotes], odd[separators]
        if before.any():  # an earlier line has an odd number of quotes
            opening = opening ^ before[_line_of(quotes, starts)]
            inside = inside ^ before[_line_of(separators, starts)]
        is_boundary: Bool = np.zeros(256, np.bool_)
        is_boundary[[self.separator[0], self.quote[0]]] = True
        boundary_before = is_boundary[view[np.maximum(quotes - 1, 0)]]
        boundary_after = is_boundary[spans.bytes_at(view, quotes + np.int32(1))]
        # A quote that is at no boundary must be at the start or end of its line. The line's offsets are compared, as a
        # record of several lines contains line ends.
        unbounded = np.flatnonzero(np.where(opening, ~boundary_before, ~boundary_after))
        line = _line_of(quotes[unbounded], starts)
        at_edge = np.where(opening[unbounded], quotes[unbounded] == starts[line], quotes[unbounded] + 1 == ends[line])
        valid[line[~at_edge]] = False
        return inside == 0, valid

    def _unbounded(self, view: Bytes, quotes: Int32, step: int) -> Int32:
        """Returns the quotes whose neighbour in a direction is neither a separator nor a quote."""
        is_boundary: Bool = np.zeros(256, np.bool_)
        is_boundary[[self.separator[0], self.quote[0]]] = True
        bounded = is_boundary.take(view.take(quotes + np.int32(step), mode="clip"))
        bounded[:1] &= quotes[:1] + step >= 0
        return quotes[~bounded]

    def _unquote(self, view: Bytes, starts: Int32, ends: Int32, has_quotes: bool) -> _UnquotedSpans:
        if not has_quotes:
            return _UnquotedSpans(starts, ends, np.zeros(len(starts), np.bool_))
        quoted = spans.literal_at(view, starts, self.quote) & (ends > starts)
        if not quoted.any():
            return _UnquotedSpans(starts, ends, quoted)
        return _UnquotedSpans(starts + quoted.astype(np.int32), ends - quoted.astype(np.int32), quoted)

    def _column(
        self, column: DelimitedColumn, sources: Sequence[_UnquotedSpans], count: int, block: bytes, view: Bytes,
        unescape: Callable[[pa.Array], pa.Array] | None, context: TimestampContext,
    ) -> ConversionResult:  # fmt: skip
        """Converts the values of a column in ``count`` lines."""
        if not sources:
            return pa.nulls(count, column.type.arrow()), None
        null = np.logical_or.reduce([self._is_null(column, view, source) for source in sources])
        if len(sources) == 1 and not column.source.suffix:
            starts, ends = sources[0].starts, sources[0].ends
            return convert_fields(block, view, starts, ends, null, column.type, context, unescape=unescape)
        present = np.flatnonzero(~null)
        parts = [spans.field_strings(block, source.starts[present], source.ends[present]) for source in sources]
        parts = parts if unescape is None else [unescape(strings) for strings in parts]
        joined = concat_texts(*parts, separator=" ")
        values, valid = column.type.convert(concat_texts(joined, column.source.suffix), context)
        return scatter_result(values, valid, null)

    def _collapse_doubled(self, strings: pa.Array) -> pa.Array:
        """Replaces each doubled quote by one quote."""
        quote = self.quote.decode()
        return pc.replace_substring(strings, 2 * quote, quote)

    def _is_null(self, column: DelimitedColumn, view: Bytes, source: _UnquotedSpans) -> Bool:
        empty = source.ends == source.starts
        if column.type.keeps_text:
            empty &= ~source.quoted
        return empty | (spans.equals_literal(view, source.starts, source.ends, self.null) & ~source.quoted)


def _have_even_counts(quotes: Int32, starts: Int32, ends: Int32) -> bool:
    """Returns True if each line has an even number of quotes, and no quote is between lines."""
    has_gaps = bool((starts[1:] - ends[:-1] > len("\r\n")).any())
    if has_gaps or len(quotes) % 2 or quotes[0] < starts[0] or quotes[-1] >= ends[-1]:
        return False
    return not (np.searchsorted(quotes, starts) & 1).any()


def _line_of(offsets: Int32, starts: Int32) -> Int64:
    """Returns the index of the last line that starts at or before each offset; -1 if there is none."""
    return np.searchsorted(starts, offsets, side="right") - 1
