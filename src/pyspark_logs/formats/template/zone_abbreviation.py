"""Times with the abbreviation of their zone, as two columns."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, as_numbers, concat_texts, from_numpy, from_texts, only_where, text_scalar
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.spans import (
    Bool,
    Bytes,
    Int32,
    Int64,
)
from pyspark_logs.formats.template.composite_fields import Subfield
from pyspark_logs.formats.timestamps.parsing import (
    HIGHEST_US,
    LOWEST_US,
    TimestampContext,
    check_calendar_range,
    compile_pattern,
    parse_zone_name_us,
)
from pyspark_logs.formats.timestamps.rendering import render_pattern
from pyspark_logs.formats.timestamps.vectorized import to_array
from pyspark_logs.formats.timestamps.zone_names import UTC_NAMES
from pyspark_logs.formats.timestamps.zones import local_to_utc_us, offsets_of_name
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.temporal import Timestamp
from pyspark_logs.formats.types.text import Text
from pyspark_logs.formats.writing.line_writer import UnwritableValues, unwritable_values

_TIME_AND_ZONE = r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?)(?: (?P<zone>[^ ]+))?"
# PostgreSQL writes zones without an abbreviation as offsets: "-03", "+0530".
_TIME_TEXT = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?(?: (?:[A-Za-z]+|[+-]\d\d(?::?\d\d){0,2}))?", re.ASCII
)
_TIME_LENGTH, _MAX_FRACTION, _MAX_ZONE = 19, 9, 8


@dataclass(frozen=True)
class TimeAndZoneText(Text):
    """Text of a field that :class:`TimeAndZone` divides; any text but a letter may follow it."""

    takes_rest: ClassVar[bool] = False
    compiled_syntax: ClassVar[str] = "STAMP"

    @property
    def syntax(self) -> re.Pattern[str]:
        return _TIME_TEXT

    def never_begins(self, character: str) -> bool:
        return not character.isdigit()

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        """Finds the ends without the digits of the time, which the type of the column checks."""
        ends = starts + np.int32(_TIME_LENGTH)
        fitting = (ends <= limits) & spans.literal_at(view, starts + np.int32(13), b":")
        ends = np.where(fitting, ends, limits)
        fraction = np.flatnonzero(spans.bytes_at(view, ends) == ord("."))
        _skip(view, ends, fraction, _is_digit, _MAX_FRACTION, prefix=1)
        rows = np.flatnonzero(spans.bytes_at(view, ends) == ord(" "))
        first = spans.bytes_at(view, ends[rows] + np.int32(1))
        signed = rows[(first == ord("+")) | (first == ord("-"))]
        named = rows[_is_letter(first)]
        unsure = _skip(view, ends, named, _is_letter, _MAX_ZONE, prefix=1)
        ends[~fitting] = -1
        for some in (signed, unsure):
            ends[some] = super().find_ends(block, view, starts[some], limits[some])
        return ends


def _skip(view: Bytes, ends: Int32, rows: Int64, accepts: Callable[[Bytes], Bool], limit: int, *, prefix: int) -> Int64:
    """Moves the ends of some rows after a prefix and up to ``limit`` accepted bytes; returns the rows with more of them."""
    ends[rows] += np.int32(prefix)
    for _ in range(limit):
        rows = rows[accepts(spans.bytes_at(view, ends[rows]))]
        if len(rows) == 0:
            break
        ends[rows] += np.int32(1)
    return rows[accepts(spans.bytes_at(view, ends[rows]))]


def _is_digit(byte: Bytes) -> Bool:
    return byte - np.uint8(ord("0")) <= 9


def _is_letter(byte: Bytes) -> Bool:
    return (byte | np.uint8(32)) - np.uint8(ord("a")) <= 25


@dataclass(frozen=True)
class AbbreviatedZoneTime(Subfield):
    """Time of a text with the abbreviation of a zone, or of the zone of the file if there is no abbreviation."""

    def parse(self, text: str, context: TimestampContext) -> Any:
        parts = self.extract(from_texts([text]))[0].as_py()
        if parts is None:
            raise ValueError("not of the form of this field")
        time, name = parts["time"], parts["zone"]
        if not name:
            return self.inner.parse(time, context)
        local_us = self.inner.parse(time, TimestampContext("UTC"))
        if not isinstance(local_us, int):
            return local_us
        local = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=local_us)
        return check_calendar_range(local_us - parse_zone_name_us(name, local, context.zone))

    def convert_extracted(self, array: pa.Array, extracted: Any, context: TimestampContext) -> ConversionResult:
        if not pa.types.is_timestamp(self.inner.arrow()):
            return super().convert_extracted(array, extracted, context)
        names = pc.struct_field(extracted, ["zone"])
        distinct = pc.unique(names).to_pylist()
        if set(distinct) <= {None, *UTC_NAMES}:
            return super().convert_extracted(array, extracted, replace(context, zone="UTC"))
        times, valid = super().convert_extracted(array, extracted, replace(context, zone="UTC"))
        correct = np.ones(len(array), np.bool_) if valid is None else valid
        instants = as_numbers(times.cast(pa.int64()), null=0).copy()
        for name in filter(None, distinct):
            rows = np.flatnonzero(as_bool(pc.equal(names, text_scalar(name))) & correct)
            offsets, known = offsets_of_name(name, instants[rows], context.zone, local=True)
            instants[rows] -= offsets
            correct[rows] = known
        rows = np.flatnonzero(as_bool(pc.equal(names, text_scalar(""))) & correct)
        instants[rows] = local_to_utc_us(instants[rows], context.zone)
        correct &= (instants >= LOWEST_US) & (instants <= HIGHEST_US)
        return to_array(np.where(correct, instants, 0)), None if correct.all() else correct


@dataclass(frozen=True)
class TimeAndZone:
    """``2026-11-22 01:00:11.045 UTC``: a time and the abbreviation of its zone."""

    time: str
    zone: str
    is_unambiguous = False

    @property
    def columns(self) -> tuple[tuple[str, FieldType], ...]:
        time = AbbreviatedZoneTime(_TIME_AND_ZONE, ("time",), Timestamp())
        return (self.time, time), (self.zone, Subfield(_TIME_AND_ZONE, ("zone",), Text()))

    def join(
        self, arrays: Sequence[pa.Array], indices: Sequence[int], zone: str
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        times, names = arrays
        texts, unwritable = render_with_zones("%Y-%m-%d %H:%M:%S.%f", times, names, zone)
        return texts, unwritable_values(indices[0], unwritable, "is not a time of the zone beside it")


def render_with_zones(pattern: str, times: pa.Array, names: pa.Array, zone: str) -> tuple[pa.Array, Bool]:
    """Renders times with the abbreviations of their zones, separated by a blank.

    Args:
        pattern: strptime pattern of the times.
        times: instants.
        names: abbreviations; a time without one is rendered in the zone of the file.
        zone: IANA name of the zone of the file.

    Returns:
        The texts, null where the time is null, and a mask of the times that cannot be written.
    """
    compiled = compile_pattern(pattern)
    instants = as_numbers(times.cast(pa.int64()), null=0)
    texts, rows = render_pattern(compiled, times, zone)
    unwritable: Bool = np.zeros(len(times), np.bool_) if rows is None else rows
    for name in filter(None, pc.unique(names).to_pylist()):
        mask = as_bool(pc.equal(names, text_scalar(name)))
        offsets, known = offsets_of_name(name, instants[mask], zone, local=False)
        shifted, rows = render_pattern(compiled, to_array(instants[mask] + np.where(known, offsets, 0)), "UTC")
        texts = pc.replace_with_mask(texts, from_numpy(mask), shifted)
        unwritable[mask] = ~known if rows is None else ~known | rows
    texts = only_where(times.is_valid(), texts)
    return pc.if_else(names.is_valid(), concat_texts(texts, names, separator=" "), texts), unwritable
