"""Records that contain given byte strings, found by a search of their block before they are parsed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pyspark_logs import compilation
from pyspark_logs.records.byte_search import compiled_search

# A search that finds more than a quarter of the records costs more than the parsing it saves, and is given up. The
# allowance keeps a few hits in a row at the start of a block from ending the search.
_MAX_HIT_SHARE = 0.25
_HIT_ALLOWANCE = 128


def lines_containing(
    block: bytes, starts: npt.NDArray[np.int32], ends: npt.NDArray[np.int32], alternatives: tuple[bytes, ...]
) -> npt.NDArray[np.bool_] | None:
    r"""Returns a mask of the records that contain at least one of the byte strings.

    Args:
        block: complete lines.
        starts: byte offsets of the records in the block, ascending, each at the start of a line.
        ends: end offsets of the records (exclusive), at or after the start and not after the next record's start.
        alternatives: byte strings; no empty string, no line feed.

    Returns:
        A boolean for each record; None if more than a quarter of the records match, so that the search does not save time.

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
    search = compiled_search(compilation.setting())
    total = 0
    for literal in alternatives:
        if search is not None:
            found = search.mark_records(block, starts, ends, literal, _HIT_ALLOWANCE, rate, keep.view(np.uint8))
        else:
            found = _mark_records(block, starts, ends, literal, rate, keep)
        total += max(found, 0)
        if found < 0 or total > _HIT_ALLOWANCE + _MAX_HIT_SHARE * len(starts):
            return None
    return keep


def _mark_records(
    block: bytes, starts: npt.NDArray[np.int32], ends: npt.NDArray[np.int32], literal: bytes, rate: float,
    keep: npt.NDArray[np.bool_],
) -> int:  # fmt: skip
    """Marks the records that contain a literal; returns the number of lines with hits, or -1 if there are too many."""
    offsets = _hits(block, literal, int(starts[0]), int(ends[-1]), rate)
    if offsets is None:
        return -1
    hits = np.array(offsets, np.int64)
    lines = np.searchsorted(starts, hits, side="right") - 1
    inside = hits + len(literal) <= ends[lines]
    keep[lines[inside]] = True
    # After a hit outside of records (in a comment or a removed prefix) the rest of the line may contain another one.
    for hit in hits[~inside].tolist():
        _keep_later_hits(block, literal, hit, starts, ends, keep)
    return len(offsets)


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
