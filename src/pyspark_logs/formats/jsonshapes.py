"""The fast engine for JSON lines.

Most lines of a file have the same keys in the same order: the text between the values is then one and
the same, and a line is a chain of literals. It takes only lines without backslashes, whose number of
quotes is that of the shape: then every quote is one of the literals', so that no value can reach over
its end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark_logs.formats import kernels
from pyspark_logs.formats.basetypes import Text
from pyspark_logs.formats.engine import Sure, with_gaps
from pyspark_logs.formats.fieldtypes import Boolean, for_arrow
from pyspark_logs.formats.jsonlines import JsonLines, load, lookup
from pyspark_logs.formats.numbertypes import DecimalNumber, Floating, Integer
from pyspark_logs.formats.timestamps import HIGHEST_US, LOWEST_US, Moment
from pyspark_logs.formats.timetypes import Date, Timestamp
from pyspark_logs.formats.zones import utc_to_walls_us

if TYPE_CHECKING:
    import pyarrow as pa

    from pyspark_logs.formats.kernels import Bool, Int32, Int64

_PAIR = re.compile(r'([^"]*"([^"]*)"\s*:\s*)(?:"([^"]*)"|([^\s"{}\[\],:]+))', re.DOTALL)
_MOST_SHAPES = 8


@dataclass(frozen=True)
class _Shape:
    """What all lines like one example have in common.

    ``literals[i]`` stands before slot i, the last literal behind the last slot. A slot is a key and
    whether its value is in quotes (the quotes are the literals').
    """

    literals: tuple[str, ...]
    slots: tuple[tuple[str, bool], ...]

    @property
    def quotes(self) -> int:
        return sum(literal.count('"') for literal in self.literals)


def learn(line: str) -> _Shape | None:
    """The shape of a line; None where it is nested, repeats a key or is not JSON."""
    literals, slots, place, carried = [], [], 0, ""
    while match := _PAIR.match(line, place):
        quoted = match[3] is not None
        literals.append(carried + match[1] + ('"' if quoted else ""))
        slots.append((match[2], quoted))
        carried, place = ('"' if quoted else ""), match.end()
    literals.append(carried + line[place:])
    keys = [key for key, _ in slots]
    if not slots or len({key.lower() for key in keys}) != len(keys) or any(len(x) == 0 for x in literals):
        return None
    # With a plain value in every slot the literals alone decide whether the line is JSON, and has no other values.
    plain = [(key, "x" if quoted else "1") for key, quoted in slots]
    sample = "".join(literal + value for literal, (_, value) in zip(literals[:-1], plain, strict=True)) + literals[-1]
    try:
        record = load(sample)
    except ValueError:
        return None
    return _Shape(tuple(literals), tuple(slots)) if isinstance(record, dict) and list(record.items()) == plain else None


class JsonShapeEngine:
    """Lines that share their keys, by the block."""

    def __init__(self, exact: JsonLines) -> None:
        self.exact = exact

    def parse(self, block: bytes, starts: Int32, ends: Int32, moment: Moment) -> Sure | None:
        """The columns of the lines whose shape can be read off other lines of the block."""
        import numpy as np
        import pyarrow as pa

        if len(starts) == 0 or not self.exact.fields:
            return None
        view = kernels.ended_view(block)
        todo = np.arange(len(starts))
        if block.find(b"\\") >= 0:
            todo = todo[_free_of(view, 92, starts, ends)]
        parts: list[Sure] = []
        for _ in range(_MOST_SHAPES):
            if len(todo) == 0 or (parts and len(todo) < 16):
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
        columns = [pa.concat_arrays([part.columns[i] for part in parts]) for i in range(len(self.exact.fields))]
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

        keys = [key for key, _ in shape.slots]
        chosen = [lookup(keys, field.name) for field in self.exact.fields]
        if self.exact.rescued is not None and set(keys) - {lookup(keys, field.name) for field in self.exact.shown()}:
            return None  # something is to be rescued
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
        return self._values(shape, [(s[rows], e[rows]) for s, e in bounds], rows, chosen, block, view, moment)

    def _values(
        self, shape: _Shape, bounds: list[tuple[Int32, Int32]], rows: Int64, chosen: list[str | None],
        block: bytes, view: kernels.Bytes, moment: Moment,
    ) -> Sure | None:  # fmt: skip
        import numpy as np
        import pyarrow as pa

        sure: Bool = np.ones(len(rows), np.bool_)
        found: dict[int, pa.Array] = {}  # by place: a column may be wanted twice, as text and as a time
        for (key, quoted), (start, end) in zip(shape.slots, bounds, strict=True):
            fields = [(place, self.exact.fields[place]) for place, name in enumerate(chosen) if name == key]
            if quoted:
                for place, field in fields:
                    column = _quoted_column(kernels.texts(block, start, end), field.type, moment)
                    if column is None:
                        return None
                    found[place], fine = column
                    sure &= True if fine is None else fine
                continue
            null = kernels.literal_at(view, start, b"null") & (end - start == 4)
            texts = kernels.texts(block, start[~null], end[~null]) if null.any() else kernels.texts(block, start, end)
            spread = np.ones(len(rows), np.bool_)
            spread[~null] = _plain_scalars(texts)
            sure &= spread
            for place, field in fields:
                values, fine = _plain_column(texts, field.type, moment, spread[~null])
                found[place] = with_gaps(values, null) if null.any() else values
                if fine is not None:
                    spread[~null] = fine
                    sure &= spread
        columns = [
            found[i] if i in found else pa.nulls(len(rows), f.type) for i, f in enumerate(self.exact.fields)
        ]  # fmt: skip
        if sure.all():
            return Sure(rows_within(rows, None), columns)
        keep = np.flatnonzero(sure)
        return Sure(rows_within(rows, keep), [column.take(keep) for column in columns])


def rows_within(rows: Int64, keep: Int64 | None) -> Int64:
    """The rows that are kept (None: all)."""
    return rows if keep is None else rows[keep]


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


def _plain_scalars(array: pa.Array) -> Bool:
    """Which texts are surely JSON numbers, or ``true`` or ``false``."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(array) == 0:
        return np.zeros(0, np.bool_)
    data = kernels.string_bytes(array)
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    starts, lengths = offsets[:-1] - offsets[0], np.diff(offsets)
    digits = (data - 48) <= 9
    if digits.all() and (lengths > 0).all():
        return (data[starts] != 48) | (lengths == 1)
    if (lengths > 0).all() and _plain_decimals(data, digits, starts, lengths):
        return np.ones(len(array), np.bool_)
    number = pc.match_substring_regex(array, r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$")
    words = pc.is_in(array, value_set=pa.array(["true", "false"]))
    return kernels.as_bool(pc.or_(number, words))


def _plain_decimals(data: kernels.Bytes, digits: Bool, starts: Int32, lengths: Int32) -> bool:
    """Whether all texts are JSON numbers without an exponent; False: not sure."""
    import numpy as np

    odd = np.flatnonzero(~digits)
    minus, points = odd[data[odd] == 45], odd[data[odd] == 46]
    if len(minus) + len(points) != len(odd):
        return False
    negative = data[starts] == 45
    first = starts + negative
    if np.count_nonzero(negative) != len(minus) or (first >= starts + lengths).any():
        return False
    # At most one point each, between digits.
    texts = np.searchsorted(starts, points, side="right") - 1
    inside = (points > first[texts]) & (points < (starts + lengths - 1)[texts])
    if not inside.all() or (np.diff(texts) == 0).any():
        return False
    # A leading zero stands alone or before a point.
    behind = data[np.minimum(first + 1, len(data) - 1)]
    return bool(((data[first] != 48) | (starts + lengths == first + 1) | (behind == 46)).all())


def _plain_column(array: pa.Array, dtype: pa.DataType, moment: Moment, scalars: Bool) -> tuple[pa.Array, Bool | None]:
    """Unquoted scalars as a column; what is not of the type is not sure."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    field_type = for_arrow(dtype)
    if isinstance(field_type, Text):
        return array, None
    if isinstance(field_type, Boolean):
        sure = kernels.as_bool(pc.is_in(array, value_set=pa.array(["true", "false"])))
        return pc.equal(array, "true"), sure & scalars
    if isinstance(field_type, (Integer, Floating, DecimalNumber)):
        values, fine = field_type.convert(array, moment)
        return values, scalars if fine is None else fine & scalars
    return pa.nulls(len(array), dtype), np.zeros(len(array), np.bool_)


def _quoted_column(array: pa.Array, dtype: pa.DataType, moment: Moment) -> tuple[pa.Array, Bool | None] | None:
    """Strings as a column; None where no string is of the type."""
    import pyarrow as pa

    field_type = for_arrow(dtype)
    if isinstance(field_type, Timestamp):
        values, fine = field_type.convert(array, moment)
        if dtype.tz is not None:
            return values, fine
        walls = utc_to_walls_us(values, moment.zone)
        clock = walls.cast(pa.int64()).fill_null(0).to_numpy()
        there = (clock >= LOWEST_US) & (clock <= HIGHEST_US)
        return walls, there if fine is None else fine & there
    if isinstance(field_type, (Text, Date)) and not pa.types.is_nested(dtype):
        return field_type.convert(array, moment)
    return None
