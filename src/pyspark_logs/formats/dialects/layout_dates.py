"""The date conversion of Logback and Log4j 2: ``%d{pattern}{zone}``.

Source: Logback manual, chapter 6 "Layouts" (``%date``); Apache Log4j 2 manual, "Pattern Layout" (``%d``, predefined
formats).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.dialects.java_dates import to_strptime
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.temporal import Epoch, Timestamp

_DEFAULT = "%Y-%m-%d %H:%M:%S,%3f"
_PREDEFINED = {
    "DEFAULT": _DEFAULT,
    "DEFAULT_PERIOD": "%Y-%m-%d %H:%M:%S.%3f",
    "DEFAULT_MICROS": "%Y-%m-%d %H:%M:%S,%6f",
    "DEFAULT_NANOS": "%Y-%m-%d %H:%M:%S,%9f",
    "STRICT": "%Y-%m-%dT%H:%M:%S,%3f",
    "ISO8601_BASIC": "%Y%m%dT%H%M%S,%3f",
    "ISO8601_BASIC_PERIOD": "%Y%m%dT%H%M%S.%3f",
    "ISO8601_PERIOD": "%Y-%m-%dT%H:%M:%S.%3f",
    "ISO8601_PERIOD_MICROS": "%Y-%m-%dT%H:%M:%S.%6f",
    "ISO8601_OFFSET_DATE_TIME_HHMM": "%Y-%m-%dT%H:%M:%S,%3f%z",
    "ISO8601_OFFSET_DATE_TIME_HHCMM": "%Y-%m-%dT%H:%M:%S,%3f%:z",
    "COMPACT": "%Y%m%d%H%M%S%3f",
    "DATE": "%d %b %Y %H:%M:%S,%3f",
    "DATE_PERIOD": "%d %b %Y %H:%M:%S.%3f",
    "ABSOLUTE": "%H:%M:%S,%3f",
    "ABSOLUTE_PERIOD": "%H:%M:%S.%3f",
    "ABSOLUTE_MICROS": "%H:%M:%S,%6f",
    "ABSOLUTE_NANOS": "%H:%M:%S,%9f",
    "US_MONTH_DAY_YEAR2_TIME": "%m/%d/%y %H:%M:%S.%3f",
    "US_MONTH_DAY_YEAR4_TIME": "%m/%d/%Y %H:%M:%S.%3f",
}
_EPOCHS = {"UNIX": Epoch("s", digits=0), "UNIX_MILLIS": Epoch("ms", digits=0)}
_QUOTED = re.compile(r'"([^"]*)"(?:\s*,\s*(.*))?', re.DOTALL)
_UTC_OFFSET = re.compile(r"(?:GMT|UTC)([+-])0?(\d{1,2})(?::?00)?")


def date_type(options: Sequence[str], *, fixed_form: bool) -> FieldType:
    """Returns the type of ``%d{...}{...}``.

    Logback writes ``ISO8601`` with a space between date and time, Log4j 2 with a ``T``. Both are read, the space is
    written.

    Args:
        options: texts in braces.
        fixed_form: read ``ISO8601`` with a space only, because digits or a sign may follow the date immediately.

    Raises:
        FormatError: a pattern or time zone is not known.
    """
    pattern, zone = _pattern_and_zone(options)
    if pattern in _EPOCHS:
        return _EPOCHS[pattern]
    if pattern in ("", "ISO8601"):
        return Timestamp(_DEFAULT, zone) if fixed_form else Timestamp(None, zone, _DEFAULT)
    return Timestamp(_PREDEFINED.get(pattern) or to_strptime(pattern), zone)


def _pattern_and_zone(options: Sequence[str]) -> tuple[str, str | None]:
    """Returns the pattern, without double quotes, and the zone: the second option, or the text after a comma.

    A comma without a zone after it belongs to the pattern, as in Log4j 2. Logback requires quotes around such a pattern.
    """
    first = options[0].strip() if options else ""
    zone = _zone(options[1]) if len(options) > 1 else None
    quoted = _QUOTED.fullmatch(first)
    if quoted is not None:
        name = (quoted[2] or "").split(",")[0]
        return quoted[1], _zone(name) if name else zone
    texts = first.split(",")
    for count in (1, 2):  # zone, or zone and locale
        if len(texts) > count and re.search("[a-zA-Z]", texts[-count]) and len(texts[-count].strip()) > 1:
            try:
                return ",".join(texts[:-count]).strip(), _zone(texts[-count])
            except FormatError:  # the text belongs to the pattern, as SSS does
                continue
    return first, zone


def _zone(name: str) -> str:
    """Returns the name of a time zone in the IANA database; ``GMT+1`` is ``Etc/GMT-1`` there.

    Raises:
        FormatError: the zone is not known.
    """
    name = name.strip()
    offset = _UTC_OFFSET.fullmatch(name)
    zone = f"Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}" if offset and offset[2] != "0" else name
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise FormatError(
            f"{name!r} is not a time zone on this machine; known are UTC, Europe/Berlin and so on"
        ) from error
    return zone
