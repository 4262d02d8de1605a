"""Selection of raw lines by the literals of a filter, before lines are parsed.

A column can equal ``'ERROR'`` only if its line contains these bytes. Searching a block for them is faster than parsing
it, so lines without them are dropped first. The remaining lines are parsed and filtered exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pyspark_logs.predicates.algebra import (
    And,
    Contains,
    EndsWith,
    Or,
    Predicate,
    StartsWith,
    Value,
    enumerated_values,
    utf8,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# A search that finds more than a quarter of the lines costs more than the parsing it saves, and is given up. The
# allowance keeps a few hits in a row at the start of a block from ending the search.
_MAX_HIT_SHARE = 0.25
_HIT_ALLOWANCE = 128


def search_literals(
    predicates: Iterable[Predicate], plain: Collection[str], escaped: Collection[str] = (), max_alternatives: int = 4
) -> tuple[tuple[bytes, ...], ...]:
    """Returns the byte strings that the lines of selected rows must contain.

    Args:
        predicates: all predicates of a query.
        plain: names of string columns whose values are in the line verbatim.
        escaped: names of string columns whose values are in the line verbatim unless it has a backslash (JSON, quoted
            fields). A backslash is added to their alternatives, so that such lines are always kept.
        max_alternatives: limit of alternatives. Each costs a pass over the block (2,000 MB/s for one, 1,050 for two).

    Returns:
        Tuples of alternatives: the line of a selected row contains at least one string of each tuple. The most selective
        tuple is the first (see :func:`lines_containing`).

    >>> from pyspark_logs.predicates import In
    >>> search_literals([In("level", ("ERROR", "FATAL")), Contains("message", "timed out")], ["level", "message"])
    ((b'timed out',), (b'ERROR', b'FATAL'))
    """
    groups = [group for predicate in predicates for group in _groups(predicate, plain, escaped)]
    return _ranked(group for group in groups if len(group) <= max_alternatives)


def _groups(predicate: Predicate, plain: Collection[str], escaped: Collection[str]) -> list[tuple[bytes, ...]]:
    """Returns tuples of alternatives, each of which the line of a selected row contains; none if none is known."""
    if isinstance(predicate, And):
        return [group for child in predicate.children for group in _groups(child, plain, escaped)]
    if isinstance(predicate, Or):
        # A row satisfies one of the children, and has an alternative of its most selective tuple.
        best = [_ranked(_groups(child, plain, escaped))[:1] for child in predicate.children]
        return [_with_backslash_last(literal for (group,) in best for literal in group)] if all(best) else []
    if predicate.column not in plain and predicate.column not in escaped:
        return []
    literals = [_literal_bytes(value) for value in _literals(predicate)]
    if not literals or None in literals:
        return []
    known = [literal for literal in literals if literal is not None]
    return [_with_backslash_last([*known, b"\\"]) if predicate.column in escaped else tuple(dict.fromkeys(known))]


def _with_backslash_last(literals: Iterable[bytes]) -> tuple[bytes, ...]:
    distinct = dict.fromkeys(literals)
    backslash = [b"\\"] if b"\\" in distinct else []
    return (*(literal for literal in distinct if literal != b"\\"), *backslash)


def _ranked(groups: Iterable[tuple[bytes, ...]]) -> tuple[tuple[bytes, ...], ...]:
    # Long literals are rare in lines and fast to search for. At equal length, fewer alternatives mean fewer passes.
    return tuple(sorted(groups, key=lambda alternatives: (-_min_length(alternatives), len(alternatives))))


def _min_length(alternatives: tuple[bytes, ...]) -> int:
    return min((len(literal) for literal in alternatives if literal != b"\\"), default=1)


def _literals(predicate: Predicate) -> tuple[Value, ...]:
    """Returns values of which the column contains at least one if the predicate is true; empty if there is no such list."""
    if isinstance(predicate, (StartsWith, EndsWith, Contains)):
        return (predicate.value,)
    return enumerated_values(predicate) or ()


def _literal_bytes(value: Value) -> bytes | None:
    # U+FFFD may replace any invalid byte, and line breaks are added or removed when lines are joined to records.
    if not isinstance(value, str) or not value or not {"\ufffd", "\n", "\r"}.isdisjoint(value):
        return None
    return utf8(value)


def lines_containing(
    block: bytes, starts: npt.NDArray[np.int32], ends: npt.NDArray[np.int32], alternatives: tuple[bytes, ...]
) -> npt.NDArray[np.bool_] | None:
    r"""Returns a mask of the records that contain at least one of the byte strings.

    Args:
        block: complete lines.
        starts: byte offsets of the records in the block, ascending, each at the start of a line.
        ends: end offsets of the records (exclusive), at or after the start and not after the next record's start.
        alternatives: a tuple of :func:`search_literals`; no empty string, no line feed.

    Returns:
        A boolean for each record; None if more than a quarter of the records match, so that the search does not pay.

    >>> import numpy as np
    >>> block = b"INFO ok\nERROR no\n"
    >>> lines_containing(block, np.array([0, 8], np.int32), np.array([7, 16], np.int32), (b"ERROR",))
    array([False,  True])
    """
    keep = np.zeros(len(starts), np.bool_)
    if not len(starts):
        return keep
    first, last = int(starts[0]), int(ends[-1])
    rate = _MAX_HIT_SHARE * len(starts) / max(last - first, 1)
    total = 0
    for literal in alternatives:
        offsets = _hits(block, literal, first, last, rate)
        if offsets is None:
            return None
        hits = np.array(offsets, np.int64)
        lines = np.searchsorted(starts, hits, side="right") - 1
        inside = hits + len(literal) <= ends[lines]
        keep[lines[inside]] = True
        # After a hit outside of records (in a comment or a removed prefix) the rest of the line may contain another one.
        for hit in hits[~inside].tolist():
            _keep_later_hits(block, literal, hit, starts, ends, keep)
        total += len(offsets)
        if total > _HIT_ALLOWANCE + _MAX_HIT_SHARE * len(starts):
            return None
    return keep


def _hits(block: bytes, literal: bytes, first: int, last: int, rate: float) -> list[int] | None:
    """Returns the first offset in each line of ``block[first:last]``; None for more than ``rate`` hits per byte."""
    find = block.find
    hits: list[int] = []
    offset = find(literal, first, last)
    while offset >= 0:
        hits.append(offset)
        if len(hits) > _HIT_ALLOWANCE + (offset - first) * rate:
            return None
        line_end = find(b"\n", offset, last)
        if line_end < 0:
            break
        offset = find(literal, line_end, last)
    return hits


def _keep_later_hits(
    block: bytes,
    literal: bytes,
    hit: int,
    starts: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    keep: npt.NDArray[np.bool_],
) -> None:
    line_end = block.find(b"\n", hit)
    line_end = len(block) if line_end < 0 else line_end
    while (hit := block.find(literal, hit + 1, line_end)) >= 0:
        line = int(starts.searchsorted(hit, side="right")) - 1
        if hit + len(literal) <= ends[line]:
            keep[line] = True
