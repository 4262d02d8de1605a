"""Which lines match a format as wholes: with ``multiLine=true`` these start a record, the others continue one.

That must not depend on the columns of a query, or its records would. A line matches if the exact parser finds nothing
wrong with it when all fields of the format are judged. Most lines that do not match are known by less: by their
first byte, or by a regular expression that every line of the format matches.
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
    """Tells which lines match a format as wholes.

    Attributes:
        decoder: of no columns, which judges whole lines.
        first_bytes: what a line that matches may begin with; None: anything.
        needed: a regular expression (RE2) that lines which match do match, too.
    """

    decoder: Decoder
    first_bytes: frozenset[int] | None = None
    needed: str = ""

    def matching(self, lines: Lines, context: TimestampContext) -> Bool:
        """Which lines of a block match; they are valid UTF-8 and not empty."""
        matches: Bool = np.zeros(len(lines), np.bool_)
        rows = np.arange(len(lines))
        if self.first_bytes is not None:
            allowed = np.zeros(256, np.bool_)
            allowed[list(self.first_bytes)] = True
            rows = np.flatnonzero(allowed[np.frombuffer(lines.block, np.uint8)[lines.starts]])
        if len(rows) == 0:
            return matches
        _, left = self.decoder.run_engines(lines if len(rows) == len(lines) else lines.select(rows), context)
        unsure = rows if left is None else rows[left]
        matches[rows] = True
        matches[unsure] = False
        unsure = unsure[self._perhaps(lines.select(unsure))]
        if len(unsure):
            _, corrupt, _ = self.decoder.parse_lines(lines, unsure, context)
            matches[unsure] = True if corrupt is None else ~corrupt[unsure]
        return matches

    def _perhaps(self, lines: Lines) -> Bool:
        """Which lines are worth the exact parser."""
        if not self.needed:
            return np.ones(len(lines), np.bool_)
        texts = spans.field_strings(lines.block, lines.starts, lines.ends)
        return spans.as_bool(pc.match_substring_regex(texts, self.needed))


def matcher_of(template: Template, decoder: Decoder, parted: Collection[str] = ()) -> Matcher:
    """The matcher of a template.

    Args:
        template: all of it.
        decoder: as in :class:`Matcher`.
        parted: fields whose text is read as something else than their type.
    """
    first, last = template.segments[0], len(template.segments) - 1
    # What ends the last field is said elsewhere, and so is what a group there holds.
    known = template.segments[:last] if isinstance(template.segments[last], (Field, Group)) else template.segments
    return Matcher(decoder, _first_bytes(first, parted), _needed(known, parted))


def ends_in_text(template: Template) -> bool:
    """Whether the last field of a template, at its very end, is a string that takes the rest: the deepest counts."""
    last = template.segments[-1]
    while isinstance(last, Group):
        last = last.segments[-1]
    return isinstance(last, Field) and last.type.takes_rest and not last.type.is_validated


def _typed(segment: Field, parted: Collection[str]) -> bool:
    """Whether a field without a text of its type makes a line not match."""
    plain = not segment.nullable and segment.padding is None
    return segment.name is not None and segment.name not in parted and plain


def _first_bytes(first: Segment, parted: Collection[str]) -> frozenset[int] | None:
    """The bytes that the first segment can begin with, if that is known."""
    if isinstance(first, Literal):
        return frozenset(first.raw[:1])
    if isinstance(first, Blanks):
        return frozenset(b" \t")
    if isinstance(first, Group) or first.type.syntax is None or not _typed(first, parted):
        return None
    return frozenset(range(128, 256)) | {byte for byte in range(128) if not first.type.never_begins(chr(byte))}


def _needed(segments: Sequence[Segment], parted: Collection[str]) -> str:
    """A regular expression for the beginning of every line that matches, as far as that can be said and compiled."""
    pieces: list[str] = []
    for segment in segments:
        piece = _piece(segment, parted)
        if not _compiles("".join([*pieces, piece])):
            break
        pieces.append(piece)
    return "(?s)^" + "".join(pieces) if pieces else ""


def _piece(segment: Segment, parted: Collection[str]) -> str:
    if isinstance(segment, Literal):
        return _PUNCTUATION.sub(r"\\\g<0>", segment.text)
    if isinstance(segment, Blanks):
        return "[ \t]+"
    if isinstance(segment, Group):
        return "(?:" + "".join(_piece(one, parted) for one in segment.segments) + ")?"
    pattern = segment.type.re2_pattern if _typed(segment, parted) else None
    return ".*?" if pattern is None else f"(?:{pattern})"


@functools.cache
def _compiles(pattern: str) -> bool:
    try:
        pc.match_substring_regex(pa.array([""]), "(?s)^" + pattern)
    except pa.ArrowInvalid:
        return False
    return True
