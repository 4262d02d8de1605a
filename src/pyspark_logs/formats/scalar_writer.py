"""What writers have in common whose columns are scalars, each rendered by its own type's texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.line_writer import FindUnencodable, UnwritableValues, characters_of, unwritable
from pyspark_logs.formats.template.field_writer import LINE_ENDS
from pyspark_logs.formats.types.casts import cast_lossless, fits, plain_type
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import DecimalNumber, Integer
from pyspark_logs.formats.types.registry import for_arrow
from pyspark_logs.formats.types.temporal import Date
from pyspark_logs.formats.types.text import Text

_LARGEST_DIGITS = 20  # of an unsigned integer of 64 bits
_WIDEST = 64


def scalar_type(dtype: pa.DataType) -> FieldType | None:
    """The field type whose texts hold every value of a column; None: a column that is no scalar."""
    dtype = plain_type(dtype)
    if pa.types.is_null(dtype):
        return Text()
    if pa.types.is_unsigned_integer(dtype):
        return DecimalNumber(_LARGEST_DIGITS, 0) if dtype.bit_width == _WIDEST else Integer(2 * dtype.bit_width)
    if pa.types.is_date(dtype):
        return Date()
    kind = for_arrow(dtype)
    return kind if kind is not None and fits(dtype, kind.arrow()) else None


def type_problem(field: pa.Field, kind: FieldType | None) -> str:
    """Why a column cannot be written as the type; "" if it can."""
    if kind is None:
        return f"{field.name!r} is {field.type}, which is more than one value; write its parts as columns, or as json"
    if not fits(field.type, kind.arrow()):
        return f"{field.name!r} is {field.type}, the format writes {kind.arrow()}; cast it"
    return ""


class ScalarWriter:
    """The columns of a :class:`pyspark_logs.formats.line_writer.LineWriter`, as texts.

    Args:
        schema: the columns.
        kinds: what each is written as.
        zone: of wall clocks.
        unencodable: which of some characters the encoding does not have; None: it has all.
    """

    def __init__(
        self, schema: pa.Schema, kinds: Sequence[FieldType], zone: str, unencodable: FindUnencodable | None
    ) -> None:
        self.kinds, self.zone, self.unencodable = tuple(kinds), zone, unencodable
        self.names = tuple(schema.names)
        self.nullable = (True,) * len(self.names)

    def cast_lossless(self, batch: pa.RecordBatch) -> tuple[list[pa.Array], list[UnwritableValues]]:
        """The columns as the types they are written from."""
        columns, found = [], []
        for place, (name, kind) in enumerate(zip(self.names, self.kinds, strict=True)):
            array, lost = cast_lossless(batch.column(name), kind.arrow(), self.zone)
            columns.append(array)
            found += unwritable(place, lost, f"cannot be written as {kind.arrow()}")
        return columns, found

    def texts(self, columns: Sequence[pa.Array], place: int) -> tuple[pa.Array, list[UnwritableValues]]:
        """The texts of a column, null where it is, and what of it has none that reads back."""
        texts, wrong = self.kinds[place].render(columns[place], self.zone)
        return texts, unwritable(place, wrong, "has no text that reads back")

    def lacking(self, texts: pa.Array) -> set[str]:
        """The characters that the encoding does not have."""
        return self.unencodable(characters_of(texts)) if self.unencodable is not None else set()

    def checked(self, columns: Sequence[pa.Array]) -> Bool | None:
        """No row: what is written reads back by construction."""
        return None

    def comparable(self, column: int, array: pa.Array) -> list[str]:
        """Never asked for, as no line is checked."""
        return [str(value) for value in array.to_pylist()]

    def spaced(self, column: int, values: pa.Array) -> pa.Array | None:
        """Strings with a space for each of :meth:`unwritable`."""
        if type(self.kinds[column]) is not Text:
            return None
        for text in (*self.unwritable(), *sorted(self.lacking(values))):
            values = pc.replace_substring(values, text, " ")
        return values

    def unwritable(self) -> tuple[str, ...]:
        """What no text may hold."""
        return LINE_ENDS


def holding(texts: pa.Array, parts: Sequence[str]) -> Bool:
    """Which texts hold any of the parts; null ones do not."""
    found: Bool = np.zeros(len(texts), np.bool_)
    data = spans.string_bytes(texts).tobytes()
    for part in parts:
        if part.encode() in data:
            found |= spans.as_bool(pc.match_substring(texts, part))
    return found


def among(texts: pa.Array, wanted: Sequence[str]) -> Bool:
    """Which texts are one of these."""
    return spans.as_bool(pc.is_in(texts, value_set=pa.array(list(wanted), pa.string())))


def replaced(texts: pa.Array, which: Bool, fresh: pa.Array) -> pa.Array:
    """The texts with others in the place of some."""
    return pc.replace_with_mask(texts, pa.array(which), fresh)
