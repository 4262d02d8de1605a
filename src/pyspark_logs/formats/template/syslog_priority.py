"""Priority of syslog messages as two columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, only_where, to_scalar
from pyspark_logs.formats.template.composite_fields import any_valid
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType, ResolveType
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.writing.line_writer import UnwritableValues, unwritable_values

_MAX_FACILITY, _MAX_SEVERITY = 23, 7
_SEVERITIES = _MAX_SEVERITY + 1
_MAX_PRIORITY = _MAX_FACILITY * _SEVERITIES + _MAX_SEVERITY
_NUMBER = re.compile(r"0|[1-9]\d{0,8}", re.ASCII)


@dataclass(frozen=True)
class PriorityPart(FieldType):
    """Facility or severity of a priority.

    Attributes:
        is_facility: True for the facility, False for the severity.
        bits: size of the integers.
    """

    is_facility: bool = True
    bits: int = 32

    def arrow(self) -> pa.DataType:
        return Integer(self.bits).arrow()

    def reinterpret(self, dtype: pa.DataType, resolve: ResolveType) -> FieldType | None:
        return replace(self, bits=dtype.bit_width) if pa.types.is_signed_integer(dtype) else None

    def parse(self, text: str, context: TimestampContext) -> int:
        if _NUMBER.fullmatch(text) is None or int(text) > _MAX_PRIORITY:
            raise ValueError(f"not a number of 0 to {_MAX_PRIORITY}")
        return int(text) // _SEVERITIES if self.is_facility else int(text) % _SEVERITIES


@dataclass(frozen=True)
class Priority:
    """``PRI`` of syslog (RFC 5424, 6.2.1): eight times the facility, plus the severity."""

    facility: str = "facility"
    severity: str = "severity"
    is_unambiguous = False

    @property
    def columns(self) -> tuple[tuple[str, FieldType], ...]:
        return (self.facility, PriorityPart()), (self.severity, PriorityPart(is_facility=False))

    def join(
        self, arrays: Sequence[pa.Array], indices: Sequence[int], zone: str
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        facility, severity = (array.cast(pa.int64()) for array in arrays)
        found: list[UnwritableValues] = []
        is_incomplete = as_bool(pc.xor(facility.is_valid(), severity.is_valid()))
        found += unwritable_values(
            indices[0] if indices[0] >= 0 else indices[1], is_incomplete, "has no part beside it"
        )
        zero, limits = to_scalar(0, pa.int64()), (_MAX_FACILITY, _MAX_SEVERITY)
        for index, array, limit in zip(indices, (facility, severity), limits, strict=True):
            is_outside = as_bool(pc.or_(pc.less(array, zero), pc.greater(array, to_scalar(limit, pa.int64()))))
            found += unwritable_values(index, is_outside, f"is not in the range of 0 to {limit}")
        number = pc.add(
            pc.multiply(facility.fill_null(zero), to_scalar(_SEVERITIES, pa.int64())), severity.fill_null(zero)
        )
        return only_where(any_valid([facility, severity]), number.cast(pa.string())), found
