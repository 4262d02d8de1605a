"""Programs that render the lines of a template; see :mod:`pyspark_logs.formats.compiled.render_program`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from pyspark_logs.formats.columnar.spans import Bool, Int32
from pyspark_logs.formats.compiled import render_opcodes as op
from pyspark_logs.formats.compiled.render_program import (
    RENDERED_TEXT,
    LineProgram,
    LineRules,
    ProgramBuilder,
    ValueForm,
)
from pyspark_logs.formats.template.line_layout import FieldColumns, LineLayout
from pyspark_logs.formats.types.escape_styles import APACHE, BACKSLASH, JSON, NGINX, EscapeStyle
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.writing.field_context import BLANKS, FieldContext
from pyspark_logs.formats.writing.line_writer import UnwritableValues
from pyspark_logs.formats.writing.render_plan import RenderPlan
from pyspark_logs.formats.writing.value_forms import is_value, scalar_form

# Texts of a written field: all values of a column, whatever the layout of their rows.
RenderField = Callable[[FieldColumns, FieldContext, Sequence[pa.Array]], "tuple[pa.Array, list[UnwritableValues]]"]
_DELETE = b"\x7f"


@dataclass(frozen=True)
class LayoutsProgram:
    """Program of several layouts.

    Attributes:
        program: the program.
        slots: column, or field and its context, of each slot.
        layouts: indices of the layouts that use each slot.
    """

    program: LineProgram
    slots: tuple[int | tuple[FieldColumns, FieldContext], ...]
    layouts: tuple[tuple[int, ...], ...]

    def plan(self, columns: Sequence[pa.Array], layouts: Int32, render_field: RenderField) -> RenderPlan:
        """Returns the plan of a batch.

        Args:
            columns: columns of the batch.
            layouts: index of the layout of each row.
            render_field: function that renders the whole column of a field.
        """
        inputs: list[pa.Array] = []
        doubtful: Bool | None = None
        for slot, used in zip(self.slots, self.layouts, strict=True):
            if isinstance(slot, int):
                inputs.append(columns[slot])
                continue
            texts, unwritable = render_field(*slot, columns)
            inputs.append(texts)
            for problem in unwritable:
                rows = problem.rows & np.isin(layouts, used)
                doubtful = rows if doubtful is None else doubtful | rows
        return RenderPlan(self.program, inputs, layouts, doubtful)


def compile_layouts(layouts: Sequence[LineLayout], avoided: frozenset[Hashable], rules: LineRules) -> LayoutsProgram:
    """Compiles layouts.

    Args:
        layouts: the layouts.
        avoided: names of the fields that are rendered as whole columns.
        rules: rules of lines.
    """
    builder = ProgramBuilder(rules)
    used: dict[Hashable, list[int]] = {}
    sources: dict[Hashable, int | tuple[FieldColumns, FieldContext]] = {}
    for index, layout in enumerate(layouts):
        builder.begin_layout()
        before = b""
        for part in layout.parts:
            if isinstance(part, str):
                before += part.encode()
                continue
            written, context = part
            name = written.field.name
            form = None if name in avoided else field_form(written, context)
            slot: Hashable = written.columns[0] if form is not None else (name, context)
            sources[slot] = written.columns[0] if form is not None else (written, context)
            used.setdefault(slot, []).append(index)
            builder.add_value(before, form or RENDERED_TEXT, slot, name)
            before = b""
        builder.end_layout(before)
    slots = tuple(builder.slots)
    return LayoutsProgram(
        builder.program(), tuple(sources[slot] for slot in slots), tuple(tuple(used[slot]) for slot in slots)
    )


def field_form(written: FieldColumns, context: FieldContext) -> ValueForm | None:
    """Returns the form in which the machine renders a field; None: it does not."""
    writer, field_type = written.writer, written.writer.type
    if written.parts is not None or writer.padding is not None or writer.unencodable is not None:
        return None
    found = writer.null_text(context)
    null = None if found is None else found.encode()
    form = _text_form(field_type, writer.escape, context)
    if form is not None:
        flags = form.flags | op.NO_SPACE_AT_ENDS * (writer.never_blank and not field_type.quoted)
        equals = _encoded(writer.null_texts)
        form = replace(form, null=null, flags=flags, equals=equals)
    else:
        form = _scalar_field_form(written, context)
        form = None if form is None else replace(form, null=null)
    return form if form is not None and form.is_supported else None


def _encoded(texts: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(text.encode() for text in texts)


def _scalar_field_form(written: FieldColumns, context: FieldContext) -> ValueForm | None:
    """Returns the form of a number, boolean, time or day whose text never needs to be checked; None otherwise."""
    writer, field_type = written.writer, written.writer.type
    form = scalar_form(field_type, writer.zone)
    if form is None or context.continuation or is_value(field_type, writer.null_texts):
        return None
    if field_type.syntax is None:
        alphabet = set(field_type.alphabet or "")
        parts = (*context.terminators, *context.early_tails, *context.forbidden_prefixes)
        if field_type.alphabet is None or any(set(part) <= alphabet for part in parts):
            return None
    if form.pattern is not None and (writer.never_blank or any(end in form.pattern for end in ("\n", "\r"))):
        return None
    return form


def _text_form(field_type: FieldType, escape: bool, context: FieldContext) -> ValueForm | None:
    """Returns the form of a string without its null; None: the type has other values, or is written in another way."""
    rendered = field_type.rendered_form
    style = field_type.resolve_escape_style(escape)
    heads = [*context.group_prefixes, *filter(None, (context.continuation,))]
    if rendered.kind == "QUOTED":
        return _quoted_form(style, _encoded(heads))
    if rendered.kind not in ("TEXT", "WORD") or style not in (None, BACKSLASH):
        return None
    stops, tails = [*context.terminators], [*context.early_tails, *rendered.tails]
    heads += (*context.forbidden_prefixes, *rendered.heads)
    if style is not None:
        stops.append("\\")
        tails += context.uncertain_tails
        heads += [prefix[0] for prefix in context.forbidden_prefixes]
        heads += BLANKS if context.follows_blanks else ()
    flags = op.NO_BLANK_FIRST * context.follows_blanks
    flags |= op.NOT_EMPTY * (context.follows_blanks and context.is_before_blank)
    if rendered.kind == "WORD":
        stops.append(" ")
        flags |= op.NOT_EMPTY | op.CONTROLS
    return ValueForm(
        op.TEXTS, flags=flags, stops=_encoded(tuple(dict.fromkeys(stops))), heads=_encoded(heads), tails=_encoded(tails)
    )  # fmt: skip


def _quoted_form(style: EscapeStyle | None, heads: tuple[bytes, ...]) -> ValueForm | None:
    """Returns the form of a string between quotes; the machine knows the escapes of the template notation."""
    if any(head.startswith(b"\\") for head in heads):
        return None
    stops = (b'"', b"\\")
    if style == BACKSLASH:
        return ValueForm(op.TEXTS, mode=op.BACKSLASHES, stops=stops, heads=heads)
    if style == JSON:
        return ValueForm(op.TEXTS, flags=op.CONTROLS, stops=stops, heads=heads)
    if style in (APACHE, NGINX):
        return ValueForm(op.TEXTS, flags=op.CONTROLS | op.NOT_ASCII, stops=(*stops, _DELETE), heads=heads)
    return None
