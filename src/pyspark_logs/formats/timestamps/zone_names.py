"""Offsets of the abbreviations of time zones, such as ``CEST`` and ``PDT``, and of numeric ones, such as ``+0530`` and ``GMT+05:30``.

An abbreviation can be ambiguous: ``CST`` is a time of Chicago, Shanghai and Havana. If the zone of the file uses the
abbreviation, it has the offset of that zone; otherwise that of a table of abbreviations which servers write for one offset only.
Any other abbreviation has no offset.

Sources: the time zone database (https://www.iana.org/time-zones); RFC 5322, 4.3, for the zones of the United States;
PostgreSQL, "Date/Time Configuration Files", the abbreviations of ``Default``.
"""

from __future__ import annotations

import datetime as dt
import functools
import re

UTC_NAMES = ("UTC", "GMT", "UT", "UCT", "Z")
# Abbreviation -> minutes to the east of UTC. CST, IST and SST are missing because several zones use them today; PST is also
# a time of Manila, which its zone decides.
_MINUTES = {
    **dict.fromkeys(UTC_NAMES, 0),
    "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "EET": 120, "EEST": 180, "MSK": 180,
    "WAT": 60, "CAT": 120, "SAST": 120, "EAT": 180, "IDT": 180,
    "PKT": 300, "WIB": 420, "WITA": 480, "WIT": 540, "SGT": 480, "HKT": 480, "JST": 540, "KST": 540,
    "AWST": 480, "ACST": 570, "ACDT": 630, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
    "NST": -210, "NDT": -150, "AST": -240, "ADT": -180, "EST": -300, "EDT": -240, "CDT": -300,
    "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600, "HDT": -540,
}  # fmt: skip
NAMES = tuple(_MINUTES)
# Moscow's time was four hours from UTC for some years; the abbreviation alone tells only the times after that.
_FIRST_LOCAL_TIMES = {"MSK": dt.datetime(2014, 10, 26, 2)}
_NUMERIC = re.compile(r"([+-])(\d\d)(?::?([0-5]\d))?", re.ASCII)
_JAVA = re.compile(r"(?:GMT|UTC)([+-])(\d\d?):([0-5]\d)", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1990, 2037


@functools.lru_cache(maxsize=16)
def zone_info(zone: str) -> dt.tzinfo:
    """Returns the zone of an IANA name."""
    from zoneinfo import ZoneInfo

    return ZoneInfo(zone)


def offset_of_local(name: str, local: dt.datetime, zone: str) -> dt.timedelta | None:
    """Returns the offset from UTC that an abbreviation gives to a local time; None if it has none.

    Args:
        name: abbreviation, in upper or lower case.
        local: local time, without a zone.
        zone: IANA name of the zone of the file.

    >>> offset_of_local("PDT", dt.datetime(2026, 7, 17), "UTC") // dt.timedelta(hours=1)
    -7
    >>> offset_of_local("CST", dt.datetime(2026, 7, 17), "Asia/Shanghai") // dt.timedelta(hours=1)
    8
    >>> offset_of_local("CST", dt.datetime(2026, 7, 17), "UTC")
    """
    name = name.upper()
    if zone != "UTC" and name in _latest_offsets(zone):
        for fold in (0, 1):
            there = local.replace(tzinfo=zone_info(zone), fold=fold)
            if (there.tzname() or "").upper() == name:
                return there.utcoffset()
        return _latest_offsets(zone)[name]
    return _offset_of_name(name, local)


def offset_of_utc(name: str, time: dt.datetime, zone: str) -> dt.timedelta | None:
    """Returns the offset from UTC that an abbreviation gives to an instant; None if it has none.

    Args:
        name: abbreviation, in upper or lower case.
        time: instant as a time of UTC, without a zone.
        zone: IANA name of the zone of the file.
    """
    name = name.upper()
    if zone != "UTC" and name in _latest_offsets(zone):
        info = zone_info(zone)
        there = info.fromutc(time.replace(tzinfo=info))
        return there.utcoffset() if (there.tzname() or "").upper() == name else _latest_offsets(zone)[name]
    offset = _offset_of_name(name, dt.datetime.max)
    return None if offset is None else _offset_of_name(name, time + offset)


def _offset_of_name(name: str, local: dt.datetime) -> dt.timedelta | None:
    """Returns the offset of a numeric abbreviation, or of one in the table."""
    numeric = _NUMERIC.fullmatch(name) or _JAVA.fullmatch(name)
    if numeric is not None:
        hours, minutes = int(numeric[2]), int(numeric[3] or 0)
        if hours > 23:
            return None
        return dt.timedelta(hours=hours, minutes=minutes) * (-1 if numeric[1] == "-" else 1)
    if name not in _MINUTES or local < _FIRST_LOCAL_TIMES.get(name, dt.datetime.min):
        return None
    return dt.timedelta(minutes=_MINUTES[name])


@functools.lru_cache(maxsize=16)
def _latest_offsets(zone: str) -> dict[str, dt.timedelta]:
    """Returns the abbreviations of a zone in the last decades, in upper case, with the latest offset of each."""
    info = zone_info(zone)
    found: dict[str, dt.timedelta] = {}
    for year in range(_FIRST_YEAR, _LAST_YEAR + 1):
        for month in range(1, 13):
            time = dt.datetime(year, month, 15, tzinfo=info)
            found[(time.tzname() or "").upper()] = time.utcoffset() or dt.timedelta(0)
    return found
