"""Values of partition columns as texts that read back as the same value of the same type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from pyspark_logs.errors import SchemaError


def has_text(dtype: pa.DataType) -> bool:
    """Whether values of a type can be in a path; of a dictionary, whether those in it can."""
    try:
        text_of(dtype.value_type if pa.types.is_dictionary(dtype) else dtype)
    except SchemaError:
        return False
    return True


def text_of(dtype: pa.DataType) -> Callable[[Any], str]:
    """What writes a value of a type, as Python has it.

    Raises:
        SchemaError: the type has no text in a path.

    >>> import pyarrow as pa
    >>> text_of(pa.bool_())(True), text_of(pa.date32())(dt.date(2026, 11, 22)), text_of(pa.float64())(0.5)
    ('true', '2026-11-22', '0.5')
    """
    types = pa.types
    # A timestamp in nanoseconds would come back cut; one without a zone does not come back where clocks are changed.
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
    raise SchemaError(f"{dtype} has no text in a path")


def _instant(value: dt.datetime) -> str:
    return value.astimezone(dt.timezone.utc).replace(tzinfo=None).isoformat() + "Z"
