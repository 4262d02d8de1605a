"""The field types of the template notation: one small class a type, and one table of them.

``parse`` is the exact meaning of a text, one value at a time. ``convert`` does the same for a column
and may give up on some rows: it returns which rows it is sure of, and the others are parsed exactly.
A row that is sure is also good: whatever is not of its type is never sure.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import TYPE_CHECKING, Any, ClassVar

from pyspark_logs.errors import FormatError, SchemaError
from pyspark_logs.formats import escapes, kernels
from pyspark_logs.formats.timecolumns import Learn, iso_shape, pattern_shape, shaped_us, to_array
from pyspark_logs.formats.timestamps import (
    HIGHEST_US, ISO, ISO_DATE, LOWEST_US, Moment, compile_pattern, in_calendar, parse_iso_us,
)  # fmt: skip

if TYPE_CHECKING:
    import pyarrow as pa

    from pyspark_logs.formats.kernels import Bool, Int64

Converted = tuple["pa.Array", "Bool | None"]

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII)
_EPOCH = re.compile(r"(-?)(\d+)(?:\.(\d*))?", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


@dataclass(frozen=True)
class FieldType:
    """What the text of a field means.

    Attributes:
        takes_rest: as the last field it takes the rest of the line whatever follows.
        syntax: a regex for types that know where they end themselves.
    """

    takes_rest: ClassVar[bool] = False
    quoted: ClassVar[bool] = False
    text: ClassVar[bool] = False

    @property
    def syntax(self) -> re.Pattern[str] | None:
        return None

    def arrow(self) -> pa.DataType:
        """The Arrow type of the column."""
        raise TypeError(f"{type(self).__name__} does not say its Arrow type")

    def parse(self, text: str, moment: Moment) -> Any:
        """The value of a text; ValueError where the text is not of this type."""
        raise TypeError(f"{type(self).__name__} cannot parse")

    def convert(self, array: pa.Array, moment: Moment) -> Converted:
        """The column of a string array (no nulls), and which of its rows are surely right (None: all)."""
        return _by_row(self, array, moment)


def _by_row(field_type: FieldType, array: pa.Array, moment: Moment) -> Converted:
    """One text at a time; equal texts only once."""
    import numpy as np
    import pyarrow as pa

    encoded = array.dictionary_encode()
    values: list[Any] = []
    fine = np.ones(len(encoded.dictionary), np.bool_)
    for index, text in enumerate(encoded.dictionary.to_pylist()):
        try:
            values.append(field_type.parse(text, moment))
        except ValueError:
            values.append(None)
            fine[index] = False
    column = pa.array(values, field_type.arrow()).take(encoded.indices)
    return column, None if fine.all() else fine[encoded.indices.to_numpy()]


def _cast(field_type: FieldType, array: pa.Array, moment: Moment, *, only: bytes) -> Converted:
    """Arrow's own cast where all characters are among ``only``; it takes spellings that we do not."""
    import pyarrow as pa

    if made_of(array, only):
        try:
            return array.cast(field_type.arrow()), None
        except pa.ArrowInvalid:
            pass  # one bad text fails the whole column: find it below
    return _by_row(field_type, array, moment)


def made_of(array: pa.Array, only: bytes) -> bool:
    """Whether all characters of the texts are among ``only``."""
    import numpy as np

    alphabet = np.zeros(256, np.bool_)
    alphabet[np.frombuffer(only, np.uint8)] = True
    return bool(alphabet[kernels.string_bytes(array)].all())


def plain_numbers(array: pa.Array) -> bool:
    """Whether all characters are ones that Arrow's casts to numbers read as we do (no ``0x``, no ``inf``)."""
    return made_of(array, b"0123456789-+.eE")


@dataclass(frozen=True)
class Text(FieldType):
    """``string``: the text as it stands."""

    takes_rest: ClassVar[bool] = True
    text: ClassVar[bool] = True

    def arrow(self) -> pa.DataType:
        import pyarrow as pa

        return pa.string()

    def parse(self, text: str, moment: Moment) -> str:
        return text

    def convert(self, array: pa.Array, moment: Moment) -> Converted:
        return array, None


@dataclass(frozen=True)
class Quoted(Text):
    """``quoted``: double-quoted, with backslash escapes. The value is what stands between the quotes."""

    takes_rest: ClassVar[bool] = False
    quoted: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return escapes.QUOTED


