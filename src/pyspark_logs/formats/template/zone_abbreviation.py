"""Times with the abbreviation of their zone, as two columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.line_writer import UnwritableValues, unwritable_values
from pyspark_logs.formats.template.composite_fields import Subfield
from pyspark_logs.formats.timestamps.parsing import (
    TimestampContext,
    check_calendar_range,
    compile_pattern,
    parse_offset_us,
)
from pyspark_logs.formats.timestamps.rendering import render_pattern
from pyspark_logs.formats.types.field_type import FieldType, parse_distinct
from pyspark_logs.formats.types.temporal import Timestamp
from pyspark_logs.formats.types.text import Text

_TIME_AND_ZONE = r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?)(?: (?P<zone>[^ ]+))?"
_OFFSET = re.compile(r"([+-]\d\d):?(\d\d)?", re.ASCII)
_UTC_NAMES = ("UTC", "GMT", "Z")


@dataclass(frozen=True)
class AbbreviatedZoneTime(Subfield):
    """Time of a text that ends with a zone.

    The zone is UTC, GMT or an offset. Any other abbreviation is ambiguous: the time is then in the zone of the option
    ``timeZone``.
    """

    def parse(self, text: str, context: TimestampContext) -> Any:
        name = text.rpartition(" ")[2]
        offset = _OFFSET.fullmatch(name)
        zone = "UTC" if offset or name in _UTC_NAMES else context.zone
        value = super().parse(text, replace(context, zone=zone))
        if offset is None or not isinstance(value, int):
            return value
        return check_calendar_range(value - parse_offset_us(f"{offset[1]}{offset[2] or '00'}"))

    def convert_extracted(self, array: pa.Array, extracted: Any, context: TimestampContext) -> ConversionResult:
        is_utc = pc.match_substring_regex(array, f" ({'|'.join(_UTC_NAMES)})$")
        if not pc.all(is_utc).as_py():
            return parse_distinct(self, array, context)
        return super().convert_extracted(array, extracted, replace(context, zone="UTC"))


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
        pattern = compile_pattern("%Y-%m-%d %H:%M:%S.%f")
        times, names = arrays
        local, wrong_local = render_pattern(pattern, times, zone)
        utc, wrong_utc = render_pattern(pattern, times, "UTC")
        found = unwritable_values(indices[0], wrong_local, "is no time that can be written")
        found += unwritable_values(indices[0], wrong_utc, "is no time that can be written")
        texts = pc.if_else(pc.is_in(names, pa.array(_UTC_NAMES)), utc, local)
        return pc.if_else(names.is_valid(), pc.binary_join_element_wise(texts, names, " "), texts), found
