"""Numbers with units, for people."""

from __future__ import annotations

import datetime as dt

_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def format_bytes(count: float) -> str:
    """Returns a number of bytes with a binary unit.

    >>> format_bytes(0), format_bytes(1023), format_bytes(3 << 20)
    ('0 B', '1023 B', '3.0 MiB')
    """
    value = float(count)
    for unit in _BYTE_UNITS[:-1]:
        if value < 1024:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} {_BYTE_UNITS[-1]}"


def format_seconds(seconds: float) -> str:
    """Returns a duration with the unit that suits its size.

    >>> format_seconds(0.004), format_seconds(12.3), format_seconds(7325)
    ('4 ms', '12.3 s', '2 h 2 min')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def format_time(time_us: int) -> str:
    """Returns a time in UTC, without seconds if they are 0.

    Args:
        time_us: microseconds since the epoch.

    >>> format_time(0), format_time(1_500_000)
    ('1970-01-01 00:00', '1970-01-01 00:00:01')
    """
    time = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(microseconds=time_us)
    return f"{time:%Y-%m-%d %H:%M:%S}" if time.second else f"{time:%Y-%m-%d %H:%M}"
