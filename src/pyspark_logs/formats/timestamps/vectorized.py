"""Vectorized parsing of timestamps of one shape.

All texts of a :class:`~pyspark_logs.formats.timestamps.shapes.TimestampShape` are copied to one matrix of bytes, whose
columns are validated and combined by numpy. Texts that are not valid here are left to the parser of single texts.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import from_numpy
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import (
    Bool,
    Bytes,
    Int32,
    Int64,
)
from pyspark_logs.formats.timestamps.parsing import (
    DAY_US,
    DAYS,
    HIGHEST_US,
    LOWEST_US,
    MONTHS,
    YEARS_BACK,
    TimestampContext,
    utc_year,
)
from pyspark_logs.formats.timestamps.shapes import FULL_WIDTH, TimestampShape
from pyspark_logs.formats.timestamps.zones import local_to_utc_us, offsets_of_name

_NAMES = {"b": tuple(name[:3] for name in MONTHS), "B": MONTHS, "a": tuple(name[:3] for name in DAYS), "A": DAYS}


def parse_matrix_us(table: Bytes, shape: TimestampShape, context: TimestampContext) -> tuple[Int64, Bool]:
    """Parses the texts in a (rows, width) matrix.

    Returns:
        Instants in microseconds and a mask of the valid texts.
    """
    numbers, valid = _parse_padded_numbers(table, shape)
    for name, start, width in shape.parts:
        part = table[:, start : start + width]
        if name in numbers:
            continue
        if name == "f":
            value, valid_part = _digits(part[:, :6])
            valid &= valid_part & _all_digits(part[:, 6:])
            numbers["f"] = value * 10 ** (6 - min(width, 6))
        elif name == "L":
            value, valid_part = _digits(part)
            valid &= valid_part
            numbers["f"] = value * 1000
        elif name == "z":
            numbers["z"], valid_part = _offsets(part)
            valid &= valid_part
        elif name == "Z":
            valid &= (part == np.frombuffer(shape.example, np.uint8)[start : start + width]).all(axis=1)
        elif name in _NAMES:
            numbers[name], valid_part = _names(part, _NAMES[name])
            valid &= valid_part
        else:
            numbers[name], valid_part = _digits(part)
            valid &= valid_part
    literals = shape.literals
    for index in [index for index in literals if shape.iso and (index == 10 or shape.example[index] in b".,")]:
        first, second = b"T " if index == 10 else b".,"
        valid &= (table[:, index] == first) | (table[:, index] == second)
        literals = [other for other in literals if other != index]
    wrong = table[:, literals] != np.frombuffer(shape.example, np.uint8)[literals]
    if wrong.any():
        valid &= ~np.logical_or.reduce(wrong, axis=1)
    return _assemble(numbers, valid, shape, context)


def _parse_padded_numbers(table: Bytes, shape: TimestampShape) -> tuple[dict[str, Int64], Bool]:
    """Parses all numbers of two and four digits together, and returns them with a mask of the valid texts."""
    parts = [part for part in shape.parts if part[0] in FULL_WIDTH and part[2] in (2, 4)]
    digits = table[:, [start + index for _, start, width in parts for index in range(width)]] - 48
    valid: Bool = np.ones(len(table), np.bool_)
    if digits.size and digits.max() > 9:  # uint8 wraps around below "0", so that one comparison suffices
        valid = np.logical_and.reduce(digits <= 9, axis=1)
    pairs = digits[:, 0::2] * np.uint8(10) + digits[:, 1::2]
    numbers: dict[str, Int64] = {}
    column = 0
    for name, _, width in parts:
        number = pairs[:, column].astype(np.int64)
        numbers[name] = number if width == 2 else number * 100 + pairs[:, column + 1]
        column += width // 2
    return numbers, valid


def _assemble(
    numbers: dict[str, Int64], valid: Bool, shape: TimestampShape, context: TimestampContext
) -> tuple[Int64, Bool]:
    zero = np.zeros(len(valid), np.int64)
    month = numbers.get("m", numbers.get("b", numbers.get("B", zero + 1)))
    day = numbers.get("d", zero + 1)
    hour, minute, second = (numbers.get(name, zero) for name in "HMS")
    valid = valid & (month >= 1) & (month <= 12) & (day >= 1) & (hour <= 23) & (minute <= 59) & (second <= 59)
    clock = ((hour * 60 + minute) * 60 + second) * 1_000_000 + numbers.get("f", zero)
    if not shape.has_year:
        return _with_latest_year(month, day, clock, numbers.get("z"), valid, context)
    year = numbers["Y"] if "Y" in numbers else numbers["y"] + np.where(numbers["y"] > 68, 1900, 2000)
    days, exists = _dates(year, month, day)
    valid &= exists
    local_us = days * DAY_US + clock
    if shape.zone_name is not None:
        numbers["z"], known = offsets_of_name(shape.zone_name, local_us, context.zone, local=True)
        valid &= known
    instant = local_us - numbers["z"] if "z" in numbers else local_to_utc_us(local_us, context.zone)
    return instant, valid & (instant >= LOWEST_US) & (instant <= HIGHEST_US)


def _with_latest_year(
    month: Int64, day: Int64, clock: Int64, offset: Int64 | None, valid: Bool, context: TimestampContext
) -> tuple[Int64, Bool]:
    bound = context.year_bound_us
    year = np.full(len(month), utc_year(bound) + 1, np.int64)
    instant = np.zeros(len(month), np.int64)
    todo = valid.copy()
    for _ in range(YEARS_BACK):
        exists = (day <= _days_in_month(year, month)) & todo
        local_us = _days(year, month, np.where(exists, day, 1)) * DAY_US + clock
        candidate = local_us - offset if offset is not None else local_to_utc_us(local_us, context.zone)
        fits = exists & (candidate <= bound)
        instant = np.where(fits, candidate, instant)
        todo &= ~fits
        if not todo.any():
            break
        year = np.where(todo, year - 1, year)
    return instant, valid & ~todo


def _all_digits(part: Bytes) -> Bool:
    return np.logical_and.reduce(
        (part - 48) <= 9, axis=1
    )  # uint8 wraps around below "0", so that one comparison suffices


def _digits(part: Bytes) -> tuple[Int64, Bool]:
    value = np.zeros(len(part), np.int64)
    valid_part = np.ones(len(part), np.bool_)
    for column in range(part.shape[1]):
        digit = part[:, column] - 48
        valid_part &= digit <= 9
        value *= 10
        value += digit
    return value, valid_part


def _offsets(part: Bytes) -> tuple[Int64, Bool]:
    count, width = part.shape
    if width == 1:
        return np.zeros(count, np.int64), part[:, 0] == ord("Z")
    if count > 1 and (part == part[0]).all():  # a file usually has one offset
        value, valid = _parse_offset(part[0].tobytes())
        return np.full(count, value, np.int64), np.full(count, valid)
    hours, valid_part = _digits(part[:, 1:3])
    minutes, valid_minutes = _digits(part[:, width - 2 :])
    sign = np.where(part[:, 0] == ord("-"), -1, 1)
    valid_part &= (
        valid_minutes & ((part[:, 0] == ord("+")) | (part[:, 0] == ord("-"))) & (hours <= 23) & (minutes <= 59)
    )
    if width == 6:
        valid_part &= part[:, 3] == ord(":")
    return (hours * 60 + minutes) * 60_000_000 * sign, valid_part


@lru_cache(maxsize=64)
def _parse_offset(text: bytes) -> tuple[int, bool]:
    value, valid_part = _offsets(np.frombuffer(text, np.uint8).reshape(1, -1))
    return int(value[0]), bool(valid_part[0])


def _names(part: Bytes, names: tuple[str, ...]) -> tuple[Int64, Bool]:
    if len(part) > 1 and (part == part[0]).all():  # a file usually has one month
        number, valid = _parse_name(part[0].tobytes(), names)
        return np.full(len(part), number, np.int64), np.full(len(part), valid)
    value = np.zeros(len(part), np.int64)
    lower = part | 32  # ASCII letters to lower case; the next line excludes other bytes
    letters = ((lower >= 97) & (lower <= 122) & (part >= 65)).all(axis=1)
    for number, name in enumerate(names, start=1):
        if len(name) == part.shape[1]:
            value[(lower == np.frombuffer(name.encode(), np.uint8)).all(axis=1)] = number
    return value, letters & (value > 0)


@lru_cache(maxsize=64)
def _parse_name(text: bytes, names: tuple[str, ...]) -> tuple[int, bool]:
    value, valid_part = _names(np.frombuffer(text, np.uint8).reshape(1, -1), names)
    return int(value[0]), bool(valid_part[0])


def _dates(year: Int64, month: Int64, day: Int64) -> tuple[Int64, Bool]:
    """Returns days since the epoch and a mask of the dates that exist. Months and days are at least 1."""
    if len(year) > 1 and all((part == part[0]).all() for part in (year, month, day)):  # a file usually has one day
        days, exists = _parse_date(int(year[0]), int(month[0]), int(day[0]))
        return np.full(len(year), days, np.int64), np.full(len(year), exists)
    return _days(year, month, day), (year >= 1) & (day <= _days_in_month(year, month))


@lru_cache(maxsize=64)
def _parse_date(year: int, month: int, day: int) -> tuple[int, bool]:
    days, exists = _dates(*(np.array([part], np.int64) for part in (year, month, day)))
    return int(days[0]), bool(exists[0])


def _days(year: Int64, month: Int64, day: Int64) -> Int64:
    """Returns the days since the epoch of dates in the proleptic Gregorian calendar."""
    shifted = year - (month <= 2)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + 12 * (month <= 2) - 3) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _days_in_month(year: Int64, month: Int64) -> Int64:
    lengths = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return lengths[np.clip(month, 0, 12)] + (leap & (month == 2))


def to_array(instants: Int64) -> pa.Array:
    """Converts instants in microseconds to ``timestamp[us, UTC]``."""
    return from_numpy(instants.view("int64")).cast(pa.timestamp("us", "UTC"))


def to_dates(instants: Int64) -> pa.Array:
    """Converts instants at midnight UTC to ``date32``."""
    return from_numpy((instants // DAY_US).astype(np.int32)).cast(pa.date32())


def _iso_cast_us(array: pa.Array, table: Bytes, shape: TimestampShape, context: TimestampContext) -> Int64 | None:
    """Parses ISO 8601 by Arrow's cast, which is faster; None if Arrow does not support the shape or a text is invalid."""
    widths = {name: width for name, _, width in shape.parts}
    zoned = "z" in widths
    # Of texts of these lengths Arrow accepts only YYYY-MM-DD[T ]HH:MM:SS[.f...][Z].
    if widths.get("f", 0) > 6 or "S" not in widths or b"," in shape.example or widths.get("z", 1) > 1:
        return None
    if zoned and not (table[:, -1] == ord("Z")).all():
        return None
    try:
        cast = pc.cast(array, pa.timestamp("us", "UTC") if zoned else pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    instants = np.frombuffer(cast.buffers()[1], np.int64, count=len(array))
    # Arrow's calendar has a year 0, which Python's does not have.
    if instants.min() < LOWEST_US:
        return None
    if not zoned:
        instants = local_to_utc_us(instants, context.zone)
    return None if instants.min() < LOWEST_US or instants.max() > HIGHEST_US else instants


def _distinct_us(table: Bytes, shape: TimestampShape, context: TimestampContext) -> tuple[Int64, Bool]:
    """Parses a matrix as :func:`parse_matrix_us`, but each run of equal texts once; sorted logs have long runs."""
    firsts = _run_starts(table)
    if 2 * len(firsts) > len(table):
        return parse_matrix_us(table, shape, context)
    instants, valid = parse_matrix_us(table[firsts], shape, context)
    lengths = np.diff(firsts, append=len(table))
    return np.repeat(instants, lengths), np.repeat(valid, lengths)


def _run_starts(table: Bytes) -> Int64:
    """Returns the indices of rows that differ from the row before them, and of some rows that do not.

    >>> import numpy as np
    >>> _run_starts(np.frombuffer(b"12:59:58.0" * 20 + b"12:59:59.0" * 20, np.uint8).reshape(-1, 10)).tolist()
    [0, 20, 39]
    """
    rows, width = table.shape
    if width < 8:
        return np.arange(rows)
    text = table.reshape(-1)
    size = (len(text) - width) // 8 * 8  # compares eight bytes at once to those of the row before
    changed = np.flatnonzero(text[width : width + size].view(np.uint64) != text[:size].view(np.uint64))
    starts = np.zeros(rows, np.bool_)
    starts[changed * 8 // width + 1] = True
    starts[(changed * 8 + 7) // width + 1] = True  # eight bytes may belong to two rows
    starts[size // width + 1 :] = True
    starts[:1] = True
    return np.flatnonzero(starts)


def parse_fields_us(
    block: bytes, view: Bytes, starts: Int32, shape: TimestampShape, context: TimestampContext
) -> tuple[Int64, Bool]:
    """Parses the timestamps of a shape that begin at ``starts``.

    Returns:
        Instants in microseconds and a mask of the valid timestamps.
    """
    if not shape.iso:
        return _distinct_us(spans.gather_bytes(view, starts, shape.width), shape, context)
    array = spans.field_strings(block, starts, starts + np.int32(shape.width))
    table = spans.byte_matrix(array, shape.width)
    instants = _iso_cast_us(array, table, shape, context)
    if instants is not None:
        return instants, np.ones(len(array), np.bool_)
    return parse_matrix_us(table, shape, context)
