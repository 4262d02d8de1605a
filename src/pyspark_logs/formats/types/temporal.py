"""Field types ``date``, ``timestamp``, ``timestamp(pattern)`` and ``epoch(unit)``."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, as_numbers, from_numpy, to_scalar
from pyspark_logs.errors import FormatError
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.spans import (
    Bool,
    Bytes,
    Int32,
    Int64,
)
from pyspark_logs.formats.timestamps.parsing import (
    DAY_US,
    HIGHEST_US,
    ISO,
    ISO_DATE,
    LOWEST_US,
    TimestampContext,
    check_calendar_range,
    compile_pattern,
    parse_iso_us,
)
from pyspark_logs.formats.timestamps.rendering import may_extend_into, render_epoch, render_iso, render_pattern
from pyspark_logs.formats.timestamps.scanning import scan_timestamps
from pyspark_logs.formats.timestamps.shapes import ShapeDetector, date_shape, iso_shape, pattern_shape
from pyspark_logs.formats.timestamps.vectorized import to_array, to_dates
from pyspark_logs.formats.types.field_type import (
    FieldType,
    JsonKind,
    RenderResult,
    ResolveType,
    ScannedValues,
    parse_distinct,
)
from pyspark_logs.formats.types.forms import CompiledForm, RenderedForm, TimeNotation
from pyspark_logs.formats.types.numeric import fits_decimal_cast, parse_bounded_int
from pyspark_logs.formats.types.problem_classes import classes_by_form, classes_of_epochs, classes_of_times

_FIRST_DAY, _LAST_DAY = LOWEST_US // DAY_US, HIGHEST_US // DAY_US
_EPOCH = re.compile(r"(-?)(\d+)(?:\.(\d*))?", re.ASCII)


@dataclass(frozen=True)
class Date(FieldType):
    """``date``: YYYY-MM-DD."""

    alphabet: ClassVar[str | None] = "0123456789-"
    compiled_syntax: ClassVar[str] = "DATE"

    @property
    def syntax(self) -> re.Pattern[str]:
        return ISO_DATE

    def arrow(self) -> pa.DataType:
        return pa.date32()

    def parse(self, text: str, context: TimestampContext) -> dt.date:
        if not ISO_DATE.fullmatch(text):
            raise ValueError("not a date YYYY-MM-DD")
        return dt.date.fromisoformat(text)

    def problem_classes(self, texts: pa.Array) -> Int32 | None:
        return classes_by_form(texts, ISO_DATE.pattern)

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        days = array.cast(pa.int32())
        out_of_range = as_bool(
            pc.or_(pc.less(days, to_scalar(_FIRST_DAY, pa.int32())), pc.greater(days, to_scalar(_LAST_DAY, pa.int32())))
        )
        if not out_of_range.any():
            return array.cast(pa.string()), None
        days = pc.if_else(from_numpy(out_of_range), to_scalar(0, pa.int32()), days)
        return days.cast(pa.date32()).cast(pa.string()), out_of_range

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        return parse_distinct(self, array, context)  # a file has few distinct days

    def never_begins(self, character: str) -> bool:
        return not character.isdigit()

    def scan(
        self, block: bytes, view: Bytes, starts: Int32, limits: Int32, context: TimestampContext,
        is_followed: Callable[[Int32], Bool],
    ) -> ScannedValues:  # fmt: skip
        ends, instants, certain = scan_timestamps(
            block, view, starts, limits, date_shape, TimestampContext(), is_followed
        )
        return ScannedValues(ends, certain, instants)

    def convert_instants(self, instants: Int64) -> pa.Array | None:
        return to_dates(instants)

    @property
    def compiled_form(self) -> CompiledForm:
        return CompiledForm("ISO_DAY")

    @property
    def rendered_form(self) -> RenderedForm:
        return RenderedForm("DAY")

    @property
    def time_notation(self) -> TimeNotation:
        return TimeNotation(("date",))


@dataclass(frozen=True)
class Timestamp(FieldType):
    """``timestamp`` and ``timestamp(pattern)``. Values are microseconds since the epoch, UTC.

    Attributes:
        pattern: strptime pattern; None: ISO 8601.
        zone: zone of timestamps without a zone, if the format defines it; None: the zone of the file.
        written: strptime pattern for rendering if ``pattern`` is None; None: ISO 8601 in UTC.
    """

    pattern: str | None = None
    zone: str | None = None
    written: str | None = None

    @property
    def description(self) -> str:
        return "a time"

    @property
    def rendered_pattern(self) -> str | None:
        return self.pattern or self.written

    @property
    def syntax(self) -> re.Pattern[str]:
        return ISO if self.pattern is None else compile_pattern(self.pattern).regex

    @property
    def shape_detector(self) -> ShapeDetector:
        """Function that returns the shape of the timestamp at the start of a text."""
        if self.pattern is None:
            return iso_shape
        compiled = compile_pattern(self.pattern)
        return lambda text: pattern_shape(compiled, text)

    def arrow(self) -> pa.DataType:
        return pa.timestamp("us", "UTC")

    def reinterpret(self, dtype: pa.DataType, resolve: ResolveType) -> FieldType | None:
        return _as_instant(self, dtype) or super().reinterpret(dtype, resolve)

    def at(self, context: TimestampContext) -> TimestampContext:
        """Returns the context with the zone that the format defines."""
        return context if self.zone is None else replace(context, zone=self.zone)

    def parse(self, text: str, context: TimestampContext) -> int:
        context = self.at(context)
        if self.pattern is None:
            return parse_iso_us(text, context.zone)
        return compile_pattern(self.pattern).parse_us(text, context)

    def problem_classes(self, texts: pa.Array) -> Int32 | None:
        if self.pattern is None:
            return classes_of_times(texts, ISO.pattern)
        return classes_by_form(texts, self.re2_pattern or "")

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        if self.rendered_pattern is None:
            return render_iso(array)
        return render_pattern(compile_pattern(self.rendered_pattern), array, self.zone or zone)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        count = len(array)
        if count == 0:
            return array.cast(self.arrow()), None
        offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + count + 1]
        starts, limits = offsets[:-1], offsets[1:]
        data = (array.buffers()[2] or b"") and array.buffers()[2].to_pybytes()
        view = np.frombuffer(data, np.uint8)
        _, instants, valid = scan_timestamps(
            data, view, starts, limits, self.shape_detector, self.at(context), lambda ends: ends == limits
        )
        return to_array(instants), None if valid.all() else valid

    def scan(
        self, block: bytes, view: Bytes, starts: Int32, limits: Int32, context: TimestampContext,
        is_followed: Callable[[Int32], Bool],
    ) -> ScannedValues:  # fmt: skip
        ends, instants, certain = scan_timestamps(
            block, view, starts, limits, self.shape_detector, self.at(context), is_followed
        )
        return ScannedValues(ends, certain, instants)

    def convert_instants(self, instants: Int64) -> pa.Array | None:
        return to_array(instants)

    def never_begins(self, character: str) -> bool:
        if self.pattern is None:
            return not character.isdigit()
        if character.isalnum():
            return False  # not true of all patterns, but precise enough
        if self.pattern[0] == "%":
            return character not in {"d": " ", "e": " ", "z": "+-", ":": "+-", "%": "%"}.get(self.pattern[1:2], "\0")
        return character not in " \t" if self.pattern[0] in " \t" else character != self.pattern[0]

    def check_writable(self) -> None:
        if self.pattern is not None and any(end in self.pattern for end in ("\n", "\r")):
            raise FormatError(f"timestamp pattern {self.pattern!r} holds a line end, but a record is one line")

    def comparable(self, array: pa.Array, zone: str) -> pa.Array:
        """Returns the rendered timestamps, because a pattern may omit parts of the time, such as the year."""
        return self.render(array, zone)[0]

    @property
    def may_begin_with_blank(self) -> bool:
        first = "" if self.pattern is None else compile_pattern(self.pattern).tokens[0]
        return first[:1] in {" ", "\t"} or first == "%e"

    def null_may_extend_into(self, null: str, following: str) -> bool:
        return super().null_may_extend_into(null, following) or (null[:1] == "-" and not self.never_begins("-"))

    def may_extend_into(self, following: str, *, is_open: bool) -> bool:
        return self.pattern is not None and may_extend_into(compile_pattern(self.pattern), following, is_open=is_open)

    @property
    def compiled_form(self) -> CompiledForm:
        return CompiledForm("ISO") if self.pattern is None else CompiledForm(converts=True)

    @property
    def rendered_form(self) -> RenderedForm:
        if type(self).render is not Timestamp.render:
            return RenderedForm()
        return RenderedForm("ISO_TIME" if self.rendered_pattern is None else "PATTERN_TIME")

    @property
    def time_notation(self) -> TimeNotation:
        return TimeNotation((self.pattern or "",), zone=self.zone)


def _as_instant(field_type: FieldType, dtype: pa.DataType) -> FieldType | None:
    """Returns the type itself if ``dtype`` is a timestamp or a date, to which the decoder converts instants."""
    return field_type if pa.types.is_timestamp(dtype) or pa.types.is_date32(dtype) else None


# Units of ``epoch`` as powers of ten of a microsecond.
EPOCH_SCALE = {"s": 6, "ms": 3, "us": 0, "ns": -3}


@dataclass(frozen=True)
class Epoch(FieldType):
    """``epoch(s|ms|us|ns)``: time since 1970 as a number, truncated to microseconds.

    Attributes:
        unit: s, ms, us or ns.
        digits: number of digits of a rendered fraction; None: as many as the value needs. Any number is parsed.
    """

    alphabet: ClassVar[str | None] = "0123456789-."
    json_kind: ClassVar[JsonKind] = "number"
    unit: str = "s"
    digits: int | None = None

    @property
    def description(self) -> str:
        return f"a number of {self.unit} since the epoch"

    def arrow(self) -> pa.DataType:
        return pa.timestamp("us", "UTC")

    def parse(self, text: str, context: TimestampContext) -> int:
        match = _EPOCH.fullmatch(text)
        if match is None:
            raise ValueError(f"not {self.description}")
        sign, whole, fraction = match.groups()
        digits = whole + (fraction or "").ljust(6, "0")[: max(EPOCH_SCALE[self.unit], 0)]
        value = parse_bounded_int(digits) // (1000 if self.unit == "ns" else 1)
        return check_calendar_range(-value if sign else value)

    def problem_classes(self, texts: pa.Array) -> Int32 | None:
        return classes_of_epochs(texts, _EPOCH.pattern, EPOCH_SCALE[self.unit])

    def reinterpret(self, dtype: pa.DataType, resolve: ResolveType) -> FieldType | None:
        return _as_instant(self, dtype) or super().reinterpret(dtype, resolve)

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_epoch(array, EPOCH_SCALE[self.unit], self.digits)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        power = EPOCH_SCALE[self.unit]
        if not spans.contains_only(array, b"0123456789-"):
            return _convert_fractions(self, array, context)
        try:
            numbers = as_numbers(array.cast(pa.int64()))
        except pa.ArrowInvalid:
            return parse_distinct(self, array, context)
        if power < 0:  # truncate toward zero
            return _to_instants(self, array, context, numbers // 1000 + ((numbers < 0) & (numbers % 1000 != 0)))
        highest = HIGHEST_US // 10**power + 1  # out of range; clipped so that the product does not overflow
        return _to_instants(self, array, context, np.clip(numbers, -highest, highest) * 10**power)

    @property
    def compiled_form(self) -> CompiledForm:
        return CompiledForm("EPOCH", EPOCH_SCALE[self.unit])


def _to_instants(epoch: Epoch, array: pa.Array, context: TimestampContext, micros: Int64) -> ConversionResult:
    if len(micros) and (micros.min() < LOWEST_US or micros.max() > HIGHEST_US):
        return parse_distinct(epoch, array, context)
    return to_array(micros), None


def _convert_fractions(epoch: Epoch, array: pa.Array, context: TimestampContext) -> ConversionResult:
    """Converts numbers with a fraction as decimals of nanoseconds, without rounding."""
    digits = 9 if epoch.unit == "s" else 6
    without_integer = pc.or_(pc.starts_with(array, "."), pc.starts_with(array, "-."))  # Arrow accepts ".5"
    castable = spans.contains_only(array, b"0123456789-.") and fits_decimal_cast(array, digits)
    if epoch.unit not in ("s", "ms") or not castable or pc.any(without_integer).as_py():
        return parse_distinct(epoch, array, context)
    try:
        decimals = array.cast(pa.decimal128(18, digits))  # unscaled integers of 18 digits fit in 64 bits
    except pa.ArrowInvalid:
        return parse_distinct(epoch, array, context)
    integers = np.frombuffer(decimals.buffers()[1], np.int64)[: 2 * len(array) : 2]
    return _to_instants(epoch, array, context, np.sign(integers) * (np.abs(integers) // 1000))
