"""Parsers of option values that are durations, time zones or instants; see :mod:`pyspark_logs.options.text`."""

from __future__ import annotations

import datetime as dt
import re

from pyspark_logs.options.text import bad_value, parse_name

_DURATION_US = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "min": 60_000_000}
_DURATION_US |= {"h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000}


def parse_duration_us(name: str, value: object) -> int:
    """Returns a duration in microseconds, from a timedelta or a string such as ``1h``, ``90s``, ``1d`` or ``1h 30m``."""
    if isinstance(value, dt.timedelta):
        duration_us = value // dt.timedelta(microseconds=1)
        if duration_us < 0:
            raise bad_value(name, value, "a duration of zero or more")
        return duration_us
    text = value.strip().lower() if isinstance(value, str) else ""
    if not re.fullmatch(r"(\d{1,20}\s*(us|ms|s|min|m|h|d|w)\s*)+", text):
        raise bad_value(name, value, "a duration such as '1h', '30m', '90s' or '1d'")
    parts = re.findall(r"(\d+)\s*(us|ms|s|min|m|h|d|w)", text)
    return sum(int(number) * _DURATION_US[unit] for number, unit in parts)


def parse_positive_duration_us(name: str, value: object) -> int:
    """Returns a duration above zero, in microseconds."""
    duration_us = parse_duration_us(name, value)
    if duration_us == 0:
        raise bad_value(name, value, "a duration above zero")
    return duration_us


def parse_interval_us(name: str, value: object) -> int | None:
    """Returns a duration in microseconds; None (never) for ``off``."""
    is_off = isinstance(value, str) and value.strip().lower() == "off"
    return None if is_off else parse_duration_us(name, value)


def parse_seconds(name: str, value: object) -> float:
    """Returns a duration above zero, in seconds."""
    return parse_positive_duration_us(name, value) / 1e6


def parse_time_zone(name: str, value: object) -> str:
    """Returns the name of a time zone that the machine's time zone database has."""
    from zoneinfo import ZoneInfo

    text = parse_name(name, value)
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise bad_value(name, value, f"a time zone such as 'UTC' or 'Europe/Berlin'{_zone_advice(text)}") from error
    return text


def _zone_advice(text: str) -> str:
    """Returns the end of an error: the zones of a city, or the name of an offset; empty if none is known."""
    from zoneinfo import available_timezones

    offset = re.fullmatch(r"(?:UTC|GMT)?([+-])0?(\d\d?)(?::?00)?", text, re.IGNORECASE)
    if offset is not None:
        return f"; write Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}, whose sign is that of POSIX"
    city = text.replace(" ", "_").lower()
    zones = sorted(zone for zone in available_timezones() if zone.lower().endswith(f"/{city}"))
    return f"; did you mean {zones[0]}?" if zones else ""


def _time_advice(value: object) -> str:
    """Returns the end of an error about a time that is relative, or a number; empty for other values."""
    text = str(value).strip().lower()
    if re.fullmatch(r"\d{9,10}|\d{12,13}", text):
        time = dt.datetime.fromtimestamp(int(text) / (1 if len(text) <= 10 else 1000), dt.timezone.utc)
        return (
            f"; write {time:%Y-%m-%dT%H:%M:%SZ} for this number of {'seconds' if len(text) <= 10 else 'milliseconds'}"
        )
    if isinstance(value, dt.timedelta) or re.fullmatch(r"-?\d+ *[a-z]+( ago)?|now.*|today|yesterday", text):
        return "; times are absolute: compute it, in a shell by $(date -u -d '1 hour ago' +%FT%TZ)"
    return ""


def parse_instant_us(name: str, value: object, zone: str) -> int:
    """Returns microseconds since the epoch, from a datetime, a date, or a string in ISO 8601.

    Values without a zone are wall-clock times in ``zone``.
    """
    from zoneinfo import ZoneInfo

    time: dt.datetime
    if isinstance(value, dt.datetime):
        time = value
    elif isinstance(value, dt.date):
        time = dt.datetime(value.year, value.month, value.day)
    else:
        text = value.strip() if isinstance(value, str) else ""
        shape = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?\s*(Z|[+-]\d\d:?\d\d)?)?"
        if not re.fullmatch(shape, text):
            raise bad_value(name, value, f"a time such as '2026-11-22T00:00:00Z' or '2026-11-22'{_time_advice(value)}")
        # fromisoformat of Python 3.10 accepts neither Z, nor +0100, nor fractions that are not of 3 or 6 digits.
        text = re.sub(r"\s*Z$", "+00:00", text)
        text = re.sub(r"\s*([+-]\d\d):?(\d\d)$", r"\1:\2", text) if len(text) > 10 else text
        text = re.sub(r"[.,](\d{1,9})", lambda m: "." + m[1].ljust(6, "0")[:6], text)
        try:
            time = dt.datetime.fromisoformat(text)
        except ValueError as error:
            raise bad_value(name, value, "a time that exists in the calendar") from error
    if time.tzinfo is None:
        time = time.replace(tzinfo=ZoneInfo(zone))
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
    return (time - epoch) // dt.timedelta(microseconds=1)
