"""Lines of a template. The lines of one depth of groups have the same pieces: texts between constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark_logs.errors import SchemaError
from pyspark_logs.formats import kernels
from pyspark_logs.formats.casts import fitted
from pyspark_logs.formats.fieldtypes import address_texts
from pyspark_logs.formats.fieldwriter import BLANKS, FieldWriter, Place
from pyspark_logs.formats.linewriter import Trouble, troubles
from pyspark_logs.formats.template import Blanks, Field, Literal, Template
from pyspark_logs.formats.template import Plain as Segment
from pyspark_logs.formats.timestamps import Pattern, compile_pattern
from pyspark_logs.formats.timetypes import Timestamp

if TYPE_CHECKING:
    import pyarrow as pa

    from pyspark_logs.formats.kernels import Bool, Int64


@dataclass(frozen=True)
class Written:
    """A field and the columns it is written from: one, or an address and its port; none where there is no such column."""

    field: Field
    writer: FieldWriter
    columns: tuple[int, ...]

    @property
    def there(self) -> tuple[int, ...]:
        """The columns that there are; -1 stands for one that is not."""
        return tuple(column for column in self.columns if column >= 0)


@dataclass(frozen=True)
class Depth:
    """The lines that have so many groups.

    Attributes:
        pieces: constant text, or a field and its place.
        checked: whether these lines must be parsed to know what they are read as.
    """

    pieces: tuple[str | tuple[Written, Place], ...]
    checked: bool


class TemplateWriter:
    """Renders columns by a template; see :class:`pyspark_logs.formats.linewriter.LineWriter`."""

    def __init__(
        self, template: Template, fields: Sequence[Written], schema: pa.Schema, *, allow_trailing: bool,
        null_value: str, heads: tuple[str, ...], zone: str,
    ) -> None:  # fmt: skip
        self.schema, self.zone, self.fields = schema, zone, tuple(fields)
        self.names = tuple(schema.names)
        by_name = {one.field.name: one for one in fields}
        nullable = {column: one.field.nullable for one in fields for column in one.there}
        self.nullable = tuple(nullable[column] for column in range(len(self.names)))
        #: level -> the columns in it
        self.levels = [
            [c for s in level if isinstance(s, Field) and s.name for c in by_name[s.name].there]
            for level in template.levels
        ]
        self.first = next((c for level in self.levels for c in level), 0)
        deepest = max((depth for depth, columns in enumerate(self.levels) if columns), default=0)
        rules = (allow_trailing, null_value, heads)
        self.depths = [_depth(template, depth, by_name, *rules) for depth in range(deepest + 1)]

    def fitted(self, batch: pa.RecordBatch) -> tuple[list[pa.Array], list[Trouble]]:
        """The columns as the fields' types."""
        columns, found = [], []
        for place, wanted in enumerate(self.schema):
            array, lost = fitted(batch.column(wanted.name), wanted.type, self.zone)
            columns.append(array)
            found += troubles(place, lost, f"cannot be written as {wanted.type}")
        return columns, found

    def lines(self, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[Trouble]]:
        """Each row by its own depth: a group is written if a field of it, or of one within it, is not null."""
        import numpy as np
        import pyarrow as pa

        depths = self._depths(columns)
        present = np.unique(depths).tolist()
        if len(present) == 1:
            return self._lines(self.depths[present[0]], columns)
        parts, order, found = [], [], []
        for depth in present:
            rows = np.flatnonzero(depths == depth)
            texts, inside = self._lines(self.depths[depth], [column.take(pa.array(rows)) for column in columns])
            parts.append(texts)
            order.append(rows)
            for trouble in inside:
                everywhere = np.zeros(len(depths), np.bool_)
                everywhere[rows[trouble.rows]] = True
                found.append(Trouble(trouble.column, everywhere, trouble.why))
        back = np.argsort(np.concatenate(order), kind="stable")
        return pa.concat_arrays(parts).take(pa.array(back)), found

    def checked(self, columns: Sequence[pa.Array]) -> Bool | None:
        """Rows whose depth has a field that may reach too far."""
        import numpy as np

        if not any(depth.checked for depth in self.depths):
            return None
        return np.array([depth.checked for depth in self.depths])[self._depths(columns)]

    def comparable(self, column: int, array: pa.Array) -> list[str]:
        """Values of a column as texts; times as they would be written, since a year may not be."""
        kind = next((one.field.type for one in self.fields if column in one.there), None)
        return [
            str(v) for v in (kind.render(array, self.zone)[0] if isinstance(kind, Timestamp) else array).to_pylist()
        ]

    def spaced(self, column: int, values: pa.Array) -> pa.Array | None:
        """By the place that forbids most: in lines with all groups."""
        pieces = [piece for piece in self.depths[-1].pieces if not isinstance(piece, str)]
        for one, place in pieces:
            if one.there[:1] == (column,):
                return one.writer.spaced(values, place)
        return None

    def _depths(self, columns: Sequence[pa.Array]) -> Int64:
        import numpy as np

        count = len(columns[0])
        depths = np.zeros(count, np.int64)
        there = np.zeros(count, np.bool_)
        for level in reversed(self.levels[1:]):
            for column in level:
                if not there.all():
                    there |= columns[column].is_valid().to_numpy(zero_copy_only=False)
            depths += there
        return depths

    def _lines(self, depth: Depth, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[Trouble]]:
        import pyarrow as pa
        import pyarrow.compute as pc

        pieces: list[pa.Array | str] = []
        found: list[Trouble] = []
        for piece in depth.pieces:
            if isinstance(piece, str):
                pieces.append(piece)
                continue
            written, place = piece
            array, wrong = _values(written, columns)
            texts, inside = written.writer.texts(array, place, written.there[0])
            pieces.append(texts)
            found += wrong + inside
        if all(isinstance(piece, str) for piece in pieces):
            return pa.array(["".join(map(str, pieces))] * len(columns[0]), pa.string()), found
        return pc.binary_join_element_wise(*pieces, ""), found


