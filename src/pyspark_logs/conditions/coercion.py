"""Types to which Spark coerces the operands of a comparison, and the conversion of constants and columns to them.

The rules are those of Spark's ``AnsiTypeCoercion``, the default since Spark 4.0
(https://spark.apache.org/docs/latest/sql-ref-ansi-compliance.html#type-coercion). Comparisons in which Spark would cast each
string of a column are refused: such a query fails at the first string that is not a number or a time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

from pyspark_logs.arrow_values import from_values
from pyspark_logs.conditions.literals import (
    midnight,
    parse_boolean,
    parse_date,
    parse_double,
    parse_integer,
    parse_timestamp,
)
from pyspark_logs.schema import type_name

TIMESTAMP = pa.timestamp("us", "UTC")
TIMESTAMP_NTZ = pa.timestamp("us")
_TIME_EXAMPLES = {
    "timestamp": "; write a time such as '2026-11-22 07:30:00'", "timestamp_ntz": "; write a time such as '2026-11-22 07:30:00'",
    "date": "; write a date such as '2026-11-22'",
}  # fmt: skip
_INTEGER_DIGITS = {8: 3, 16: 5, 32: 10, 64: 20}


class CoercionError(Exception):
    """Operands that cannot be compared; the message says why."""


def is_comparable(dtype: pa.DataType) -> bool:
    """Returns True if columns of this type can be compared."""
    return bool(
        t.is_string(dtype)
        or t.is_boolean(dtype)
        or is_number(dtype)
        or t.is_date32(dtype)
        or dtype in (TIMESTAMP, TIMESTAMP_NTZ)
    )


def common_type(columns: Sequence[pa.DataType], literals: Sequence[pa.DataType], zone: str) -> pa.DataType:
    """Returns the type in which operands are compared.

    Args:
        columns: types of columns.
        literals: types of constants; ``pa.null()`` for NULL. A constant string is cast to the type of the others.
        zone: time zone of dates and wall-clock times.

    Raises:
        CoercionError: the operands cannot be compared exactly as Spark does.

    >>> common_type([pa.int16()], [pa.decimal128(2, 1)], "UTC"), common_type([TIMESTAMP], [pa.string()], "UTC")
    (Decimal128Type(decimal128(6, 1)), TimestampType(timestamp[us, tz=UTC]))
    """
    for dtype in columns:
        if not is_comparable(dtype):
            raise CoercionError(f"a column of type {type_name(dtype)} cannot be compared; only IS NULL applies to it")
    given = [dtype for dtype in (*columns, *literals) if not t.is_null(dtype)]
    others = [dtype for dtype in given if not t.is_string(dtype)]
    if not others:
        return pa.string() if given else pa.null()
    found = others[0]
    for dtype in others[1:]:
        found = _wider(found, dtype, zone)
    if any(t.is_string(dtype) for dtype in columns):
        raise CoercionError(
            f"a string column is compared with {type_name(found)}: Spark would cast each of its values and fail at the first"
            f" that is not of type {type_name(found)}. Quote the literal, or give the column this type in the schema"
        )
    if len(given) > len(others):  # with a constant string
        if t.is_integer(found):
            return pa.int64()
        return pa.float64() if is_number(found) else found
    return found


def _wider(one: pa.DataType, other: pa.DataType, zone: str) -> pa.DataType:
    if one == other:
        return one
    if is_number(one) and is_number(other):
        if t.is_floating(one) or t.is_floating(other):
            return pa.float64()
        if t.is_integer(one) and t.is_integer(other):
            return pa.int64()
        return _wider_decimal(one, other)
    times = {dtype for dtype in (one, other) if t.is_timestamp(dtype)}
    if all(t.is_temporal(dtype) for dtype in (one, other)):
        if len(times) == 1:
            return times.pop()
        if zone == "UTC":
            return TIMESTAMP
        raise CoercionError(
            f"timestamp is compared with timestamp_ntz; with timeZone={zone} write TIMESTAMP_NTZ '...' for a timestamp_ntz column"
        )
    example = next((_TIME_EXAMPLES[name] for name in map(type_name, (one, other)) if name in _TIME_EXAMPLES), "")
    raise CoercionError(f"{type_name(one)} cannot be compared with {type_name(other)}{example}")


def _wider_decimal(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    pairs = [(d.precision, d.scale) if t.is_decimal(d) else (_INTEGER_DIGITS[d.bit_width], 0) for d in (one, other)]
    scale = max(s for _, s in pairs)
    precision = max(p - s for p, s in pairs) + scale
    if precision > 38:
        raise CoercionError(
            f"{type_name(one)} and {type_name(other)} have no common decimal of 38 digits, so that Spark would round them"
        )
    return pa.decimal128(precision, scale)


def is_number(dtype: pa.DataType) -> bool:
    """Returns True for integers, floats and decimals that Spark has."""
    return bool(t.is_signed_integer(dtype) or t.is_floating(dtype) or t.is_decimal128(dtype))


def convert_constant(value: Any, dtype: pa.DataType, zone: str) -> Any:
    """Returns the value of a literal in the common type, as a Python value.

    Raises:
        CoercionError: a string is not a literal of the type.
    """
    if value is None or t.is_null(dtype):
        return None
    if isinstance(value, str) and not t.is_string(dtype):
        parsed = _parse_string(value, dtype, zone)
        if parsed is None:
            example = _TIME_EXAMPLES.get(type_name(dtype), "")
            raise CoercionError(
                f"the string {value!r} is not of type {type_name(dtype)}, with which it is compared{example}"
            )
        return parsed
    if t.is_floating(dtype):
        return float(value)
    if t.is_decimal(dtype):
        return Decimal(value)
    if t.is_timestamp(dtype) and isinstance(value, dt.date):
        wall = zone if dtype.tz else None
        if not isinstance(value, dt.datetime):
            return midnight(value, wall)
        if wall and value.tzinfo is None:
            return parse_timestamp(value.isoformat(sep=" "), wall)
    return value


def _parse_string(text: str, dtype: pa.DataType, zone: str) -> Any:
    if t.is_timestamp(dtype):
        return parse_timestamp(text, zone if dtype.tz else None)
    if t.is_date32(dtype):
        return parse_date(text)
    if t.is_boolean(dtype):
        return parse_boolean(text)
    return parse_integer(text) if t.is_integer(dtype) else parse_double(text)


def convert_column(column: pa.Array, dtype: pa.DataType, zone: str) -> pa.Array:
    """Returns a column as the type in which it is compared, with the values that Spark's implicit cast gives.

    Args:
        column: column of a type that Spark casts to ``dtype`` implicitly.
        dtype: common type of both sides of the comparison.
        zone: zone of days that become instants.
    """
    if column.type == dtype or t.is_null(dtype):
        return column
    if t.is_decimal(column.type) and t.is_floating(dtype):
        # Arrow's cast is not correctly rounded for decimals of many digits; Java's and Python's are.
        return from_values([None if value is None else float(value) for value in column.to_pylist()], dtype)
    if t.is_date32(column.type) and dtype == TIMESTAMP:
        wall = column.cast(TIMESTAMP_NTZ)
        return pc.assume_timezone(wall, zone, ambiguous="earliest", nonexistent="latest").cast(TIMESTAMP)
    # Java rounds a bigint to a double, which a safe cast of Arrow refuses.
    return column.cast(dtype, safe=not t.is_floating(dtype))
