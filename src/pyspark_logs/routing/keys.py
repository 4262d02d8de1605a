"""Grouping keys: local times and partition values of rows, dictionary-encoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pyspark_logs.arrow_values import as_numbers, from_numpy
from pyspark_logs.errors import RecordError
from pyspark_logs.routing.clocks import MINUTE_US, Int64, local_minute, local_time
from pyspark_logs.routing.partition_text import partition_text_function


@dataclass(frozen=True)
class GroupingKey:
    """A dictionary-encoded key by which rows are grouped.

    Attributes:
        codes: index into ``values`` for each row.
        values: hashable values.
    """

    codes: Int64
    values: list[Any]


def time_key(times: Int64, zone: str, size: int) -> GroupingKey:
    """Returns a key of the first ``size`` of year, month, day, hour and minute in a time zone.

    Args:
        times: microseconds since the epoch, UTC.
        zone: name of the time zone.
        size: number of fields, 1 to 5.
    """
    coded = from_numpy(times // MINUTE_US).dictionary_encode()
    local_times = [local_minute(minute, zone, size) for minute in coded.dictionary.to_pylist()]
    numbers: dict[tuple[int, ...], int] = {}
    codes_of_minutes = np.array(
        [-1 if local is None else numbers.setdefault(local, len(numbers)) for local in local_times], np.int64
    )
    codes = codes_of_minutes[as_numbers(coded.indices)]
    for row in np.flatnonzero(codes < 0).tolist():
        codes[row] = numbers.setdefault(local_time(int(times[row]), zone)[:size], len(numbers))
    return GroupingKey(codes, list(numbers))


def value_key(column: pa.Array, name: str) -> GroupingKey:
    """Returns a key of the values of a partition column as strings, None for null.

    Raises:
        RecordError: a date or time is outside the range of the calendar.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    coded = column.dictionary_encode(null_encoding="encode")
    to_text = partition_text_function(coded.dictionary.type)
    try:
        values = [None if value is None else to_text(value) for value in coded.dictionary.to_pylist()]
    except (ValueError, OverflowError) as error:
        raise RecordError(
            f"column {name!r}: a value of type {column.type} cannot be written to a path ({error}); leave such rows out"
        ) from error
    return GroupingKey(as_numbers(coded.indices).astype(np.int64), values)


def group_numbers(keys: Sequence[GroupingKey], rows: int) -> Int64:
    """Returns the group number of each row; groups are numbered from 0 in the order of their first rows."""
    groups = np.zeros(rows, np.int64)
    for key in keys:
        # Groups are renumbered after each key: the product of all dictionary sizes could exceed 64 bits.
        combined = groups * len(key.values) + key.codes
        groups = as_numbers(from_numpy(combined).dictionary_encode().indices).astype(np.int64)
    return groups
