"""Timestamps that are spelt in one of several ways, for formats of which there are dialects."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyspark_logs.formats.timestamps.parsing import ISO, ZONE_NAMES, TimestampContext, compile_pattern, parse_iso_us
from pyspark_logs.formats.timestamps.shapes import ShapeDetector, TimestampShape, iso_shape, pattern_shape
from pyspark_logs.formats.types.temporal import Timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

ISO_8601 = ""
_SECONDS = re.compile(r"\(\d{1,10}\)", re.ASCII)


@dataclass(frozen=True)
class MultiPatternTimestamp(Timestamp):
    """A timestamp of one of several patterns: the first that stands there; written by ``pattern`` (None: ISO 8601).

    Attributes:
        patterns: strptime patterns; :data:`ISO_8601` stands for that. One that another begins with comes after it.
        seconds: whether seconds since the epoch in parentheses are one, too.
    """

    patterns: tuple[str, ...] = ()
    seconds: bool = False

    @property
    def syntax(self) -> re.Pattern[str]:
        return _union(self.patterns, self.seconds)

    def never_begins(self, character: str) -> bool:
        return not (character.isalnum() or character in " \t" or (self.seconds and character == "("))

    @property
    def shape_detector(self) -> ShapeDetector:
        return functools.partial(_first_shape, self.patterns)

    def parse(self, text: str, context: TimestampContext) -> int:
        if self.seconds and _SECONDS.fullmatch(text):
            return int(text[1:-1]) * 1_000_000
        for pattern in self.patterns:
            if _regex(pattern).fullmatch(text):
                return compile_pattern(pattern).parse_us(text, context) if pattern else parse_iso_us(text, context.zone)
        raise ValueError("not a timestamp of any of the forms that this field has")


def _regex(pattern: str) -> re.Pattern[str]:
    return compile_pattern(pattern).regex if pattern else ISO


@functools.lru_cache(maxsize=64)
def _union(patterns: Sequence[str], seconds: bool) -> re.Pattern[str]:
    plain = [re.sub(r"\(\?P<\w+>", "(?:", _regex(pattern).pattern) for pattern in patterns]
    plain += [_SECONDS.pattern] if seconds else []
    return re.compile("|".join(f"(?:{one})" for one in plain), re.ASCII)


def _first_shape(patterns: Sequence[str], text: str) -> TimestampShape | None:
    for place, pattern in enumerate(patterns):
        if _regex(pattern).match(text):
            shape = pattern_shape(compile_pattern(pattern), text) if pattern else iso_shape(text)
            longer = _longer(patterns[:place], pattern)
            return replace(shape, longer=longer) if shape is not None and longer else shape
    return None


@functools.lru_cache(maxsize=64)
def _longer(before: Sequence[str], pattern: str) -> tuple[bytes, ...]:
    """What the rest of each pattern that comes before this one, and goes on where it ends, begins with.

    >>> _longer(("%H:%M.%f", "%H:%M %Z:"), "%H:%M")
    (b' gmt', b' utc', b'.')
    """
    found: set[str] = set()
    for other in before:
        if not (pattern and other.startswith(pattern)):
            continue
        text, *directives = re.split("%(.)", other[len(pattern) :], maxsplit=1, flags=re.DOTALL)
        head = re.match(r"([ \t]*)([^ \t]*)", text)
        blanks, letters = head.groups() if head is not None else ("", "")
        begin = (" " if blanks else "") + letters
        whole = blanks + letters == text
        found.update([begin + name for name in ZONE_NAMES] if whole and directives[:1] == ["Z"] else [begin])
    return tuple(sorted(one.lower().encode() for one in found))
