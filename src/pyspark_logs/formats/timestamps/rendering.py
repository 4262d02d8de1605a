"""Rendering of timestamp columns; the inverse of :mod:`~pyspark_logs.formats.timestamps.vectorized`."""

from __future__ import annotations

import functools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, as_numbers, concat_texts, from_numpy, from_texts, only_where
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int64
from pyspark_logs.formats.timestamps.parsing import DAY_US, DAYS, HIGHEST_US, LOWEST_US, MONTHS, TimestampPattern
from pyspark_logs.formats.timestamps.zones import local_to_utc_us, utc_to_local

_ISO_WIDTH = 27  # yyyy-MM-ddTHH:MM:SS.ffffffZ


def render_iso(array: pa.Array) -> tuple[pa.StringArray, Bool | None]:
    """Renders ``timestamp[us, UTC]`` as ``2026-11-22T10:00:00.000000Z``, always with 27 characters."""
    micros, bad = _clip_to_calendar(array)
    count = len(array)
    texts = from_numpy(micros).cast(pa.timestamp("us")).cast(pa.string())
    table = np.empty((count, _ISO_WIDTH), np.uint8)
    table[:, :-1] = np.frombuffer(texts.buffers()[2] or b"", np.uint8)[: count * (_ISO_WIDTH - 1)].reshape(
        count, _ISO_WIDTH - 1
    )
    table[:, 10] = ord("T")
    table[:, -1] = ord("Z")
    return _strings_of_matrix(table, array), bad


def _clip_to_calendar(array: pa.Array) -> tuple[Int64, Bool | None]:
    """Returns microseconds (0 for nulls and out of range) and a mask of the instants not in the years 1 to 9999."""
    micros = as_numbers(array.cast(pa.int64()), null=0)
    if len(micros) == 0 or (micros.min() >= LOWEST_US and micros.max() <= HIGHEST_US):
        return micros, None
    bad = (micros < LOWEST_US) | (micros > HIGHEST_US)
    return np.where(bad, 0, micros), bad


