"""Delimiters of fields in one line, for the line parser. :mod:`delimiter_search` finds them in all lines of a block."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pyspark_logs.formats.template.segments import Blanks, Literal, RightBound, Segment

BLANKS = re.compile(r"[ \t]+")


def begins(line: str, segment: Segment, position: int) -> bool:
    """Returns True if a literal or a blank is at the position."""
    if isinstance(segment, Literal):
        return line.startswith(segment.text, position)
    return line[position : position + 1] in (" ", "\t")


def find_first(line: str, delimiters: Sequence[Literal | Blanks], position: int) -> int:
    """Returns the position of the first of several delimiters from ``position`` on; -1 if the line has none of them."""
    first = -1
    # The last delimiter is seldom far away and bounds the search for the others.
    for delimiter in reversed(delimiters):
        end = len(line) if first < 0 else first
        if isinstance(delimiter, Literal):
            limit = end if first < 0 else end + len(delimiter.text) - 1
            found = line.find(delimiter.text, position, limit)
        else:
            blank = BLANKS.search(line, position, end)
            found = blank.start() if blank else -1
        first = found if found >= 0 else first
    return first


def find_last(line: str, bound: RightBound, position: int) -> int:
    """Returns the end of the field at ``position`` that ends at the last occurrence of a literal; -1 if there is none."""
    end = len(line)
    if bound.limit is not None:
        start = position
        for delimiter in bound.delimiters:
            found = line.find(delimiter.text, start)
            if found < 0:
                return -1
            start = found + len(delimiter.text)
        end = line.find(bound.limit.text, start)
    for delimiter in reversed(bound.delimiters):
        end = line.rfind(delimiter.text, position, end) if end >= 0 else -1
    return end
