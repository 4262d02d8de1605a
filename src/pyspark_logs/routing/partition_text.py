"""Values of partition columns as strings that read back as the same value of the same type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from pyspark_logs.errors import SchemaError


def is_partition_type(dtype: pa.DataType) -> bool:
    """True if values of a type can be written to a path; for a dictionary type, the type of its values counts."""
    try:
        partition_text_function(dtype.value_type if pa.types.is_dictionary(dtype) else dtype)
    except SchemaError:
        return False
    return True


def partition_text_function(dtype: pa.DataType) -> Callable[[Any], str]:
    """Returns the function that converts a Python value of an Arrow type to the string in a path.

    Raises:
        SchemaError: values of the type cannot be written to a path.

    >>> import pyarrow as pa
    >>> partition_text_function(pa.bool_())(True), partition_text_function(pa.date32())(dt.date(2026, 11, 22))
    ('true', '2026-11-22')
    """
    types = pa.types
    # Timestamps in nanoseconds would lose digits, and timestamps without a zone are ambiguous when summer time ends.
    family: tuple[tuple[Callable[[pa.DataType], bool], Callable[[Any], str]], ...] = (
        (lambda t: types.is_string(t) or types.is_large_string(t) or types.is_null(t), str),
        (types.is_integer, str),
        (types.is_boolean, lambda value: "true" if value else "false"),
        (types.is_date, dt.date.isoformat),
        (types.is_decimal, lambda value: format(value, "f")),
        (types.is_floating, repr),
        (lambda t: types.is_timestamp(t) and t.tz is not None and t.unit != "ns", _instant),
    )
    for fits, text in family:
        if fits(dtype):
            return text
    raise SchemaError(f"values of type {dtype} cannot be written to a path")


def _instant(value: dt.datetime) -> str:
    return value.astimezone(dt.timezone.utc).replace(tzinfo=None).isoformat() + "Z"
