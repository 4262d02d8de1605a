"""The substring-chain engine: a template walked for all lines of a block at once.

The literal behind a field is searched for in all lines together; fields that end by themselves (quoted
texts, timestamps) are found by their own shape. Lines of which the walk is not sure are left out, whole,
for the exact engine. The walk stops behind the last column wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from pyspark_logs.formats import kernels, words
from pyspark_logs.formats.basetypes import FieldType, Quoted, Text
from pyspark_logs.formats.engine import Sure, unescaped, with_gaps, with_nulls
from pyspark_logs.formats.exact import Column, Rules, Scope
from pyspark_logs.formats.fieldtypes import PortOf
from pyspark_logs.formats.numbertypes import Floating, Integer, plain_numbers
from pyspark_logs.formats.template import Field, Literal, Template
from pyspark_logs.formats.timecolumns import to_array, to_dates
from pyspark_logs.formats.timestamps import Moment
from pyspark_logs.formats.timetypes import Date, Timestamp
from pyspark_logs.formats.walk import Found, Walk

if TYPE_CHECKING:
    import pyarrow as pa

    from pyspark_logs.formats.kernels import Bool, Bytes, Int32, Int64


class ChainEngine:
    """Any template, vectorised."""

    def __init__(self, template: Template, columns: Sequence[Column], rules: Rules) -> None:
        self.template, self.columns, self.rules = template, tuple(columns), rules
        self.scope = Scope(template, columns, rules)
        self.extra = tuple(column for column in rules.unasked if not column.type.text)
        self.fields = {f.name: f for f in template.fields if f.name is not None}
        ends = [
            after.raw
            for level in template.levels
            for own, after in pairwise(level)
            if isinstance(own, Field) and own.type.syntax is None and isinstance(after, Literal) and len(after.raw) == 1
        ]
        self.separators = {raw: ends.count(raw) for raw in ends}
        self.dense: set[bytes] = set()

    def parse(self, block: bytes, starts: Int32, ends: Int32, moment: Moment) -> Sure:
        """The columns of the lines ``block[starts[i]:ends[i]]`` (valid UTF-8, ascending)."""
        import numpy as np

        walk = Walk(block, kernels.ended_view(block), starts, ends, moment, self.rules, self.separators, self.dense)
        if not self.scope.nothing:
            self._walk(walk)
        rows = None if walk.sure is None else np.flatnonzero(walk.sure)
        arrays, fine = [], None
        for column in (*self.columns, *self.extra):
            array, sure = self._values(walk, column, walk.found[column.field], rows)
            arrays.append(array)
            if sure is not None:
                fine = sure if fine is None else fine & sure
        if fine is not None:
            keep = np.flatnonzero(fine)
            arrays = [array.take(keep) for array in arrays]
            rows = keep if rows is None else rows[keep]
        return Sure(rows, arrays[: len(self.columns)])

    # --- the walk -------------------------------------------------------------------------------------

    def _walk(self, walk: Walk) -> None:
        levels = self.template.levels
        for depth, level in enumerate(levels):
            if depth:
                walk.enter_group(level[0])
            group = levels[depth + 1][0] if depth + 1 < len(levels) else None
            for index, segment in enumerate(level):
                if not isinstance(segment, Field):
                    walk.take(segment)
                    continue
                following = level[index + 1] if index + 1 < len(level) else None
                found = walk.field(segment, following, group if following is None else None)
                if segment.name is not None:
                    walk.found[segment.name] = found
                if segment.name is not None and segment.name == self.scope.last:
                    return
        walk.finish()

    # --- texts to values --------------------------------------------------------------------------------

    def _values(self, walk: Walk, column: Column, found: Found, rows: Int64 | None) -> tuple[pa.Array, Bool | None]:
        import numpy as np
        import pyarrow as pa

        own = self.fields[column.field]
        pick = slice(None) if rows is None else rows
        starts, ends = found.starts[pick], found.ends[pick]
        null = found.null[pick] if found.null is not None else None
        if own.nullable:
            absent = _absent(walk.view, starts, ends, self.rules.null_value.encode())
            null = absent if null is None else null if absent is None else null | absent
        if null is not None and not null.any():
            null = None
        if found.instants is not None and isinstance(column.type, (Timestamp, Date)):
            days = isinstance(column.type, Date)
            array = to_dates(found.instants[pick]) if days else to_array(found.instants[pick])
            return (array if null is None else with_nulls(array, null)), None
        if type(column.type) is Integer and column.type.bits >= 32:
            near = words.words_at(walk.view, starts) if found.words is None else found.words[pick]
            numbers = words.small_integers(near, ends - starts, null)
            if numbers is not None:
                return pa.array(numbers, mask=null).cast(column.type.arrow()), None
        if null is None:
            return self._convert(own.type, column.type, kernels.texts(walk.block, starts, ends), walk)
        array = self._masked(own.type, column.type, walk, starts, ends, null)
        if array is not None:
            return array, None
        present = np.flatnonzero(~null)
        array, sure = self._convert(
            own.type, column.type, kernels.texts(walk.block, starts[present], ends[present]), walk
        )
        spread = with_gaps(array, null)
        if sure is not None:
            whole = np.ones(len(null), np.bool_)
            whole[present] = sure
            sure = whole
        return spread, sure

    def _masked(
        self, own: FieldType, wanted: FieldType, walk: Walk, starts: Int32, ends: Int32, null: Bool
    ) -> pa.Array | None:
        """The column with its nulls masked in place, for types that can do without taking them out."""
        import pyarrow as pa

        number = isinstance(wanted, (Integer, Floating)) and not isinstance(wanted, PortOf)
        if type(wanted) not in (Text, Quoted) and not number:
            return None
        if null.all():
            return pa.nulls(len(null), wanted.arrow())
        array = kernels.masked(kernels.texts(walk.block, starts, ends), null)
        if not number:
            escaped = (own.quoted or (own.text and self.rules.escape)) and walk.has_backslash
            return unescaped(array) if escaped else array
        try:
            return array.cast(wanted.arrow()) if plain_numbers(array) else None
        except pa.ArrowInvalid:
            return None

    def _convert(self, own: FieldType, wanted: FieldType, array: pa.Array, walk: Walk) -> tuple[pa.Array, Bool | None]:
        if (own.quoted or (own.text and self.rules.escape)) and walk.has_backslash:
            array = unescaped(array)
        return wanted.convert(array, walk.moment)


def _absent(view: Bytes, starts: Int32, ends: Int32, token: bytes) -> Bool | None:
    """In which lines nothing or the null token stands in place of a value; None: in none."""
    import numpy as np

    widths = ends - starts
    if len(widths) == 0 or widths.min() > len(token):
        return None
    absent: Bool = widths == 0
    if token:
        rows = np.flatnonzero(widths == len(token))
        absent[rows] = kernels.literal_at(view, starts[rows], token)
    return absent
