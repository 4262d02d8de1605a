"""The substring-chain engine: a template walked for all lines of a block at once.

The literal behind a field is searched for in all lines together; fields that end by themselves (quoted
texts, timestamps) are found by their own shape. Lines of which the walk is not sure are left out, whole,
for the exact engine. The walk stops behind the last column wanted.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import convert_fields, with_nulls
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows, drop_uncertain_rows
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32, Int64
from pyspark_logs.formats.requested_column import RequestedColumn
from pyspark_logs.formats.template.field_scanner import Found, Outside, Walk
from pyspark_logs.formats.template.line_parser import Rules, Scope
from pyspark_logs.formats.template.notation import Field, Group, Template, named
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import ConversionResult


class TemplateEngine:
    """Any template, vectorised."""

    def __init__(self, template: Template, columns: Sequence[RequestedColumn[str]], rules: Rules) -> None:
        self.template, self.columns, self.rules = template, tuple(columns), rules
        self.scope = Scope(template, columns, rules)
        self.extra = tuple(column for column in rules.unasked if column.type.is_validated)
        self.fields = {f.name: f for f in template.fields if f.name is not None}

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows:
        """The columns of the lines ``block[starts[i]:ends[i]]`` (valid UTF-8, ascending)."""
        walk = Walk(block, spans.terminated_view(block), starts, ends, context, self.rules)
        if not self.scope.nothing:
            self._walk(walk)
        rows = None if walk.sure is None else np.flatnonzero(walk.sure)
        found = [
            self._convert(walk, column, walk.found[column.source], rows) for column in (*self.columns, *self.extra)
        ]
        arrays, judged = [array for array, _ in found], [sure for _, sure in found]
        return drop_uncertain_rows(rows, arrays, judged, len(self.columns))

    # --- the walk -------------------------------------------------------------------------------------

    def _walk(self, walk: Walk) -> None:
        steps = self.template.steps
        inside: list[tuple[int, Outside]] = []  # the groups around a step: where each ends
        index = 0
        while index < len(steps):
            while inside and inside[-1][0] == index:
                walk.leave_group(inside.pop()[1])
            step = steps[index]
            index += 1
            if isinstance(step.segment, Group):
                outside = walk.enter_group(step.segment.segments[0], step.after)
                if walk.nobody:
                    index += step.size
                    for field in named(step.segment.segments):
                        walk.found[field.name or ""] = walk.nothing()
                        if field.name == self.scope.last:
                            return
                if step.after.stops or step.after.field is not None:  # else nothing comes after it
                    inside.append((index + (0 if walk.nobody else step.size), outside))
            elif isinstance(step.segment, Field):
                found, name = walk.field(step.segment, step.after), step.segment.name
                if name is not None:
                    walk.found[name] = found
                    if name == self.scope.last:
                        return
            else:
                walk.take(step.segment)
        walk.finish()

    # --- conversion -------------------------------------------------------------------------------------

    def _convert(self, walk: Walk, column: RequestedColumn[str], found: Found, rows: Int64 | None) -> ConversionResult:
        """Returns a column of some lines, and a mask of its valid values (None: all are valid)."""
        field = self.fields[column.source]
        pick = slice(None) if rows is None else rows
        starts, ends = found.starts[pick], found.ends[pick]
        null = None if found.null is None else found.null[pick]
        if field.nullable:
            tokens = [text.encode() for text in field.nulls(self.rules.null_value)]
            absent = _absent(walk.view, starts, ends, tokens)
            null = absent if null is None else null if absent is None else null | absent
        if null is not None and not null.any():
            null = None
        if found.instants is not None:
            array = column.type.convert_instants(found.instants[pick])
            if array is not None:
                return (array if null is None else with_nulls(array, null)), None
        style = field.type.resolve_escape_style(self.rules.escape) if walk.has_backslash else None
        return convert_fields(
            walk.block, walk.view, starts, ends, null, column.type, walk.context,
            words=None if found.words is None else found.words[pick],
            unescape=None if style is None else style.unescape_strings,
            convert=functools.partial(self._convert_strings, walk, column),
        )  # fmt: skip

    def _convert_strings(self, walk: Walk, column: RequestedColumn[str], array: pa.Array) -> ConversionResult:
        if column.source not in walk.extracted:  # all columns of a field have the same strings
            walk.extracted[column.source] = column.type.extract(array)
        return column.type.convert_extracted(array, walk.extracted[column.source], walk.context)


def _absent(view: Bytes, starts: Int32, ends: Int32, tokens: Sequence[bytes]) -> Bool | None:
    """In which lines one of the null tokens stands in place of a value; None: in none."""
    widths = ends - starts
    if len(widths) == 0 or widths.min() > max(map(len, tokens)):
        return None
    absent: Bool = np.zeros(len(widths), np.bool_)
    for token in tokens:
        rows = np.flatnonzero(widths == len(token))
        if len(rows):
            absent[rows] |= spans.literal_at(view, starts[rows], token)
    return absent
