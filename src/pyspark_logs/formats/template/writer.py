"""Lines of a template. The lines that have the same groups have the same pieces: texts between constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.errors import SchemaError
from pyspark_logs.formats.columnar.spans import Bool, Int64
from pyspark_logs.formats.line_writer import UnwritableValues, unwritable_values
from pyspark_logs.formats.template.composite_fields import FieldParts
from pyspark_logs.formats.template.field_writer import BLANKS, FieldWriter, Place
from pyspark_logs.formats.template.notation import (
    Blanks,
    Field,
    Following,
    Group,
    Literal,
    Segment,
    Template,
    TemplateStep,
    named_fields,
)
from pyspark_logs.formats.types.casts import cast_lossless

_MOST_SHAPES = 64  # compiled before the first row; of templates with more, the others as they come
_BITS = 32  # groups whose pattern fits into one number beside that of a row


@dataclass(frozen=True)
class Written:
    """A field and the columns it is written from: one, or its parts; none where there is no such column."""

    field: Field
    writer: FieldWriter
    columns: tuple[int, ...]
    parts: FieldParts | None = None

    @property
    def there(self) -> tuple[int, ...]:
        """The columns that there are; -1 stands for one that is not."""
        return tuple(column for column in self.columns if column >= 0)


@dataclass(frozen=True)
class Shape:
    """The lines that have the same groups.

    Attributes:
        pieces: constant text, or a field and its place.
        checked: whether these lines must be parsed to know what they are read as.
    """

    pieces: tuple[str | tuple[Written, Place], ...]
    checked: bool


class TemplateWriter:
    """Renders columns by a template; see :class:`pyspark_logs.formats.line_writer.LineWriter`."""

    def __init__(
        self, template: Template, fields: Sequence[Written], schema: pa.Schema, *, allow_trailing: bool,
        null_value: str, forbidden_prefixes: tuple[str, ...], zone: str,
    ) -> None:  # fmt: skip
        self.template, self.schema, self.zone, self.fields = template, schema, zone, tuple(fields)
        self.allow_trailing, self.null_value, self.forbidden_prefixes = allow_trailing, null_value, forbidden_prefixes
        self.names = tuple(schema.names)
        self.by_name: dict[str | None, Written] = {one.field.name: one for one in fields}
        nullable = {column: one.field.nullable for one in fields for column in one.there}
        self.nullable = tuple(nullable[column] for column in range(len(self.names)))
        #: of each group, in order: the columns in it and in those within it
        self.groups = tuple(
            tuple(c for field in named_fields(step.segment.segments) for c in self.by_name[field.name].there)
            for step in template.steps
            if isinstance(step.segment, Group)
        )
        #: columns that may be spaced: not the parts of a field that are no text
        self.texts = frozenset(
            column for one in fields for column in one.there if one.parts is None or _is_string(schema.field(column))
        )
        self.first = next((c for field in template.fields for c in self.by_name[field.name].there), 0)
        self.shapes: dict[tuple[bool, ...], Shape] = {}
        possible = self._possible(template.segments)
        for present in possible[:_MOST_SHAPES]:
            self._shape(present)
        #: whether lines of some shape must be parsed to be sure of them
        self.unsure = len(possible) > _MOST_SHAPES or any(shape.checked for shape in self.shapes.values())

    def cast_lossless(self, batch: pa.RecordBatch) -> tuple[list[pa.Array], list[UnwritableValues]]:
        """The columns as the fields' types."""
        columns, found = [], []
        for place, wanted in enumerate(self.schema):
            array, lost = cast_lossless(batch.column(wanted.name), wanted.type, self.zone)
            columns.append(array)
            found += unwritable_values(place, lost, f"cannot be written as {wanted.type}")
        return columns, found

    def render_lines(self, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[UnwritableValues]]:
        """Each row with the groups it needs: those in which a field, or in a group within, is not null."""
        codes, shapes = self._shapes(columns)
        if len(shapes) == 1:
            return self._lines(next(iter(shapes.values())), columns)
        parts, order, found = [], [], []
        for code, shape in shapes.items():
            rows = np.flatnonzero(codes == code)
            texts, inside = self._lines(shape, [column.take(pa.array(rows)) for column in columns])
            parts.append(texts)
            order.append(rows)
            for trouble in inside:
                everywhere = np.zeros(len(codes), np.bool_)
                everywhere[rows[trouble.rows]] = True
                found.append(UnwritableValues(trouble.column, everywhere, trouble.why))
        back = np.argsort(np.concatenate(order), kind="stable")
        return pa.concat_arrays(parts).take(pa.array(back)), found

    def uncertain_rows(self, columns: Sequence[pa.Array]) -> Bool | None:
        """Rows of a shape with a field that may reach too far, or what may be read as a group."""
        if not self.unsure:
            return None
        codes, shapes = self._shapes(columns)
        return np.isin(codes, [code for code, shape in shapes.items() if shape.checked])

    def comparable_texts(self, column: int, array: pa.Array) -> list[str]:
        """Values of a column as texts; times as they would be written, since a year may not be."""
        kind = next((one.field.type for one in self.fields if column in one.there), None)
        return [str(value) for value in (array if kind is None else kind.comparable(array, self.zone)).to_pylist()]

    def replace_by_spaces(self, column: int, values: pa.Array) -> pa.Array | None:
        """By all the places that the field may have."""
        places: dict[Place, FieldWriter] = {}
        for shape in self.shapes.values():
            pieces = [piece for piece in shape.pieces if not isinstance(piece, str)]
            places.update({place: one.writer for one, place in pieces if one.there[:1] == (column,)})
        # The first of some parts need be no text, though the field that they make is.
        spaced: pa.Array | None = values if places and column in self.texts else None
        for place, writer in places.items():
            spaced = writer.spaced(spaced, place) if spaced is not None else None
        return spaced

    def _possible(self, segments: Sequence[Segment]) -> list[tuple[bool, ...]]:
        """Which groups may be there together, those with all that have columns first; no more than are of use."""
        found: list[tuple[bool, ...]] = [()]
        for segment in segments:
            if isinstance(segment, Group):
                inside = self._possible(segment.segments)
                own = any(isinstance(s, Field) and s.name and self.by_name[s.name].there for s in segment.segments)
                choices = [(True, *one) for one in inside if own or any(one)]
                choices.append((False,) * (len(inside[0]) + 1))
                found = [(*one, *choice) for choice in choices for one in found][: _MOST_SHAPES + 1]
        return found

    def _shapes(self, columns: Sequence[pa.Array]) -> tuple[Int64, dict[int, Shape]]:
        """A number for each row, the same for rows with the same groups, and the shapes by these numbers."""
        if not self.groups:
            return np.zeros(len(columns[0]), np.int64), {0: self._shape(())}
        valid = {c: columns[c].is_valid().to_numpy(zero_copy_only=False) for group in self.groups for c in group}
        nowhere = np.zeros(len(columns[0]), np.bool_)
        there = [np.logical_or.reduce([nowhere, *(valid[c] for c in group)]) for group in self.groups]
        codes = nowhere.astype(np.int64)
        for place, present in enumerate(there):
            if place and place % _BITS == 0:
                codes = np.unique(codes, return_inverse=True)[1]
            codes = 2 * codes + present
        distinct, firsts = np.unique(codes, return_index=True)
        rows = zip(distinct.tolist(), firsts.tolist(), strict=True)
        return codes, {code: self._shape(tuple(bool(present[row]) for present in there)) for code, row in rows}

    def _shape(self, present: tuple[bool, ...]) -> Shape:
        if present not in self.shapes:
            self.shapes[present] = self._compiled(present)
        return self.shapes[present]

    def _compiled(self, present: tuple[bool, ...]) -> Shape:
        steps = _written(self.template, present)
        pieces: list[Any] = []
        checked = False
        before: Segment | None = None
        seeming: list[str] = []  # what the next field must not begin with
        for index, step in enumerate(steps):
            segment = step.segment
            behind, field_behind = _behind(steps[index + 1 :])
            if isinstance(segment, Group):
                firsts = _beginnings(segment.segments[0], behind, field_behind)
                checked |= bool(firsts)
                seeming += firsts if firsts and all(firsts) else []
                continue  # absent
            if isinstance(segment, Literal):
                pieces.append(segment.text)
            elif isinstance(segment, Blanks):
                pieces.append(" ")
                checked |= behind.startswith(BLANKS)
            else:
                place = self._place(segment, step.following, before, behind, field_behind)
                place = replace(place, seeming=tuple(seeming))
                seeming.clear()
                if index > 1 and isinstance(before, Literal):
                    place = replace(place, continuation=_continuation(steps[index - 2].segment))
                written = self.by_name.get(segment.name)
                checked |= bool(place.unsure_tails) or (written is not None and _unsure(written, place))
                if written is None:  # {}: it is read over, whatever it is
                    pieces.append(next((text for text in (self.null_value, "-", "", "0") if place.takes(text)), "-"))
                else:
                    text = (written, place) if written.there else _null(written, place)
                    pieces += ['"', text, '"'] if segment.type.quoted else [text]
            before = segment
        return Shape(tuple(_merged([*pieces, "\n"])), checked)

    def _place(
        self, segment: Field, following: Following, before: Segment | None, behind: str, field_behind: bool
    ) -> Place:
        last = following.line_end and not behind and not field_behind
        short = self.allow_trailing and last and segment.type.syntax is None and not segment.type.takes_rest
        return Place(
            delimiters=tuple(stop.text for stop in following.delimiters if isinstance(stop, Literal)),
            behind=behind,
            open=field_behind,
            blanks_end=short or Blanks() in following.delimiters,
            must_end_itself=following.field is not None,
            behind_blanks=isinstance(before, Blanks),
            forbidden_prefixes=self.forbidden_prefixes if before is None else (),
        )

    def _lines(self, shape: Shape, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[UnwritableValues]]:
        pieces: list[pa.Array | str] = []
        found: list[UnwritableValues] = []
        for piece in shape.pieces:
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


