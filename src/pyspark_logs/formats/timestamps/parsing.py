"""Timestamps one text at a time: ISO 8601 and strptime patterns. The exact ones.

Every function speaks of microseconds since the epoch; ``columns`` does the same by the column.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from dataclasses import dataclass

from pyspark_logs.errors import FormatError

DAY_US = 86_400_000_000
YEARS_BACK = 14  # how far back 29 February may have to be looked for, and some
# Instants lie in the years 1 to 9999, UTC: what Python's and Spark's calendars have in common.
LOWEST_US, HIGHEST_US = -62_135_596_800_000_000, 253_402_300_799_999_999

ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
ISO_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")  # fmt: skip
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class TimestampContext:
    """What a file says about its records' times.

    Attributes:
        zone: IANA name of the zone that zoneless timestamps are read in.
        year_bound_us: a timestamp without a year gets the latest year that puts it no later than this.
    """

    zone: str = "UTC"
    year_bound_us: int = 0


@functools.lru_cache(maxsize=16)
def zone_info(zone: str) -> dt.tzinfo:
    """The zone of an IANA name."""
    from zoneinfo import ZoneInfo

    return ZoneInfo(zone)


def datetime_to_utc_us(wall: dt.datetime, zone: str) -> int:
    """Microseconds of a wall-clock time; the earlier of two, and a skipped one as before the skip."""
    if zone == "UTC":
        offset = dt.timedelta(0)
    else:
        offset = zone_info(zone).utcoffset(wall) or dt.timedelta(0)
    return (wall - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1) - offset // dt.timedelta(microseconds=1)


def check_calendar_range(instant_us: int) -> int:
    """The instant; ValueError where it is not in the years 1 to 9999."""
    if not LOWEST_US <= instant_us <= HIGHEST_US:
        raise ValueError("not in the years 1 to 9999")
    return instant_us


def parse_offset_us(text: str) -> int:
    """Of ``Z``, ``+01:00`` or ``+0100``."""
    if text == "Z":
        return 0
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError(f"no such offset: {text}")
    return (hours * 60 + minutes) * 60_000_000 * (-1 if text[0] == "-" else 1)


def _micros(fraction: str | None, millis: str | None = None) -> int:
    return int(millis) * 1000 if millis else int((fraction or "0")[:6].ljust(6, "0"))


def parse_iso_us(text: str, zone: str) -> int:
    """A whole ISO 8601 timestamp. Raises ValueError where it is none or is not in the calendar."""
    match = ISO.fullmatch(text)
    if match is None:
        raise ValueError("not an ISO 8601 timestamp")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    wall = dt.datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), _micros(fraction))
    if offset is None:
        return check_calendar_range(datetime_to_utc_us(wall, zone))
    return check_calendar_range(datetime_to_utc_us(wall, "UTC") - parse_offset_us(offset))


def _names(directive: str, names: tuple[str, ...], width: int | None = None) -> str:
    return f"(?P<{directive}>(?i:{'|'.join(name[:width] for name in names)}))"


ZONE_NAMES = ("utc", "gmt")  # that %Z reads, in any case: other abbreviations do not say which zone they are of
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
    "Z": _names("Z", ZONE_NAMES),
    "j": r"(?P<j>36[0-6]|3[0-5]\d|[12]\d\d|0[1-9]\d|00[1-9]|[1-9]\d|0[1-9]|[1-9])",
    "a": _names("a", DAYS, 3),
    "A": _names("A", DAYS),
}
_DIRECTIVES["h"] = _DIRECTIVES["b"]
_FRACTION = re.compile(r"%[1-9]f")
_COMPOSITES = {"T": "%H:%M:%S", "D": "%m/%d/%y", "F": "%Y-%m-%d", "R": "%H:%M"}


@dataclass(frozen=True)
class TimestampPattern:
    """A compiled strptime pattern: Python's directives, English names, ``%f`` of 1 to 9 digits, ``%3f`` of three.

    ``%L`` is Ruby's for milliseconds: a number from 0 to 999, of which ``%f`` would make a fraction. ``%:z`` reads what
    ``%z`` does, and is written with a colon.

    Attributes:
        pieces: directives (``%Y``, ``%%``), runs of blanks and the text between, in order.
    """

    text: str
    regex: re.Pattern[str]
    pieces: tuple[str, ...]

    @property
    def directives(self) -> tuple[str, ...]:
        """The letters of the directives, in order."""
        return tuple(piece[-1] for piece in self.pieces if piece[0] == "%" and piece != "%%")

    @property
    def digits(self) -> int | None:
        """How many digits the fraction has; None: as many as there are, or no fraction."""
        return next((int(piece[1]) for piece in self.pieces if _FRACTION.fullmatch(piece)), None)

    def parse_us(self, text: str, context: TimestampContext) -> int:
        """A whole text. Raises ValueError where it does not match or is not in the calendar."""
        match = self.regex.fullmatch(text)
        if match is None:
            raise ValueError(f"not of the pattern {self.text}")
        part = match.groupdict()
        hour = int(part.get("H") or 0)
        if part.get("I"):
            hour = int(part["I"]) % 12 + (12 if (part.get("p") or "").lower() == "pm" else 0)
        clock = dt.time(hour, int(part.get("M") or 0), int(part.get("S") or 0), _micros(part.get("f"), part.get("L")))
        offset = parse_offset_us(part["z"]) if part.get("z") else 0 if part.get("Z") else None
        if part.get("Y"):
            return _instant(int(part["Y"]), part, clock, offset, context.zone)
        if part.get("y"):
            short = int(part["y"])
            return _instant(short + (1900 if short > 68 else 2000), part, clock, offset, context.zone)
        return _latest_year(part, clock, offset, context)


def _month_day(year: int, part: dict[str, str | None]) -> dt.date:
    if part.get("j"):
        day = int(part["j"] or 0)
        if day > dt.date(year, 12, 31).timetuple().tm_yday:
            raise ValueError("the year has no such day")
        return dt.date(year, 1, 1) + dt.timedelta(days=day - 1)
    month = int(part.get("m") or 0)
    for key, width in (("b", 3), ("B", None)):
        if part.get(key):
            month = [name[:width] for name in MONTHS].index((part[key] or "").lower()) + 1
    return dt.date(year, month or 1, int(part.get("d") or 1))


def _instant(year: int, part: dict[str, str | None], clock: dt.time, offset: int | None, zone: str) -> int:
    wall = dt.datetime.combine(_month_day(year, part), clock)
    return check_calendar_range(
        datetime_to_utc_us(wall, zone) if offset is None else datetime_to_utc_us(wall, "UTC") - offset
    )


def utc_year(instant_us: int) -> int:
    """The year (UTC) of an instant."""
    return (dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=instant_us)).year


def _latest_year(part: dict[str, str | None], clock: dt.time, offset: int | None, context: TimestampContext) -> int:
    newest = utc_year(context.year_bound_us) + 1  # in some zone it may be next year already
    error = ValueError("no year fits")
    for year in range(newest, newest - YEARS_BACK, -1):
        try:
            instant = _instant(year, part, clock, offset, context.zone)
        except ValueError as failed:  # 29 February exists in every fourth year or so only
            error = failed
            continue
        if instant <= context.year_bound_us:
            return instant
    raise error


@functools.lru_cache(maxsize=64)
def compile_pattern(text: str) -> TimestampPattern:
    """Compile a strptime pattern.

    Raises:
        FormatError: a directive that is unknown or appears twice.

    >>> compile_pattern("%d/%b/%Y:%H:%M:%S %z").parse_us("22/Nov/2026:00:00:00 +0000", TimestampContext())
    1795305600000000
    """
    expanded = re.sub("%(.)", lambda match: _COMPOSITES.get(match[1], match[0]), text, flags=re.DOTALL)
    out = []
    pieces = tuple(re.findall(r"%[1-9]f|%:z|%.|[ \t]+|[^% \t]+|%$", expanded, re.DOTALL))
    for piece in pieces:
        if piece[0] in " \t":
            out.append(r"[ \t]+")
        elif piece == "%%":
            out.append("%")
        elif _FRACTION.fullmatch(piece):
            out.append(rf"(?P<f>\d{{{piece[1]}}})")
        elif piece[0] == "%":
            directive = _DIRECTIVES.get(piece[1:].removeprefix(":"))
            if directive is None:
                known = " ".join(f"%{name}" for name in _DIRECTIVES)
                raise FormatError(
                    f"timestamp pattern {text!r}: unknown directive {piece!r}; known are {known} %3f %:z %%"
                )
            out.append(directive)
        else:
            out.append(re.escape(piece))
    if {"%f", "%L"} <= set(pieces):
        raise FormatError(f"timestamp pattern {text!r}: %f and %L both give the part of the second; one must do")
    if not any(piece.startswith("(?P") for piece in out):
        raise FormatError(f"timestamp pattern {text!r} has no directive; leave the parentheses out for ISO 8601")
    try:
        return TimestampPattern(text, re.compile("".join(out), re.ASCII), pieces)
    except re.error as error:
        raise FormatError(f"timestamp pattern {text!r}: a directive appears twice ({error})") from error
