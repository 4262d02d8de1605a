"""Vectorized operations on spans of bytes in a block of lines.

A block is one buffer, and a field of its lines is two int32 arrays: the start offsets and the end offsets. Interleaved
to ``[start0, end0, start1, end1, ...]`` they are the offsets of an Arrow string array over the same buffer, in which
every second string is a field and the strings between them are gaps. Taking the strings with even indices copies the
fields once; with the gaps set to null, the same array is searched for literals without any copy.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import from_numpy
from pyspark_logs.records import byte_offsets

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]


_MAX_VECTORIZED_RUN = 50  # backslashes before a quote; a longer run is counted by itself
_QUOTE, _BACKSLASH = b'"\\'


@functools.lru_cache(maxsize=8)
def _even_indices(count: int) -> pa.Array:
    return from_numpy(np.arange(0, 2 * count, 2, dtype=np.int32))


def _interleave(block: bytes | Bytes, starts: Int32, ends: Int32, *, mask_gaps: bool) -> pa.Array:
    count = len(starts)
    offsets = np.empty(2 * count, np.int32)
    offsets[0::2] = starts
    offsets[1::2] = ends
    validity = pa.py_buffer(b"\x55" * (count // 4 + 1)) if mask_gaps else None
    return pa.StringArray.from_buffers(2 * count - 1, pa.py_buffer(offsets), pa.py_buffer(block), validity)


def field_strings(block: bytes | Bytes, starts: Int32, ends: Int32) -> pa.Array:
    """Copies the fields ``block[starts[i]:ends[i]]``, which are ascending and do not overlap."""
    if len(starts) == 0:
        return pa.nulls(0, pa.string())
    return _interleave(block, starts, ends, mask_gaps=False).take(_even_indices(len(starts)))


def find_literal(block: bytes, starts: Int32, ends: Int32, literal: str) -> Int32:
    """Finds the first occurrence of a literal in each ``block[starts[i]:ends[i]]``.

    Returns:
        Offsets in the block; -1 where the literal does not occur.
    """
    if len(starts) == 0:
        return np.zeros(0, np.int32)
    found = pc.find_substring(_interleave(block, starts, ends, mask_gaps=True), literal)
    relative = np.frombuffer(found.buffers()[1], np.int32, count=2 * len(starts) - 1)[0::2]
    return np.where(relative < 0, np.int32(-1), starts + relative)


def find_last_literal(view: Bytes, starts: Int32, ends: Int32, literal: bytes) -> Int32:
    """Finds the last occurrence of a literal without line end in each ``view[starts[i]:ends[i]]``.

    All occurrences in the block are found once, by a byte of the literal that is rarer than a space.

    Returns:
        Offsets in the block; -1 where the literal does not occur.

    >>> import numpy as np
    >>> text = np.frombuffer(b"a (b) (c)", np.uint8)
    >>> find_last_literal(text, np.array([0, 4], np.int32), np.array([9, 6], np.int32), b" (").tolist()
    [5, -1]
    """
    rare = len(literal) - len(literal.lstrip(b" "))
    rare = rare if rare < len(literal) else 0
    offsets = byte_offsets(view, literal[rare]) - np.int32(rare)
    offsets = offsets[offsets >= 0]
    if len(literal) > 1:
        offsets = offsets[literal_at(view, offsets, literal)]
    index = np.searchsorted(offsets, ends - np.int32(len(literal)), side="right") - 1
    if len(offsets) == 0:
        return np.full(len(starts), -1, np.int32)
    found = offsets[np.maximum(index, 0)]
    return np.where((index >= 0) & (found >= starts), found, np.int32(-1)).astype(np.int32)


def terminated_view(block: bytes) -> Bytes:
    """Returns the bytes of a block, with a line end after them if there is none; see :func:`bytes_at`."""
    return np.frombuffer(block if block.endswith(b"\n") else block + b"\n", np.uint8)


def bytes_at(view: Bytes, offsets: Int32) -> Bytes:
    """Returns the byte at each offset; past the end it is the line end that ``view`` ends with."""
    return view.take(offsets, mode="clip")


def literal_at(view: Bytes, offsets: Int32, literal: bytes) -> Bool:
    """Returns a mask of the offsets at which a literal without line end occurs.

    An occurrence that begins within a line also ends within the line, so the caller need not check its end.

    Args:
        view: bytes of the block, from :func:`terminated_view`.
        offsets: offsets within lines or at their ends.
        literal: bytes to compare.
    """
    mask: Bool | None = None
    for index, byte in enumerate(literal):
        equal = bytes_at(view, offsets + np.int32(index) if index else offsets) == byte
        mask = equal if mask is None else mask & equal
    return np.ones(len(offsets), np.bool_) if mask is None else mask


def equals_literal(view: Bytes, starts: Int32, ends: Int32, literal: bytes) -> Bool:
    """Returns a mask of the spans that equal a literal without line end."""
    return (ends - starts == len(literal)) & literal_at(view, starts, literal)


def string_bytes(array: pa.Array) -> Bytes:
    """Returns the bytes of all strings of an array without nulls, without separators."""
    _, offsets, data = array.buffers()
    if data is None or len(array) == 0:
        return np.zeros(0, np.uint8)
    bounds = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    return np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]


def contains_only(array: pa.Array, only: bytes) -> bool:
    """Returns True if all characters of the strings are among the ASCII characters ``only``."""
    text = string_bytes(array)
    if len(text) == 0 or (text.min() >= ord("0") and text.max() <= ord("9") and b"0123456789" in only):
        return True  # usually digits only: two passes of min and max are faster than a lookup
    alphabet = np.zeros(256, np.bool_)
    alphabet[np.frombuffer(only, np.uint8)] = True
    return bool(alphabet[text].all())


def max_byte_length(array: pa.Array) -> int:
    """Returns the length in bytes of the longest string; 0 if the array is empty."""
    if len(array) == 0:
        return 0
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    return int(np.diff(offsets).max())


def min_byte_length(array: pa.Array) -> int:
    """Returns the length in bytes of the shortest string; 0 if the array is empty."""
    if len(array) == 0:
        return 0
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    return int(np.diff(offsets).min())


def byte_matrix(array: pa.Array, width: int) -> Bytes:
    """Returns strings of equal length as a (rows, width) matrix of bytes."""
    return string_bytes(array).reshape(len(array), width)


def gather_bytes(view: Bytes, starts: Int32, width: int) -> Bytes:
    """Copies the ``width`` bytes from each offset, all within ``view``, to a (rows, width) matrix.

    >>> import numpy as np
    >>> gather_bytes(np.frombuffer(b"abcde", np.uint8), np.array([0, 3], np.int32), 2).tobytes()
    b'abde'
    """
    # A view with one item for each byte of the block; the items overlap, and only the selected items are copied.
    table = np.ndarray(max(len(view) - width + 1, 0), np.dtype((np.void, width)), buffer=view, strides=(1,))
    return table[starts].view(np.uint8).reshape(len(starts), width)


def unescaped_quote_offsets(block: bytes, view: Bytes, *, escapes: bool = True) -> Int32:
    """Returns the offsets of the double quotes that are not escaped by a backslash.

    Args:
        block: the lines.
        view: bytes of the block.
        escapes: False if the block contains no backslash.
    """
    quotes = byte_offsets(view, _QUOTE)
    if len(quotes) == 0 or not escapes:
        return quotes
    backslashes = view == _BACKSLASH
    # A quote is escaped if an odd number of backslashes precedes it: step back from all quotes at once.
    offsets = quotes - 1
    escaped = np.zeros(len(quotes), np.bool_)
    for _ in range(_MAX_VECTORIZED_RUN):
        in_run = (offsets >= 0) & backslashes[np.maximum(offsets, 0)]
        if not in_run.any():
            return quotes[~escaped]
        escaped ^= in_run
        offsets = offsets - in_run
    for row in np.flatnonzero(in_run).tolist():
        head = block[: quotes[row]]
        escaped[row] = (len(head) - len(head.rstrip(b"\\"))) % 2
    return quotes[~escaped]


def mask_strings(array: pa.Array, null: Bool) -> pa.Array:
    """Returns the strings with nulls where ``null`` is set, whatever their own nulls; the characters are not copied."""
    validity = pa.py_buffer(np.packbits(~null, bitorder="little").tobytes())
    _, offsets, data = array.buffers()
    if array.offset:  # the validity bitmap would have to begin within a byte
        return mask_strings(array.take(from_numpy(np.arange(len(array)))), null)
    return pa.StringArray.from_buffers(len(array), offsets, data, validity)
