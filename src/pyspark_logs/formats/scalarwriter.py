"""What writers have in common whose columns are scalars, each rendered by its own type's texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark_logs.formats import kernels
from pyspark_logs.formats.casts import fits, fitted, plain_type
from pyspark_logs.formats.fieldwriter import LINE_ENDS
from pyspark_logs.formats.linewriter import Lacks, Trouble, characters_of, troubles
from pyspark_logs.formats.types.basetypes import FieldType, Text
from pyspark_logs.formats.types.fieldtypes import for_arrow
from pyspark_logs.formats.types.numbertypes import DecimalNumber, Integer
from pyspark_logs.formats.types.timetypes import Date

if TYPE_CHECKING:
    import pyarrow as pa

    from pyspark_logs.formats.kernels import Bool

_LARGEST_DIGITS = 20  # of an unsigned integer of 64 bits
_WIDEST = 64


def scalar_type(dtype: pa.DataType) -> FieldType | None:
    """The field type whose texts hold every value of a column; None: a column that is no scalar."""
    import pyarrow as pa

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
    """The columns of a :class:`pyspark_logs.formats.linewriter.LineWriter`, as texts.

    Args:
        schema: the columns.
        kinds: what each is written as.
        zone: of wall clocks.
        lacks: which of some characters the encoding does not have; None: it has all.
    """

    def __init__(self, schema: pa.Schema, kinds: Sequence[FieldType], zone: str, lacks: Lacks | None) -> None:
        self.kinds, self.zone, self.lacks = tuple(kinds), zone, lacks
        self.names = tuple(schema.names)
        self.nullable = (True,) * len(self.names)

    def fitted(self, batch: pa.RecordBatch) -> tuple[list[pa.Array], list[Trouble]]:
        """The columns as the types they are written from."""
        columns, found = [], []
        for place, (name, kind) in enumerate(zip(self.names, self.kinds, strict=True)):
            array, lost = fitted(batch.column(name), kind.arrow(), self.zone)
            columns.append(array)
            found += troubles(place, lost, f"cannot be written as {kind.arrow()}")
        return columns, found

    def texts(self, columns: Sequence[pa.Array], place: int) -> tuple[pa.Array, list[Trouble]]:
        """The texts of a column, null where it is, and what of it has none that reads back."""
        texts, wrong = self.kinds[place].render(columns[place], self.zone)
        return texts, troubles(place, wrong, "has no text that reads back")

    def lacking(self, texts: pa.Array) -> set[str]:
        """The characters that the encoding does not have."""
        return self.lacks(characters_of(texts)) if self.lacks is not None else set()

    def checked(self, columns: Sequence[pa.Array]) -> Bool | None:
        """No row: what is written reads back by construction."""
        return None

    def comparable(self, column: int, array: pa.Array) -> list[str]:
        """Never asked for, as no line is checked."""
        return [str(value) for value in array.to_pylist()]

    def spaced(self, column: int, values: pa.Array) -> pa.Array | None:
        """Strings with a space for each of :meth:`unwritable`."""
        import pyarrow.compute as pc

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
    import numpy as np
    import pyarrow.compute as pc

    found: Bool = np.zeros(len(texts), np.bool_)
    data = kernels.string_bytes(texts).tobytes()
    for part in parts:
        if part.encode() in data:
            found |= kernels.as_bool(pc.match_substring(texts, part))
    return found


def among(texts: pa.Array, wanted: Sequence[str]) -> Bool:
    """Which texts are one of these."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return kernels.as_bool(pc.is_in(texts, value_set=pa.array(list(wanted), pa.string())))


def replaced(texts: pa.Array, which: Bool, fresh: pa.Array) -> pa.Array:
    """The texts with others in the place of some."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.replace_with_mask(texts, pa.array(which), fresh)
