"""What timestamps look like: where the parts of one stand, and of all that are as long and spelled alike.

A :class:`TimestampShape` is learnt from one example; ``columns`` reads all texts of it together.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from pyspark_logs.formats.timestamps.parsing import ISO, ISO_DATE, TimestampPattern


@dataclass(frozen=True)
class TimestampShape:
    """Where the parts stand in all texts that look like one example: ``(directive, start, width)``.

    Attributes:
        longer: behind which of these, whatever their case, the text may be of another form that goes on with them; a
            blank at the beginning stands for any blanks.
    """

    width: int
    parts: tuple[tuple[str, int, int], ...]
    example: bytes
    iso: bool = False
    longer: tuple[bytes, ...] = ()

    @cached_property
    def literals(self) -> list[int]:
        """The places of what is of no part."""
        covered = {place for _, start, width in self.parts for place in range(start, start + width)}
        return [place for place in range(self.width) if place not in covered]

    @property
    def has_year(self) -> bool:
        """Whether a year is among the parts."""
        return any(name in ("Y", "y") for name, _, _ in self.parts)


ShapeDetector = Callable[[str], TimestampShape | None]

_ISO_GROUPS = "YmdHMSfz"
# In other widths a part's value is written so rarely that the exact parser may have it.
FULL_WIDTH = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}


def iso_shape(text: str) -> TimestampShape | None:
    """The shape of the ISO timestamp at the start of ``text``."""
    match = ISO.match(text)
    if match is None:
        return None
    parts = tuple((_ISO_GROUPS[i], *_span(match, i + 1)) for i in range(8) if match.group(i + 1) is not None)
    return TimestampShape(match.end(), parts, match.group().encode(), iso=True)


def date_shape(text: str) -> TimestampShape | None:
    """The shape of the date YYYY-MM-DD at the start of ``text``."""
    match = ISO_DATE.match(text)
    return (
        None if match is None else TimestampShape(10, (("Y", 0, 4), ("m", 5, 2), ("d", 8, 2)), match.group().encode())
    )


def pattern_shape(pattern: TimestampPattern, text: str) -> TimestampShape | None:
    """The shape of the pattern's match at the start of ``text``; None where it is not one we vectorise."""
    match = pattern.regex.match(text)
    if match is None or not match.group().isascii() or {"I", "p", "j", "Z"} & set(pattern.regex.groupindex):
        return None
    spans = sorted((*_span(match, group), name) for name, group in pattern.regex.groupindex.items())
    parts = tuple((name, start, width) for start, width, name in spans)
    days = [start for name, start, _ in parts if name == "d"]
    for name, start, width in parts:
        # How many digits a part has is certain only if no digit follows, of another part or a literal; and a day that a
        # blank begins here has a digit there in other texts.
        end = start + width
        certain = not match.group()[end : end + 1].isdigit() and end not in days
        full = FULL_WIDTH.get(name, width) == width
        if not (width == 1 or full) or not (certain or (full and name not in ("f", "L"))):
            return None
    return TimestampShape(match.end(), parts, match.group().encode())


def _span(match: re.Match[str], group: int) -> tuple[int, int]:
    return match.start(group), match.end(group) - match.start(group)
