"""The few vectorised operations that the engines are made of.

A block of lines stays one buffer; a field of all its lines is two int32 arrays (first byte, one past
the last). Interleaved as offsets ``[s0, e0, s1, e1, ...]`` over that same buffer they are an Arrow
string array of field, gap, field, gap, ... made without copying; ``take`` of the even places copies
the fields once. The same array with its gaps masked null is what a literal is searched in.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.records import byte_offsets

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]


_LONG_RUN = 50  # of backslashes; longer ones are counted one by one


@functools.lru_cache(maxsize=8)
def _even_places(count: int) -> pa.Array:
    return pa.array(np.arange(0, 2 * count, 2, dtype=np.int32))


def _interleaved(block: bytes, starts: Int32, ends: Int32, *, mask_gaps: bool) -> pa.Array:
    count = len(starts)
    offsets = np.empty(2 * count, np.int32)
    offsets[0::2] = starts
    offsets[1::2] = ends
    validity = pa.py_buffer(b"\x55" * (count // 4 + 1)) if mask_gaps else None
    return pa.StringArray.from_buffers(2 * count - 1, pa.py_buffer(offsets), pa.py_buffer(block), validity)


def field_strings(block: bytes, starts: Int32, ends: Int32) -> pa.Array:
    """The fields ``block[starts[i]:ends[i]]`` as a StringArray; ascending and not overlapping."""
    if len(starts) == 0:
        return pa.array([], pa.string())
    return _interleaved(block, starts, ends, mask_gaps=False).take(_even_places(len(starts)))


def find_literal(block: bytes, starts: Int32, ends: Int32, literal: str) -> Int32:
    """Where ``literal`` first begins within each ``block[start:end]``, as a place in the block; -1: nowhere."""
    if len(starts) == 0:
        return np.zeros(0, np.int32)
    found = pc.find_substring(_interleaved(block, starts, ends, mask_gaps=True), literal)
    relative = np.frombuffer(found.buffers()[1], np.int32, count=2 * len(starts) - 1)[0::2]
    return np.where(relative < 0, np.int32(-1), starts + relative)


def terminated_view(block: bytes) -> Bytes:
    """The block's bytes, with a line end behind them if there is none: see :func:`bytes_at`."""
    return np.frombuffer(block if block.endswith(b"\n") else block + b"\n", np.uint8)


def bytes_at(view: Bytes, places: Int32) -> Bytes:
    """The byte at each place; past the end it is the line end that ``view`` ends in."""
    return view.take(places, mode="clip")


def literal_at(view: Bytes, places: Int32, literal: bytes) -> Bool:
    """Whether ``literal``, which holds no line end, stands at each place.

    What begins within a line and holds no line end is within the line, so its end need not be checked.

    Args:
        view: from :func:`terminated_view`.
        places: within lines, or at their ends.
        literal: its bytes.
    """
    there: Bool | None = None
    for index, byte in enumerate(literal):
        here = bytes_at(view, places + np.int32(index) if index else places) == byte
        there = here if there is None else there & here
    return np.ones(len(places), np.bool_) if there is None else there


def equals_literal(view: Bytes, starts: Int32, ends: Int32, literal: bytes) -> Bool:
    """Returns a mask of the spans that are equal to a literal without line end."""
    return (ends - starts == len(literal)) & literal_at(view, starts, literal)


def string_bytes(array: pa.Array) -> Bytes:
    """The characters of a freshly taken StringArray, as one run of bytes."""
    _, offsets, data = array.buffers()
    if data is None or len(array) == 0:
        return np.zeros(0, np.uint8)
    bounds = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    return np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]


def max_byte_length(array: pa.Array) -> int:
    """The bytes of the longest text; 0 where there is none."""
    if len(array) == 0:
        return 0
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    return int(np.diff(offsets).max())


def min_byte_length(array: pa.Array) -> int:
    """The bytes of the shortest text; 0 where there is none."""
    if len(array) == 0:
        return 0
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    return int(np.diff(offsets).min())


def byte_matrix(array: pa.Array, width: int) -> Bytes:
    """Equally long texts as a (rows, width) matrix of bytes."""
    return string_bytes(array).reshape(len(array), width)


def gather_bytes(view: Bytes, starts: Int32, width: int) -> Bytes:
    """The ``width`` bytes at each place, all within ``view``, as a (rows, width) matrix.

    >>> import numpy as np
    >>> gather_bytes(np.frombuffer(b"abcde", np.uint8), np.array([0, 3], np.int32), 2).tobytes()
    b'abde'
    """
    # A value for each byte of the view: they overlap, and nothing is copied before the few that are wanted.
    table = np.ndarray(max(len(view) - width + 1, 0), np.dtype((np.void, width)), buffer=view, strides=(1,))
    return table[starts].view(np.uint8).reshape(len(starts), width)


def unescaped_quote_offsets(block: bytes, view: Bytes, *, escapes: bool = True) -> Int32:
    """Places of the double quotes that are not escaped by a backslash; without ``escapes`` there is none in the block."""
    quotes = byte_offsets(view, 34)
    if len(quotes) == 0 or not escapes:
        return quotes
    slashes = view == 92
    # A quote is escaped by an odd run of backslashes before it: walk all runs back in step.
    place = quotes - 1
    odd = np.zeros(len(quotes), np.bool_)
    for _ in range(_LONG_RUN):
        walking = (place >= 0) & slashes[np.maximum(place, 0)]
        if not walking.any():
            return quotes[~odd]
        odd ^= walking
        place = place - walking
    for row in np.flatnonzero(walking).tolist():
        head = block[: quotes[row]]
        odd[row] = (len(head) - len(head.rstrip(b"\\"))) % 2
    return quotes[~odd]


def mask_strings(array: pa.Array, null: Bool) -> pa.Array:
    """The same strings, null where ``null`` is set; nothing is copied."""
    validity = pa.py_buffer(np.packbits(~null, bitorder="little").tobytes())
    _, offsets, data = array.buffers()
    if array.offset:  # a bitmap has no place to begin in the middle of
        return mask_strings(array.take(pa.array(np.arange(len(array)))), null)
    return pa.StringArray.from_buffers(len(array), offsets, data, validity)


def as_bool(array: Any) -> Bool:
    """A BooleanArray (nulls as false) as numpy."""
    return pc.fill_null(array, False).to_numpy(zero_copy_only=False)
