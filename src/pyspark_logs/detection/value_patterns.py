"""Values that are recognised at the beginning of a text: timestamps, levels, numbers, quoted strings, addresses."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from pyspark_logs.formats.timestamps.parsing import ISO, ISO_DATE, compile_pattern
from pyspark_logs.formats.timestamps.zone_names import NAMES

# Timestamp patterns that occur in logs, besides ISO 8601.
_STRPTIME_PATTERNS = (
    "%d/%b/%Y:%H:%M:%S %z",
    "%a %b %d %H:%M:%S.%f %Y",
    "%a %b %d %H:%M:%S %Y",
    "%a, %d %b %Y %H:%M:%S %Z",
    "%b %d %Y %H:%M:%S",
    "%b %d %H:%M:%S.%f",
    "%b %d %H:%M:%S",
    "%b %d, %Y %I:%M:%S %p",
    "%d %b %Y %H:%M:%S.%f",
    "%d %b %Y %H:%M:%S,%f",
    "%d %b %Y %H:%M:%S",
    "%d-%b-%Y %H:%M:%S.%f",
    "%d-%b-%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%d.%m.%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S.%f",
    "%Y/%m/%d %H:%M:%S",
    "%y/%m/%d %H:%M:%S",
    "%Y.%m.%d %H:%M:%S",
    "%Y-%m-%d-%H.%M.%S.%f",
    "%Y-%m-%d %H:%M:%S.%f %Z",
    "%Y-%m-%d %H:%M:%S %Z",
    "%Y%m%d-%H:%M:%S:%f",
    "%Y%m%dT%H%M%S.%f%z",
    "%Y%m%dT%H%M%S.%f",
    "%Y%m%dT%H%M%S%z",
    "%Y%m%dT%H%M%S",
    "%Y%m%d %H%M%S.%f",
    "%Y%m%d %H%M%S",
    "%Y%m%d-%H%M%S.%f",
    "%Y%m%d-%H%M%S",
    "%Y%m%d_%H%M%S",
    "%Y%m%d %H:%M:%S.%f",
    "%Y%m%d %H:%M:%S",
    "%Y%m%d%H%M%S",
    "%y%m%d %H%M%S",
    "%y%m%d %H:%M:%S",
    "%m-%d %H:%M:%S.%f",
    "%m%d %H:%M:%S.%f",
    "%m.%d %H:%M:%S",
    "%Y%m%d",
    "%H:%M:%S.%f",
    "%H:%M:%S,%f",
    "%H:%M:%S",
)

_LEVEL_WORDS = (
    "trace", "debug", "info", "information", "notice", "warn", "warning", "error", "err", "severe", "critical", "crit",
    "alert", "emerg", "emergency", "fatal", "panic", "fine", "finer", "finest", "config", "verbose",
)  # fmt: skip
LEVEL = re.compile(rf"({'|'.join(sorted(_LEVEL_WORDS, key=len, reverse=True))})(?![\w.-])", re.IGNORECASE | re.ASCII)
QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
INTEGER = re.compile(r"-?\d{1,18}(?![\w.:,/-])", re.ASCII)
DECIMAL = re.compile(r"-?\d{1,15}\.\d{1,12}(?![\w.:,/-])", re.ASCII)
QUANTITY = re.compile(r"(-?\d{1,15}(?:\.\d{1,12})?|-)(?P<unit>ns|us|µs|ms|s|m|h|B|[kKMGT]i?B|%)(?![\w.-])")
KEY = re.compile(r"([A-Za-z_][\w.-]*)=", re.ASCII)
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![\w-])", re.ASCII)
ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}(?![\w.-])|[0-9a-fA-F]{0,4}(:[0-9a-fA-F]{0,4}){2,7}(?![\w:.-])", re.ASCII)
REQUEST = re.compile(r'"(GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH|CONNECT|TRACE) ')


@dataclass(frozen=True)
class TimestampSyntax:
    """A syntax of timestamps.

    Attributes:
        notation: field type in the template notation.
        regex: regular expression of the timestamp.
    """

    notation: str
    regex: re.Pattern[str]

    def end(self, text: str) -> int:
        """Returns the end of the timestamp at the beginning of a text; 0 if there is none or its word continues."""
        match = self.regex.match(text)
        if match is None or _word_continues(text, match.end()) or not _is_usual(match):
            return 0
        return match.end()


def _is_usual(match: re.Match[str]) -> bool:
    """Returns False for a number that could be a compact date but has an unusual year, and for a word that is not a known zone.

    The reader accepts numbers of one digit, and any year and word.
    """
    groups = match.groupdict()
    if (zone := groups.get("Z")) is not None and zone.isalpha() and zone not in NAMES:
        return False
    if "Y" in groups and match[0][:8].isdigit():
        return groups["Y"][:2] in ("19", "20") and all(len(groups.get(unit) or "00") == 2 for unit in "mdHMS")
    return True


def _word_continues(text: str, end: int) -> bool:
    """Returns True if the characters at an offset continue a word, so that only a part of a timestamp has matched."""
    following = text[end : end + 1]
    if text[end - 1 : end].isalpha():  # the name of a zone
        return following.isalnum()
    return following.isalnum() or (following in (":", ".", ",", "/", "-", "+") and text[end + 1 : end + 2].isdigit())


@functools.cache
def timestamp_syntaxes() -> tuple[TimestampSyntax, ...]:
    """Returns the known syntaxes of timestamps, ISO 8601 first, and of dates last."""
    # Seconds of 2001 to 2033; numbers of other lengths are more often something else.
    epochs = [
        TimestampSyntax(f"epoch({unit})", re.compile(rf"1\d{{9}}{digits}(?!\d)", re.ASCII))
        for unit, digits in (("s", r"(?:\.\d{1,9})?"), ("ms", r"\d{3}"), ("us", r"\d{6}"), ("ns", r"\d{9}"))
    ]
    date = TimestampSyntax("date", re.compile(rf"(?:19|20)\d\d-{ISO_DATE.pattern.partition('-')[2]}", re.ASCII))
    patterns = [TimestampSyntax(f"timestamp({text})", compile_pattern(text).regex) for text in _STRPTIME_PATTERNS]
    return (TimestampSyntax("timestamp", ISO), *patterns, *epochs, date)