def _small_int(text: str) -> int:
    """An integer of few digits, however many zeros stand before them; ValueError for others."""
    digits = text.lstrip("+-").lstrip("0")
    if len(digits) > 40:
        raise ValueError("too many digits")
    return -int(digits or "0") if text[0] == "-" else int(digits or "0")


@dataclass(frozen=True)
class Integer(FieldType):
    """``int`` (32 bits) and ``long`` (64 bits)."""

    bits: int = 32

    def arrow(self) -> pa.DataType:
        import pyarrow as pa

        return {8: pa.int8(), 16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[self.bits]

    def parse(self, text: str, moment: Moment) -> int:
        if not _INTEGER.fullmatch(text):
            raise ValueError("not a whole number")
        value = _small_int(text)
        if not -(1 << self.bits - 1) <= value < 1 << self.bits - 1:
            raise ValueError(f"does not fit in {self.bits} bits")
        return value

    def convert(self, array: pa.Array, moment: Moment) -> Converted:
        return _cast(self, array, moment, only=b"0123456789-")


@dataclass(frozen=True)
class Floating(FieldType):
    """``double``."""

    bits: int = 64

    def arrow(self) -> pa.DataType:
        import pyarrow as pa

        return pa.float32() if self.bits == 32 else pa.float64()

    def parse(self, text: str, moment: Moment) -> float:
        if not (NUMBER.fullmatch(text) or _NOT_FINITE.fullmatch(text)):
            raise ValueError("not a number")
        return float(text)

    def convert(self, array: pa.Array, moment: Moment) -> Converted:
        return _cast(self, array, moment, only=b"0123456789-+.eE")


_DIGITS_OF_DECIMAL = 38


@dataclass(frozen=True)
class DecimalNumber(FieldType):
    """``decimal(p,s)``: nothing is rounded; a text that needs more digits is not of the type."""

    precision: int = 10
    scale: int = 0

    def arrow(self) -> pa.DataType:
        import pyarrow as pa

        return pa.decimal128(self.precision, self.scale)

    def parse(self, text: str, moment: Moment) -> Decimal:
        if not NUMBER.fullmatch(text):
            raise ValueError("not a decimal number")
        exactly = Context(prec=self.precision, traps=[Inexact, InvalidOperation])
        try:
            return Decimal(text).quantize(Decimal((0, (1,), -self.scale)), context=exactly)
        except ArithmeticError as error:
            raise ValueError(f"does not fit in decimal({self.precision},{self.scale})") from error

    def convert(self, array: pa.Array, moment: Moment) -> Converted:
        # Arrow's cast of very long texts wraps around and says nothing.
        if kernels.longest(array) > _DIGITS_OF_DECIMAL:
            return _by_row(self, array, moment)
        return _cast(self, array, moment, only=b"0123456789-+.")


@dataclass(frozen=True)
class Boolean(FieldType):
    """``boolean``: true or false in any case, or 1 and 0."""

    def arrow(self) -> pa.DataType:
        import pyarrow as pa

        return pa.bool_()

    def parse(self, text: str, moment: Moment) -> bool:
        lower = text.lower()
        if lower not in ("true", "false", "1", "0"):
            raise ValueError("not true or false")
        return lower in ("true", "1")


@dataclass(frozen=True)
class Date(FieldType):
    """``date``: YYYY-MM-DD."""

    @property
    def syntax(self) -> re.Pattern[str]:
        return ISO_DATE

    def arrow(self) -> pa.DataType:
        import pyarrow as pa

        return pa.date32()

    def parse(self, text: str, moment: Moment) -> dt.date:
        if not ISO_DATE.fullmatch(text):
            raise ValueError("not a date YYYY-MM-DD")
        return dt.date.fromisoformat(text)

    def convert(self, array: pa.Array, moment: Moment) -> Converted:
        return _by_row(self, array, moment)  # days repeat: the dictionary is tiny


@dataclass(frozen=True)
class Timestamp(FieldType):
    """``timestamp``: ISO 8601, or the strptime ``pattern``. Values are microseconds since the epoch, UTC."""

    pattern: str | None = None

    @property
    def syntax(self) -> re.Pattern[str]:
        return ISO if self.pattern is None else compile_pattern(self.pattern).regex

    @property
    def learn(self) -> Learn:
        """Gives the shape of the timestamp at the start of a text."""
        if self.pattern is None:
            return iso_shape
        compiled = compile_pattern(self.pattern)
        return lambda text: pattern_shape(compiled, text)

    def arrow(self) -> pa.DataType:
        import pyarrow as pa

        return pa.timestamp("us", "UTC")

    def parse(self, text: str, moment: Moment) -> int:
        if self.pattern is None:
            return parse_iso_us(text, moment.zone)
        return compile_pattern(self.pattern).parse_us(text, moment)

    def convert(self, array: pa.Array, moment: Moment) -> Converted:
        import numpy as np

        count = len(array)
        if count == 0:
            return array.cast(self.arrow()), None
        offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + count + 1]
        starts, limits = offsets[:-1], offsets[1:]
        data = (array.buffers()[2] or b"") and array.buffers()[2].to_pybytes()
        view = np.frombuffer(data, np.uint8)
        _, instants, sure = shaped_us(data, view, starts, limits, self.learn, moment, lambda places: places == limits)
        return to_array(instants), None if sure.all() else sure


