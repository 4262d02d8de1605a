"""The beginning of the lines of a template: their first bytes, and a regular expression."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import from_texts
from pyspark_logs.formats.line_start import LineStart
from pyspark_logs.formats.template.segments import Blanks, Field, Group, Literal, Segment, Template

_PUNCTUATION = re.compile("[!-/:-@\\[-`{-~]")


def compile_line_start(template: Template, composite_fields: Collection[str] = ()) -> LineStart:
    """Returns the condition on the beginning of every line of a template.

    Args:
        template: template of the lines.
        composite_fields: names of the fields whose text is not of their type.
    """
    first, last = template.segments[0], len(template.segments) - 1
    # The end of the last field, or of a group at the end, depends on more than its pattern.
    segments = template.segments[:last] if isinstance(template.segments[last], (Field, Group)) else template.segments
    return LineStart(_first_bytes(first, composite_fields), _prefix_pattern(segments, composite_fields))


def ends_with_text(template: Template) -> bool:
    """Returns True if the last segment, in the last group if there is one, is a string that takes the rest of a line."""
    last = template.segments[-1]
    while isinstance(last, Group):
        last = last.segments[-1]
    return isinstance(last, Field) and last.type.takes_rest and not last.type.is_validated


def _requires_type(field: Field, composite_fields: Collection[str]) -> bool:
    """Returns True if a line matches only if the text of a field is of its type."""
    if field.name is None or field.name in composite_fields:
        return False
    return not field.nullable and field.padding is None


def _first_bytes(first: Segment, composite_fields: Collection[str]) -> frozenset[int] | None:
    """Returns the bytes with which the first segment can begin; None: any byte."""
    if isinstance(first, Literal):
        return frozenset(first.raw[:1])
    if isinstance(first, Blanks):
        return frozenset(b" \t")
    if isinstance(first, Group) or first.type.syntax is None or not _requires_type(first, composite_fields):
        return None
    return frozenset(range(128, 256)) | {byte for byte in range(128) if not first.type.never_begins(chr(byte))}


def _prefix_pattern(segments: Sequence[Segment], composite_fields: Collection[str]) -> str:
    """Returns a regular expression for the beginning of every line that matches, as far as RE2 can compile it."""
    patterns: list[str] = []
    for segment in segments:
        pattern = _segment_pattern(segment, composite_fields)
        if not _compiles("".join([*patterns, pattern])):
            break
        patterns.append(pattern)
    return "(?s)^" + "".join(patterns) if patterns else ""


def _segment_pattern(segment: Segment, composite_fields: Collection[str]) -> str:
    if isinstance(segment, Literal):
        return _PUNCTUATION.sub(r"\\\g<0>", segment.text)
    if isinstance(segment, Blanks):
        return "[ \t]+"
    if isinstance(segment, Group):
        return "(?:" + "".join(_segment_pattern(one, composite_fields) for one in segment.segments) + ")?"
    pattern = segment.type.re2_pattern if _requires_type(segment, composite_fields) else None
    return ".*?" if pattern is None else f"(?:{pattern})"


@functools.cache
def _compiles(pattern: str) -> bool:
    try:
        pc.match_substring_regex(from_texts([""]), "(?s)^" + pattern)
    except pa.ArrowInvalid:
        return False
    return True