def render_epoch(array: pa.Array, power: int, digits: int | None = None) -> tuple[pa.StringArray, Bool | None]:
    """Renders ``timestamp[us, UTC]`` as numbers since the epoch.

    Args:
        array: the timestamps.
        power: unit of the numbers, as a power of ten of a microsecond.
        digits: number of digits of the fraction, at most ``power``; finer timestamps have no text. None: as many digits
            as needed, and no fraction for whole numbers.
    """
    micros, bad = _clip_to_calendar(array)
    size = np.abs(micros)
    whole = size // 10**power if power > 0 else size
    texts = concat_texts(
        from_texts(["", "-"]).take(from_numpy((micros < 0).astype(np.int8))), from_numpy(whole).cast(pa.string())
    )
    if power < 0:
        texts = concat_texts(texts, "0" * -power)
    rest = size % 10 ** max(power, 0)
    if digits is not None:
        too_fine = rest % 10 ** (power - digits) != 0
        bad = too_fine if bad is None else bad | too_fine
        fraction = pc.utf8_lpad(from_numpy(rest // 10 ** (power - digits)).cast(pa.string()), digits, "0")
        texts = concat_texts(texts, fraction, separator=".") if digits else texts
    elif rest.any():
        fraction = pc.utf8_lpad(from_numpy(rest).cast(pa.string()), power, "0")
        texts = pc.if_else(from_numpy(rest == 0), texts, concat_texts(texts, ".", fraction))
    return only_where(array.is_valid(), texts) if array.null_count else texts, bad


def _strings_of_matrix(table: Bytes, like: pa.Array) -> pa.Array:
    """Returns the rows of a matrix of bytes as strings, null where ``like`` is null."""
    count, width = table.shape
    offsets = pa.py_buffer(np.arange(0, (count + 1) * width, width, dtype=np.int32)[: count + 1])
    validity = None
    if like.null_count:
        valid = as_bool(like.is_valid())
        validity = pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
    return pa.StringArray.from_buffers(count, offsets, pa.py_buffer(table), validity)


def render_pattern(pattern: TimestampPattern, array: pa.Array, zone: str) -> tuple[pa.StringArray, Bool | None]:
    """Renders ``timestamp[us, UTC]`` by a strptime pattern, numbers with leading zeros.

    Timestamps are in UTC if the pattern has ``%z`` or ``%Z``, else in ``zone``. A timestamp has no text if a part without
    a directive differs from the value that the parser assumes (0 for seconds, 1 for days), or if it is the second of two
    equal local times. A year without a directive is not checked.
    """
    micros, bad = _clip_to_calendar(array)
    wrong: Bool = np.zeros(len(micros), np.bool_) if bad is None else bad
    if zone != "UTC" and not {"z", "Z"} & set(pattern.directives):
        local_us = as_numbers(utc_to_local(from_numpy(micros).cast(pa.timestamp("us", "UTC")), zone).cast(pa.int64()))
        wrong = wrong | (local_us < LOWEST_US) | (local_us > HIGHEST_US) | (local_to_utc_us(local_us, zone) != micros)
        micros = np.where(wrong, 0, local_us)
    part = _parts(micros)
    wrong = (wrong | _loses_parts(set(pattern.directives), part, pattern.fraction_digits)) & as_bool(array.is_valid())
    return _join_tokens(pattern, part, array), wrong if wrong.any() else None


def _parts(local_us: Int64) -> dict[str, Int64]:
    """Returns the numbers that each directive renders."""
    days = local_us // DAY_US
    clock = local_us - days * DAY_US
    seconds = clock // 1_000_000
    part = {"f": clock - seconds * 1_000_000}
    hour = seconds // 3600
    minutes = seconds // 60
    part |= {"H": hour, "M": minutes - hour * 60, "S": seconds - minutes * 60}
    part |= {"p": hour // 12, "I": (hour + 11) % 12 + 1}
    # The calendar is computed once for each distinct day, of which logs have few.
    low = int(days.min()) if len(days) else 0
    span = int(days.max()) - low + 1 if len(days) else 0
    if span <= 2 * len(days) + 1000:
        distinct, inverse = np.arange(low, low + span), days - low
    else:
        distinct, inverse = np.unique(days, return_inverse=True)
    dates = distinct.astype("datetime64[D]")
    months, years = dates.astype("datetime64[M]"), dates.astype("datetime64[Y]")
    year = years.astype(np.int64) + 1970
    day = (dates - months.astype("datetime64[D]")).astype(np.int64) + 1
    month = months.astype(np.int64) % 12 + 1
    yearday = (dates - years.astype("datetime64[D]")).astype(np.int64) + 1
    calendar = {"Y": year, "m": month, "d": day, "j": yearday, "a": (distinct + 3) % 7, "y": year % 100}
    part |= {name: values[inverse] for name, values in calendar.items()}
    return part


def _loses_parts(directives: set[str], part: dict[str, Int64], digits: int | None) -> Bool:
    """Returns a mask of the timestamps with a part that no directive renders.

    Args:
        directives: letters of the directives.
        part: numbers of the directives, from :func:`_parts`.
        digits: number of digits of the fraction; None: all.
    """
    lost: Bool = np.zeros(len(part["S"]), np.bool_)
    if "f" not in directives:
        lost |= (part["f"] % 1000 if "L" in directives else part["f"]) != 0
    for name in ("S", "M"):
        if name not in directives:
            lost |= part[name] != 0
    if digits is not None and digits < 6:
        lost |= part["f"] % 10 ** (6 - digits) != 0
    if "H" not in directives and not {"I", "p"} <= directives:
        lost |= part["H"] >= 12 if "I" in directives else part["H"] != 0
    if "j" not in directives:
        if not {"d", "e"} & directives:
            lost |= part["d"] != 1
        if not {"m", "b", "B", "h"} & directives:
            lost |= part["m"] != 1
    if "y" in directives and "Y" not in directives:
        lost |= (part["Y"] < 1969) | (part["Y"] > 2068)
    return lost


@functools.lru_cache(maxsize=4)
def _numbers(width: int) -> Bytes:
    """Returns the numbers of ``width`` digits in ascending order, as a matrix of bytes with a row for each."""
    return np.array([f"{number:0{width}}".encode() for number in range(10**width)]).view(np.uint8).reshape(-1, width)


@functools.lru_cache(maxsize=8)
def _names(names: tuple[str, ...], width: int | None = None) -> Bytes:
    """Returns names of equal width as a matrix of bytes with a row for each."""
    return np.array([name[:width].encode() for name in names]).view(np.uint8).reshape(len(names), -1)


_MONTHS = tuple(name.capitalize() for name in MONTHS)
_DAYS = tuple(name.capitalize() for name in DAYS)
_UTC = {"z": "+0000", ":z": "+00:00", "Z": "UTC"}
_WIDTHS = {"d": 2, "m": 2, "y": 2, "Y": 4, "H": 2, "I": 2, "M": 2, "S": 2, "j": 3}


def _column(directive: str, part: dict[str, Int64]) -> list[Bytes] | pa.Array:
    """Returns the texts of a directive, as adjacent matrices of bytes or, if their width varies, as strings."""
    if directive in _WIDTHS:
        return [_numbers(_WIDTHS[directive])[part[directive]]]
    if directive == "L":
        return [_numbers(3)[part["f"] // 1000]]
    if directive.endswith("f"):
        width = int(directive[:-1] or 6)
        table = np.full((len(part["f"]), max(width, 6)), ord("0"), np.uint8)
        table[:, :3], table[:, 3:6] = _numbers(3)[part["f"] // 1000], _numbers(3)[part["f"] % 1000]
        return [table[:, :width]]
    if directive == "e":
        padded = _numbers(2)[part["d"]]
        padded[part["d"] < 10, 0] = ord(" ")
        return [padded]
    if directive in ("b", "h"):
        return [_names(_MONTHS, 3)[part["m"] - 1]]
    if directive == "a":
        return [_names(_DAYS, 3)[part["a"]]]
    if directive == "p":
        return [_names(("AM", "PM"))[part["p"]]]
    if directive in _UTC:
        return [_names((_UTC[directive],))[np.zeros(len(part["S"]), np.int64)]]
    names, number = (_MONTHS, part["m"] - 1) if directive == "B" else (_DAYS, part["a"])
    return from_texts(names).take(from_numpy(number))


def _join_tokens(pattern: TimestampPattern, part: dict[str, Int64], like: pa.Array) -> pa.Array:
    count = len(like)
    runs: list[list[Bytes] | pa.Array] = [[]]
    for item in pattern.tokens:
        if item == "%%" or item[0] != "%":
            raw = np.frombuffer(("%" if item == "%%" else item).encode(), np.uint8)
            column: list[Bytes] | pa.Array = [np.broadcast_to(raw, (count, len(raw)))]
        else:
            column = _column(item[1:], part)
        if isinstance(column, list) and isinstance(runs[-1], list):
            runs[-1] += column
        else:
            runs.append(column)
    texts = [
        _strings_of_matrix(np.concatenate(run, axis=1), like) if isinstance(run, list) else run
        for run in runs
        if len(run)
    ]
    if count == 0:
        return pa.nulls(0, pa.string())
    joined = texts[0] if len(texts) == 1 else concat_texts(*texts)
    return joined if joined.null_count == like.null_count else only_where(like.is_valid(), joined)


def may_extend_into(pattern: TimestampPattern, following: str, *, is_open: bool) -> bool:
    """Returns True if a rendered timestamp may be read as a longer one, or with its digits divided otherwise.

    All directives are rendered at the full width, which the parser tries first, except for three: ``%f`` takes up to nine
    digits, ``%Z`` further letters, and ``%e`` after a blank may give that blank away and take two digits.

    Args:
        pattern: pattern of the timestamp.
        following: constant text after it.
        is_open: True if a field follows that text.
    """
    tokens = pattern.tokens
    if tokens[-1][0] in " \t":
        return True
    for index, item in enumerate(tokens):
        is_variable = item in ("%f", "%Z") or (item == "%e" and index > 0 and tokens[index - 1][0] in " \t")
        if not is_variable:
            continue
        if index + 1 == len(tokens):
            if (is_open and not following) or (following[:1].isalpha() if item == "%Z" else following[:1].isdecimal()):
                return True
        elif _may_begin_with_letter(tokens[index + 1]) if item == "%Z" else _may_begin_with_digit(tokens[index + 1]):
            return True
    return False


def _may_begin_with_digit(item: str) -> bool:
    if item[0] == "%":
        return item[1:] not in ("a", "A", "b", "B", "h", "p", "z", ":z", "Z", "%")
    return item[0].isdecimal()


def _may_begin_with_letter(item: str) -> bool:
    return item in ("%a", "%A", "%b", "%B", "%h", "%p", "%Z", "%z", "%:z") or item[0].isalpha()
