"""Conversion of instants to local times, exactly, and for a whole minute at once where possible."""

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

# A day inside the years that datetime can represent, so that a local time in any zone can be represented, too.
LOWEST_US = (dt.datetime.min + _DAY - _EPOCH) // _MICROSECOND
HIGHEST_US = (dt.datetime(9999, 1, 1) - _DAY - _EPOCH) // _MICROSECOND


def local_time(time_us: int, zone: str) -> tuple[int, ...]:
    """Returns year, month, day, hour, minute, second and microsecond of an instant in a time zone.

    >>> local_time(0, "Asia/Tokyo")
    (1970, 1, 1, 9, 0, 0, 0)
    """
    time = _EPOCH + time_us * _MICROSECOND
    if zone != "UTC":
        info = ZoneInfo(zone)
        time = info.fromutc(time.replace(tzinfo=info))
    return (time.year, time.month, time.day, time.hour, time.minute, time.second, time.microsecond)


@lru_cache(maxsize=1 << 16)
def local_minute(minute: int, zone: str, size: int) -> tuple[int, ...] | None:
    """Returns the first ``size`` fields of the local time during a minute of UTC, or None if they change within it.

    Offsets of zones are whole minutes today, but were not always in the past.
    """
    start_us, end_us = minute * MINUTE_US, (minute + 1) * MINUTE_US - 1
    first, last = local_time(start_us, zone), local_time(end_us, zone)
    passed = _without_zone(last) - _without_zone(first)
    same = first[:size] == last[:size] and passed == (end_us - start_us) * _MICROSECOND
    return first[:size] if same else None


def _without_zone(fields: tuple[int, ...]) -> dt.datetime:
    year, month, day, hour, minute, second, micro = fields
    return dt.datetime(year, month, day, hour, minute, second, micro)