_EPOCH_SCALE = {"s": 6, "ms": 3, "us": 0, "ns": -3}


@dataclass(frozen=True)
class Epoch(FieldType):
    """``epoch(s|ms|us|ns)``: time since 1970 as a number, cut to microseconds."""

    unit: str = "s"

    def arrow(self) -> pa.DataType:
        import pyarrow as pa

        return pa.timestamp("us", "UTC")

    def parse(self, text: str, moment: Moment) -> int:
        match = _EPOCH.fullmatch(text)
        if match is None:
            raise ValueError(f"not a number of {self.unit} since the epoch")
        sign, whole, fraction = match.groups()
        digits = whole + (fraction or "").ljust(6, "0")[: max(_EPOCH_SCALE[self.unit], 0)]
        value = _small_int(digits) // (1000 if self.unit == "ns" else 1)
        return in_calendar(-value if sign else value)

    def convert(self, array: pa.Array, moment: Moment) -> Converted:
        import numpy as np
        import pyarrow as pa

        power = _EPOCH_SCALE[self.unit]
        if not made_of(array, b"0123456789-"):
            return _epoch_fractions(self, array, moment)
        try:
            numbers = array.cast(pa.int64()).to_numpy()
        except pa.ArrowInvalid:
            return _by_row(self, array, moment)
        if power < 0:  # cut toward zero
            return _instants(self, array, moment, numbers // 1000 + ((numbers < 0) & (numbers % 1000 != 0)))
        most = HIGHEST_US // 10**power + 1  # beyond it is out of range, and must not wrap around
        return _instants(self, array, moment, np.clip(numbers, -most, most) * 10**power)


def _instants(epoch: Epoch, array: pa.Array, moment: Moment, micros: Int64) -> Converted:
    if len(micros) and (micros.min() < LOWEST_US or micros.max() > HIGHEST_US):
        return _by_row(epoch, array, moment)
    return to_array(micros), None


def _epoch_fractions(epoch: Epoch, array: pa.Array, moment: Moment) -> Converted:
    """Numbers with a fraction, exactly: as decimals, whose integers are then cut to microseconds."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    digits = 9 if epoch.unit == "s" else 6
    spelled_short = pc.or_(pc.starts_with(array, "."), pc.starts_with(array, "-."))  # Arrow takes ".5", we do not
    fit = made_of(array, b"0123456789-.") and kernels.longest(array) <= _DIGITS_OF_DECIMAL
    if epoch.unit not in ("s", "ms") or not fit or pc.any(spelled_short).as_py():
        return _by_row(epoch, array, moment)
    try:
        decimals = array.cast(pa.decimal128(18, digits))  # 18 digits: the integers fit in 64 bits
    except pa.ArrowInvalid:
        return _by_row(epoch, array, moment)
    integers = np.frombuffer(decimals.buffers()[1], np.int64)[: 2 * len(array) : 2]
    return _instants(epoch, array, moment, np.sign(integers) * (np.abs(integers) // 1000))


@dataclass(frozen=True)
class Uuid(Text):
    """``uuid``: kept as the string it is, once checked."""

    takes_rest: ClassVar[bool] = False
    text: ClassVar[bool] = False

    def parse(self, text: str, moment: Moment) -> str:
        if not _UUID.fullmatch(text):
            raise ValueError("not a UUID")
        return text

    def convert(self, array: pa.Array, moment: Moment) -> Converted:
        import numpy as np
        import pyarrow.compute as pc

        sure = kernels.as_bool(pc.equal(pc.binary_length(array), 36))
        table = kernels.matrix(array.filter(sure) if not sure.all() else array, 36)
        hexadecimal = np.zeros(256, np.bool_)
        hexadecimal[np.frombuffer(b"0123456789abcdefABCDEF", np.uint8)] = True
        fine = np.ones(len(table), np.bool_)
        for column in range(36):
            fine &= table[:, column] == 45 if column in (8, 13, 18, 23) else hexadecimal[table[:, column]]
        sure[sure] = fine
        return array, None if sure.all() else sure


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


@dataclass(frozen=True)
class JsonText(Text):
    """``json``: kept as the string it is, once checked."""

    text: ClassVar[bool] = False

    def parse(self, text: str, moment: Moment) -> str:
        try:
            json.loads(text, parse_constant=_refuse_constant)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        return text

    def convert(self, array: pa.Array, moment: Moment) -> Converted:
        return _by_row(self, array, moment)


@dataclass(frozen=True)
class ListOf(FieldType):
    """``list(<sep>)``: an array of strings, or of what the schema asks for; an empty text is ``[]``."""

    separator: str = ","
    element: FieldType = Text()

    def arrow(self) -> pa.DataType:
        import pyarrow as pa

        return pa.list_(pa.field("element", self.element.arrow()))

    def parse(self, text: str, moment: Moment) -> list[Any]:
        if not text:
            return []
        return [self.element.parse(piece, moment) for piece in text.split(self.separator)]

    def convert(self, array: pa.Array, moment: Moment) -> Converted:
        import pyarrow as pa
        import pyarrow.compute as pc

        if not isinstance(self.element, Text) or pc.any(pc.equal(array, "")).as_py():
            return _by_row(self, array, moment)
        pieces = pc.split_pattern(array, self.separator)
        return pa.ListArray.from_arrays(pieces.offsets, pieces.values, type=self.arrow()), None


@dataclass(frozen=True)
class MapOf(FieldType):
    """``map``: ``k=v`` pairs; a value may be double-quoted with backslash escapes."""

    takes_rest: ClassVar[bool] = True

    def arrow(self) -> pa.DataType:
        import pyarrow as pa

        return pa.map_(pa.string(), pa.string())

    def parse(self, text: str, moment: Moment) -> list[tuple[str, str]]:
        return list(escapes.parse_pairs(text).items())


@dataclass(frozen=True)
class HostOf(Text):
    """The address in ``address:port``; part of a preset, not of the notation."""

    def parse(self, text: str, moment: Moment) -> str:
        return text.rpartition(":")[0] if ":" in text else text

    def convert(self, array: pa.Array, moment: Moment) -> Converted:
        pieces = _host_and_port(array)
        return (pieces[0], None) if pieces else _by_row(self, array, moment)


@dataclass(frozen=True)
class PortOf(Integer):
    """The port in ``address:port``; null where there is none."""

    def parse(self, text: str, moment: Moment) -> Any:
        port = text.rpartition(":")[2] if ":" in text else "-"
        return None if port == "-" else super().parse(port, moment)

    def convert(self, array: pa.Array, moment: Moment) -> Converted:
        pieces = _host_and_port(array)
        return Integer(self.bits).convert(pieces[1], moment) if pieces else _by_row(self, array, moment)


def _host_and_port(array: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """The texts before and after the last colon; None where one has none."""
    import numpy as np

    data = kernels.string_bytes(array)
    colons = np.flatnonzero(data == 58).astype(np.int32)
    if len(array) == 0 or len(colons) == 0:
        return None
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    starts, ends = offsets[:-1] - offsets[0], offsets[1:] - offsets[0]
    last = colons[np.searchsorted(colons, ends) - 1]
    if not ((last >= starts) & (last < ends)).all():
        return None
    text = data.tobytes()
    return kernels.texts(text, starts, last), kernels.texts(text, last + np.int32(1), ends)


# --- the table: notation -> type ------------------------------------------------------------------------


def _plain(field_type: FieldType) -> Any:
    def make(name: str, argument: str | None) -> FieldType:
        if argument is not None:
            raise FormatError(f"type {name!r} takes no argument, but has ({argument})")
        return field_type

    return make


def _timestamp(name: str, argument: str | None) -> FieldType:
    if argument is not None:
        compile_pattern(argument)
    return Timestamp(argument)


def _epoch(name: str, argument: str | None) -> FieldType:
    if argument not in _EPOCH_SCALE:
        raise FormatError(f"type 'epoch' needs a unit: epoch(s), epoch(ms), epoch(us) or epoch(ns), not {argument!r}")
    return Epoch(argument)


def _decimal(name: str, argument: str | None) -> FieldType:
    match = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*", argument or "", re.ASCII)
    if match is None or not 1 <= int(match[1]) <= 38 or int(match[2]) > int(match[1]):
        raise FormatError(f"type 'decimal' needs precision (1 to 38) and scale: decimal(10,2), not {argument!r}")
    return DecimalNumber(int(match[1]), int(match[2]))


def _list(name: str, argument: str | None) -> FieldType:
    if not argument:
        raise FormatError("type 'list' needs its separator: list(,)")
    return ListOf(argument)


TYPES = {
    "string": _plain(Text()),
    "quoted": _plain(Quoted()),
    "int": _plain(Integer(32)),
    "long": _plain(Integer(64)),
    "double": _plain(Floating()),
    "decimal": _decimal,
    "boolean": _plain(Boolean()),
    "date": _plain(Date()),
    "timestamp": _timestamp,
    "epoch": _epoch,
    "uuid": _plain(Uuid()),
    "json": _plain(JsonText()),
    "list": _list,
    "map": _plain(MapOf()),
}


# --- a schema's type in place of the format's --------------------------------------------------------------


def for_arrow(dtype: pa.DataType) -> FieldType | None:
    """The type whose texts give this Arrow type in its plainest spelling; None: there is none."""
    import pyarrow as pa

    if pa.types.is_signed_integer(dtype):
        return Integer(dtype.bit_width)
    if pa.types.is_float32(dtype) or pa.types.is_float64(dtype):
        return Floating(dtype.bit_width)
    if pa.types.is_decimal128(dtype):
        return DecimalNumber(dtype.precision, dtype.scale)
    if pa.types.is_timestamp(dtype):
        return Timestamp()
    plain: list[tuple[pa.DataType, FieldType]] = [(pa.string(), Text()), (pa.bool_(), Boolean()), (pa.date32(), Date())]
    return next((field_type for known, field_type in plain if known == dtype), None)


def retype(field_type: FieldType, dtype: pa.DataType, column: str) -> FieldType:
    """The type to read a field with, so that a schema's ``dtype`` comes of it.

    The field ends where it ended before; only the meaning of its text changes.

    Raises:
        SchemaError: nothing sensible leads from the one type to the other.
    """
    import pyarrow as pa

    if dtype == field_type.arrow():
        return field_type
    if isinstance(field_type, PortOf) and pa.types.is_signed_integer(dtype):
        return PortOf(dtype.bit_width)
    if isinstance(field_type, (HostOf, PortOf)):
        raise SchemaError(f"column {column!r} is {field_type.arrow()} and cannot be read as {dtype}; cast in the query")
    if pa.types.is_string(dtype):
        return field_type if field_type.quoted else Text()
    if isinstance(field_type, (Timestamp, Epoch)) and (pa.types.is_timestamp(dtype) or pa.types.is_date32(dtype)):
        return field_type  # the decoder turns instants into wall clocks or days
    numeric = (Integer, Floating, DecimalNumber)
    wanted = for_arrow(dtype)
    if isinstance(field_type, numeric) and isinstance(wanted, numeric):
        return wanted
    if field_type.text and wanted is not None:
        return wanted
    if isinstance(field_type, ListOf) and pa.types.is_list(dtype):
        element = for_arrow(dtype.value_type)
        if element is not None and not isinstance(element, Timestamp):
            return ListOf(field_type.separator, element)
    raise SchemaError(
        f"column {column!r}: the format gives {field_type.arrow()}, which cannot be read as {dtype};"
        f" ask for {field_type.arrow()} or string and cast in the query"
    )
