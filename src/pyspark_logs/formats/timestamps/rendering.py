"""Instants to texts by the column: the inverse of ``columns``."""

from __future__ import annotations

import functools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int64
from pyspark_logs.formats.timestamps.parsing import DAY_US, DAYS, HIGHEST_US, LOWEST_US, MONTHS, TimestampPattern
from pyspark_logs.formats.timestamps.zones import local_to_utc_us, utc_to_local

_ISO_WIDTH = 27  # yyyy-MM-ddTHH:MM:SS.ffffffZ


def render_iso(array: pa.Array) -> tuple[pa.StringArray, Bool | None]:
    """``timestamp[us, UTC]`` as ``2026-11-22T10:00:00.000000Z``: always 27 characters, whatever else the column has."""
    micros, bad = _clip_to_calendar(array)
    count = len(array)
    spelled = pa.array(micros, pa.int64()).cast(pa.timestamp("us")).cast(pa.string())
    table = np.empty((count, _ISO_WIDTH), np.uint8)
    table[:, :-1] = np.frombuffer(spelled.buffers()[2] or b"", np.uint8)[: count * (_ISO_WIDTH - 1)].reshape(
        count, _ISO_WIDTH - 1
    )
    table[:, 10] = ord("T")
    table[:, -1] = ord("Z")
    return _fixed_width(table, array), bad


def _clip_to_calendar(array: pa.Array) -> tuple[Int64, Bool | None]:
    """Microseconds (0 where there is none), and which are not in the years 1 to 9999."""
    micros = array.cast(pa.int64()).fill_null(0).to_numpy()
    if len(micros) == 0 or (micros.min() >= LOWEST_US and micros.max() <= HIGHEST_US):
        return micros, None
    bad = (micros < LOWEST_US) | (micros > HIGHEST_US)
    return np.where(bad, 0, micros), bad


