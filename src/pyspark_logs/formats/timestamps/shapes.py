"""Shapes of timestamps: the positions of the parts in all texts that have the same form and length as an example.

:mod:`~pyspark_logs.formats.timestamps.vectorized` parses all texts of a shape together.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from pyspark_logs.formats.timestamps.parsing import ISO, ISO_DATE, TimestampPattern


@dataclass(frozen=True)
class TimestampShape:
    """Positions of the parts in all texts with the same form as an example.

    Attributes:
        width: length of the texts in bytes.
        parts: directive, start index and width of each part.
        example: a text of the shape.
        iso: True if the texts are in ISO 8601.
        continuations: texts, in upper or lower case, that may follow if the timestamp is of another, longer pattern; a
            blank at the start stands for one or two blanks.
        zone_may_follow: True if a blank, the abbreviation of a zone and a colon are such a text.
    """

    width: int
    parts: tuple[tuple[str, int, int], ...]
    example: bytes
    iso: bool = False
    continuations: tuple[bytes, ...] = ()
    zone_may_follow: bool = False

    @cached_property
    def literals(self) -> list[int]:
        """Indices of the bytes that belong to no part."""
        covered = {index for _, start, width in self.parts for index in range(start, start + width)}
        return [index for index in range(self.width) if index not in covered]

    @property
    def zone_name(self) -> str | None:
        """Abbreviation of a zone that is the same in all texts of the shape; None: they have none."""
        return next(
            (self.example[start : start + width].decode() for name, start, width in self.parts if name == "Z"), None
        )

    @property
    def has_year(self) -> bool:
        """True if a part is a year."""
        return any(name in ("Y", "y") for name, _, _ in self.parts)


ShapeDetector = Callable[[str], TimestampShape | None]

_ISO_GROUPS = "YmdHMSfz"
# Widths of padded parts. Other widths above one digit are rare; the parser of single texts handles them.
FULL_WIDTH = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}


def iso_shape(text: str) -> TimestampShape | None:
    """Returns the shape of the ISO 8601 timestamp at the start of the text."""
    match = ISO.match(text)
    if match is None:
        return None
    parts = tuple((_ISO_GROUPS[i], *_span(match, i + 1)) for i in range(8) if match.group(i + 1) is not None)
    return TimestampShape(match.end(), parts, match.group().encode(), iso=True)


def date_shape(text: str) -> TimestampShape | None:
    """Returns the shape of the date YYYY-MM-DD at the start of the text."""
    match = ISO_DATE.match(text)
    return (
        None if match is None else TimestampShape(10, (("Y", 0, 4), ("m", 5, 2), ("d", 8, 2)), match.group().encode())
    )


def pattern_shape(pattern: TimestampPattern, text: str) -> TimestampShape | None:
    """Returns the shape of the match at the start of the text; None if there is no match or it cannot be vectorized."""
    match = pattern.regex.match(text)
    if match is None or not match.group().isascii() or {"I", "p", "j"} & set(pattern.regex.groupindex):
        return None
    if "Z" in pattern.regex.groupindex and not {"Y", "y"} & set(pattern.regex.groupindex):
        return None
    spans = sorted((*_span(match, group), name) for name, group in pattern.regex.groupindex.items())
    parts = tuple((name, start, width) for start, width, name in spans)
    days = [start for name, start, _ in parts if name == "d"]
    for name, start, width in parts:
        # The width of a part is unambiguous only if no digit follows it. A day that begins with a blank here begins with a
        # digit in other texts.
        end = start + width
        unambiguous = not match.group()[end : end + 1].isdigit() and end not in days
        full = FULL_WIDTH.get(name, width) == width
        if not (width == 1 or full) or not (unambiguous or (full and name not in ("f", "L"))):
            return None
    return TimestampShape(match.end(), parts, match.group().encode())


def _span(match: re.Match[str], group: int) -> tuple[int, int]:
    return match.start(group), match.end(group) - match.start(group)
