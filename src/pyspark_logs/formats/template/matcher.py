"""Matcher of lines: finds the lines that match a format as a whole, with ``multiLine=true``.

A line that matches begins a record; any other line continues the record before it. A line matches if the line parser
finds nothing wrong with it when all fields of the format are judged, so that the records do not depend on the columns
of a query. Most lines that do not match are found by their first byte, or by a regular expression that matches the
beginning of every line of the format.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.template.notation import Blanks, Field, Group, Literal, Segment, Template
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.records import Lines

_PUNCTUATION = re.compile("[!-/:-@\\[-`{-~]")


@dataclass(frozen=True)
class Matcher:
    """Matcher of the lines of a format.

    Attributes:
        decoder: decoder of no columns that judges whole lines.
        first_bytes: bytes with which a line that matches can begin; None: any byte.
        prefix_pattern: regular expression (RE2) that matches every line of the format; "": there is none.
    """

    decoder: Decoder
    first_bytes: frozenset[int] | None = None
    prefix_pattern: str = ""

    def matching(self, lines: Lines, context: TimestampContext) -> Bool:
        """Returns a mask of the lines of a block that match.

        Args:
            lines: lines, valid UTF-8 and not empty.
            context: zone and year bound of the file.
        """
        matches: Bool = np.zeros(len(lines), np.bool_)
        rows = np.arange(len(lines))
        if self.first_bytes is not None:
            allowed = np.zeros(256, np.bool_)
            allowed[list(self.first_bytes)] = True
            rows = np.flatnonzero(allowed[np.frombuffer(lines.block, np.uint8)[lines.starts]])
        if len(rows) == 0:
            return matches
        _, left = self.decoder.run_engines(lines if len(rows) == len(lines) else lines.select(rows), context)
        uncertain = rows if left is None else rows[left]
        matches[rows] = True
        matches[uncertain] = False
        uncertain = uncertain[self._may_match(lines.select(uncertain))]
        if len(uncertain):
            _, corrupt, _ = self.decoder.parse_lines(lines, uncertain, context)
            matches[uncertain] = True if corrupt is None else ~corrupt[uncertain]
        return matches

    def _may_match(self, lines: Lines) -> Bool:
        """Returns a mask of the lines for which the line parser must decide."""
        if not self.prefix_pattern:
            return np.ones(len(lines), np.bool_)
        texts = spans.field_strings(lines.block, lines.starts, lines.ends)
        return spans.as_bool(pc.match_substring_regex(texts, self.prefix_pattern))


def compile_matcher(template: Template, decoder: Decoder, composite_fields: Collection[str] = ()) -> Matcher:
    """Returns the matcher of a template.

    Args:
        template: template of the lines.
        decoder: decoder of no columns that judges whole lines.
        composite_fields: names of the fields whose text is not of their type.
    """
    first, last = template.segments[0], len(template.segments) - 1
    # The end of the last field, or of a group at the end, depends on more than its pattern.
    segments = template.segments[:last] if isinstance(template.segments[last], (Field, Group)) else template.segments
    return Matcher(decoder, _first_bytes(first, composite_fields), _prefix_pattern(segments, composite_fields))


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
        pc.match_substring_regex(pa.array([""]), "(?s)^" + pattern)
    except pa.ArrowInvalid:
        return False
    return True
