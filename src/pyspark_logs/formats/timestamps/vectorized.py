"""Timestamps by the column: texts that look alike are turned into instants together.

All texts of a shape (see ``shapes``) become one matrix of bytes whose columns are checked and combined by
numpy. What is not surely right here is left to the exact parsers of ``timestamps``.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32, Int64
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
from pyspark_logs.formats.timestamps.zones import local_to_utc_us

_NAMES = {"b": tuple(name[:3] for name in MONTHS), "B": MONTHS, "a": tuple(name[:3] for name in DAYS), "A": DAYS}


def parse_matrix_us(table: Bytes, shape: TimestampShape, context: TimestampContext) -> tuple[Int64, Bool]:
    """Instants of the texts in a (rows, width) matrix, and of which of them we are sure."""
    numbers, sure = _pairs(table, shape)
    for name, start, width in shape.parts:
        piece = table[:, start : start + width]
        if name in numbers:
            continue
        if name == "f":
            value, fine = _digits(piece[:, :6])
            sure &= fine & _all_digits(piece[:, 6:])
            numbers["f"] = value * 10 ** (6 - min(width, 6))
        elif name == "L":
            value, fine = _digits(piece)
            sure &= fine
            numbers["f"] = value * 1000
        elif name == "z":
            numbers["z"], fine = _offsets(piece)
            sure &= fine
        elif name in _NAMES:
            numbers[name], fine = _names(piece, _NAMES[name])
            sure &= fine
        else:
            numbers[name], fine = _digits(piece)
            sure &= fine
    literals = shape.literals
    for index in [index for index in literals if shape.iso and (index == 10 or shape.example[index] in b".,")]:
        one, other = b"T " if index == 10 else b".,"
        sure &= (table[:, index] == one) | (table[:, index] == other)
        literals = [other for other in literals if other != index]
    wrong = table[:, literals] != np.frombuffer(shape.example, np.uint8)[literals]
    if wrong.any():
        sure &= ~np.logical_or.reduce(wrong, axis=1)
    return _assemble(numbers, sure, shape, context)


def _pairs(table: Bytes, shape: TimestampShape) -> tuple[dict[str, Int64], Bool]:
    """The numbers of two and four digits, all at once, and where they are numbers."""
    parts = [part for part in shape.parts if part[0] in FULL_WIDTH and part[2] in (2, 4)]
    digits = table[:, [start + place for _, start, width in parts for place in range(width)]] - 48
    sure: Bool = np.ones(len(table), np.bool_)
    if digits.size and digits.max() > 9:  # uint8 wraps below "0": one comparison is enough
        sure = np.logical_and.reduce(digits <= 9, axis=1)
    pairs = digits[:, 0::2] * np.uint8(10) + digits[:, 1::2]
    numbers: dict[str, Int64] = {}
    column = 0
    for name, _, width in parts:
        number = pairs[:, column].astype(np.int64)
        numbers[name] = number if width == 2 else number * 100 + pairs[:, column + 1]
        column += width // 2
    return numbers, sure


def _assemble(
    numbers: dict[str, Int64], sure: Bool, shape: TimestampShape, context: TimestampContext
) -> tuple[Int64, Bool]:
    zero = np.zeros(len(sure), np.int64)
    month = numbers.get("m", numbers.get("b", numbers.get("B", zero + 1)))
    day = numbers.get("d", zero + 1)
    hour, minute, second = (numbers.get(name, zero) for name in "HMS")
    sure = sure & (month >= 1) & (month <= 12) & (day >= 1) & (hour <= 23) & (minute <= 59) & (second <= 59)
    clock = ((hour * 60 + minute) * 60 + second) * 1_000_000 + numbers.get("f", zero)
    if not shape.has_year:
        return _with_latest_year(month, day, clock, numbers.get("z"), sure, context)
    year = numbers["Y"] if "Y" in numbers else numbers["y"] + np.where(numbers["y"] > 68, 1900, 2000)
    days, exists = _dates(year, month, day)
    sure &= exists
    wall = days * DAY_US + clock
    instant = wall - numbers["z"] if "z" in numbers else local_to_utc_us(wall, context.zone)
    return instant, sure & (instant >= LOWEST_US) & (instant <= HIGHEST_US)


def _with_latest_year(
    month: Int64, day: Int64, clock: Int64, offset: Int64 | None, sure: Bool, context: TimestampContext
) -> tuple[Int64, Bool]:
    bound = context.year_bound_us
    year = np.full(len(month), utc_year(bound) + 1, np.int64)
    instant = np.zeros(len(month), np.int64)
    todo = sure.copy()
    for _ in range(YEARS_BACK):
        exists = (day <= _days_in_month(year, month)) & todo
        wall = _days(year, month, np.where(exists, day, 1)) * DAY_US + clock
        there = wall - offset if offset is not None else local_to_utc_us(wall, context.zone)
        fits = exists & (there <= bound)
        instant = np.where(fits, there, instant)
        todo &= ~fits
        if not todo.any():
            break
        year = np.where(todo, year - 1, year)
    return instant, sure & ~todo


def _all_digits(piece: Bytes) -> Bool:
    return np.logical_and.reduce((piece - 48) <= 9, axis=1)  # uint8 wraps below "0": one comparison is enough


def _digits(piece: Bytes) -> tuple[Int64, Bool]:
    value = np.zeros(len(piece), np.int64)
    fine = np.ones(len(piece), np.bool_)
    for column in range(piece.shape[1]):
        digit = piece[:, column] - 48
        fine &= digit <= 9
        value *= 10
        value += digit
    return value, fine


def _offsets(piece: Bytes) -> tuple[Int64, Bool]:
    count, width = piece.shape
    if width == 1:
        return np.zeros(count, np.int64), piece[:, 0] == 90
    if count > 1 and (piece == piece[0]).all():  # nearly always: one zone a file
        value, right = _one_offset(piece[0].tobytes())
        return np.full(count, value, np.int64), np.full(count, right)
    hours, fine = _digits(piece[:, 1:3])
    minutes, fine_minutes = _digits(piece[:, width - 2 :])
    sign = np.where(piece[:, 0] == 45, -1, 1)
    fine &= fine_minutes & ((piece[:, 0] == 43) | (piece[:, 0] == 45)) & (hours <= 23) & (minutes <= 59)
    if width == 6:
        fine &= piece[:, 3] == 58
    return (hours * 60 + minutes) * 60_000_000 * sign, fine


@lru_cache(maxsize=64)
def _one_offset(text: bytes) -> tuple[int, bool]:
    value, fine = _offsets(np.frombuffer(text, np.uint8).reshape(1, -1))
    return int(value[0]), bool(fine[0])


def _names(piece: Bytes, names: tuple[str, ...]) -> tuple[Int64, Bool]:
    if len(piece) > 1 and (piece == piece[0]).all():  # the month of a file
        one, right = _one_name(piece[0].tobytes(), names)
        return np.full(len(piece), one, np.int64), np.full(len(piece), right)
    value = np.zeros(len(piece), np.int64)
    lower = piece | 32  # ASCII letters to lower case; anything else cannot become a letter of a name wrongly
    letters = ((lower >= 97) & (lower <= 122) & (piece >= 65)).all(axis=1)
    for number, name in enumerate(names, start=1):
        if len(name) == piece.shape[1]:
            value[(lower == np.frombuffer(name.encode(), np.uint8)).all(axis=1)] = number
    return value, letters & (value > 0)


@lru_cache(maxsize=64)
def _one_name(text: bytes, names: tuple[str, ...]) -> tuple[int, bool]:
    value, fine = _names(np.frombuffer(text, np.uint8).reshape(1, -1), names)
    return int(value[0]), bool(fine[0])


def _dates(year: Int64, month: Int64, day: Int64) -> tuple[Int64, Bool]:
    """Days since the epoch, and which of the dates exist; a day of a month that is one."""
    if len(year) > 1 and all((part == part[0]).all() for part in (year, month, day)):  # the day of a file
        days, exists = _one_date(int(year[0]), int(month[0]), int(day[0]))
        return np.full(len(year), days, np.int64), np.full(len(year), exists)
    return _days(year, month, day), (year >= 1) & (day <= _days_in_month(year, month))


@lru_cache(maxsize=64)
def _one_date(year: int, month: int, day: int) -> tuple[int, bool]:
    days, exists = _dates(*(np.array([part], np.int64) for part in (year, month, day)))
    return int(days[0]), bool(exists[0])


def _days(year: Int64, month: Int64, day: Int64) -> Int64:
    """Days since the epoch of a date in the proleptic Gregorian calendar."""
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
    """As an Arrow ``timestamp[us, UTC]``."""
    return pa.array(instants.view("int64"), pa.int64()).cast(pa.timestamp("us", "UTC"))


def to_dates(instants: Int64) -> pa.Array:
    """Instants at midnight as an Arrow ``date32``."""
    return pa.array((instants // DAY_US).astype(np.int32)).cast(pa.date32())


def _iso_cast_us(array: pa.Array, table: Bytes, shape: TimestampShape, context: TimestampContext) -> Int64 | None:
    """The quick way for plain shapes: Arrow's own cast. None: it does not apply, or a text is bad."""
    widths = {name: width for name, _, width in shape.parts}
    zoned = "z" in widths
    # At these lengths Arrow's parser takes nothing but YYYY-MM-DD[T ]HH:MM:SS[.f...][Z].
    if widths.get("f", 0) > 6 or "S" not in widths or b"," in shape.example or widths.get("z", 1) > 1:
        return None
    if zoned and not (table[:, -1] == 90).all():
        return None
    try:
        walls = pc.cast(array, pa.timestamp("us", "UTC") if zoned else pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    instants = np.frombuffer(walls.buffers()[1], np.int64, count=len(array))
    # Arrow's calendar has a year 0, Python's does not.
    if instants.min() < LOWEST_US:
        return None
    if not zoned:
        instants = local_to_utc_us(instants, context.zone)
    return None if instants.min() < LOWEST_US or instants.max() > HIGHEST_US else instants


def _distinct_us(table: Bytes, shape: TimestampShape, context: TimestampContext) -> tuple[Int64, Bool]:
    """As :func:`parse_matrix_us`, but each run of equal texts is parsed once: sorted logs repeat their seconds."""
    firsts = _begins_of_runs(table)
    if 2 * len(firsts) > len(table):
        return parse_matrix_us(table, shape, context)
    instants, sure = parse_matrix_us(table[firsts], shape, context)
    lengths = np.diff(firsts, append=len(table))
    return np.repeat(instants, lengths), np.repeat(sure, lengths)


def _begins_of_runs(table: Bytes) -> Int64:
    """Rows that begin a run of equal ones, and a few that only go on with one.

    >>> import numpy as np
    >>> _begins_of_runs(np.frombuffer(b"12:59:58.0" * 20 + b"12:59:59.0" * 20, np.uint8).reshape(-1, 10)).tolist()
    [0, 20, 39]
    """
    rows, width = table.shape
    if width < 8:
        return np.arange(rows)
    text = table.reshape(-1)
    size = (len(text) - width) // 8 * 8  # each byte is compared to that of the row before it, eight at a time
    changed = np.flatnonzero(text[width : width + size].view(np.uint64) != text[:size].view(np.uint64))
    begins = np.zeros(rows, np.bool_)
    begins[changed * 8 // width + 1] = True
    begins[(changed * 8 + 7) // width + 1] = True  # eight bytes may be of two rows
    begins[size // width + 1 :] = True
    begins[:1] = True
    return np.flatnonzero(begins)


def parse_fields_us(
    block: bytes, view: Bytes, starts: Int32, shape: TimestampShape, context: TimestampContext
) -> tuple[Int64, Bool]:
    """Instants of the texts of a shape that begin at ``starts``, and of which of them we are sure."""
    if not shape.iso:
        return _distinct_us(spans.gather_bytes(view, starts, shape.width), shape, context)
    array = spans.field_strings(block, starts, starts + np.int32(shape.width))
    table = spans.byte_matrix(array, shape.width)
    instants = _iso_cast_us(array, table, shape, context)
    if instants is not None:
        return instants, np.ones(len(array), np.bool_)
    return parse_matrix_us(table, shape, context)
