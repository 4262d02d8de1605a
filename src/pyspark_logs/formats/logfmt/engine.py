"""The fast engine for ``key=value`` pairs.

Most lines of a file have the same keys in the same order: the text between the values is then one and the same, and a
line is a chain of literals. It takes lines without backslashes whose number of quotes is that of the shape, so that
every quote is one of the literals', and whose values without quotes hold neither a blank nor ``=``: then the literals
stand where the exact parser finds keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import column_at, equals
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32, Int64
from pyspark_logs.formats.json.values import lookup
from pyspark_logs.formats.logfmt.line_parser import Key, LogfmtLineParser, pairs
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.registry import Boolean

_MOST_SHAPES = 12
_FEWEST_LINES = 16  # that are worth a further shape
_LONGEST_LITERAL = 300  # literals are compared a byte at a time
_LONGEST_LINE = 64 << 10  # that is worth learning from
_EQUALS, _QUOTE, _BACKSLASH, _SPACE = 0x3D, 0x22, 0x5C, 0x20


@dataclass(frozen=True)
class Shape:
    """What all lines like one example have in common.

    Attributes:
        literals: ``literals[i]`` stands before the value of slot i, the last one behind the last value.
        slots: keys, and whether their values are in quotes (the quotes are the literals').
        flags: keys without a value.
    """

    literals: tuple[str, ...]
    slots: tuple[tuple[str, bool], ...]
    flags: tuple[str, ...]

    @property
    def quotes(self) -> int:
        """How many quotes a line has."""
        return sum(literal.count('"') for literal in self.literals)


def learn(line: str) -> Shape | None:
    """The shape of a line; None where it repeats a key, has escapes, is very long, or is not made of pairs."""
    if len(line) > _LONGEST_LINE:
        return None
    try:
        found = list(pairs(line))
    except ValueError:
        return None
    valued = [pair for pair in found if not pair.flag]
    keys = [pair.key.lower() for pair in found]
    if not valued or "\\" in line or len(set(keys)) != len(keys):
        return None
    starts, ends = [pair.start for pair in valued], [pair.end for pair in valued]
    literals = [line[begin:end] for begin, end in zip([0, *ends], [*starts, len(line)], strict=True)]
    if max(map(len, literals)) > _LONGEST_LITERAL:
        return None
    slots = tuple((pair.key, pair.quoted) for pair in valued)
    return Shape(tuple(literals), slots, tuple(pair.key for pair in found if pair.flag))


class LogfmtEngine:
    """Lines that share their keys, by the block."""

    def __init__(self, exact: LogfmtLineParser) -> None:
        self.exact = exact
        self.null = exact.null_value.encode()

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """The columns of the lines whose shape can be read off other lines of the block."""
        if len(starts) == 0:
            return None
        view = spans.ended_view(block)
        marks = _Marks(view)
        todo = np.arange(len(starts))
        if block.find(b"\\") >= 0:
            todo = todo[_counted(np.flatnonzero(view == _BACKSLASH), starts, ends) == 0]
        parts: list[DecodedRows] = []
        for _ in range(_MOST_SHAPES):
            if len(todo) == 0 or (parts and len(todo) < _FEWEST_LINES):
                break
            shape = learn(block[starts[todo[0]] : ends[todo[0]]].decode())
            left = np.ones(len(todo), np.bool_)
            left[0] = False
            if shape is not None:
                rows, columns = self._like(shape, block, view, marks, starts[todo], ends[todo], context)
                if len(rows):
                    parts.append(DecodedRows(todo[rows], columns))
                    left[rows] = False
            todo = todo[left]
        if not parts:
            return None
        rows = np.concatenate([part.rows for part in parts])
        columns = [pa.concat_arrays([part.columns[i] for part in parts]) for i in range(len(self.exact.keys))]
        if len(parts) > 1:
            order = np.argsort(rows, kind="stable")
            rows, columns = rows[order], [column.take(pa.array(order)) for column in columns]
        return DecodedRows(None if len(rows) == len(starts) else rows, columns)

    def _like(
        self,
        shape: Shape,
        block: bytes,
        view: Bytes,
        marks: _Marks,
        starts: Int32,
        ends: Int32,
        context: TimestampContext,
    ) -> tuple[Int64, list[pa.Array]]:
        """Which of the lines are surely of a shape, and their columns."""
        keys = [*(key for key, _ in shape.slots), *shape.flags]
        rescues = any(map(self.exact.is_rescue, self.exact.keys))
        if rescues and set(keys) - {lookup(keys, key.name) for key in self.exact.shown()}:
            return np.zeros(0, np.int64), []  # something is to be rescued
        ok, bounds = _chained(shape.literals, block, view, starts, ends)
        for (_, quoted), (start, end) in zip(shape.slots, bounds, strict=True):
            if not quoted:
                ok &= marks.none_within(start, end)
        rows = np.flatnonzero(ok)
        # Each of these lines has the literals' quotes. If the block has no more, no value has one.
        if len(marks.quotes) != shape.quotes * len(rows):
            rows = rows[_counted(marks.quotes, starts[rows], ends[rows]) == shape.quotes]
        return self._columns(shape, [(start[rows], end[rows]) for start, end in bounds], rows, block, view, context)

    def _columns(
        self,
        shape: Shape,
        bounds: Sequence[tuple[Int32, Int32]],
        rows: Int64,
        block: bytes,
        view: Bytes,
        context: TimestampContext,
    ) -> tuple[Int64, list[pa.Array]]:
        slots = [key for key, _ in shape.slots]
        sure: Bool = np.ones(len(rows), np.bool_)
        columns: list[pa.Array] = []
        for key in self.exact.keys:
            name = lookup([*slots, *shape.flags], key.name)
            if self.exact.is_rescue(key) or name is None:
                columns.append(pa.nulls(len(rows), key.type.arrow()))
            elif name not in slots:
                there = True if isinstance(key.type, Boolean) else None
                columns.append(pa.repeat(pa.scalar(there, key.type.arrow()), len(rows)))
            else:
                place = slots.index(name)
                start, end = bounds[place]
                null = self._null(key, view, start, end, quoted=shape.slots[place][1])
                array, fine = column_at(block, view, start, end, null, key.type, context)
                columns.append(array)
                if fine is not None:
                    sure &= fine
        if sure.all():
            return rows, columns
        keep = np.flatnonzero(sure)
        return rows[keep], [column.take(keep) for column in columns]

    def _null(self, key: Key, view: Bytes, starts: Int32, ends: Int32, *, quoted: bool) -> Bool:
        null: Bool = np.zeros(len(starts), np.bool_) if quoted else equals(view, starts, ends, self.null)
        return null if key.type.text else null | (ends == starts)


class _Marks:
    """Where a block has what must not be in a value.

    Attributes:
        quotes: places of the double quotes.
    """

    def __init__(self, view: Bytes) -> None:
        self.quotes = np.flatnonzero(view == _QUOTE)
        # Blanks and equals signs, and one place behind all.
        self._ends = np.append(np.flatnonzero((view <= _SPACE) | (view == _EQUALS)), len(view)).astype(np.int32)

    def none_within(self, starts: Int32, ends: Int32) -> Bool:
        """Which spans have neither a blank nor an equals sign."""
        none: Bool = self._ends[np.searchsorted(self._ends, starts)] >= ends
        return none


def _chained(
    literals: Sequence[str], block: bytes, view: Bytes, starts: Int32, ends: Int32
) -> tuple[Bool, list[tuple[Int32, Int32]]]:
    """Which lines have the literals one after the other, from their beginning to their end, and what is between them."""
    head, tail = literals[0].encode(), literals[-1].encode()
    # A record of several lines has line ends among its blanks, so a head may seem to reach over a record's end.
    ok = spans.literal_at(view, starts, head) & (starts + len(head) <= ends)
    place = np.where(ok, starts + np.int32(len(head)), ends).astype(np.int32)
    bounds: list[tuple[Int32, Int32]] = []
    for literal in literals[1:-1]:
        at = spans.find(block, place, ends, literal)
        ok &= at >= 0
        at = np.where(ok, at, ends).astype(np.int32)
        bounds.append((place, at))
        place = np.where(ok, at + np.int32(len(literal.encode())), ends).astype(np.int32)
    at = np.maximum(ends - np.int32(len(tail)), place)
    ok &= spans.literal_at(view, at, tail) & (at + len(tail) == ends)
    bounds.append((place, at))
    return ok, bounds


def _counted(places: Int64, starts: Int32, ends: Int32) -> Int64:
    """How many of the places are in each line."""
    if len(places) == 0:
        return np.zeros(len(starts), np.int64)
    return np.searchsorted(places, ends) - np.searchsorted(places, starts)
