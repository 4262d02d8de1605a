"""What rows are grouped by: clocks and values as codes, with what each code stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pyspark_logs.errors import RecordError
from pyspark_logs.routing.clocks import MINUTE_US, Int64, clock_of_minute, read_clock
from pyspark_logs.routing.partition_text import text_of


@dataclass(frozen=True)
class Key:
    """One thing that rows are grouped by.

    Attributes:
        codes: a number for each row.
        values: what each number stands for; hashable.
    """

    codes: Int64
    values: list[Any]


def clock_key(times: Int64, zone: str, size: int) -> Key:
    """The first ``size`` of year, month, day, hour and minute that a clock shows.

    Args:
        times: microseconds since the epoch, UTC.
        zone: where the clock is.
        size: 1 to 5.
    """
    coded = pa.array(times // MINUTE_US).dictionary_encode()
    clocks = [clock_of_minute(minute, zone, size) for minute in coded.dictionary.to_pylist()]
    numbers: dict[tuple[int, ...], int] = {}
    of_minute = np.array(
        [-1 if clock is None else numbers.setdefault(clock, len(numbers)) for clock in clocks], np.int64
    )
    codes = of_minute[coded.indices.to_numpy()]
    for row in np.flatnonzero(codes < 0).tolist():
        codes[row] = numbers.setdefault(read_clock(int(times[row]), zone)[:size], len(numbers))
    return Key(codes, list(numbers))


def value_key(column: pa.Array, name: str) -> Key:
    """The values of a partition column as texts; None is the null.

    Raises:
        RecordError: a date or time that is in no calendar.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    coded = column.dictionary_encode(null_encoding="encode")
    text = text_of(coded.dictionary.type)
    try:
        values = [None if value is None else text(value) for value in coded.dictionary.to_pylist()]
    except (ValueError, OverflowError) as error:
        raise RecordError(
            f"column {name!r}: a value of type {column.type} has no text in a path ({error}); leave such rows out"
        ) from error
    return Key(coded.indices.to_numpy().astype(np.int64), values)


def grouped(keys: Sequence[Key], rows: int) -> Int64:
    """The number of each row's group, counted from 0 in order of their first rows."""
    groups = np.zeros(rows, np.int64)
    for key in keys:
        # Numbered anew each time: the product of many columns' sizes would not fit.
        both = groups * len(key.values) + key.codes
        groups = pa.array(both).dictionary_encode().indices.to_numpy().astype(np.int64)
    return groups