def _values(written: Written, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[Trouble]]:
    """What a field is written from; an address and its port become one text."""
    import pyarrow as pa

    if len(written.columns) == 1:
        return columns[written.columns[0]], []
    count = len(columns[0])
    host, port = (columns[column] if column >= 0 else pa.nulls(count, pa.string()) for column in written.columns)
    lonely = kernels.as_bool(host.is_null()) & kernels.as_bool(port.is_valid())
    return address_texts(host, port), troubles(written.columns[1], lonely, "is a port without an address")


def _depth(
    template: Template, depth: int, fields: dict[str | None, Written], allow_trailing: bool, null_value: str,
    heads: tuple[str, ...],
) -> Depth:  # fmt: skip
    segments = [segment for level in template.levels[: depth + 1] for segment in level]
    absent = template.levels[depth + 1][0] if depth + 1 < len(template.levels) else None
    pieces: list[Any] = []
    checked = False
    for index, segment in enumerate(segments):
        before = segments[index - 1] if index else None
        after = segments[index + 1] if index + 1 < len(segments) else None
        if isinstance(segment, Literal):
            pieces.append(segment.text)
        elif isinstance(segment, Blanks):
            pieces.append(" ")
            checked |= isinstance(after, Blanks) or (isinstance(after, Literal) and after.text.startswith(BLANKS))
        else:
            place = _place(segment, before, after, absent, allow_trailing, heads)
            written = fields.get(segment.name)
            checked |= written is not None and _unsure(written, place)
            if written is None:  # {}: it is read over, whatever it is
                pieces.append(next((text for text in (null_value, "-", "", "0") if place.takes(text)), "-"))
            else:
                text = (written, place) if written.there else _null(written, place)
                pieces += ['"', text, '"'] if segment.type.quoted else [text]
    return Depth(tuple(_merged([*pieces, "\n"])), checked)


def _place(
    segment: Field, before: Segment | None, after: Segment | None, absent: Segment | None, allow_trailing: bool,
    heads: tuple[str, ...],
) -> Place:  # fmt: skip
    stop = after if after is not None else absent
    short = allow_trailing and after is None and segment.type.syntax is None and not segment.type.takes_rest
    return Place(
        stop=stop.text if isinstance(stop, Literal) else "",
        stop_follows=isinstance(after, Literal),
        blanks_end=isinstance(stop, Blanks) or short,
        field_follows=isinstance(after, Field),
        behind_blanks=isinstance(before, Blanks),
        blank_follows=isinstance(after, Blanks) or (isinstance(after, Literal) and after.text.startswith(BLANKS)),
        heads=heads if before is None else (),
    )


def _null(written: Written, place: Place) -> str:
    """What stands for a field that has no column."""
    text = written.writer.null_text(place)
    if text is None:
        name = written.field.name
        why = "nothing would be read as null there" if written.field.nullable else "the field has no '?'"
        raise SchemaError(f"column {name!r} is missing, and cannot be written as null: {why}; add the column")
    return text


def _merged(pieces: Sequence[Any]) -> list[Any]:
    merged: list[Any] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        elif piece != "":
            merged.append(piece)
    return merged


# --- fields whose own syntax may reach too far -----------------------------------------------------------------


def _unsure(written: Written, place: Place) -> bool:
    """Whether it takes a parser to know where this field would end."""
    kind = written.field.type
    if kind.syntax is None or kind.quoted:
        return False
    pattern = compile_pattern(kind.pattern) if isinstance(kind, Timestamp) and kind.pattern is not None else None
    if pattern is not None and (_reaches_on(pattern, place) or (place.behind_blanks and _begins_blank(pattern))):
        return True
    if not written.field.nullable:
        return False
    # Null may be empty or look like the beginning of a date: what follows may then make it one.
    null = written.writer.null_text(place)
    signed = pattern is not None and (pattern.pieces[0] == "%z" or pattern.pieces[0][0] == "-")
    return null is not None and (null[:1] != "-" or signed)


def _begins_blank(pattern: Pattern) -> bool:
    return pattern.pieces[0][0] in " \t" or pattern.pieces[0] == "%e"


def _reaches_on(pattern: Pattern, place: Place) -> bool:
    """Whether what a pattern writes could be read as something longer, or with its digits shared out otherwise.

    All directives are written at the full width that the reader tries first, but for two: ``%f`` takes up to nine
    digits, and ``%e`` with a blank before it may give that blank away and take two.
    """
    pieces = pattern.pieces
    if pieces[-1][0] in " \t":
        return True
    for index, piece in enumerate(pieces):
        loose = piece == "%f" or (piece == "%e" and index > 0 and pieces[index - 1][0] in " \t")
        if not loose:
            continue
        if index + 1 == len(pieces):
            if place.field_follows or place.stop[:1].isdecimal():
                return True
        elif _begins_with_digit(pieces[index + 1]):
            return True
    return False


def _begins_with_digit(piece: str) -> bool:
    return piece[1:] not in ("a", "A", "b", "B", "h", "p", "z", "Z", "%") if piece[0] == "%" else piece[0].isdecimal()
