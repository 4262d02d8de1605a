"""Field types ``int``, ``long``, ``double``, ``decimal(p,s)`` and ``boolean``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import from_numpy, from_texts, to_scalar
from pyspark_logs.formats.columnar import prefix_words, spans
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.prefix_words import Words
from pyspark_logs.formats.columnar.spans import Bool, Int32
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType, JsonKind, RenderResult, ResolveType, parse_distinct
from pyspark_logs.formats.types.forms import CompiledForm, RenderedForm
from pyspark_logs.formats.types.problem_classes import MAX_DIGITS, classes_by_form, classes_of_integers

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_INT_BITS = 32
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII)
_FLOATING_FORM = f"{NUMBER.pattern}|(?i:{_NOT_FINITE.pattern})"


def has_plain_numbers(array: pa.Array) -> bool:
    """Returns True if Arrow's casts read all strings as the field types do (no ``0x``, no ``inf``)."""
    return spans.contains_only(array, b"0123456789-+.eE")


def parse_bounded_int(text: str) -> int:
    """Parses an integer with at most ``MAX_DIGITS`` digits after its leading zeros.

    Raises:
        ValueError: the integer has more digits; ``int`` takes quadratic time.
    """
    digits = text.lstrip("+-").lstrip("0")
    if len(digits) > MAX_DIGITS:
        raise ValueError("too many digits")
    return -int(digits or "0") if text[0] == "-" else int(digits or "0")


def _cast_plain_numbers(array: pa.Array, dtype: pa.DataType) -> pa.Array | None:
    """Casts strings with nulls by Arrow; None if Arrow reads a string differently or not at all."""
    try:
        return array.cast(dtype) if has_plain_numbers(array) else None
    except pa.ArrowInvalid:
        return None


class NumericType(FieldType):
    """A type whose text can be read as any other number.

    Attributes:
        castable: characters of the texts that Arrow casts as the type parses them. Arrow accepts more notations than the field
            types do, such as hexadecimal integers.
    """

    json_kind: ClassVar[JsonKind] = "number"
    castable: ClassVar[bytes]

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        if spans.contains_only(array, self.castable):
            try:
                return array.cast(self.arrow()), None
            except pa.ArrowInvalid:
                pass  # one invalid text fails the whole cast
        return parse_distinct(self, array, context)

    @property
    def accepts_nulls(self) -> bool:
        return True

    def convert_masked(self, array: pa.Array) -> pa.Array | None:
        return _cast_plain_numbers(array, self.arrow())

    def reinterpret(self, dtype: pa.DataType, resolve: ResolveType) -> FieldType | None:
        is_number = pa.types.is_integer(dtype) or pa.types.is_floating(dtype) or pa.types.is_decimal(dtype)
        return resolve(dtype) if is_number else super().reinterpret(dtype, resolve)


