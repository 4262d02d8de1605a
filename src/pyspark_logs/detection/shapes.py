"""What can be recognised at the beginning of a text: times, levels, numbers, quoted texts, addresses."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from pyspark_logs.formats.timestamps.parsing import ISO, compile_pattern

# Times that logs bear, beside ISO 8601; where several match, the one that reaches furthest is meant.
TIME_PATTERNS = (
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
    "%Y%m%d-%H:%M:%S:%f",
    "%Y%m%d %H:%M:%S.%f",
    "%Y%m%d %H:%M:%S",
    "%Y%m%d%H%M%S",
    "%y%m%d %H%M%S",
    "%y%m%d %H:%M:%S",
    "%m-%d %H:%M:%S.%f",
    "%m%d %H:%M:%S.%f",
    "%m.%d %H:%M:%S",
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
WHOLE = re.compile(r"-?\d{1,18}(?![\w.:,/-])", re.ASCII)
FRACTION = re.compile(r"-?\d{1,15}\.\d{1,12}(?![\w.:,/-])", re.ASCII)
QUANTITY = re.compile(r"(-?\d{1,15}(?:\.\d{1,12})?|-)(?P<unit>ns|us|µs|ms|s|m|h|B|[kKMGT]i?B|%)(?![\w.-])")
KEY = re.compile(r"([A-Za-z_][\w.-]*)=", re.ASCII)
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![\w-])", re.ASCII)
ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}(?![\w.-])|[0-9a-fA-F]{0,4}(:[0-9a-fA-F]{0,4}){2,7}(?![\w:.-])", re.ASCII)
REQUEST = re.compile(r'"(GET|POST|PUT|DELETE|HEAD|OPTIONS|PATCH|CONNECT|TRACE) ')
_BEHIND = re.compile(r"[\w:.,/+-]?", re.ASCII)


@dataclass(frozen=True)
class Time:
    """A kind of time: its type in the notation, and what it looks like."""

    notation: str
    regex: re.Pattern[str]

    def end(self, text: str) -> int:
        """Where the time at the beginning of a text ends; 0: there is none, or something goes on behind it."""
        found = self.regex.match(text)
        if found is None or _goes_on(text, found.end()):
            return 0
        return found.end()


def _goes_on(text: str, end: int) -> bool:
    """Whether what follows belongs to the same word: half a time is none."""
    behind = text[end : end + 1]
    return behind.isalnum() or (behind in (":", ".", ",", "/", "-", "+") and text[end + 1 : end + 2].isdigit())


@functools.cache
def times() -> tuple[Time, ...]:
    """All kinds of times, ISO 8601 first."""
    patterns = [Time(f"timestamp({text})", compile_pattern(text).regex) for text in TIME_PATTERNS]
    return (Time("timestamp", ISO), *patterns)
