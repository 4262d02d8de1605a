"""Time of syslog messages and the abbreviation of its zone, as two columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, concat_texts
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.template.composite_fields import Subfield
from pyspark_logs.formats.template.zone_abbreviation import render_with_zones
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType, RenderResult
from pyspark_logs.formats.types.multi_pattern_timestamp import MultiPatternTimestamp
from pyspark_logs.formats.types.text import Text
from pyspark_logs.formats.writing.line_writer import UnwritableValues, unwritable_values

_WRITTEN = "%b %d %Y %H:%M:%S.%f"
_ZONE = r"(?:.*[ \t](?:(?i:utc|gmt)|(?P<zone>[A-Z]{2,6})) ?:|.*)"


@dataclass(frozen=True)
class SyslogTimeText(MultiPatternTimestamp):
    """Text of a field that :class:`SyslogTime` divides. It is found as a time, and written as the text that it is."""

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return array, None


@dataclass(frozen=True)
class SyslogZone(Subfield):
    """Abbreviation of a zone at the end of a time, before a colon; null if there is none or the time is in UTC."""

    def extract(self, array: pa.Array) -> None:
        """Returns nothing: the expression is matched only in blocks in which a time ends with a colon."""

    def convert_extracted(self, array: pa.Array, extracted: Any, context: TimestampContext) -> ConversionResult:
        if not pc.any(pc.ends_with(array, ":")).as_py():
            return pa.nulls(len(array), self.arrow()), None
        return super().convert_extracted(array, super().extract(array), context)


@dataclass(frozen=True)
class SyslogTime:
    """``Nov 22 01:00:11.045 CEST:``, as Cisco IOS writes it (``service timestamps log datetime show-timezone``).

    Attributes:
        time: column of the time.
        zone: column of the abbreviation.
        type: type of the time.
    """

    time: str
    zone: str
    type: MultiPatternTimestamp
    is_unambiguous = False

    @property
    def columns(self) -> tuple[tuple[str, FieldType], ...]:
        return (self.time, self.type), (self.zone, SyslogZone(_ZONE, ("zone",), Text()))

    def join(
        self, arrays: Sequence[pa.Array], indices: Sequence[int], zone: str
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        times, names = arrays
        texts, rows = self.type.render(times, zone)
        found = unwritable_values(indices[0], rows, "is not a time that can be written")
        if names.null_count == len(names):
            return texts, found
        zoned, rows = render_with_zones(_WRITTEN, times, names, zone)
        found += unwritable_values(indices[0], rows & as_bool(names.is_valid()), "is not a time of the zone beside it")
        return pc.if_else(names.is_valid(), concat_texts(zoned, ":"), texts), found
