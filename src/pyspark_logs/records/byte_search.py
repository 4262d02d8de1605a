"""Searches for bytes in a block, compiled where the package is, else by numpy."""

from __future__ import annotations

import functools
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from pyspark_logs import compilation

_LEAST_DISTANCE = 4  # bytes from one occurrence of a byte to the next, on average, for the compiled search
_SEARCH_BYTES = 1 << 20  # bytes searched at once
SEARCH_MARGIN = 64  # further offsets of an array for the compiled searches, which take 64 bytes at a time


@functools.lru_cache(maxsize=4)
def compiled_search(setting: str) -> Any:
    """Returns the compiled module that searches bytes; None if it is not compiled or is turned off."""
    if setting == "0" or not compilation.is_compiled("pyspark_logs.records.block_search"):
        return None
    from pyspark_logs.records import block_search

    return block_search


def has_pair(text: bytes, first: int, second: int) -> bool:
    """Returns True if a text has two bytes, one directly after the other.

    The comparison of pairs as integers of 16 bits takes a fifth of the time of ``in``.
    """
    search = compiled_search(compilation.setting())
    if search is not None:
        return bool(search.has_pair(np.frombuffer(text, np.uint8), first, second))
    wanted = int.from_bytes(bytes((first, second)), sys.byteorder)
    pairs = (np.frombuffer(text, np.uint16, (len(text) - start) // 2, start) for start in (0, 1) if len(text) > start)
    return any(bool((pair == wanted).any()) for pair in pairs)


def rows_beginning_with(text: bytes, starts: npt.NDArray[np.int32], byte: int) -> list[int]:
    """Returns the indices of the offsets at which a text has a byte."""
    raw = np.frombuffer(text, np.uint8)
    search = compiled_search(compilation.setting())
    if search is None:
        return np.flatnonzero(raw[starts] == byte).tolist()
    rows: npt.NDArray[np.int32] = np.empty(len(starts), np.int32)
    return rows[: search.rows_beginning_with(raw, starts, byte, rows)].tolist()


def byte_offsets(raw: npt.NDArray[np.uint8], byte: int) -> npt.NDArray[np.int32]:
    """Returns the offsets of a byte value in ascending order.

    Groups of eight bytes without the value are skipped before single bytes are tested. For values that are as frequent as
    line ends and quotes in logs, this takes two thirds of the time of ``flatnonzero(raw == byte)``.

    >>> import numpy as np
    >>> byte_offsets(np.frombuffer(b"a,b,", np.uint8), ord(",")).tolist()
    [1, 3]
    """
    search = compiled_search(compilation.setting())
    if search is not None:
        # The unused part of the array takes no memory.
        every: npt.NDArray[np.int32] = np.empty(len(raw) // _LEAST_DISTANCE + 1, np.int32)
        count = search.find_offsets(raw, byte, every)
        if count >= 0:
            return every[:count]
        # A byte that is more frequent is searched in pieces, so that the array is no longer than needed.
        every = np.empty(_SEARCH_BYTES + SEARCH_MARGIN, np.int32)
        found = []
        for begin in range(0, len(raw), _SEARCH_BYTES):
            count = search.find_offsets(raw[begin : begin + _SEARCH_BYTES], byte, every)
            found.append(every[:count] + np.int32(begin))
        return np.concatenate(found)
    # The mask of one piece stays in the processor's cache and is reused; a mask of the whole block would not.
    found = []
    mask = np.empty(min(_SEARCH_BYTES, len(raw)), np.bool_)
    for begin in range(0, len(raw), _SEARCH_BYTES):
        piece = raw[begin : begin + _SEARCH_BYTES]
        matches = np.equal(piece, byte, out=mask[: len(piece)])
        aligned = len(piece) & ~7
        words = matches[:aligned].view(np.uint64)
        hits = np.flatnonzero(words != 0)
        bytes_of_hits = np.flatnonzero(words[hits].view(np.bool_))
        offsets = hits[bytes_of_hits >> 3]
        offsets <<= 3
        bytes_of_hits &= 7
        offsets += bytes_of_hits
        found.append(offsets.astype(np.int32) + np.int32(begin))
        if aligned < len(piece):
            found.append(np.flatnonzero(matches[aligned:]).astype(np.int32) + np.int32(begin + aligned))
    return np.concatenate(found) if found else np.zeros(0, np.int32)
