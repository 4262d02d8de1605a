"""Compiler of templates: a template and its requested columns as a program of the template machine."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pyspark_logs.formats.columnar.spans import Bytes, Int32
from pyspark_logs.formats.compiled import opcodes as op
from pyspark_logs.formats.compiled.outputs import OutputTable, UnsupportedError
from pyspark_logs.formats.compiled.time_steps import TimeTable
from pyspark_logs.formats.decoding.rejections import RejectionForm
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.template.line_parser import ParsingRules, ParsingScope, rejection_form
from pyspark_logs.formats.template.segments import (
    Blanks,
    Field,
    Following,
    Group,
    Literal,
    Template,
    TemplateStep,
    named_fields,
)
from pyspark_logs.formats.types.field_type import FieldType

_ISO = ("",)
# Instructions that find the ends of values by exactly the syntax of their type, so that a rejected text has this syntax.
_EXACT = frozenset({op.PLAIN, op.QUOTED, op.ISO, op.DATE, op.PATTERNS})


@dataclass(frozen=True)
class TemplateProgram:
    """A program; see ``opcodes``.

    Attributes:
        ops: instructions.
        delimiters: literals that may end fields.
        patterns: notations of times.
        steps: steps of the notations.
        outs: table of outputs.
        pool: literals.
        outputs: the outputs.
        order: indices of the outputs of each column, in the order of its locations.
        rejections: form of the reasons of each output; None: they are left to the line parser.
        needs_year: True if a time lacks its year.
        finds_rests: True if the offset after the last field is sought.
    """

    ops: Int32
    delimiters: Int32
    patterns: Int32
    steps: Int32
    outs: Int32
    pool: Bytes
    outputs: OutputTable
    order: tuple[tuple[int, ...], ...]
    rejections: tuple[RejectionForm | None, ...]
    needs_year: bool
    finds_rests: bool

    @property
    def tables(self) -> tuple[Int32 | Bytes, ...]:
        """Tables in the order in which the machine takes them."""
        return self.ops, self.delimiters, self.patterns, self.steps, self.outs, self.pool


def compile_template(
    template: Template,
    columns: Sequence[RequestedColumn[str]],
    extra: Sequence[RequestedColumn[str]],
    rules: ParsingRules,
) -> TemplateProgram:
    """Compiles a template. Equal arguments share one program, also among threads, and the lengths of the strings of its blocks.

    Args:
        template: template of the lines.
        columns: requested columns.
        extra: columns that are only validated.
        rules: options of the format.

    Raises:
        UnsupportedError: the machine has no instruction for a part of the template.
    """
    return _compile(template, tuple(columns), tuple(extra), rules)


@functools.lru_cache(maxsize=32)
def _compile(
    template: Template,
    columns: tuple[RequestedColumn[str], ...],
    extra: tuple[RequestedColumn[str], ...],
    rules: ParsingRules,
) -> TemplateProgram:
    return _Compiler(template, columns, extra, rules).compile()


@dataclass
class _Compiler:
    """State of a compilation."""

    template: Template
    columns: Sequence[RequestedColumn[str]]
    extra: Sequence[RequestedColumn[str]]
    rules: ParsingRules
    outputs: OutputTable = field(default_factory=OutputTable)
    ops: list[list[int]] = field(default_factory=list)
    delimiters: list[int] = field(default_factory=list)
    rejections: list[RejectionForm | None] = field(default_factory=list)
    order: dict[tuple[int, int], int] = field(default_factory=dict)  # index of a column and a location -> of an output

    def __post_init__(self) -> None:
        self.times = TimeTable(self.outputs)
        self.last = ParsingScope(self.template, self.columns, self.rules).last
        self.requested = (*self.columns, *self.extra)
        located = (one for column in (*self.columns, *self.rules.unrequested) for one in column.locations)
        self.checked = {one.source for one in located}

    def compile(self) -> TemplateProgram:
        """Returns the program."""
        self._compile_steps()
        return TemplateProgram(
            np.array(self.ops, np.int32).reshape(-1),
            np.array([*self.delimiters, 0, 0], np.int32),
            self.times.pattern_array(),
            self.times.step_array(),
            self.outputs.array(),
            self.outputs.pool_array(),
            self.outputs,
            tuple(
                tuple(self.order[index, location] for location in range(len(column.locations)))
                for index, column in enumerate(self.requested)
            ),
            tuple(self.rejections),
            self.times.needs_year,
            self.rules.finds_appended and self.last is None,
        )

    def _compile_steps(self) -> None:
        open_groups: list[tuple[int, list[int]]] = []  # step after each open group, and the instruction of the group

        def close_groups(index: int) -> None:
            while open_groups and open_groups[-1][0] == index:
                row = open_groups.pop()[1]
                row[op.JUMP], row[op.LAST_OUT] = len(self.ops) * op.WIDTH, len(self.outputs.outs)

        steps = self.template.steps
        for index, step in enumerate(steps):
            close_groups(index)
            segment = step.segment
            if isinstance(segment, Group):
                text, size = self._delimiter(segment.segments[0])
                has_last = self.last is not None and self.last in {one.name for one in named_fields(segment.segments)}
                row = self._add(op.GROUP, op.HAS_LAST * has_last | op.TAKES_APPENDED * step.takes_appended)
                row[op.TEXT], row[op.SIZE], row[op.FIRST_OUT] = text, size, len(self.outputs.outs)
                open_groups.append((index + 1 + step.size, row))
            elif isinstance(segment, Literal):
                row = self._add(op.LITERAL)
                row[op.TEXT], row[op.SIZE] = self.outputs.literal(segment.raw)
            elif isinstance(segment, Blanks):
                self._add(op.BLANKS)
            else:
                is_last = segment.name is not None and segment.name == self.last
                self._add_field(segment, step, is_last=is_last, in_group=bool(open_groups))
                if is_last:
                    self._add(op.STOP)
                    if not open_groups:
                        break
        close_groups(len(steps))
        self._add(op.END, op.TRAILING * self.rules.allow_trailing)

    def _add(self, kind: int, flags: int = 0) -> list[int]:
        row = [0] * op.WIDTH
        row[op.KIND], row[op.FLAGS] = kind, flags
        row[op.NULL_SIZE] = row[op.OTHER_SIZE] = -1
        self.ops.append(row)
        return row

    def _delimiter(self, segment: object) -> tuple[int, int]:
        """Returns offset and size of a literal in the pool; the size of a blank is 0."""
        return self.outputs.literal(segment.raw) if isinstance(segment, Literal) else (0, 0)

    # --- fields -------------------------------------------------------------------------------------------

    def _add_field(self, one: Field, step: TemplateStep, *, is_last: bool, in_group: bool) -> None:
        following, field_type = step.following, one.type
        flags = op.LINE_END * following.line_end | op.NEVER_BLANK * one.never_blank
        flags |= op.TAKES_REST * field_type.takes_rest | op.BEFORE_FIELD * (following.field is not None)
        flags |= op.TRAILING * self.rules.allow_trailing | op.QUOTES_OPTIONAL * field_type.quotes_optional
        flags |= op.RAW_QUOTES * field_type.allows_raw_quotes | op.NULLABLE * one.nullable
        flags |= op.CHECKED * (one.name is not None and one.name in self.checked)
        flags |= op.ESCAPED * (field_type.resolve_escape_style(self.rules.escape) is not None)
        row = self._add(self._kind(field_type, following), flags)
        self._add_times(row, field_type)
        if field_type.compiled_syntax_text:
            row[op.LIMIT_TEXT], row[op.LIMIT_SIZE] = self.outputs.literal(field_type.compiled_syntax_text)
        row[op.FIRST_DELIMITER] = len(self.delimiters) // 2
        for delimiter in following.delimiters:
            self.delimiters += self._delimiter(delimiter)
        row[op.LAST_DELIMITER] = len(self.delimiters) // 2
        if following.right_bound is not None:
            self._add_bound(row, following)
        self._add_shortcuts(row, one, following, is_last=is_last)
        tokens = [text.encode() for text in one.null_texts(self.rules.null_value) if text]
        for token, text, size in zip(
            tokens, (op.NULL_TEXT, op.OTHER_TEXT), (op.NULL_SIZE, op.OTHER_SIZE), strict=False
        ):
            row[text], row[size] = self.outputs.literal(token)
        row[op.FIRST_OUT] = len(self.outputs.outs)
        if one.name is not None:
            self._add_outputs(one, in_group=in_group, is_exact=row[op.KIND] in _EXACT)
        row[op.LAST_OUT] = len(self.outputs.outs)
        kinds = [out.kind for out in self.outputs.outs[row[op.FIRST_OUT] :]]
        row[op.FLAGS] |= op.ONE_TEXT * (row[op.KIND] in (op.PLAIN, op.QUOTED) and kinds == [op.O_TEXT])
        row[op.FLAGS] |= op.REJECTS * (row[op.KIND] in _EXACT and self._rejects_unmatched(one))

    def _kind(self, field_type: FieldType, following: Following) -> int:
        if field_type.syntax is None:
            return op.PLAIN
        if field_type.quoted:
            return op.QUOTED
        if field_type.compiled_syntax:
            kind = int(getattr(op, field_type.compiled_syntax))
        elif field_type.time_notation is not None:
            return op.ISO if field_type.time_notation.patterns == _ISO else op.PATTERNS
        else:
            raise UnsupportedError(f"fields of type {type(field_type).__name__}")
        if kind == op.UPSTREAM:
            delimiters = following.delimiters
            only = delimiters[0] if len(delimiters) == 1 and not following.line_end else None
            if not isinstance(only, Literal) or not only.text.startswith(" ") or following.field is not None:
                raise UnsupportedError("a list of servers that no blank follows")
        return kind

    def _add_times(self, row: list[int], field_type: FieldType) -> None:
        notation = field_type.time_notation
        if row[op.KIND] == op.PATTERNS and notation is not None:
            row[op.FIRST_PATTERN], row[op.LAST_PATTERN] = self.times.add(notation.patterns, seconds=notation.seconds)

    def _add_bound(self, row: list[int], following: Following) -> None:
        """Adds the bound of a field that ends at the last occurrence of a literal; the literal is its only delimiter."""
        bound = following.right_bound
        if bound is None:
            return
        row[op.FLAGS] |= op.ENDS_LAST
        for delimiter in bound.delimiters[1:]:
            self.delimiters += self._delimiter(delimiter)
        row[op.LAST_BOUND] = len(self.delimiters) // 2
        row[op.LIMIT_SIZE] = -1
        if bound.limit is not None:
            row[op.LIMIT_TEXT], row[op.LIMIT_SIZE] = self.outputs.literal(bound.limit.raw)

    def _add_shortcuts(self, row: list[int], one: Field, following: Following, *, is_last: bool) -> None:
        """Adds padding, and the shorter ways of a field that one literal ends."""
        delimiters = following.delimiters
        only = delimiters[0] if len(delimiters) == 1 and not following.line_end else None
        is_ended = isinstance(only, Literal) and following.field is None
        if is_ended and not is_last:
            row[op.FLAGS] |= op.SKIPS
        if one.padding is not None:
            row[op.FLAGS] |= op.PAD_BEFORE if one.padding.before else op.PAD_AFTER
            row[op.PADDING] = one.padding.width
            first = delimiters[0] if delimiters else None
            if not one.padding.before:
                if isinstance(first, Literal) and not first.text.strip(" "):
                    row[op.TEXT], row[op.SIZE] = self.outputs.literal(first.raw)
                return
        if following.right_bound is not None:
            return
        first = delimiters[0] if delimiters and following.field is None else None
        if row[op.KIND] != op.PLAIN:
            if isinstance(first, Literal) and one.padding is None:
                row[op.FLAGS] |= op.ENDED
                row[op.TEXT], row[op.SIZE] = self.outputs.literal(first.raw)
            return
        if isinstance(first, Literal) and len(delimiters) == 1 and len(first.raw) == 1 and one.padding is None:
            row[op.FLAGS] |= op.ONE_BYTE
            row[op.TEXT] = first.raw[0]
            return
        if isinstance(only, Literal) and is_ended:
            if len(only.raw) == 1:
                row[op.FLAGS] |= op.ONE_BYTE
                row[op.TEXT] = only.raw[0]
            else:
                row[op.FLAGS] |= op.ONE_LITERAL
                row[op.TEXT], row[op.SIZE] = self.outputs.literal(only.raw)

    def _rejects_unmatched(self, one: Field) -> bool:
        """Returns True if every column of a field, and at least one, rejects a text without the syntax of the field."""
        located = [column for column in self.requested for column in column.locations if column.source == one.name]
        if any(column.source == one.name and column not in self.extra for column in self.rules.unrequested):
            return False
        always = one.type.quoted or one.type.must_match
        return bool(located) and (always or all(column.type == one.type for column in located))

    def _add_outputs(self, one: Field, *, in_group: bool, is_exact: bool) -> None:
        escaped = one.type.resolve_escape_style(self.rules.escape) is not None
        for index, column in enumerate(self.requested):
            for location, located in enumerate(column.locations):
                if located.source == one.name:
                    self.order[index, location] = len(self.outputs.outs)
                    self.outputs.add(
                        located.type, one.type, may_lack=one.nullable or in_group, escaped=escaped, source=one.name
                    )
                    form = rejection_form(one)._replace(judged=column.judged, rank=len(self.rejections))
                    self.rejections.append(form if is_exact else None)
