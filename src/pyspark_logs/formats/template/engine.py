"""The substring-chain engine: a template walked for all lines of a block at once.

The literal behind a field is searched for in all lines together; fields that end by themselves (quoted
texts, timestamps) are found by their own shape. Lines of which the walk is not sure are left out, whole,
for the exact engine. The walk stops behind the last column wanted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from pyspark_logs.formats.columnar import prefix_words, spans
from pyspark_logs.formats.columnar.decoded_rows import (
    DecodedRows,
    drop_uncertain_rows,
    scatter,
    unescape_strings,
    with_nulls,
)
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32, Int64
from pyspark_logs.formats.template.composite_fields import Subfield
from pyspark_logs.formats.template.field_scanner import Found, Outside, Walk
from pyspark_logs.formats.template.line_parser import Column, Rules, Scope
from pyspark_logs.formats.template.notation import Field, Group, Template, named
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.timestamps.vectorized import to_array, to_dates
from pyspark_logs.formats.types.address import Port
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Floating, Integer, has_plain_numbers
from pyspark_logs.formats.types.temporal import Date, Timestamp
from pyspark_logs.formats.types.text import Quoted, Text


class TemplateEngine:
    """Any template, vectorised."""

    def __init__(self, template: Template, columns: Sequence[Column], rules: Rules) -> None:
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
        found = [self._values(walk, column, walk.found[column.field], rows) for column in (*self.columns, *self.extra)]
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

    # --- texts to values --------------------------------------------------------------------------------

    def _values(self, walk: Walk, column: Column, found: Found, rows: Int64 | None) -> tuple[pa.Array, Bool | None]:
        own = self.fields[column.field]
        pick = slice(None) if rows is None else rows
        starts, ends = found.starts[pick], found.ends[pick]
        null = found.null[pick] if found.null is not None else None
        if own.nullable:
            tokens = [text.encode() for text in own.nulls(self.rules.null_value)]
            absent = _absent(walk.view, starts, ends, tokens)
            null = absent if null is None else null if absent is None else null | absent
        if null is not None and not null.any():
            null = None
        if found.instants is not None and isinstance(column.type, (Timestamp, Date)):
            days = isinstance(column.type, Date)
            array = to_dates(found.instants[pick]) if days else to_array(found.instants[pick])
            return (array if null is None else with_nulls(array, null)), None
        if type(column.type) is Integer and column.type.bits >= 32:
            near = prefix_words.load_words(walk.view, starts) if found.words is None else found.words[pick]
            numbers = prefix_words.parse_small_integers(near, ends - starts, null)
            if numbers is not None:
                # Eight digits fit into either.
                return pa.array(numbers.astype(column.type.arrow().to_pandas_dtype(), copy=False), mask=null), None
        if null is None:
            return self._convert(column, spans.field_strings(walk.block, starts, ends), walk)
        array = self._masked(own.type, column.type, walk, starts, ends, null)
        if array is not None:
            return array, None
        present = np.flatnonzero(~null)
        array, sure = self._convert(column, spans.field_strings(walk.block, starts[present], ends[present]), walk)
        spread = scatter(array, null)
        if sure is not None:
            whole = np.ones(len(null), np.bool_)
            whole[present] = sure
            sure = whole
        return spread, sure

    def _masked(
        self, own: FieldType, wanted: FieldType, walk: Walk, starts: Int32, ends: Int32, null: Bool
    ) -> pa.Array | None:
        """The column with its nulls masked in place, for types that can do without taking them out."""
        number = isinstance(wanted, (Integer, Floating)) and not isinstance(wanted, Port)
        if type(wanted) not in (Text, Quoted) and not number:
            return None
        if null.all():
            return pa.nulls(len(null), wanted.arrow())
        array = spans.mask_strings(spans.field_strings(walk.block, starts, ends), null)
        if not number:
            spelling = own.resolve_escape_style(self.rules.escape) if walk.has_backslash else None
            return array if spelling is None else unescape_strings(array, spelling)
        try:
            return array.cast(wanted.arrow()) if has_plain_numbers(array) else None
        except pa.ArrowInvalid:
            return None

    def _convert(self, column: Column, array: pa.Array, walk: Walk) -> tuple[pa.Array, Bool | None]:
        wanted = column.type
        spelling = (
            self.fields[column.field].type.resolve_escape_style(self.rules.escape) if walk.has_backslash else None
        )
        if spelling is not None:
            array = unescape_strings(array, spelling)
        if not isinstance(wanted, Subfield):
            return wanted.convert(array, walk.context)
        if column.field not in walk.pieces:  # all columns of a field take their pieces of the same texts
            walk.pieces[column.field] = wanted.extract(array)
        return wanted.converted(array, walk.pieces[column.field], walk.context)


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
