"""Writer of the lines of a template."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pyarrow as pa

from pyspark_logs.arrow_values import as_bool, concat_texts, from_numpy, to_scalar
from pyspark_logs.formats.columnar.spans import Bool, Int64
from pyspark_logs.formats.compiled.render_program import LineRules
from pyspark_logs.formats.template.field_writer import FieldWriter
from pyspark_logs.formats.template.line_layout import MAX_LAYOUTS, FieldColumns, LayoutCompiler, LineLayout
from pyspark_logs.formats.template.render_plan import LayoutsProgram, compile_layouts
from pyspark_logs.formats.template.segments import Group, Template, named_fields
from pyspark_logs.formats.types.casts import cast_lossless
from pyspark_logs.formats.writing.field_context import FieldContext
from pyspark_logs.formats.writing.line_writer import UnwritableValues, unwritable_values
from pyspark_logs.formats.writing.render_plan import RenderPlan

_GROUPS_IN_CODE = 32  # bits that a code has left beside the number of a row


class TemplateWriter:
    """Renders columns by a template; see :class:`pyspark_logs.formats.writing.line_writer.LineWriter`.

    The lines that have the same groups have the same layout and are rendered together, by columns.

    Args:
        template: template of the lines.
        fields: named fields with their columns.
        schema: columns, with the types that the fields write.
        allow_trailing: True if text after the last field is ignored when the lines are read.
        null_value: null token.
        forbidden_prefixes: texts that no line may begin with.
        zone: zone of timestamps without a zone.

    Attributes:
        is_uncertain: True if some lines must be parsed to know that they read back.
    """

    def __init__(
        self, template: Template, fields: Sequence[FieldColumns], schema: pa.Schema, *, allow_trailing: bool,
        null_value: str, forbidden_prefixes: tuple[str, ...], zone: str,
    ) -> None:  # fmt: skip
        self.schema, self.zone, self.fields = schema, zone, tuple(fields)
        self.names = tuple(schema.names)
        nullable = {column: one.field.nullable for one in fields for column in one.present}
        self.nullable = tuple(nullable[column] for column in range(len(self.names)))
        self.first = next((column for one in fields for column in one.present), 0)
        columns_of = {one.field.name: one.present for one in fields}
        # For each group in order, the columns in the group and in the groups within it.
        self._groups = tuple(
            tuple(column for field in named_fields(step.segment.segments) for column in columns_of[field.name])
            for step in template.steps
            if isinstance(step.segment, Group)
        )
        # Columns in which spaces may replace characters: of a composite field, only those that are strings.
        self._texts = frozenset(
            column
            for one in fields
            for column in one.present
            if one.parts is None or pa.types.is_string(schema.field(column).type)
        )
        self._compiler = LayoutCompiler(
            template,
            fields,
            allow_trailing=allow_trailing,
            null_value=null_value,
            forbidden_prefixes=forbidden_prefixes,
        )
        self._layouts: dict[tuple[bool, ...], LineLayout] = {}
        self._programs: dict[tuple[Hashable, ...], LayoutsProgram] = {}
        combinations = self._compiler.group_combinations()
        for present in combinations[:MAX_LAYOUTS]:
            self._layout(present)
        self.is_uncertain = len(combinations) > MAX_LAYOUTS or any(one.is_uncertain for one in self._layouts.values())

    def cast_lossless(self, batch: pa.RecordBatch) -> tuple[list[pa.Array], list[UnwritableValues]]:
        """Returns the columns of a batch as the types that the fields write, and the values that a cast changes."""
        columns, found = [], []
        for index, target in enumerate(self.schema):
            array, lossy = cast_lossless(batch.column(target.name), target.type, self.zone)
            columns.append(array)
            found += unwritable_values(index, lossy, f"cannot be written as {target.type}")
        return columns, found

    def render_lines(self, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[UnwritableValues]]:
        """Returns a line for each row, with the groups in which a field is not null, and the unwritable values."""
        codes, layouts = self._layouts_of(columns)
        if len(layouts) == 1:
            return _render(next(iter(layouts.values())), columns)
        chunks, order, found = [], [], []
        for code, layout in layouts.items():
            rows = np.flatnonzero(codes == code)
            chunk, unwritable_in_chunk = _render(layout, [column.take(from_numpy(rows)) for column in columns])
            chunks.append(chunk)
            order.append(rows)
            for one in unwritable_in_chunk:
                mask = np.zeros(len(codes), np.bool_)
                mask[rows[one.rows]] = True
                found.append(UnwritableValues(one.column, mask, one.why))
        positions = np.argsort(np.concatenate(order), kind="stable")
        return pa.concat_arrays(chunks).take(from_numpy(positions)), found

    def plan_rendering(
        self, columns: Sequence[pa.Array], avoided: frozenset[Hashable], rules: LineRules
    ) -> RenderPlan | None:
        """Returns a plan with a program for each layout of the rows; fields without instructions are rendered as whole columns."""
        codes, layouts = self._layouts_of(columns)
        key = (avoided, rules, *map(id, layouts.values()))  # the writer keeps its layouts, so that no id is used again
        if key not in self._programs:
            if len(self._programs) >= MAX_LAYOUTS:
                self._programs.clear()
            self._programs[key] = compile_layouts(tuple(layouts.values()), avoided, rules)
        indices = np.zeros(len(codes), np.int32)
        if len(layouts) > 1:  # the codes are in ascending order
            indices = np.searchsorted(list(layouts), codes).astype(np.int32)
        return self._programs[key].plan(columns, indices, _field_texts)

    def uncertain_rows(self, columns: Sequence[pa.Array]) -> Bool | None:
        """Returns a mask of the rows whose lines must be parsed to know that they read back; None: no row."""
        if not self.is_uncertain:
            return None
        codes, layouts = self._layouts_of(columns)
        return np.isin(codes, [code for code, layout in layouts.items() if layout.is_uncertain])

    def comparable_texts(self, column: int, array: pa.Array) -> list[str]:
        """Returns a string for each value of a column; two strings are equal if the values are written alike."""
        field_type = next((one.field.type for one in self.fields if column in one.present), None)
        comparable = array if field_type is None else field_type.comparable(array, self.zone)
        return [str(value) for value in comparable.to_pylist()]

    def replace_by_spaces(self, column: int, values: pa.Array) -> pa.Array | None:
        """Returns values with spaces instead of unwritable characters, in all layouts; None if the type does not allow spaces."""
        writers: dict[FieldContext, FieldWriter] = {}
        for layout in self._layouts.values():
            for part in layout.parts:
                if not isinstance(part, str) and part[0].present[:1] == (column,):
                    writers[part[1]] = part[0].writer
        # The first column of a composite field need not be a string, though the text of the field is.
        spaced: pa.Array | None = values if writers and column in self._texts else None
        for context, writer in writers.items():
            spaced = writer.replace_by_spaces(spaced, context) if spaced is not None else None
        return spaced

    def _layouts_of(self, columns: Sequence[pa.Array]) -> tuple[Int64, dict[int, LineLayout]]:
        """Returns a code for each row, which rows with the same groups share, and the layouts by code."""
        count = len(columns[0])
        if not self._groups:
            return np.zeros(count, np.int64), {0: self._layout(())}
        valid = {column: as_bool(columns[column].is_valid()) for group in self._groups for column in group}
        none = np.zeros(count, np.bool_)
        masks = [np.logical_or.reduce([none, *(valid[column] for column in group)]) for group in self._groups]
        codes = np.zeros(count, np.int64)
        for index, mask in enumerate(masks):
            if index and index % _GROUPS_IN_CODE == 0:
                codes = np.unique(codes, return_inverse=True)[1]
            codes = 2 * codes + mask
        distinct, first_rows = np.unique(codes, return_index=True)
        pairs = zip(distinct.tolist(), first_rows.tolist(), strict=True)
        return codes, {code: self._layout(tuple(bool(mask[row]) for mask in masks)) for code, row in pairs}

    def _layout(self, present: tuple[bool, ...]) -> LineLayout:
        if present not in self._layouts:
            self._layouts[present] = self._compiler.compile(present)
        return self._layouts[present]


def _render(layout: LineLayout, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[UnwritableValues]]:
    """Returns the lines of rows with one layout, and the unwritable values."""
    texts: list[pa.Array | str] = []
    found: list[UnwritableValues] = []
    for part in layout.parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        rendered, unwritable_texts = _field_texts(*part, columns)
        texts.append(rendered)
        found += unwritable_texts
    if all(isinstance(text, str) for text in texts):
        return pa.repeat(to_scalar("".join(map(str, texts)), pa.string()), len(columns[0])), found
    return concat_texts(*texts), found


def _field_texts(
    written: FieldColumns, context: FieldContext, columns: Sequence[pa.Array]
) -> tuple[pa.Array, list[UnwritableValues]]:
    """Returns the texts of a field, and the unwritable values."""
    array, unwritable_parts = _field_values(written, columns)
    texts, unwritable_texts = written.writer.texts(array, context, written.present[0])
    return texts, unwritable_parts + unwritable_texts


def _field_values(written: FieldColumns, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[UnwritableValues]]:
    """Returns the values of a field, those of a composite field joined to its text, and the unwritable values."""
    if written.parts is None:
        return columns[written.columns[0]], []
    types = [field_type.arrow() for _, field_type in written.parts.columns]
    arrays = [
        columns[index] if index >= 0 else pa.nulls(len(columns[0]), dtype)
        for index, dtype in zip(written.columns, types, strict=True)
    ]
    return written.parts.join(arrays, written.columns, written.writer.zone)
