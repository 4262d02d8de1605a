"""Values of SQL literals, as Spark reads them.

Sources: https://spark.apache.org/docs/latest/sql-ref-literals.html, and for casts of strings to dates and times the
functions ``stringToDate`` and ``parseTimestampString`` of Spark's ``SparkDateTimeUtils``.
"""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.DOTALL)
_ESCAPED = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "%": "\\%", "_": "\\_"}

_TIME = re.compile(
    r"(\d{4})(?:-(\d\d?)(?:-(\d\d?)(?:[ T](\d\d?):(\d\d?)(?::(\d\d?)(?:\.(\d*))?\s*(Z|[+-]\d\d?(?::?\d\d)?|[A-Za-z][\w/+:-]*)?)?)?)?)?"
)
_DATE = re.compile(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?)(?:[ T].*)?)?)?", re.DOTALL)
_OFFSET = re.compile(r"(?:UTC|GMT|UT)?([+-])(\d\d?)(?::?(\d\d))?")
# The characters that Spark's UTF8String.trimAll removes.
_SPACES = "".join(map(chr, range(33)))


def unquote(token: str) -> str:
    r"""Returns the value of a quoted string, with or without the prefix ``r``.

    Raises:
        ValueError: an escape is not a Unicode character, or is half of a surrogate pair.

    >>> unquote(r"'it''s \u0041\n'"), unquote(r"r'\d'"), unquote(r"'100\%'")
    ("it's A\n", '\\d', '100\\%')
    """
    text = token[2:-1] if token[0] in "rR" else _unescape_all(token[1:-1], token[0])
    try:
        # Two escapes ``\u`` can be one character, as in Java, whose strings are UTF-16.
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ValueError("one half of a surrogate pair is not a character") from None


def _unescape_all(text: str, quote: str) -> str:
    undoubled = re.sub(rf"(\\.)|{quote}{quote}", lambda m: m[1] or "\\" + quote, text, flags=re.DOTALL)
    return _ESCAPE.sub(_unescape, undoubled)


def _unescape(match: re.Match[str]) -> str:
    if match[1] or match[2]:
        code = int(match[1] or match[2], 16)
        if code > 0x10FFFF:
            raise ValueError(rf"{match[0]} is not a character; the last one is \U0010FFFF")
        return chr(code)
    if match[3]:
        return chr(int(match[3], 8))
    return _ESCAPED.get(match[4], match[4])


def parse_date(text: str) -> dt.date | None:
    """Returns the date of a string as Spark's cast reads it; None if it is not a date.

    >>> parse_date("2026-1-5"), parse_date("2026-02-30")
    (datetime.date(2026, 1, 5), None)
    """
    match = _DATE.fullmatch(text.strip(_SPACES))
    if match is None:
        return None
    try:
        return dt.date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return None


def parse_timestamp(text: str, zone: str | None) -> dt.datetime | None:
    """Returns the time of a string as Spark's cast reads it; None if it is not a time.

    Args:
        text: date and time; all parts after the year can be missing; a fraction is cut to microseconds. A zone follows
            seconds only.
        zone: time zone of texts without a zone. None for a wall-clock time, for which a zone in the text is ignored.

    >>> parse_timestamp("2026-01-05 7:30:00+01:00", "UTC"), parse_timestamp("2026-01", None)
    (datetime.datetime(2026, 1, 5, 6, 30, tzinfo=datetime.timezone.utc), datetime.datetime(2026, 1, 1, 0, 0))
    """
    match = _TIME.fullmatch(text.strip(_SPACES))
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, given = match.groups()
    try:
        time = dt.datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0)
        )
        time = time.replace(microsecond=int((fraction or "").ljust(6, "0")[:6]))
        if zone is None:
            return time
        # Of a time that a change of the offset repeats or skips, Python (fold=0) takes the offset before it, as Java does.
        return time.replace(tzinfo=_zone(given or zone)).astimezone(dt.timezone.utc)
    except (ValueError, KeyError, OSError, OverflowError):
        return None


def has_zone(text: str) -> bool:
    """Returns True if a text that :func:`parse_timestamp` reads ends in a zone."""
    match = _TIME.fullmatch(text.strip(_SPACES))
    return match is not None and match[8] is not None


def midnight(date: dt.date, zone: str | None) -> dt.datetime:
    """Returns the first instant of a day in a time zone; its wall-clock time for None."""
    time = dt.datetime(date.year, date.month, date.day)
    return time if zone is None else time.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.timezone.utc)


def parse_integer(text: str) -> int | None:
    """Returns the bigint of a string; None if the string is not a bigint."""
    text = text.strip(_SPACES)
    number = int(text) if re.fullmatch(r"[+-]?[0-9]{1,40}", text) else None
    return number if number is not None and -(1 << 63) <= number < 1 << 63 else None


def parse_double(text: str) -> float | None:
    """Returns the double of a string; None if the string is not a double."""
    text = text.strip(_SPACES)
    if re.fullmatch(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?", text):
        return float(text.rstrip("dDfF"))
    return float(text) if re.fullmatch(r"nan|[+-]?inf(?:inity)?", text.lower()) else None


def parse_boolean(text: str) -> bool | None:
    """Returns the boolean of a string; None if the string is not a boolean."""
    word = text.strip(_SPACES).lower()
    if word in ("t", "true", "y", "yes", "1"):
        return True
    return False if word in ("f", "false", "n", "no", "0") else None


def _zone(text: str) -> dt.tzinfo:
    offset = _OFFSET.fullmatch(text)
    if offset is None:
        return dt.timezone.utc if text in ("Z", "UTC", "GMT", "UT") else ZoneInfo(text)
    delta = dt.timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
    return dt.timezone(delta if offset[1] == "+" else -delta)
