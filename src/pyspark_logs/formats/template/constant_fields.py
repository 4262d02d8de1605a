"""Short fields that are the same in most lines of a block, as ``- -`` is: compared as one number.

What ends such a field depends on nothing but the bytes up to there. So where these bytes are those of one line, the
fields are where they are in that line; in the few other lines they are searched for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pyspark_logs.formats.columnar import prefix_words, spans
from pyspark_logs.formats.columnar.spans import Bytes, Int32, Int64
from pyspark_logs.formats.template.notation import Field, Literal, Template
from pyspark_logs.formats.types.server import Listed

Run = tuple[tuple["str | None", bytes], ...]

FEWEST_FIELDS = 2
# A run is taken to be the same in most lines if it is in most of these, and if one in so many lines has another.
_LINES_TO_GUESS_BY = 7
_LINES_FOR_ONE_OTHER = 8


class _Span(NamedTuple):
    """A field that is the same in most lines: where it begins and ends, from the run's place on, and what ends it."""

    name: str | None
    start: int
    end: int
    literal: bytes


@dataclass(frozen=True)
class Alike:
    """Where the fields that begin a run are.

    Attributes:
        fields: of each its name, its starts and ends in all lines, and its text in most of them.
        others: the lines that are not like most.
        places: behind the fields and their literals.
        nowhere: lines in which a literal is missing; all of this is at their ends.
    """

    fields: list[tuple[str | None, Int32, Int32, bytes]]
    others: Int64
    places: Int32
    nowhere: Int64


def runs(template: Template) -> dict[int, Run]:
    """Which fields follow one another, each ended by a literal and by nothing else.

    Returns:
        The index of the step of each such field -> it and those behind it, by name, with the literals that end them;
        where that is but one field, it is left out.

    >>> from pyspark_logs.formats.template.notation import parse_template
    >>> runs(parse_template("{host} {name} {user} [{time:timestamp}]"))
    {0: (('host', b' '), ('name', b' '), ('user', b' [')), 2: (('name', b' '), ('user', b' ['))}
    """
    found: dict[int, Run] = {}
    behind: Run = ()
    for index in range(len(template.steps) - 1, -1, -1):
        segment, after = template.steps[index].segment, template.steps[index].after
        if isinstance(segment, Literal):
            continue
        if not isinstance(segment, Field) or segment.type.syntax is not None or isinstance(segment.type, Listed):
            behind = ()
            continue
        stop = after.stops[0] if len(after.stops) == 1 and not after.line_end and segment.pad is None else None
        behind = ((segment.name, stop.raw), *behind) if isinstance(stop, Literal) else ()
        if len(behind) >= FEWEST_FIELDS:
            found[index] = behind
    return dict(sorted(found.items()))


def find_alike(run: Run, block: bytes, view: Bytes, places: Int32, ends: Int32) -> Alike | None:
    """Find the fields that begin a run; None: they are not the same in most lines.

    Args:
        run: one of :func:`runs`.
        block: the text.
        view: its bytes.
        places: where the run begins in each line.
        ends: of the lines.
    """
    count = len(places)
    some = range(count // 10, count, count // _LINES_TO_GUESS_BY + 1)  # not the first: headers stand there
    constants, head = common(run, [block[places[row] : ends[row]] for row in some])
    if not constants:
        return None
    others = differing(view, places, head)
    if _LINES_FOR_ONE_OTHER * len(others) > count:
        return None
    at, limits, nowhere = places[others], ends[others], np.zeros(len(others), np.bool_)
    fields = []
    for span in constants:
        start, end = places + np.int32(span.start), places + np.int32(span.end)
        if len(others):
            there = spans.find_literal(block, at, limits, span.literal.decode())
            nowhere |= there < 0
            start[others], end[others] = np.where(nowhere, limits, at), np.where(nowhere, limits, there)
            at = np.where(nowhere, limits, there + np.int32(len(span.literal)))
        fields.append((span.name, start, end, head[span.start : span.end]))
    behind = places + np.int32(len(head))
    behind[others] = at
    return Alike(fields, others, behind, others[nowhere])


def common(run: Run, lines: Sequence[bytes]) -> tuple[tuple[_Span, ...], bytes]:
    """The fields that begin a run and are over soon, as they are in most of some lines; and all of their text.

    There are none unless there are a few.

    Args:
        run: one of :func:`runs`.
        lines: what stands in lines where the run begins.

    >>> fields, head = common((("name", b" "), ("user", b" [")), [b"- - [22/", b"- ana [2", b"- - [23/"])
    >>> fields[1].start, fields[1].end, head
    (2, 3, b'- - [')
    """
    begun = [_begun(run, line[: prefix_words.WORD_BYTES]) for line in lines]
    return Counter(begun).most_common(1)[0][0]


def _begun(run: Run, head: bytes) -> tuple[tuple[_Span, ...], bytes]:
    spans: list[_Span] = []
    width = 0
    for name, literal in run:
        end = head.find(literal, width)
        if end < 0:
            break
        spans.append(_Span(name, width, end, literal))
        width = end + len(literal)
    return (tuple(spans), head[:width]) if len(spans) >= FEWEST_FIELDS else ((), b"")


def differing(view: Bytes, places: Int32, head: bytes) -> Int64:
    r"""Which lines have something else at their place than these bytes, eight at most.

    >>> import numpy as np
    >>> differing(np.frombuffer(b"- - [1\n- a [2\n", np.uint8), np.array([0, 7], np.int32), b"- - [").tolist()
    [1]
    """
    bits = prefix_words.load_words(view, places) ^ np.uint64(int.from_bytes(head, "little"))
    return np.flatnonzero(bits & np.uint64((1 << 8 * len(head)) - 1))
