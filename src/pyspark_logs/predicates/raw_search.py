"""Searching raw lines for the literals of a filter, before anything is parsed.

A row can equal ``'ERROR'`` only if its line has these bytes. Looking for them in a whole block is faster than parsing
it, so lines without them are dropped first. What is left still has to be parsed and filtered exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pyspark_logs.predicates.algebra import Contains, EndsWith, Predicate, StartsWith, Value, encoded, listed_values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# A search that finds more than a quarter of the lines costs more than the parsing it saves. It is given up as soon as
# that shows, but not over one burst at the start of a block.
_WORTHWHILE = 0.25
_PATIENCE = 128


def search_literals(
    predicates: Iterable[Predicate], plain: Collection[str], escaped: Collection[str] = (), most: int = 4
) -> tuple[tuple[bytes, ...], ...]:
    """Byte strings to look for in raw lines: of each tuple, a wanted row's line contains at least one.

    The tuple most worth searching for comes first (see :func:`lines_containing`).

    Args:
        predicates: all of a query's.
        plain: string columns whose values stand in the line as they are.
        escaped: string columns whose values do so unless the line has a backslash (JSON, quoted fields): a
            backslash joins their alternatives, so such lines always survive.
        most: more alternatives than this are not worth searching for, since each is a pass over the block (2,000 MB/s
            for one, 1,050 for two).

    >>> from pyspark_logs.predicates import In
    >>> search_literals([In("level", ("ERROR", "FATAL")), Contains("message", "timed out")], ["level", "message"])
    ((b'timed out',), (b'ERROR', b'FATAL'))
    """
    found: list[tuple[bytes, ...]] = []
    for predicate in predicates:
        if predicate.column not in plain and predicate.column not in escaped:
            continue
        literals = [_needle(value) for value in _literals(predicate)]
        alternatives = tuple(dict.fromkeys(literal for literal in literals if literal is not None))
        if predicate.column in escaped:
            alternatives = (*(literal for literal in alternatives if literal != b"\\"), b"\\")
        if literals and None not in literals and len(alternatives) <= most:
            found.append(alternatives)
    # Long needles are rare and quick to search for; of equals, the fewer the better.
    return tuple(sorted(found, key=lambda alternatives: (-_shortest(alternatives), len(alternatives))))


def _shortest(alternatives: tuple[bytes, ...]) -> int:
    return min((len(literal) for literal in alternatives if literal != b"\\"), default=1)


def _literals(predicate: Predicate) -> tuple[Value, ...]:
    """Of these, one is a part of the column's text wherever the predicate is true; empty: nothing can be said."""
    if isinstance(predicate, (StartsWith, EndsWith, Contains)):
        return (predicate.value,)
    return listed_values(predicate) or ()


def _needle(value: Value) -> bytes | None:
    # U+FFFD may stand for any bad byte, and a line break may be joined or cut off between raw lines.
    if not isinstance(value, str) or not value or not {"\ufffd", "\n", "\r"}.isdisjoint(value):
        return None
    return encoded(value)


def lines_containing(
    block: bytes, starts: npt.NDArray[np.int32], ends: npt.NDArray[np.int32], alternatives: tuple[bytes, ...]
) -> npt.NDArray[np.bool_] | None:
    r"""Which lines contain at least one of the byte strings; None if so many do that looking does not pay.

    Args:
        block: whole lines.
        starts: where each record starts in the block, ascending; none starts in the middle of a line.
        ends: where each ends (exclusive), at or after its start and not after the next one's start.
        alternatives: one tuple of :func:`search_literals`; no empty string, no line feed.

    >>> import numpy as np
    >>> block = b"INFO ok\nERROR no\n"
    >>> lines_containing(block, np.array([0, 8], np.int32), np.array([7, 16], np.int32), (b"ERROR",))
    array([False,  True])
    """
    keep = np.zeros(len(starts), np.bool_)
    if not len(starts):
        return keep
    first, last = int(starts[0]), int(ends[-1])
    rate = _WORTHWHILE * len(starts) / max(last - first, 1)
    total = 0
    for needle in alternatives:
        found = _hits(block, needle, first, last, rate)
        if found is None:
            return None
        hits = np.array(found, np.int64)
        lines = np.searchsorted(starts, hits, side="right") - 1
        inside = hits + len(needle) <= ends[lines]
        keep[lines[inside]] = True
        # A hit in what lies between records (a comment, a cut-off prefix) says nothing about the rest of its line.
        for hit in hits[~inside].tolist():
            _keep_later_hits(block, needle, hit, starts, ends, keep)
        total += len(found)
        if total > _PATIENCE + _WORTHWHILE * len(starts):
            return None
    return keep


def _hits(block: bytes, needle: bytes, first: int, last: int, rate: float) -> list[int] | None:
    """The first hit in each line of ``block[first:last]``; None once there are more than ``rate`` a byte."""
    find = block.find
    hits: list[int] = []
    at = find(needle, first, last)
    while at >= 0:
        hits.append(at)
        if len(hits) > _PATIENCE + (at - first) * rate:
            return None
        line_end = find(b"\n", at, last)
        if line_end < 0:
            break
        at = find(needle, line_end, last)
    return hits


def _keep_later_hits(
    block: bytes,
    needle: bytes,
    hit: int,
    starts: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    keep: npt.NDArray[np.bool_],
) -> None:
    line_end = block.find(b"\n", hit)
    line_end = len(block) if line_end < 0 else line_end
    while (hit := block.find(needle, hit + 1, line_end)) >= 0:
        line = int(starts.searchsorted(hit, side="right")) - 1
        if hit + len(needle) <= ends[line]:
            keep[line] = True
