"""Parsing of the lines of a block by their shapes.

Most lines of a log file have the same keys in the same order and differ only in their values. The text between the
values, the quotes of the values included, is then the same in all of these lines: it is their shape, a sequence of
literals. The engines of JSON and logfmt learn the shape of one line and parse all lines of the block that have this
shape together, column by column.

A line is taken only if it has exactly as many double quotes as the literals. Then no value contains a quote, so that
no value can extend past its end.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import numpy as np
import pyarrow as pa

from pyspark_logs.arrow_values import from_numpy
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows
from pyspark_logs.formats.columnar.spans import (
    Bool,
    Bytes,
    Int32,
    Int64,
)

ValueSpans = list[tuple[Int32, Int32]]  # of each value of a shape: its start and end offset in each line

_MIN_LINES = 16  # a shape of fewer lines costs more than the line parser
_QUOTE = ord('"')


@dataclass(frozen=True)
class LineShape:
    """Text that the lines of one shape have in common.

    Attributes:
        literals: ``literals[i]`` is the text before value ``i``; the last literal is the text after the last value.
    """

    literals: tuple[str, ...]

    @property
    def quotes(self) -> int:
        """Number of double quotes in a line."""
        return sum(literal.count('"') for literal in self.literals)


ShapeT = TypeVar("ShapeT", bound=LineShape)


class ShapeBlockParser(ABC, Generic[ShapeT]):
    """Parses the lines of one block by their shapes. A subclass for each format learns shapes and converts values.

    Args:
        block: the lines, valid UTF-8.
        text: bytes in which the literals are searched; its lines have the same offsets as those of ``block``.
        starts: start offset of each line, ascending.
        ends: end offset of each line.
    """

    max_shapes: ClassVar[int]

    def __init__(self, block: bytes, text: bytes, starts: Int32, ends: Int32) -> None:
        self.block, self.text, self.starts, self.ends = block, text, starts, ends
        self.view = spans.terminated_view(text)

    @abstractmethod
    def learn(self, line: str) -> ShapeT | None:
        """Returns the shape of a line; None if the line is invalid or other lines are not worth comparing to it."""

    @abstractmethod
    def convert(self, shape: ShapeT, values: ValueSpans, rows: Int64) -> DecodedRows | None:
        """Returns the columns of the lines ``rows``, whose literals are those of the shape; None if no line is certain.

        Lines with a value that may not be converted correctly are left out.
        """

    def has_valid_values(self, shape: ShapeT, values: ValueSpans) -> Bool | None:
        """Returns a mask of the lines whose values cannot contain further keys; None: all lines."""
        return None

    def parse(self, rows: Int64) -> DecodedRows | None:
        """Returns the columns of the lines whose shape was learnt; None if there are none.

        Args:
            rows: indices of the lines to parse.
        """
        quotes: Int64 | None = None  # in each line; lines of one shape have equally many
        if len(rows) and self._learn(rows[0]) != self._learn(rows[-1]):
            quotes = self._quotes_in(self.starts, self.ends)
        parts: list[DecodedRows] = []
        for _ in range(self.max_shapes):
            if len(rows) == 0 or (parts and len(rows) < _MIN_LINES):
                break
            shape = self._learn(rows[0])
            remaining = np.ones(len(self.starts), np.bool_)
            remaining[rows[0]] = False
            if shape is not None:
                part = self._parse_shape(shape, rows, quotes)
                if part is not None and part.rows is not None and len(part.rows):
                    parts.append(part)
                    remaining[part.rows] = False
            rows = rows[remaining[rows]]
            if quotes is None and len(rows):
                quotes = self._quotes_in(self.starts, self.ends)
        return _in_line_order(parts, len(self.starts)) if parts else None

    def _learn(self, row: np.int64) -> ShapeT | None:
        return self.learn(self.text[self.starts[row] : self.ends[row]].decode())

    def _parse_shape(self, shape: ShapeT, rows: Int64, quotes: Int64 | None) -> DecodedRows | None:
        """Returns the lines of a shape among ``rows``, and their columns.

        Args:
            shape: the shape.
            rows: indices of the lines to parse.
            quotes: number of quotes in each line of the block; None: not counted yet.
        """
        if quotes is not None:
            rows = rows[quotes[rows] == shape.quotes]
        starts, ends = self.starts[rows], self.ends[rows]
        matches, values = find_values(shape.literals, self.text, self.view, starts, ends)
        valid = self.has_valid_values(shape, values)
        matching = np.flatnonzero(matches if valid is None else matches & valid)
        # Each matching line contains the quotes of the literals. If the block has no others, they need no counting.
        if quotes is None and np.count_nonzero(self.view == _QUOTE) != shape.quotes * len(matching):
            matching = matching[self._quotes_in(starts[matching], ends[matching]) == shape.quotes]
        if len(matching) == 0:
            return None
        values = [(value_starts[matching], value_ends[matching]) for value_starts, value_ends in values]
        return self.convert(shape, values, rows[matching])

    def _quotes_in(self, starts: Int32, ends: Int32) -> Int64:
        return count_in_lines(self._quote_offsets, starts, ends)

    @functools.cached_property
    def _quote_offsets(self) -> Int64:
        return np.flatnonzero(self.view == _QUOTE)


def find_values(
    literals: Sequence[str], text: bytes, view: Bytes, starts: Int32, ends: Int32
) -> tuple[Bool, ValueSpans]:
    """Finds the literals in each line, from the first at its start to the last at its end.

    Returns:
        A mask of the lines that consist of the literals and values between them, and the spans of the values.
    """
    first, last = literals[0].encode(), literals[-1].encode()
    # A record of several lines has line ends within it, so the first literal may seem to extend past the record's end.
    found = spans.literal_at(view, starts, first) & (starts + np.int32(len(first)) <= ends)
    offset = np.where(found, starts + np.int32(len(first)), ends).astype(np.int32)
    values: ValueSpans = []
    for literal in literals[1:-1]:
        at = spans.find_literal(text, offset, ends, literal)
        found &= at >= 0
        at = np.where(found, at, ends).astype(np.int32)
        values.append((offset, at))
        offset = np.where(found, at + np.int32(len(literal.encode())), ends).astype(np.int32)
    at = np.maximum(ends - np.int32(len(last)), offset)
    found &= spans.literal_at(view, at, last) & (at + len(last) == ends)
    values.append((offset, at))
    return found, values


def count_in_lines(offsets: Int64, starts: Int32, ends: Int32) -> Int64:
    """Counts the offsets within each line.

    >>> count_in_lines(np.array([1, 2, 7]), np.array([0, 5], np.int32), np.array([4, 9], np.int32)).tolist()
    [2, 1]
    """
    if len(offsets) == 0:
        return np.zeros(len(starts), np.int64)
    if len(starts) and len(offsets) % len(starts) == 0:
        # Usually all lines have equally many: two comparisons a line instead of two binary searches.
        table = offsets.reshape(len(starts), -1)
        if (table[:, 0] >= starts).all() and (table[:, -1] < ends).all():
            return np.full(len(starts), table.shape[1], np.int64)
    return np.searchsorted(offsets, ends) - np.searchsorted(offsets, starts)


def _in_line_order(parts: Sequence[DecodedRows], count: int) -> DecodedRows:
    """Returns the lines of several shapes as one result, in the order of the lines.

    Args:
        parts: the lines and columns of each shape.
        count: number of lines in the block.
    """
    rows = np.concatenate([part.rows for part in parts])
    columns = [pa.concat_arrays(arrays) for arrays in zip(*(part.columns for part in parts), strict=True)]
    if len(parts) > 1:
        order = np.argsort(rows, kind="stable")
        rows, columns = rows[order], [column.take(from_numpy(order)) for column in columns]
    return DecodedRows(None if len(rows) == count else rows, columns)
