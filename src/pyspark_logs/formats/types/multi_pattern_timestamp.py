"""Field type of timestamps in one of several patterns, for formats with dialects."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyspark_logs.formats.timestamps.parsing import ISO, ZONE_NAME, TimestampContext, compile_pattern, parse_iso_us
from pyspark_logs.formats.timestamps.shapes import ShapeDetector, TimestampShape, iso_shape, pattern_shape
from pyspark_logs.formats.timestamps.zone_names import NAMES
from pyspark_logs.formats.types.forms import CompiledForm, TimeNotation
from pyspark_logs.formats.types.temporal import Timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

ISO_8601 = ""
# Abbreviations that are a zone before a colon, and others before Cisco's mnemonic; a tag may be a word in upper case, too.
_ZONE = rf"(?i:utc|gmt)|{'|'.join(NAMES)}|[A-Z]{{2,6}}(?= ?: %[A-Z])"
_SECONDS = re.compile(r"\(\d{1,10}\)", re.ASCII)


@dataclass(frozen=True)
class MultiPatternTimestamp(Timestamp):
    """Timestamp in the first of several patterns that matches; rendered by ``pattern`` (None: ISO 8601).

    Attributes:
        patterns: strptime patterns or :data:`ISO_8601`. A pattern that is a prefix of another pattern comes after it.
        seconds: True if seconds since the epoch in parentheses are accepted, too.
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
            regex = compile_pattern(pattern).regex if pattern else ISO
            if regex.fullmatch(text):
                return compile_pattern(pattern).parse_us(text, context) if pattern else parse_iso_us(text, context.zone)
        raise ValueError("not a timestamp in any of the patterns of this field")

    @property
    def compiled_form(self) -> CompiledForm:
        return CompiledForm(converts=True)

    @property
    def time_notation(self) -> TimeNotation:
        return TimeNotation(self.patterns, self.seconds, self.zone)


@functools.lru_cache(maxsize=64)
def _regex(pattern: str) -> re.Pattern[str]:
    if not pattern:
        return ISO
    regex = compile_pattern(pattern).regex.pattern
    return re.compile(regex.replace(f"(?P<Z>{ZONE_NAME})", f"(?P<Z>{_ZONE})"), re.ASCII)


@functools.lru_cache(maxsize=64)
def _union(patterns: Sequence[str], seconds: bool) -> re.Pattern[str]:
    plain = [re.sub(r"\(\?P<\w+>", "(?:", _regex(pattern).pattern) for pattern in patterns]
    plain += [_SECONDS.pattern] if seconds else []
    return re.compile("|".join(f"(?:{alternative})" for alternative in plain), re.ASCII)


def _first_shape(patterns: Sequence[str], text: str) -> TimestampShape | None:
    for index, pattern in enumerate(patterns):
        if _regex(pattern).match(text):
            shape = pattern_shape(compile_pattern(pattern), text) if pattern else iso_shape(text)
            if shape is None or shape.zone_name not in (None, *NAMES):
                return None  # what follows decides if the word is a zone
            continuations, zone_may_follow = _continuations(patterns[:index], pattern)
            return replace(shape, continuations=continuations, zone_may_follow=zone_may_follow)
    return None


@functools.lru_cache(maxsize=64)
def _continuations(before: Sequence[str], pattern: str) -> tuple[tuple[bytes, ...], bool]:
    """Returns the texts with which earlier patterns that begin with this pattern continue after it.

    Returns:
        The texts, and True if a blank and the abbreviation of a zone are another continuation.

    >>> _continuations(("%H:%M.%f", "%H:%M %Z:"), "%H:%M")
    ((b'.',), True)
    """
    found: set[str] = set()
    zone_may_follow = False
    for other in before:
        if not (pattern and other.startswith(pattern)):
            continue
        text, *directives = re.split("%(.)", other[len(pattern) :], maxsplit=1, flags=re.DOTALL)
        head = re.match(r"([ \t]*)([^ \t]*)", text)
        blanks, letters = head.groups() if head is not None else ("", "")
        start = (" " if blanks else "") + letters
        reaches_directive = blanks + letters == text
        if start == " " and reaches_directive and directives[:1] == ["Z"]:
            zone_may_follow = True
        else:
            found.add(start)
    return tuple(sorted(text.lower().encode() for text in found)), zone_may_follow