def render_epoch(array: pa.Array, power: int, digits: int | None = None) -> tuple[pa.StringArray, Bool | None]:
    """``timestamp[us, UTC]`` counted in units of 10 to the ``power`` microseconds; a fraction only where there is one.

    With ``digits`` the fraction always has so many, up to ``power``, and what is finer has no text.
    """
    micros, bad = _clip_to_calendar(array)
    size = np.abs(micros)
    whole = size // 10**power if power > 0 else size
    texts = pc.binary_join_element_wise(pa.array(np.where(micros < 0, "-", "")), pa.array(whole).cast(pa.string()), "")
    if power < 0:
        texts = pc.binary_join_element_wise(texts, "0" * -power, "")
    rest = size % 10 ** max(power, 0)
    if digits is not None:
        finer = rest % 10 ** (power - digits) != 0
        bad = finer if bad is None else bad | finer
        fraction = pc.utf8_lpad(pa.array(rest // 10 ** (power - digits)).cast(pa.string()), digits, "0")
        texts = pc.binary_join_element_wise(texts, fraction, ".") if digits else texts
    elif rest.any():
        fraction = pc.utf8_lpad(pa.array(rest).cast(pa.string()), power, "0")
        texts = pc.if_else(pa.array(rest == 0), texts, pc.binary_join_element_wise(texts, ".", fraction, ""))
    return pc.if_else(array.is_valid(), texts, None) if array.null_count else texts, bad


def _fixed_width(table: Bytes, like: pa.Array) -> pa.Array:
    """The rows of a matrix as texts, null where ``like`` is null."""
    count, width = table.shape
    offsets = pa.py_buffer(np.arange(0, (count + 1) * width, width, dtype=np.int32)[: count + 1])
    validity = None
    if like.null_count:
        there = like.is_valid().to_numpy(zero_copy_only=False)
        validity = pa.py_buffer(np.packbits(there, bitorder="little").tobytes())
    return pa.StringArray.from_buffers(count, offsets, pa.py_buffer(table), validity)


# --- strptime patterns ------------------------------------------------------------------------------------


def render_pattern(pattern: TimestampPattern, array: pa.Array, zone: str) -> tuple[pa.StringArray, Bool | None]:
    """``timestamp[us, UTC]`` by a pattern's directives, numbers at their full width.

    With ``%z`` or ``%Z`` in UTC, else as the wall clock in ``zone``. What the pattern has no directive for must
    be as the reader takes it to be (no seconds: 0; no day: the first), or the row has no text; the second
    of two equal wall clocks has none either. Only a year that is not written is taken on trust.
    """
    micros, bad = _clip_to_calendar(array)
    wrong: Bool = np.zeros(len(micros), np.bool_) if bad is None else bad
    if zone != "UTC" and not {"z", "Z"} & set(pattern.directives):
        walls = utc_to_local(pa.array(micros, pa.timestamp("us", "UTC")), zone).cast(pa.int64()).to_numpy()
        wrong = wrong | (walls < LOWEST_US) | (walls > HIGHEST_US) | (local_to_utc_us(walls, zone) != micros)
        micros = np.where(wrong, 0, walls)
    part = _parts(micros)
    wrong = (wrong | _lost(set(pattern.directives), part, pattern.digits)) & array.is_valid().to_numpy(
        zero_copy_only=False
    )
    return _joined(pattern, part, array), wrong if wrong.any() else None


def _parts(walls: Int64) -> dict[str, Int64]:
    """The number that each directive writes."""
    days = walls // DAY_US
    clock = walls - days * DAY_US
    seconds = clock // 1_000_000
    part = {"f": clock - seconds * 1_000_000}
    hour = seconds // 3600
    minutes = seconds // 60
    part |= {"H": hour, "M": minutes - hour * 60, "S": seconds - minutes * 60}
    part |= {"p": hour // 12, "I": (hour + 11) % 12 + 1}
    # The calendar once for each day: logs have few of them.
    low = int(days.min()) if len(days) else 0
    span = int(days.max()) - low + 1 if len(days) else 0
    if span <= 2 * len(days) + 1000:
        each, which = np.arange(low, low + span), days - low
    else:
        each, which = np.unique(days, return_inverse=True)
    dates = each.astype("datetime64[D]")
    months, years = dates.astype("datetime64[M]"), dates.astype("datetime64[Y]")
    year = years.astype(np.int64) + 1970
    day = (dates - months.astype("datetime64[D]")).astype(np.int64) + 1
    month = months.astype(np.int64) % 12 + 1
    yearday = (dates - years.astype("datetime64[D]")).astype(np.int64) + 1
    calendar = {"Y": year, "m": month, "d": day, "j": yearday, "a": (each + 3) % 7, "y": year % 100}
    part |= {name: values[which] for name, values in calendar.items()}
    return part


def _lost(there: set[str], part: dict[str, Int64], digits: int | None) -> Bool:
    """Which instants have something that no directive writes; ``digits`` as the pattern's."""
    lost: Bool = np.zeros(len(part["S"]), np.bool_)
    if "f" not in there:
        lost |= (part["f"] % 1000 if "L" in there else part["f"]) != 0
    for name in ("S", "M"):
        if name not in there:
            lost |= part[name] != 0
    if digits is not None and digits < 6:
        lost |= part["f"] % 10 ** (6 - digits) != 0
    if "H" not in there and not {"I", "p"} <= there:
        lost |= part["H"] >= 12 if "I" in there else part["H"] != 0
    if "j" not in there:
        if not {"d", "e"} & there:
            lost |= part["d"] != 1
        if not {"m", "b", "B", "h"} & there:
            lost |= part["m"] != 1
    if "y" in there and "Y" not in there:
        lost |= (part["Y"] < 1969) | (part["Y"] > 2068)
    return lost


@functools.lru_cache(maxsize=4)
def _numbers(width: int) -> Bytes:
    """All numbers of so many digits, a row each."""
    return np.array([f"{number:0{width}}".encode() for number in range(10**width)]).view(np.uint8).reshape(-1, width)


@functools.lru_cache(maxsize=8)
def _names(names: tuple[str, ...], width: int | None = None) -> Bytes:
    """Names of one width, a row each; number 0 is the first."""
    return np.array([name[:width].encode() for name in names]).view(np.uint8).reshape(len(names), -1)


_MONTHS = tuple(name.capitalize() for name in MONTHS)
_DAYS = tuple(name.capitalize() for name in DAYS)
_UTC = {"z": "+0000", ":z": "+00:00", "Z": "UTC"}
_WIDTHS = {"d": 2, "m": 2, "y": 2, "Y": 4, "H": 2, "I": 2, "M": 2, "S": 2, "j": 3}


def _column(directive: str, part: dict[str, Int64]) -> list[Bytes] | pa.Array:
    """What a directive writes: matrices side by side, or texts where the width is not fixed."""
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
    return pa.array(names).take(pa.array(number))


def _joined(pattern: TimestampPattern, part: dict[str, Int64], like: pa.Array) -> pa.Array:
    count = len(like)
    runs: list[list[Bytes] | pa.Array] = [[]]
    for piece in pattern.pieces:
        if piece == "%%" or piece[0] != "%":
            raw = np.frombuffer(("%" if piece == "%%" else piece).encode(), np.uint8)
            column: list[Bytes] | pa.Array = [np.broadcast_to(raw, (count, len(raw)))]
        else:
            column = _column(piece[1:], part)
        if isinstance(column, list) and isinstance(runs[-1], list):
            runs[-1] += column
        else:
            runs.append(column)
    texts = [
        _fixed_width(np.concatenate(run, axis=1), like) if isinstance(run, list) else run for run in runs if len(run)
    ]
    if count == 0:
        return pa.array([], pa.string())
    joined = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, "")
    return joined if joined.null_count == like.null_count else pc.if_else(like.is_valid(), joined, None)


def may_extend_into(pattern: TimestampPattern, following: str, *, is_open: bool) -> bool:
    """Returns True if a rendered timestamp may be read as a longer one, or with its digits divided otherwise.

    All directives are rendered at the full width, which the parser tries first, except for two: ``%f`` takes up to nine
    digits, and ``%e`` after a blank may give that blank away and take two digits.

    Args:
        pattern: pattern of the timestamp.
        following: constant text after it.
        is_open: True if a field follows that text.
    """
    pieces = pattern.pieces
    if pieces[-1][0] in " \t":
        return True
    for index, piece in enumerate(pieces):
        is_variable = piece == "%f" or (piece == "%e" and index > 0 and pieces[index - 1][0] in " \t")
        if not is_variable:
            continue
        if index + 1 == len(pieces):
            if (is_open and not following) or following[:1].isdecimal():
                return True
        elif _may_begin_with_digit(pieces[index + 1]):
            return True
    return False


def _may_begin_with_digit(piece: str) -> bool:
    if piece[0] == "%":
        return piece[1:] not in ("a", "A", "b", "B", "h", "p", "z", ":z", "Z", "%")
    return piece[0].isdecimal()
