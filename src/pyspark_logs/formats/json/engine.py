"""The fast engine for JSON lines.

Most lines of a file have the same keys in the same order: the text between the values is then one and
the same, and a line is a chain of literals, however nested it is. It takes only lines whose number of quotes,
without those that are escaped, is that of the shape: then every quote is one of the literals', so that
no value can reach over its end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows
from pyspark_logs.formats.columnar.spans import Bool, Int32, Int64
from pyspark_logs.formats.json.columns import Slot, SlotValues
from pyspark_logs.formats.json.line_parser import JsonLineParser
from pyspark_logs.formats.json.values import Number, load
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.records import Lines

_TOKEN = re.compile(r'"[^"]*"(?P<key>\s*:)?|[^\s"{}\[\],:]+', re.DOTALL)
_QUOTE, _SLASH = b'"\\'
_SIMPLE = b'"\\\\/bfnrt'  # escapes of one character
_MASK = "\x7f"  # in the place of escapes
_MOST_SHAPES = 24
_MOST_SLOTS = 300  # a shape costs some time for each, however few its lines are
_MOST_BRACKETS = 200
_FEWEST_LINES = 16  # of one shape, to be worth it


@dataclass(frozen=True)
class _Shape:
    """What all lines like one example have in common.

    Attributes:
        literals: ``literals[i]`` stands before slot i, the last one behind the last slot.
        slots: in their order in the line.
        record: the object, with a slot in the place of each value.
    """

    literals: tuple[str, ...]
    slots: tuple[Slot, ...]
    record: dict[str, Any]

    @property
    def quotes(self) -> int:
        return sum(literal.count('"') for literal in self.literals)


def learn(line: str) -> _Shape | None:
    """The shape of a line; None where it repeats a key, has too many values, or is not JSON."""
    if line.count("{") + line.count("[") > _MOST_BRACKETS:
        return None
    literals: list[str] = []
    slots: list[Slot] = []
    carried = 0
    for token in _TOKEN.finditer(line):
        if token["key"] is not None:
            continue
        if len(slots) == _MOST_SLOTS:
            return None
        quoted = line[token.start()] == '"'
        literals.append(line[carried : token.start() + quoted])
        slots.append(Slot(len(slots), quoted))
        carried = token.end() - quoted
    literals.append(line[carried:])
    if not slots or any(len(literal) == 0 or _MASK in literal or "\\" in literal for literal in literals):
        return None
    # With a plain value in every slot the literals alone decide whether the line is JSON, and has no other values.
    sample = (
        "".join(f"{literal}{slot.place}" for literal, slot in zip(literals[:-1], slots, strict=True)) + literals[-1]
    )
    try:
        record = load(sample)
    except ValueError:
        return None
    found: list[Slot] = []
    planned = _planned(record, found)
    return _Shape(tuple(literals), tuple(slots), planned) if isinstance(record, dict) and found == slots else None


def _planned(value: Any, found: list[Slot]) -> Any:
    """A sample value with its slots, which are told by the numbers in their places; and these in their order."""
    if isinstance(value, dict):
        return {key: _planned(item, found) for key, item in value.items()}
    if isinstance(value, list):
        return [_planned(item, found) for item in value]
    found.append(Slot(int(value), not isinstance(value, Number)))
    return found[-1]


class JsonEngine:
    """Lines that share their keys, by the block."""

    def __init__(self, exact: JsonLineParser) -> None:
        self.exact = exact

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """The columns of the lines whose shape can be read off other lines of the block."""
        if len(starts) == 0 or not self.exact.columns:
            return None
        text, todo = block, np.arange(len(starts))
        if b"\\" in block:
            text, odd = _without_escapes(block, starts, ends)
            todo = todo[~odd]
        view = spans.ended_view(text)
        quotes: Int64 | None = None  # of each line; lines of one shape have as many
        if len(todo) and self._learn(text, starts, ends, todo[0]) != self._learn(text, starts, ends, todo[-1]):
            quotes = _counts(view, _QUOTE, starts, ends)
        parts: list[DecodedRows] = []
        for _ in range(_MOST_SHAPES):
            if len(todo) == 0 or (parts and len(todo) < _FEWEST_LINES):
                break
            shape = self._learn(text, starts, ends, todo[0])
            left = np.ones(len(starts), np.bool_)
            left[todo[0]] = False
            if shape is not None:
                rows = todo if quotes is None else todo[quotes[todo] == shape.quotes]
                lines = Lines(block, starts[rows], ends[rows], 0)
                part = self._parse_shape(shape, lines, text, view, context, counted=quotes is not None)
                if part is not None and part.rows is not None and len(part.rows):
                    parts.append(DecodedRows(rows[part.rows], part.columns))
                    left[parts[-1].rows] = False
            todo = todo[left[todo]]
            if quotes is None and len(todo):
                quotes = _counts(view, _QUOTE, starts, ends)
        if not parts:
            return None
        columns = [pa.concat_arrays([part.columns[i] for part in parts]) for i in range(len(self.exact.given))]
        if len(parts) == 1:
            rows = parts[0].rows
            return DecodedRows(None if rows is not None and len(rows) == len(starts) else rows, columns)
        rows = np.concatenate([part.rows for part in parts])
        order = np.argsort(rows, kind="stable")
        return DecodedRows(rows[order], [column.take(pa.array(order)) for column in columns])

    def _learn(self, text: bytes, starts: Int32, ends: Int32, row: np.int64) -> _Shape | None:
        return learn(text[starts[row] : ends[row]].decode())

    def _parse_shape(
        self, shape: _Shape, lines: Lines, text: bytes, view: spans.Bytes, context: TimestampContext, *, counted: bool
    ) -> DecodedRows | None:
        """The lines of the shape among ``lines``.

        Args:
            shape: of some line.
            lines: of the block.
            text: the block without escapes.
            view: its bytes.
            context: the zone and the year bound.
            counted: whether the lines are known to have the shape's number of quotes.
        """
        starts, ends = lines.starts, lines.ends
        ok = spans.literal_at(view, starts, shape.literals[0].encode())
        # In a record of several lines a literal may hold line ends, and so reach over the end of another record.
        ok &= starts + np.int32(len(shape.literals[0].encode())) <= ends
        place = np.where(ok, starts + np.int32(len(shape.literals[0].encode())), ends).astype(np.int32)
        bounds: list[tuple[Int32, Int32]] = []
        for literal in shape.literals[1:-1]:
            at = spans.find(text, place, ends, literal)
            ok &= at >= 0
            at = np.where(ok, at, ends).astype(np.int32)
            bounds.append((place, at))
            place = np.where(ok, at + np.int32(len(literal.encode())), ends).astype(np.int32)
        tail = shape.literals[-1].encode()
        at = np.maximum(ends - np.int32(len(tail)), place)
        ok &= spans.literal_at(view, at, tail) & (at + len(tail) == ends)
        bounds.append((place, at))
        rows = np.flatnonzero(ok)
        # Each of these lines has the literals' quotes. If the block has no more, no value has one.
        if not counted and np.count_nonzero(view == _QUOTE) != shape.quotes * len(rows):
            rows = rows[_counts(view, _QUOTE, starts[rows], ends[rows]) == shape.quotes]
        values = SlotValues(lines.block, view, [(s[rows], e[rows]) for s, e in bounds], len(rows), context)
        return self._columns(shape, values, rows)

    def _columns(self, shape: _Shape, values: SlotValues, rows: Int64) -> DecodedRows | None:
        sure: Bool = np.ones(len(rows), np.bool_)
        for slot in shape.slots:
            if not slot.quoted:
                sure &= values.scalars(slot)
        columns = []
        for column in self.exact.columns:
            if self.exact.is_rescue(column):
                node = self.exact.rest(shape.record, column.field.type)
                built = values.column(node, column.field.type)
            else:
                built = values.at(shape.record, column.path, column.field.type, column.time)
            if built is None:
                return None
            array, fine = built
            columns.append(array)
            if fine is not None:
                sure &= fine
        columns = columns[: len(self.exact.given)]
        if sure.all():
            return DecodedRows(rows, columns)
        keep = np.flatnonzero(sure)
        return DecodedRows(rows[keep], [column.take(keep) for column in columns])


def _without_escapes(block: bytes, starts: Int32, ends: Int32) -> tuple[bytes, Bool]:
    """The block with other characters in the place of escapes, and which lines have some that are not simple."""
    raw = np.frombuffer(block, np.uint8)
    text = raw.copy()
    slashes = np.flatnonzero(raw == _SLASH)
    begins = np.concatenate([[True], np.diff(slashes) > 1])
    first = slashes[begins][np.cumsum(begins) - 1]  # of the run that a backslash is in
    escapes = slashes[(slashes - first) % 2 == 0]
    escaped = raw[np.minimum(escapes + 1, len(raw) - 1)]
    simple = np.isin(escaped, np.frombuffer(_SIMPLE, np.uint8)) & (escapes + 1 < len(raw))
    text[escapes[simple]] = text[escapes[simple] + 1] = ord(_MASK)
    # A line whose text has the mask by itself is odd, too: its keys might be taken for others.
    odd = np.concatenate([escapes[~simple], np.flatnonzero(raw == ord(_MASK))])
    odd.sort()
    return text.tobytes(), np.searchsorted(odd, starts) < np.searchsorted(odd, ends)


def _counts(view: spans.Bytes, byte: int, starts: Int32, ends: Int32) -> Int64:
    """How often a byte occurs in each line."""
    places = np.flatnonzero(view == byte)
    if len(starts) and len(places) and len(places) % len(starts) == 0:
        # The usual case, every line has as many: two comparisons a line instead of two searches.
        table = places.reshape(len(starts), -1)
        if (table[:, 0] >= starts).all() and (table[:, -1] < ends).all():
            return np.full(len(starts), table.shape[1], np.int64)
    return np.searchsorted(places, ends) - np.searchsorted(places, starts)
