"""Parsing of single timestamps in ISO 8601 and by strptime patterns.

Results are microseconds since the epoch. The functions of :mod:`~pyspark_logs.formats.timestamps.vectorized` give the same
results for columns.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from dataclasses import dataclass

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.timestamps.zone_names import offset_of_local, zone_info

DAY_US = 86_400_000_000
YEARS_BACK = 14  # to find a 29 February, which can be eight years back, with a margin
# Instants are in the years 1 to 9999, UTC, which Python and Spark both support.
LOWEST_US, HIGHEST_US = -62_135_596_800_000_000, 253_402_300_799_999_999

ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
ISO_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")  # fmt: skip
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class TimestampContext:
    """Properties of a file that determine the instants of its timestamps.

    Attributes:
        zone: IANA name of the zone of timestamps that have none.
        year_bound_us: latest possible instant of a timestamp without a year, which gets the latest year that fits.
    """

    zone: str = "UTC"
    year_bound_us: int = 0


class YearBoundError(Exception):
    """A year depends on the file, and the records are of several files."""


class SharedContext(TimestampContext):
    """Context of records of several files, which differ in their year bounds.

    Args:
        zone: IANA name of the zone of timestamps that have none.
    """

    def __init__(self, zone: str) -> None:
        object.__setattr__(self, "zone", zone)

    @property
    def year_bound_us(self) -> int:
        """Raises YearBoundError: there is a bound for each file."""
        raise YearBoundError


def datetime_to_utc_us(local: dt.datetime, zone: str) -> int:
    """Returns the instant of a local time: the earlier of two, and of a skipped time by the offset before the gap."""
    if zone == "UTC":
        offset = dt.timedelta(0)
    else:
        offset = zone_info(zone).utcoffset(local) or dt.timedelta(0)
    return (local - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1) - offset // dt.timedelta(microseconds=1)


def check_calendar_range(instant_us: int) -> int:
    """Returns the instant.

    Raises:
        ValueError: the instant is not in the years 1 to 9999.
    """
    if not LOWEST_US <= instant_us <= HIGHEST_US:
        raise ValueError("not in the years 1 to 9999")
    return instant_us


def parse_offset_us(text: str) -> int:
    """Parses an offset from UTC: ``Z``, ``+01:00`` or ``+0100``.

    Raises:
        ValueError: the hours exceed 23 or the minutes 59.
    """
    if text == "Z":
        return 0
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError(f"no such offset: {text}")
    return (hours * 60 + minutes) * 60_000_000 * (-1 if text[0] == "-" else 1)


def _micros(fraction: str | None, millis: str | None = None) -> int:
    return int(millis) * 1000 if millis else int((fraction or "0")[:6].ljust(6, "0"))


def parse_iso_us(text: str, zone: str) -> int:
    """Parses an ISO 8601 timestamp.

    Args:
        text: the whole text.
        zone: IANA name of the zone if the timestamp has none.

    Raises:
        ValueError: the text is not a timestamp, or the instant is out of range.
    """
    match = ISO.fullmatch(text)
    if match is None:
        raise ValueError("not an ISO 8601 timestamp")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    local = dt.datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), _micros(fraction))
    if offset is None:
        return check_calendar_range(datetime_to_utc_us(local, zone))
    return check_calendar_range(datetime_to_utc_us(local, "UTC") - parse_offset_us(offset))


def _names(directive: str, names: tuple[str, ...], width: int | None = None) -> str:
    return f"(?P<{directive}>(?i:{'|'.join(name[:width] for name in names)}))"


# Text of %Z. Java's SimpleDateFormat writes z as "GMT+02:00" for zones without an abbreviation.
ZONE_NAME = r"(?i:gmt|utc)[+-]\d\d?:[0-5]\d|[A-Za-z]{1,6}|[+-]\d\d(?::?[0-5]\d)?"
_DIRECTIVES = {
    "d": r"(?P<d>3[01]|[12]\d|0[1-9]|[1-9]| [1-9])",
    "e": r"(?P<d>3[01]|[12]\d|0[1-9]|[1-9]| [1-9])",
    "m": r"(?P<m>1[0-2]|0[1-9]|[1-9])",
    "y": r"(?P<y>\d\d)",
    "Y": r"(?P<Y>\d\d\d\d)",
    "b": _names("b", MONTHS, 3),
    "B": _names("B", MONTHS),
    "H": r"(?P<H>2[0-3]|[01]\d|\d)",
    "I": r"(?P<I>1[0-2]|0[1-9]|[1-9])",
    "p": _names("p", ("am", "pm")),
    "M": r"(?P<M>[0-5]\d|\d)",
    "S": r"(?P<S>6[01]|[0-5]\d|\d)",
    "f": r"(?P<f>\d{1,9})",
    "L": r"(?P<L>\d{1,3})",
    "z": r"(?P<z>Z|[+-]\d\d:?[0-5]\d)",
    "Z": f"(?P<Z>{ZONE_NAME})",
    "j": r"(?P<j>36[0-6]|3[0-5]\d|[12]\d\d|0[1-9]\d|00[1-9]|[1-9]\d|0[1-9]|[1-9])",
    "a": _names("a", DAYS, 3),
    "A": _names("A", DAYS),
}
_DIRECTIVES["h"] = _DIRECTIVES["b"]
_FRACTION = re.compile(r"%[1-9]f")
_SHORTHANDS = {"T": "%H:%M:%S", "D": "%m/%d/%y", "F": "%Y-%m-%d", "R": "%H:%M"}


@dataclass(frozen=True)
class TimestampPattern:
    """Compiled strptime pattern with Python's directives, English names and some extensions.

    ``%f`` parses 1 to 9 digits and ``%3f`` three digits. ``%L`` (Ruby) is a number of milliseconds from 0 to 999, whereas
    ``%f`` is a fraction. ``%:z`` parses the same as ``%z`` and is rendered with a colon.

    Attributes:
        text: the pattern.
        regex: regular expression of the timestamps, with a group for each directive.
        tokens: directives (``%Y``, ``%%``), runs of blanks and other text, in order.
    """

    text: str
    regex: re.Pattern[str]
    tokens: tuple[str, ...]

    @property
    def directives(self) -> tuple[str, ...]:
        """Letters of the directives, in order."""
        return tuple(item[-1] for item in self.tokens if item[0] == "%" and item != "%%")

    @property
    def fraction_digits(self) -> int | None:
        """Number of digits of the fraction; None if it varies or the pattern has no fraction."""
        return next((int(item[1]) for item in self.tokens if _FRACTION.fullmatch(item)), None)

    def parse_us(self, text: str, context: TimestampContext) -> int:
        """Parses a timestamp.

        Raises:
            ValueError: the text does not match the pattern, the date does not exist, or the instant is out of range.
        """
        match = self.regex.fullmatch(text)
        if match is None:
            raise ValueError(f"does not match the pattern {self.text}")
        part = match.groupdict()
        hour = int(part.get("H") or 0)
        if part.get("I"):
            hour = int(part["I"]) % 12 + (12 if (part.get("p") or "").lower() == "pm" else 0)
        clock = dt.time(hour, int(part.get("M") or 0), int(part.get("S") or 0), _micros(part.get("f"), part.get("L")))
        if part.get("Y"):
            return _instant(int(part["Y"]), part, clock, context.zone)
        if part.get("y"):
            short = int(part["y"])
            return _instant(short + (1900 if short > 68 else 2000), part, clock, context.zone)
        return _latest_year(part, clock, context)


def _parse_date(year: int, part: dict[str, str | None]) -> dt.date:
    if part.get("j"):
        day = int(part["j"] or 0)
        if day > dt.date(year, 12, 31).timetuple().tm_yday:
            raise ValueError("the year does not have this day")
        return dt.date(year, 1, 1) + dt.timedelta(days=day - 1)
    month = int(part.get("m") or 0)
    for key, width in (("b", 3), ("B", None)):
        if part.get(key):
            month = [name[:width] for name in MONTHS].index((part[key] or "").lower()) + 1
    return dt.date(year, month or 1, int(part.get("d") or 1))


def _instant(year: int, part: dict[str, str | None], clock: dt.time, zone: str) -> int:
    local = dt.datetime.combine(_parse_date(year, part), clock)
    if part.get("z"):
        offset = parse_offset_us(part["z"] or "")
    elif part.get("Z"):
        offset = parse_zone_name_us(part["Z"] or "", local, zone)
    else:
        return check_calendar_range(datetime_to_utc_us(local, zone))
    return check_calendar_range(datetime_to_utc_us(local, "UTC") - offset)


def parse_zone_name_us(name: str, local: dt.datetime, zone: str) -> int:
    """Returns the offset from UTC of the abbreviation of a zone.

    Args:
        name: abbreviation or number.
        local: local time beside it.
        zone: IANA name of the zone of the file.

    Raises:
        ValueError: the abbreviation has no offset.
    """
    offset = offset_of_local(name, local, zone)
    if offset is None:
        raise ValueError(
            "the abbreviation of the zone is unknown, or several zones use it: set the option timeZone to one of these"
        )
    return offset // dt.timedelta(microseconds=1)


def utc_year(instant_us: int) -> int:
    """Returns the year of an instant in UTC."""
    return (dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=instant_us)).year


def _latest_year(part: dict[str, str | None], clock: dt.time, context: TimestampContext) -> int:
    newest = utc_year(context.year_bound_us) + 1  # the next year may have begun in some zone
    error = ValueError("no year fits")
    for year in range(newest, newest - YEARS_BACK, -1):
        try:
            instant = _instant(year, part, clock, context.zone)
        except ValueError as failure:  # 29 February does not exist in most years
            error = failure
            continue
        if instant <= context.year_bound_us:
            return instant
    raise error


@functools.lru_cache(maxsize=64)
def compile_pattern(text: str) -> TimestampPattern:
    """Compiles a strptime pattern.

    Raises:
        FormatError: a directive is unknown or occurs twice, or the pattern has no directive.

    >>> compile_pattern("%d/%b/%Y:%H:%M:%S %z").parse_us("22/Nov/2026:00:00:00 +0000", TimestampContext())
    1795305600000000
    """
    expanded = re.sub("%(.)", lambda match: _SHORTHANDS.get(match[1], match[0]), text, flags=re.DOTALL)
    regex = []
    tokens = tuple(re.findall(r"%[1-9]f|%:z|%.|[ \t]+|[^% \t]+|%$", expanded, re.DOTALL))
    for item in tokens:
        if item[0] in " \t":
            regex.append(r"[ \t]+")
        elif item == "%%":
            regex.append("%")
        elif _FRACTION.fullmatch(item):
            regex.append(rf"(?P<f>\d{{{item[1]}}})")
        elif item[0] == "%":
            directive = _DIRECTIVES.get(item[1:].removeprefix(":"))
            if directive is None:
                known = " ".join(f"%{name}" for name in _DIRECTIVES)
                raise FormatError(
                    f"timestamp pattern {text!r}: unknown directive {item!r}; known are {known} %3f %:z %%"
                )
            regex.append(directive)
        else:
            regex.append(re.escape(item))
    if {"%f", "%L"} <= set(tokens):
        raise FormatError(f"timestamp pattern {text!r}: %f and %L are both the fraction of a second; use one of them")
    if not any(part.startswith("(?P") for part in regex):
        raise FormatError(
            f"timestamp pattern {text!r} has no directive; omit the parentheses for ISO 8601, or write those of strptime, such as %Y-%m-%d"
        )
    try:
        return TimestampPattern(text, re.compile("".join(regex), re.ASCII), tokens)
    except re.error as error:
        raise FormatError(f"timestamp pattern {text!r}: a directive occurs twice ({error})") from error
