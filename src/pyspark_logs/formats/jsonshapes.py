"""The fast engine for JSON lines.

Most lines of a file have the same keys in the same order: the text between the values is then one and
the same, and a line is a chain of literals. It takes only lines without backslashes, whose number of
quotes is that of the shape: then every quote is one of the literals', so that no value can reach over
its end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark_logs.formats import kernels
from pyspark_logs.formats.engine import Sure
from pyspark_logs.formats.jsoncolumns import Slot, SlotValues
from pyspark_logs.formats.jsonlines import JsonLines
from pyspark_logs.formats.jsonvalues import Number, load
from pyspark_logs.formats.timestamps import Moment

if TYPE_CHECKING:
    from pyspark_logs.formats.kernels import Bool, Int32, Int64

_TOKEN = re.compile(r'"[^"]*"(?P<key>\s*:)?|[^\s"{}\[\],:]+', re.DOTALL)
_MOST_SHAPES = 8
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
    if not slots or any(len(literal) == 0 for literal in literals):
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


class JsonShapeEngine:
    """Lines that share their keys, by the block."""

    def __init__(self, exact: JsonLines) -> None:
        self.exact = exact

    def parse(self, block: bytes, starts: Int32, ends: Int32, moment: Moment) -> Sure | None:
        """The columns of the lines whose shape can be read off other lines of the block."""
        import numpy as np
        import pyarrow as pa

        if len(starts) == 0 or not self.exact.columns:
            return None
        view = kernels.ended_view(block)
        todo = np.arange(len(starts))
        if block.find(b"\\") >= 0:
            todo = todo[_free_of(view, 92, starts, ends)]
        parts: list[Sure] = []
        for _ in range(_MOST_SHAPES):
            if len(todo) == 0 or (parts and len(todo) < _FEWEST_LINES):
                break
            shape = learn(block[starts[todo[0]] : ends[todo[0]]].decode())
            if shape is not None:
                part = self._parse_shape(shape, block, view, starts[todo], ends[todo], moment)
                if part is not None and part.rows is not None and len(part.rows):
                    parts.append(Sure(todo[part.rows], part.columns))
            first = todo[0]
            done = np.zeros(len(starts), np.bool_)
            if parts:
                done[parts[-1].rows] = True
            todo = todo[~done[todo]]
            if len(todo) and todo[0] == first:
                todo = todo[1:]
        if not parts:
            return None
        columns = [pa.concat_arrays([part.columns[i] for part in parts]) for i in range(len(self.exact.given))]
        if len(parts) == 1:
            rows = parts[0].rows
            return Sure(None if rows is not None and len(rows) == len(starts) else rows, columns)
        rows = np.concatenate([part.rows for part in parts])
        order = np.argsort(rows, kind="stable")
        return Sure(rows[order], [column.take(pa.array(order)) for column in columns])

    def _parse_shape(
        self, shape: _Shape, block: bytes, view: kernels.Bytes, starts: Int32, ends: Int32, moment: Moment
    ) -> Sure | None:
        import numpy as np

        ok = kernels.literal_at(view, starts, shape.literals[0].encode())
        # In a record of several lines a literal may hold line ends, and so reach over the end of another record.
        ok &= starts + np.int32(len(shape.literals[0].encode())) <= ends
        place = np.where(ok, starts + np.int32(len(shape.literals[0].encode())), ends).astype(np.int32)
        bounds: list[tuple[Int32, Int32]] = []
        for literal in shape.literals[1:-1]:
            at = kernels.find(block, place, ends, literal)
            ok &= at >= 0
            at = np.where(ok, at, ends).astype(np.int32)
            bounds.append((place, at))
            place = np.where(ok, at + np.int32(len(literal.encode())), ends).astype(np.int32)
        tail = shape.literals[-1].encode()
        at = np.maximum(ends - np.int32(len(tail)), place)
        ok &= kernels.literal_at(view, at, tail) & (at + len(tail) == ends)
        bounds.append((place, at))
        rows = np.flatnonzero(ok)
        # Each of these lines has the literals' quotes. If the block has no more, no value has one.
        if np.count_nonzero(view == 34) != shape.quotes * len(rows):
            rows = rows[_counts(view, 34, starts[rows], ends[rows]) == shape.quotes]
        values = SlotValues(block, view, [(s[rows], e[rows]) for s, e in bounds], len(rows), moment)
        return self._columns(shape, values, rows)

    def _columns(self, shape: _Shape, values: SlotValues, rows: Int64) -> Sure | None:
        import numpy as np

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
            return Sure(rows, columns)
        keep = np.flatnonzero(sure)
        return Sure(rows[keep], [column.take(keep) for column in columns])


def _counts(view: kernels.Bytes, byte: int, starts: Int32, ends: Int32) -> Int64:
    """How often a byte occurs in each line."""
    import numpy as np

    places = np.flatnonzero(view == byte)
    if len(starts) and len(places) and len(places) % len(starts) == 0:
        # The usual case, every line has as many: two comparisons a line instead of two searches.
        table = places.reshape(len(starts), -1)
        if (table[:, 0] >= starts).all() and (table[:, -1] < ends).all():
            return np.full(len(starts), table.shape[1], np.int64)
    return np.searchsorted(places, ends) - np.searchsorted(places, starts)


def _free_of(view: kernels.Bytes, byte: int, starts: Int32, ends: Int32) -> Bool:
    return _counts(view, byte, starts, ends) == 0
