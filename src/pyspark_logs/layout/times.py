"""Time tokens of layouts, and the intervals that their values denote in a time zone."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US

# From coarse to fine; a layout uses the first n of them. The granularity of years and months is that of the longest ones.
TIME_TOKENS = ("yyyy", "MM", "dd", "HH", "mm")
GRANULARITY_US = (366 * DAY_US, 31 * DAY_US, DAY_US, HOUR_US, HOUR_US // 60)

# Values of the tokens, None for unknown ones: (2026, 11, None, None, None).
Tokens = tuple[int | None, ...]
NO_TOKENS: Tokens = (None,) * len(TIME_TOKENS)

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_MICROSECOND = dt.timedelta(microseconds=1)


def leading_tokens(tokens: Tokens) -> tuple[int, ...]:
    """Returns the known tokens from the year up to the first unknown one; they define an interval."""
    known: list[int] = []
    for token in tokens:
        if token is None:
            break
        known.append(token)
    return tuple(known)


@lru_cache(maxsize=1 << 16)
def time_span(tokens: tuple[int, ...], zone: str, *, outer: bool = False) -> tuple[int, int] | None:
    """Returns the half-open UTC interval, in microseconds, of a year, month, day, hour or minute in a time zone.

    The interval extends from the first to the last instant with this local time. An hour that is repeated at the end of
    summer time lasts two hours; an hour that is skipped at its beginning is read with the offset before the change.

    Args:
        tokens: values of the tokens from the year on.
        zone: name of the time zone.
        outer: True for an interval that contains the intervals of all finer tokens, including skipped ones.

    Returns:
        Interval, or None for a date that does not exist.

    Example:
        >>> time_span((2026, 11, 22, 10), "UTC")
        (1795341600000000, 1795345200000000)
    """
    size = len(tokens)
    year, month, day, hour, minute = (*tokens, *(1, 1, 1, 0, 0)[size:])
    try:
        start = dt.datetime(year, month, day, hour, minute)
        if size > 2:
            end = start + _MICROSECOND * GRANULARITY_US[size - 1]
        else:
            end = start.replace(year + 1) if size == 1 or month == 12 else start.replace(month=month + 1)
            end = end.replace(month=1) if month == 12 else end
    except (ValueError, OverflowError):
        return None
    # The offset is taken at the last instant inside: the end itself may be ambiguous when the last instant is not.
    last = end - _MICROSECOND
    starts = [_utc_us(start, zone, fold) for fold in (0, 1)]
    lasts = [_utc_us(last, zone, fold) for fold in (0, 1)]
    if outer:
        return min(starts), max(lasts) + 1
    return starts[0], (lasts[1] if lasts[1] >= starts[0] else lasts[0]) + 1


def token_texts(time_us: int, zone: str) -> dict[str, str]:
    """Returns the text of every token at an instant.

    Example:
        >>> token_texts(0, "Asia/Tokyo")
        {'yyyy': '1970', 'MM': '01', 'dd': '01', 'HH': '09', 'mm': '00'}
    """
    wall = (_EPOCH + time_us * _MICROSECOND).astimezone(ZoneInfo(zone))
    numbers = (wall.year, wall.month, wall.day, wall.hour, wall.minute)
    return {token: f"{number:0{len(token)}}" for token, number in zip(TIME_TOKENS, numbers, strict=True)}


def _utc_us(wall: dt.datetime, zone: str, fold: int) -> int:
    offset = wall.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() or dt.timedelta()
    return (wall - _EPOCH.replace(tzinfo=None) - offset) // _MICROSECOND
