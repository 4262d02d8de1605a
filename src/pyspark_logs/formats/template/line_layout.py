"""Layouts of written lines: the constant texts and fields of the lines that have the same groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyspark_logs.errors import SchemaError
from pyspark_logs.formats.template.composite_fields import FieldParts
from pyspark_logs.formats.template.field_writer import FieldWriter
from pyspark_logs.formats.template.segments import (
    Blanks,
    Field,
    Following,
    Group,
    Literal,
    Segment,
    Template,
    TemplateStep,
)
from pyspark_logs.formats.writing.field_context import BLANKS, FieldContext

MAX_LAYOUTS = 64  # compiled before the first row; a template with more groups compiles the others when rows need them


@dataclass(frozen=True)
class FieldColumns:
    """A field, and the columns from which it is written.

    Attributes:
        field: field of the template.
        writer: writer of the field.
        columns: index of the column, or of each column of a composite field; -1 for a column that the rows lack.
        parts: columns of a composite field; None: the field is one column.
    """

    field: Field
    writer: FieldWriter
    columns: tuple[int, ...]
    parts: FieldParts | None = None

    @property
    def present(self) -> tuple[int, ...]:
        """Indices of the columns that the rows have."""
        return tuple(column for column in self.columns if column >= 0)


LayoutPart = str | tuple[FieldColumns, FieldContext]


@dataclass(frozen=True)
class LineLayout:
    """The lines that have the same groups.

    Attributes:
        parts: constant texts, and fields with their contexts, in order.
        is_uncertain: True if these lines must be parsed to know that they read back.
    """

    parts: tuple[LayoutPart, ...]
    is_uncertain: bool


class LayoutCompiler:
    """Compiles the layouts of a template.

    Args:
        template: template of the lines.
        fields: named fields with their columns.
        allow_trailing: True if text after the last field is ignored when the lines are read.
        null_value: null token.
        forbidden_prefixes: texts that no line may begin with.
    """

    def __init__(
        self, template: Template, fields: Sequence[FieldColumns], *, allow_trailing: bool, null_value: str,
        forbidden_prefixes: tuple[str, ...],
    ) -> None:  # fmt: skip
        self.template = template
        self.fields: Mapping[str | None, FieldColumns] = {one.field.name: one for one in fields}
        self.allow_trailing, self.null_value, self.forbidden_prefixes = allow_trailing, null_value, forbidden_prefixes

    def group_combinations(self, segments: Sequence[Segment] | None = None) -> list[tuple[bool, ...]]:
        """Returns the combinations of groups that lines may have, those with all groups that have columns first.

        Returns:
            Combinations, at most ``MAX_LAYOUTS + 1``: True for each group in order that is present.
        """
        found: list[tuple[bool, ...]] = [()]
        for segment in self.template.segments if segments is None else segments:
            if isinstance(segment, Group):
                inner = self.group_combinations(segment.segments)
                has_columns = any(
                    isinstance(one, Field) and one.name and self.fields[one.name].present for one in segment.segments
                )
                choices = [(True, *one) for one in inner if has_columns or any(one)]
                choices.append((False,) * (len(inner[0]) + 1))
                found = [(*one, *choice) for choice in choices for one in found][: MAX_LAYOUTS + 1]
        return found

    def compile(self, present: Sequence[bool]) -> LineLayout:
        """Returns the layout of the lines with some groups.

        Args:
            present: True for each group of the template, in order, that the lines have.

        Raises:
            SchemaError: a field has no column and cannot be written as null.
        """
        steps = list(_written_steps(self.template, present))
        parts: list[LayoutPart] = []
        is_uncertain = False
        previous: Segment | None = None
        group_prefixes: list[str] = []
        for index, step in enumerate(steps):
            segment = step.segment
            text_after, is_open = _text_after(steps[index + 1 :])
            if isinstance(segment, Group):  # absent
                prefixes = _group_prefixes(segment.segments[0], text_after, is_open)
                is_uncertain |= bool(prefixes)
                group_prefixes += prefixes if prefixes and all(prefixes) else []
                continue
            if isinstance(segment, Literal):
                parts.append(segment.text)
            elif isinstance(segment, Blanks):
                parts.append(" ")
                is_uncertain |= text_after.startswith(BLANKS)
            else:
                follows_field = index > 1 and isinstance(previous, Literal)
                context = self._context(
                    segment, step.following, previous, text_after, is_open, tuple(group_prefixes),
                    _continuation(steps[index - 2].segment) if follows_field else "",
                )  # fmt: skip
                group_prefixes.clear()
                parts += self._field_parts(segment, context)
                is_uncertain |= bool(context.uncertain_tails) or self._is_uncertain(segment, context)
            previous = segment
        return LineLayout(tuple(_join_constants([*parts, "\n"])), is_uncertain)

    def _context(
        self, field: Field, following: Following, previous: Segment | None, text_after: str, is_open: bool,
        group_prefixes: tuple[str, ...], continuation: str,
    ) -> FieldContext:  # fmt: skip
        is_last = following.line_end and not text_after and not is_open
        ends_early = self.allow_trailing and is_last and field.type.syntax is None and not field.type.takes_rest
        return FieldContext(
            delimiters=() if field.ends_last else _literals(following),
            text_after=text_after,
            is_open=is_open,
            ends_at_blank=ends_early or Blanks() in following.delimiters,
            needs_syntax=following.field is not None,
            follows_blanks=isinstance(previous, Blanks),
            forbidden_prefixes=self.forbidden_prefixes if previous is None else (),
            group_prefixes=group_prefixes,
            continuation=continuation,
        )

    def _field_parts(self, field: Field, context: FieldContext) -> list[LayoutPart]:
        """Returns a field, or the text for a field without a column, with its quotes."""
        part: LayoutPart
        if field.name is None:  # any text is skipped
            return [next((text for text in (self.null_value, "-", "", "0") if context.accepts(text)), "-")]
        written = self.fields[field.name]
        part = (written, context) if written.present else _null_text(written, context)
        return ['"', part, '"'] if field.type.quoted else [part]

    def _is_uncertain(self, field: Field, context: FieldContext) -> bool:
        """Returns True if a line must be parsed to know that a field ends at its end."""
        if field.ends_last:  # its end depends on the values of other fields
            return True
        if field.name is None:
            return False
        written, field_type = self.fields[field.name], field.type
        if written.parts is not None and not written.parts.is_unambiguous:
            return True
        if field_type.syntax is None or field_type.quoted:
            return field_type.allows_raw_quotes
        if field_type.may_extend_into(context.text_after, is_open=context.is_open):
            return True
        if context.follows_blanks and field_type.may_begin_with_blank:
            return True
        null = written.writer.null_text(context) if field.nullable else None
        return null is not None and field_type.null_may_extend_into(null, context.text_after)


def _written_steps(template: Template, present: Sequence[bool]) -> Iterator[TemplateStep]:
    """Yields the steps of lines with some groups; of an absent group only the step of the group itself."""
    is_present = iter(present)
    skipped = 0  # steps left of an absent group
    for step in template.steps:
        in_absent_group = skipped > 0
        skipped = max(skipped - 1, 0)
        if isinstance(step.segment, Group):
            if next(is_present) and not in_absent_group:
                continue
            skipped = skipped if in_absent_group else step.size
        if not in_absent_group:
            yield step


def _text_after(steps: Sequence[TemplateStep]) -> tuple[str, bool]:
    """Returns the constant text at the beginning of steps, and True if a field follows it."""
    text = ""
    for step in steps:
        if isinstance(step.segment, Literal):
            text += step.segment.text
        elif isinstance(step.segment, Blanks):
            text += " "
        elif isinstance(step.segment, Field):
            return text + ('"' if step.segment.type.quoted else ""), True
    return text, False


def _group_prefixes(first: Segment, text_after: str, is_open: bool) -> tuple[str, ...]:
    """Returns the beginnings of the next field with which an absent group would seem to be present.

    Args:
        first: first segment of the group.
        text_after: constant text at the position of the group.
        is_open: True if a field follows that text.

    Returns:
        The beginnings; an empty text if the group seems to be present whatever the next field is.
    """
    starts = (first.text,) if isinstance(first, Literal) else BLANKS
    if text_after.startswith(starts):
        return ("",)
    return tuple(start[len(text_after) :] for start in starts if is_open and start.startswith(text_after))


def _literals(following: Following) -> tuple[str, ...]:
    return tuple(one.text for one in following.delimiters if isinstance(one, Literal))


def _continuation(segment: Segment) -> str:
    return segment.type.continued_by if isinstance(segment, Field) else ""


def _null_text(written: FieldColumns, context: FieldContext) -> str:
    """Returns the text of a field without a column."""
    text = written.writer.null_text(context)
    if text is None:
        name = written.field.name
        why = "nothing would be read as null there" if written.field.nullable else "the field has no '?'"
        raise SchemaError(f"column {name!r} is missing, and cannot be written as null: {why}; add the column")
    return text


def _join_constants(parts: Sequence[LayoutPart]) -> list[LayoutPart]:
    """Returns parts with adjacent constant texts joined and empty ones removed."""
    joined: list[LayoutPart] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return joined
