"""The common part of writers whose columns are scalars, each rendered as the text of its field type."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, from_numpy, from_texts
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.compiled.render_program import LineRules
from pyspark_logs.formats.types.casts import cast_lossless, fits, plain_type
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import DecimalNumber, Integer
from pyspark_logs.formats.types.registry import for_arrow
from pyspark_logs.formats.types.temporal import Date
from pyspark_logs.formats.types.text import Text
from pyspark_logs.formats.writing.field_context import LINE_ENDS
from pyspark_logs.formats.writing.line_writer import FindUnencodable, UnwritableValues, characters_of, unwritable_values
from pyspark_logs.formats.writing.render_plan import RenderPlan
from pyspark_logs.schema import type_name

_UINT64_DIGITS = 20


def scalar_type(dtype: pa.DataType) -> FieldType | None:
    """Returns the field type whose texts can express every value of a column; None: the column is not scalar."""
    dtype = plain_type(dtype)
    if pa.types.is_null(dtype):
        return Text()
    if pa.types.is_unsigned_integer(dtype):
        return DecimalNumber(_UINT64_DIGITS, 0) if dtype.bit_width == 64 else Integer(2 * dtype.bit_width)
    if pa.types.is_date(dtype):
        return Date()
    field_type = for_arrow(dtype)
    return field_type if field_type is not None and fits(dtype, field_type.arrow()) else None


def type_problem(field: pa.Field, field_type: FieldType | None) -> str:
    """Returns the reason why a column cannot be written as a field type; "" if it can."""
    if field_type is None:
        return f"{field.name!r} is {type_name(field.type)}, which is more than one value; write its parts as columns, or as json"
    if not fits(field.type, field_type.arrow()):
        return f"{field.name!r} is {type_name(field.type)}, the format writes {type_name(field_type.arrow())}; cast it"
    return ""


class ScalarWriter:
    """A base class of line writers that renders each column as texts; see :class:`.line_writer.LineWriter`.

    Args:
        schema: columns of the lines.
        kinds: field type of each column.
        zone: time zone of wall clocks.
        unencodable: function that finds the characters which the encoding lacks; None: it has all characters.
    """

    def __init__(
        self, schema: pa.Schema, kinds: Sequence[FieldType], zone: str, unencodable: FindUnencodable | None
    ) -> None:
        self.kinds, self.zone, self.unencodable = tuple(kinds), zone, unencodable
        self.names = tuple(schema.names)
        self.nullable = (True,) * len(self.names)

    def cast_lossless(self, batch: pa.RecordBatch) -> tuple[list[pa.Array], list[UnwritableValues]]:
        """Returns the columns as the Arrow types of their field types."""
        columns, problems = [], []
        for index, (name, field_type) in enumerate(zip(self.names, self.kinds, strict=True)):
            array, changed = cast_lossless(batch.column(name), field_type.arrow(), self.zone)
            columns.append(array)
            problems += unwritable_values(index, changed, f"cannot be written as {field_type.arrow()}")
        return columns, problems

    def texts(self, columns: Sequence[pa.Array], index: int) -> tuple[pa.Array, list[UnwritableValues]]:
        """Returns the texts of a column, null where it is null, and the values without a text that reads back."""
        texts, invalid = self.kinds[index].render(columns[index], self.zone)
        return texts, unwritable_values(index, invalid, "has no text that reads back")

    def find_unencodable(self, texts: pa.Array) -> set[str]:
        """Returns the characters of the texts that the encoding lacks."""
        return self.unencodable(characters_of(texts)) if self.unencodable is not None else set()

    def plan_rendering(
        self, columns: Sequence[pa.Array], avoided: frozenset[Hashable], rules: LineRules
    ) -> RenderPlan | None:
        """Returns None: the machine has no program for the lines."""
        return None

    def uncertain_rows(self, columns: Sequence[pa.Array]) -> Bool | None:
        """Returns None: every line reads back by construction."""
        return None

    def comparable_texts(self, column: int, array: pa.Array) -> list[str]:
        """Returns the values as strings; not called, because no row is uncertain."""
        return [str(value) for value in array.to_pylist()]

    def replace_by_spaces(self, column: int, values: pa.Array) -> pa.Array | None:
        """Returns strings with a space for each forbidden text and unencodable character; None for other types."""
        return self.kinds[column].map_strings(values, self._replace_by_spaces)

    def _replace_by_spaces(self, strings: pa.Array, separator: str | None) -> pa.Array:
        for text in (*self.forbidden_texts(), *sorted(self.find_unencodable(strings))):
            strings = pc.replace_substring(strings, text, " ")
        return strings

    def forbidden_texts(self) -> tuple[str, ...]:
        """Returns the substrings that no text may contain."""
        return LINE_ENDS


def holds_any_of(texts: pa.Array, parts: Sequence[str]) -> Bool:
    """Returns a mask of the texts that contain any of the parts; False for null."""
    found: Bool = np.zeros(len(texts), np.bool_)
    data = spans.string_bytes(texts).tobytes()
    for part in parts:
        if part.encode() in data:
            found |= as_bool(pc.match_substring(texts, part))
    return found


def is_any_of(texts: pa.Array, values: Sequence[str]) -> Bool:
    """Returns a mask of the texts that are equal to any of the values."""
    return as_bool(pc.is_in(texts, value_set=from_texts(list(values))))


def replace_masked(texts: pa.Array, mask: Bool, replacements: pa.Array) -> pa.Array:
    """Returns the texts with the masked ones replaced, in order."""
    return pc.replace_with_mask(texts, from_numpy(mask), replacements)