def _is_string(field: pa.Field) -> bool:
    return bool(pa.types.is_string(field.type))


def _values(written: Written, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[UnwritableValues]]:
    """What a field is written from; parts become one text."""
    if written.parts is None:
        return columns[written.columns[0]], []
    kinds = [kind.arrow() for _, kind in written.parts.columns]
    arrays = [
        columns[place] if place >= 0 else pa.nulls(len(columns[0]), kind)
        for place, kind in zip(written.columns, kinds, strict=True)
    ]
    return written.parts.join(arrays, written.columns, written.writer.zone)


# --- lines with the same groups --------------------------------------------------------------------------------


def _written(template: Template, present: Sequence[bool]) -> list[TemplateStep]:
    """The steps of lines with some groups; a step of a group is left where the group is absent."""
    steps: list[TemplateStep] = []
    index, group = 0, 0
    while index < len(template.steps):
        step = template.steps[index]
        index += 1
        if isinstance(step.segment, Group):
            group += 1
            if present[group - 1]:
                continue
            steps.append(step)
            group += sum(isinstance(one.segment, Group) for one in template.steps[index : index + step.size])
            index += step.size
        else:
            steps.append(step)
    return steps


def _behind(steps: Sequence[TemplateStep]) -> tuple[str, bool]:
    """The constant text that steps begin with, and whether a field follows it."""
    text = ""
    for step in steps:
        if isinstance(step.segment, Literal):
            text += step.segment.text
        elif isinstance(step.segment, Blanks):
            text += " "
        elif isinstance(step.segment, Field):
            return text + ('"' if step.segment.type.quoted else ""), True
    return text, False


def _beginnings(first: Segment, behind: str, field_behind: bool) -> tuple[str, ...]:
    """How the next field would have to begin for an absent group to seem there; an empty text: whatever it is."""
    starts = (first.text,) if isinstance(first, Literal) else BLANKS
    if behind.startswith(starts):
        return ("",)
    return tuple(start[len(behind) :] for start in starts if field_behind and start.startswith(behind))


def _continuation(segment: Segment) -> str:
    return segment.type.continued_by if isinstance(segment, Field) else ""


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
    if written.parts is not None and not written.parts.is_unambiguous:
        return True
    if kind.syntax is None or kind.quoted:
        return kind.allows_raw_quotes
    if kind.may_extend_into(place.behind, is_open=place.open) or (place.behind_blanks and kind.may_begin_with_blank):
        return True
    if not written.field.nullable:
        return False
    null = written.writer.null_text(place)
    return null is not None and kind.null_may_extend_into(null, place.behind)
