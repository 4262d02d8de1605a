"""What a clock on the wall shows, exactly, and for a minute at once where it can be."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

MINUTE_US = 60_000_000

_EPOCH = dt.datetime(1970, 1, 1)
_MICROSECOND = dt.timedelta(microseconds=1)
_DAY = dt.timedelta(days=1)

# Years that have a next one, and a day less, so that no zone leads out of them.
LOWEST_US = (dt.datetime.min + _DAY - _EPOCH) // _MICROSECOND
HIGHEST_US = (dt.datetime(9999, 1, 1) - _DAY - _EPOCH) // _MICROSECOND


def read_clock(time_us: int, zone: str) -> tuple[int, ...]:
    """Year, month, day, hour, minute, second and microsecond in a zone.

    >>> read_clock(0, "Asia/Tokyo")
    (1970, 1, 1, 9, 0, 0, 0)
    """
    time = _EPOCH + time_us * _MICROSECOND
    if zone != "UTC":
        info = ZoneInfo(zone)
        time = info.fromutc(time.replace(tzinfo=info))
    return (time.year, time.month, time.day, time.hour, time.minute, time.second, time.microsecond)


@lru_cache(maxsize=1 << 16)
def clock_of_minute(minute: int, zone: str, size: int) -> tuple[int, ...] | None:
    """What the clock shows all through a minute of UTC, in ``size`` fields; None if that changes within.

    Today clocks are changed on the minute; a hundred years ago they were not.
    """
    start_us, end_us = minute * MINUTE_US, (minute + 1) * MINUTE_US - 1
    first, last = read_clock(start_us, zone), read_clock(end_us, zone)
    passed = _without_zone(last) - _without_zone(first)
    same = first[:size] == last[:size] and passed == (end_us - start_us) * _MICROSECOND
    return first[:size] if same else None


def _without_zone(clock: tuple[int, ...]) -> dt.datetime:
    year, month, day, hour, minute, second, micro = clock
    return dt.datetime(year, month, day, hour, minute, second, micro)
