"""The conversion words of Logback and Log4j 2: what column each writes, and of what type.

Source: Logback manual, chapter 6 "Layouts"; Apache Log4j 2 manual, "Pattern Layout"; Spring Boot reference, "Logging".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.dialects.java_dates import to_strptime
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Boolean, Integer
from pyspark_logs.formats.types.temporal import Epoch, Timestamp
from pyspark_logs.formats.types.text import Text, Uuid

LINE_END, EXCEPTION, NOTHING, DATE, STACK = "line end", "exception", "nothing", "date", "stack"
_TEXT, _INT, _LONG = Text(), Integer(32), Integer(64)


@dataclass(frozen=True)
class Conversion:
    """What a word writes.

    Attributes:
        column: its name; of the first option in braces, where ``by_option`` is set and there is one.
        kind: empty for a field; else why there is none.
        null: what is written where there is nothing to write; None: there always is.
    """

    words: tuple[str, ...]
    column: str = ""
    type: FieldType = _TEXT
    kind: str = ""
    null: str | None = None
    by_option: bool = False


CONVERSIONS = (
    Conversion(("d", "date"), "timestamp", kind=DATE),
    Conversion(("p", "le", "level"), "level"),
    Conversion(("c", "lo", "logger"), "logger"),
    Conversion(("C", "class"), "class"),
    Conversion(("t", "thread", "tn", "threadName"), "thread"),
    Conversion(("m", "msg", "message"), "message"),
    Conversion(("L", "line"), "line", _INT, null="?"),
    Conversion(("F", "file"), "file"),
    Conversion(("M", "method"), "method"),
    Conversion(("l", "location"), "location"),
    Conversion(("caller",), kind=STACK),
    Conversion(("X", "mdc", "MDC"), "mdc", null="", by_option=True),
    Conversion(("x", "NDC"), "ndc", null=""),
    Conversion(("marker", "markerSimpleName"), "marker", null=""),
    Conversion(("r", "relative"), "relative_ms", _LONG),
    Conversion(("pid", "processId"), "pid", _LONG, null=""),
    Conversion(("T", "tid", "threadId"), "thread_id", _LONG),
    Conversion(("tp", "threadPriority"), "thread_priority", _INT),
    Conversion(("kvp",), "kvp", null=""),
    Conversion(("K", "map", "MAP"), "map", null="", by_option=True),
    Conversion(("property",), "property", null="", by_option=True),
    Conversion(("cn", "contextName"), "context_name"),
    Conversion(("sn", "sequenceNumber"), "sequence_number", _LONG),
    Conversion(("u", "uuid"), "uuid", Uuid()),
    Conversion(("i",), "index", _LONG),
    Conversion(("N", "nano"), "nano_time", _LONG),
    Conversion(("fqcn",), "fqcn"),
    Conversion(("endOfBatch",), "end_of_batch", Boolean()),
    Conversion(("n",), kind=LINE_END),
    Conversion(
        ("ex", "exception", "throwable", "xEx", "xException", "xThrowable", "rEx", "rException", "rThrowable",
         "rootException", "wEx", "wex"), kind=EXCEPTION,
    ),
    Conversion(("nopex", "nopexception"), kind=NOTHING),
)  # fmt: skip
WORDS = {word: conversion for conversion in CONVERSIONS for word in conversion.words}

_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white", "gray", "faint")
# Words around other conversions, whose text they only decorate.
AROUND = frozenset(
    {"highlight", "clr", "style", "replace", "maxLen", "maxLength", *_COLOURS}
    | {f"bold{colour.capitalize()}" for colour in _COLOURS}
    | {f"bright{colour.capitalize()}" for colour in _COLOURS}
)

# --- dates ---------------------------------------------------------------------------------------------------

ISO = "ISO8601"
_DEFAULT = "%Y-%m-%d %H:%M:%S,%3f"
_NAMED_DATES = {
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
_COUNTED = {"UNIX": Epoch("s", digits=0), "UNIX_MILLIS": Epoch("ms", digits=0)}


def date_type(options: Sequence[str], *, strict: bool) -> Timestamp | Epoch:
    """The type of ``%d{...}{...}``.

    ``ISO8601`` has a space in Logback and a ``T`` in Log4j 2: either is read, the space is written. With ``strict`` only
    the space is: where digits or a sign may follow at once.

    Raises:
        FormatError: a pattern or zone that is not known.
    """
    pattern, zone = _pattern_and_zone(options)
    if pattern in _COUNTED:
        return _COUNTED[pattern]
    if pattern in ("", ISO):
        return Timestamp(_DEFAULT, zone) if strict else Timestamp(None, zone, _DEFAULT)
    return Timestamp(_NAMED_DATES.get(pattern) or to_strptime(pattern), zone)


def _pattern_and_zone(options: Sequence[str]) -> tuple[str, str | None]:
    """The pattern, perhaps in double quotes, and the zone: another option, or behind a comma.

    A comma is part of the pattern if no zone is behind it: Log4j has it so, Logback wants the quotes.
    """
    first = options[0].strip() if options else ""
    zone = _zone(options[1]) if len(options) > 1 else None
    quoted = re.fullmatch(r'"([^"]*)"(?:\s*,\s*(.*))?', first, re.DOTALL)
    if quoted is not None:
        behind = (quoted[2] or "").split(",")[0]
        return quoted[1], _zone(behind) if behind else zone
    pieces = first.split(",")
    for count in (1, 2):  # zone, or zone and language
        if len(pieces) > count and re.search("[a-zA-Z]", pieces[-count]) and len(pieces[-count].strip()) > 1:
            try:
                return ",".join(pieces[:-count]).strip(), _zone(pieces[-count])
            except FormatError:  # part of the pattern: SSS
                continue
    return first, zone


def _zone(name: str) -> str:
    from zoneinfo import ZoneInfo

    name = name.strip()
    offset = re.fullmatch(r"(?:GMT|UTC)([+-])0?(\d{1,2})(?::?00)?", name)
    found = f"Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}" if offset and offset[2] != "0" else name
    try:
        ZoneInfo(found)
    except (KeyError, ValueError, OSError) as error:
        raise FormatError(f"{name!r} is no time zone that this machine knows, such as UTC or Europe/Berlin") from error
    return found
