"""The Arrow CSV engine, for templates that are fields between one and the same character.

Only where its meaning is the template's: no quoted fields (Arrow would also unquote others), no
optional groups, and a separator that no timestamp of the template could swallow. Columns are read as
strings and converted by the field types, so that a value never depends on the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows, only_fine, unescaped, with_gaps
from pyspark_logs.formats.columnar.spans import Bool, Int32
from pyspark_logs.formats.template.line_parser import Column, Rules
from pyspark_logs.formats.template.notation import Field, Literal, Template
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.temporal import Date, Timestamp

# Rows that Arrow cannot cut cost a call each: with more than one in so many lines the chain is faster.
_ODD_LINES = 32


@dataclass(frozen=True)
class DelimitedEngine:
    """A template such as ``{a}|{b:int}|{c}``."""

    separator: str
    names: tuple[str, ...]  # of all fields in order; one that is skipped has a made-up name
    fields: dict[str, Field]
    columns: tuple[Column, ...]
    checked: tuple[Column, ...]  # typed fields nobody asked for, where whole lines are judged
    rules: Rules

    @classmethod
    def for_template(cls, template: Template, columns: Sequence[Column], rules: Rules) -> DelimitedEngine | None:
        """The engine, or None where the template is not of the kind."""
        level = template.segments
        if rules.allow_trailing:
            return None
        fields, literals = level[0::2], level[1::2]
        separators = {segment.text if isinstance(segment, Literal) else "" for segment in literals}
        if len(fields) < 3 or len(level) % 2 == 0 or len(separators) != 1 or len(literals) != len(fields) - 1:
            return None
        separator = separators.pop()
        named: dict[str, Field] = {}
        for index, segment in enumerate(fields):
            if (
                not isinstance(segment, Field)
                or segment.type.quoted
                or segment.pad is not None
                or not _apart(segment, separator)
            ):
                return None
            named[segment.name or f"\0{index}"] = segment
        if len(separator) != 1 or not separator.isascii() or separator in '"\\':
            return None
        # Behind a last field that ends by itself nothing may stand; only reading it as what it is would show that.
        last = list(named.values())[-1]
        if any(c.field == last.name and last.type.syntax is not None and c.type != last.type for c in columns):
            return None
        checked = tuple(column for column in rules.unasked if column.type.checked)
        return cls(separator, tuple(named), named, tuple(columns), checked, rules)

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """The columns of the lines ``block[starts[i]:ends[i]]``; None where Arrow might cut them otherwise."""
        wanted = list(dict.fromkeys(column.field for column in (*self.columns, *self.checked)))
        text = _joined(block, starts, ends) if wanted else None
        if text is None or text.startswith(b"\xef\xbb\xbf"):
            return None
        separators = np.count_nonzero(np.frombuffer(text, np.uint8) == ord(self.separator))
        surplus = separators - len(starts) * (len(self.names) - 1)
        if abs(surplus) > len(starts) // _ODD_LINES:
            return None
        read = self._read(text, wanted, len(starts))
        if read is None:
            return None
        strings, rows = read
        found = [
            self._values(column, strings[wanted.index(column.field)], context)
            for column in (*self.columns, *self.checked)
        ]
        arrays, judged = [array for array, _ in found], [sure for _, sure in found]
        return only_fine(rows, arrays, judged, len(self.columns))

    def _read(self, text: bytes, wanted: list[str], count: int) -> tuple[list[pa.Array], spans.Int64 | None] | None:
        from pyarrow import csv

        bad: list[int] = []

        def skip(row: csv.InvalidRow) -> str:
            bad.append(row.number - 1)
            return "skip"

        try:
            table = csv.read_csv(
                pa.BufferReader(text),
                csv.ReadOptions(use_threads=False, column_names=list(self.names), block_size=len(text) + 1),
                csv.ParseOptions(
                    delimiter=self.separator, quote_char=False, escape_char=False, invalid_row_handler=skip
                ),
                csv.ConvertOptions(
                    include_columns=wanted,
                    column_types=dict.fromkeys(wanted, pa.string()),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        if table.num_rows + len(bad) != count:
            return None
        rows = None if not bad else np.delete(np.arange(count), bad)
        columns = [column.combine_chunks() for column in table.columns]
        return [c if isinstance(c, pa.Array) else pa.concat_arrays(c.chunks) for c in columns], rows

    def _values(self, column: Column, array: pa.Array, context: TimestampContext) -> tuple[pa.Array, Bool | None]:
        own = self.fields[column.field]
        null = None
        if own.nullable:
            null = spans.as_bool(pc.is_in(array, pa.array(own.nulls(self.rules.null_value), pa.string())))
            null = null if null.any() else None
        texts = array if null is None else array.filter(~null)
        spelling = own.type.spelled(self.rules.escape)
        if spelling is not None:
            texts = unescaped(texts, spelling)
        values, sure = column.type.convert(texts, context)
        if null is None:
            return values, sure
        if sure is not None:
            spread = np.ones(len(null), np.bool_)
            spread[~null] = sure
            sure = spread
        return with_gaps(values, null), sure


def _apart(field: Field, separator: str) -> bool:
    """Whether the field ends at the separator by its own syntax, too."""
    if isinstance(field.type, Date):
        return not (separator.isdigit() or separator == "-")
    if type(field.type) is Timestamp:
        pattern = field.type.pattern or ""
        blank = separator == "\t" and " " in pattern  # a blank of a pattern may be a tab in the line
        return separator in "\t|;" and separator not in pattern and not blank
    return field.type.syntax is None


def _joined(block: bytes, starts: Int32, ends: Int32) -> bytes | None:
    """The lines as one text; None where Arrow would find other line ends in it."""
    if len(starts) == 0:
        return None
    text = block[starts[0] : ends[-1]]
    # More line ends than those between the lines: there is something else between, or a record has several lines.
    pairs = zip(starts.tolist(), ends.tolist(), strict=True) if text.count(b"\n") != len(starts) - 1 else ()
    if any(b"\n" in block[start:end] for start, end in pairs):
        return None
    if b"\r" not in text:
        adjacent = bool((ends[:-1] + 1 == starts[1:]).all())
        return (
            text if adjacent else b"\n".join([block[s:e] for s, e in zip(starts.tolist(), ends.tolist(), strict=True)])
        )
    # Only \r\n throughout, or there is a \r within a line.
    throughout = text.count(b"\r") == len(starts) - 1 and bool((ends[:-1] + 2 == starts[1:]).all())
    return text if throughout else None