@dataclass(frozen=True)
class Integer(NumericType):
    """``int`` (32 bits) and ``long`` (64 bits)."""

    alphabet: ClassVar[str | None] = "0123456789-"
    castable: ClassVar[bytes] = b"0123456789-"
    bits: int = 32

    def arrow(self) -> pa.DataType:
        return {8: pa.int8(), 16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[self.bits]

    def parse(self, text: str, context: TimestampContext) -> int:
        if not _INTEGER.fullmatch(text):
            raise ValueError("not a whole number")
        value = parse_bounded_int(text)
        if not -(1 << self.bits - 1) <= value < 1 << self.bits - 1:
            raise ValueError(f"does not fit in {self.bits} bits")
        return value

    @property
    def notation(self) -> str:
        return "long" if self.bits > _INT_BITS else "int"

    @property
    def re2_pattern(self) -> str | None:
        return "[+-]?[0-9]+"

    def problem_classes(self, texts: pa.Array) -> Int32 | None:
        return classes_of_integers(texts, self.bits)

    def excludes(self, text: str) -> bool:
        return not set(text) <= set("0123456789+-")

    @property
    def reads_words(self) -> bool:
        return self.bits >= _INT_BITS

    def convert_words(self, words: Words, lengths: Int32, null: Bool | None) -> pa.Array | None:
        numbers = prefix_words.parse_small_integers(words, lengths, null)
        # Eight digits fit in 32 bits.
        dtype = np.int64 if self.bits > _INT_BITS else np.int32
        return None if numbers is None else from_numpy(numbers.astype(dtype, copy=False), null)

    @property
    def compiled_form(self) -> CompiledForm:
        return CompiledForm("INT", self.bits)

    @property
    def rendered_form(self) -> RenderedForm:
        return RenderedForm("INTEGER", self.bits) if type(self).render is FieldType.render else RenderedForm()


@dataclass(frozen=True)
class Floating(NumericType):
    """``double``: rendered as the shortest text that is parsed to the same number."""

    alphabet: ClassVar[str | None] = "0123456789-+.einfa"
    castable: ClassVar[bytes] = b"0123456789-+.eE"
    bits: int = 64

    def arrow(self) -> pa.DataType:
        return pa.float32() if self.bits == 32 else pa.float64()

    def parse(self, text: str, context: TimestampContext) -> float:
        if not (NUMBER.fullmatch(text) or _NOT_FINITE.fullmatch(text)):
            raise ValueError("not a number")
        return float(text)

    def problem_classes(self, texts: pa.Array) -> Int32 | None:
        return classes_by_form(texts, _FLOATING_FORM)

    @property
    def notation(self) -> str:
        return "double"

    @property
    def compiled_form(self) -> CompiledForm:
        return CompiledForm("DOUBLE") if self.bits == 64 else CompiledForm(converts=True)

    @property
    def rendered_form(self) -> RenderedForm:
        return RenderedForm("DOUBLE") if self.bits == 64 else RenderedForm()


MAX_DECIMAL_DIGITS = 38


@dataclass(frozen=True)
class DecimalNumber(NumericType):
    """``decimal(p,s)``: values are not rounded; a text that needs more digits is not of the type."""

    alphabet: ClassVar[str | None] = "0123456789-."
    castable: ClassVar[bytes] = b"0123456789-+."
    precision: int = 10
    scale: int = 0

    @property
    def notation(self) -> str:
        return "decimal"

    def arrow(self) -> pa.DataType:
        return pa.decimal128(self.precision, self.scale)

    def parse(self, text: str, context: TimestampContext) -> Decimal:
        if not NUMBER.fullmatch(text):
            raise ValueError("not a decimal number")
        exact = Context(prec=self.precision, traps=[Inexact, InvalidOperation])
        try:
            return Decimal(text).quantize(Decimal((0, (1,), -self.scale)), context=exact)
        except ArithmeticError as error:
            raise ValueError(f"does not fit in decimal({self.precision},{self.scale})") from error

    def problem_classes(self, texts: pa.Array) -> Int32 | None:
        return classes_by_form(texts, NUMBER.pattern)

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_decimals(array), None

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        if not fits_decimal_cast(array, self.scale):
            return parse_distinct(self, array, context)
        return super().convert(array, context)

    @property
    def accepts_nulls(self) -> bool:
        return False  # the cast may overflow


def fits_decimal_cast(array: pa.Array, scale: int) -> bool:
    """Returns True if Arrow's cast of numbers without exponents to decimals of a scale cannot overflow.

    Arrow multiplies the digits before the point by 10**scale, and an overflow of 128 bits is not an error.

    >>> fits_decimal_cast(pa.array(["340282366920938463804"]), 18), fits_decimal_cast(pa.array(["3.500000000000000000000"]), 18)
    (False, True)
    """
    longest = spans.max_byte_length(array)
    if longest <= MAX_DECIMAL_DIGITS - scale:
        return True
    if longest > MAX_DECIMAL_DIGITS:
        return False
    points = pc.find_substring(array, ".")
    before = pc.max(pc.if_else(pc.less(points, to_scalar(0, pa.int32())), pc.binary_length(array), points)).as_py()
    return bool(before <= MAX_DECIMAL_DIGITS - scale)


def render_decimals(array: pa.Array) -> pa.Array:
    """Renders decimals with all digits, where Arrow writes an exponent for numbers with many zeros."""
    texts = array.cast(pa.string())
    scientific = pc.match_substring(texts, "E")
    if not pc.any(scientific).as_py():
        return texts
    plain = [f"{value:f}" for value in array.filter(scientific).to_pylist()]
    return pc.replace_with_mask(texts, scientific, from_texts(plain))


@dataclass(frozen=True)
class Boolean(FieldType):
    """``boolean``: true or false in upper or lower case, or 1 and 0; rendered as ``true`` and ``false``."""

    alphabet: ClassVar[str | None] = "truefals"
    json_kind: ClassVar[JsonKind] = "boolean"
    bare_key_value: ClassVar[bool | None] = True

    def arrow(self) -> pa.DataType:
        return pa.bool_()

    def parse(self, text: str, context: TimestampContext) -> bool:
        lower = text.lower()
        if lower not in ("true", "false", "1", "0"):
            raise ValueError("not true or false")
        return lower in ("true", "1")

    def problem_classes(self, texts: pa.Array) -> Int32 | None:
        return classes_by_form(texts, "(?i:true|false|1|0)")

    @property
    def compiled_form(self) -> CompiledForm:
        return CompiledForm("BOOLEAN")

    @property
    def rendered_form(self) -> RenderedForm:
        return RenderedForm("BOOLEAN")
