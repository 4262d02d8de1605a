"""Blocks of whole lines from a stream of bytes, restricted to the lines that a split owns."""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pyspark_logs import compilation
from pyspark_logs.errors import CorruptFileError
from pyspark_logs.records.byte_search import SEARCH_MARGIN, byte_offsets, compiled_search

# Each line takes memory in arrays of offsets and in columns, so lines of few bytes bound a block before its bytes do. Blocks of
# BLOCK_BYTES with lines of 24 bytes have as many.
MAX_LINES = 1 << 17
BLOCK_BYTES = 3 << 20  # parsers are fastest on blocks of 3-4 MiB, which hold a few thousand of the widest lines
HEAD_BYTES = 64 << 10  # bytes kept of a record that exceeds the limit
_RETAINED_BYTES = 8 * BLOCK_BYTES
AFTER_SPLIT_BLOCK_BYTES = 64 << 10  # block size after the end of a split, where only the rest of one record is read
# Offsets are int32, and replacing invalid bytes can triple the length of a text.
LARGEST_RECORD_BYTES = 512 << 20

_BOM = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Whole lines of a file, or the first bytes of a line that exceeds the limit.

    Attributes:
        offset: byte offset of ``data`` in the uncompressed file.
        data: lines with their line ends.
        full_length: length in bytes of the record whose first bytes are ``data``; None if ``data`` holds whole lines.
    """

    offset: int
    data: bytes
    full_length: int | None = None


def blocks(
    chunks: Iterator[bytes],
    *,
    start: int = 0,
    length: int | None = None,
    block_bytes: int = BLOCK_BYTES,
    max_record_bytes: int = 16 << 20,
    beyond: bool = False,
) -> Iterator[Block]:
    r"""Yields the text that a split owns as blocks of whole lines.

    A record longer than ``max_record_bytes`` becomes a block with its first bytes (at most ``HEAD_BYTES``) and its full
    length; the rest is skipped. Memory is bounded by ``max_record_bytes + block_bytes`` and a chunk, and no record is lost.

    Args:
        chunks: bytes of the file from ``max(start - 1, 0)`` on, in chunks of any size. Only as many chunks are taken as the
            split needs; a generator is closed at the end.
        start: offset of the split in the file.
        length: length of the split in bytes; None for the rest of the file.
        block_bytes: size of a block, unless a single record is longer.
        max_record_bytes: length of the longest record that is held; at most 512 MiB.
        beyond: True to continue after the last line of the split, in small blocks, for as long as the caller iterates. A
            split in which no line begins yields nothing in any case.

    Raises:
        CorruptFileError: ``chunks`` raised it; the lines completed before have been yielded.

    >>> list(blocks(iter([b"a\nb", b"b\nc\n"]), start=1, length=2))
    [Block(offset=2, data=b'bb\n', full_length=None)]
    """
    _retain_freed_memory()
    end = None if length is None else start + length
    cutter = _Cutter(block_bytes, min(max_record_bytes, LARGEST_RECORD_BYTES), skips_padding=not beyond)
    try:
        for offset, piece in _owned(chunks, start, end, beyond):
            if end is not None and offset >= end:
                cutter.block_bytes = min(block_bytes, AFTER_SPLIT_BLOCK_BYTES)
            yield from cutter.feed(offset, piece)
        yield from cutter.finish()
    except CorruptFileError:
        yield from cutter.finish_whole()
        raise
    finally:
        if isinstance(chunks, Generator):
            chunks.close()


@functools.cache
def _retain_freed_memory() -> None:
    """Makes the C library retain the memory of freed blocks for later blocks.

    glibc returns free memory to the system once it exceeds twice the largest mapped allocation that was ever freed
    (mallopt(3), M_TRIM_THRESHOLD). With blocks of 3 MiB this happens all the time, and each new block costs hundreds of page
    faults. Freeing one untouched larger allocation raises the threshold; other C libraries are not affected.
    """
    untouched = bytes(_RETAINED_BYTES)
    del untouched


def _owned(chunks: Iterator[bytes], start: int, end: int | None, beyond: bool) -> Iterator[tuple[int, bytes]]:
    """Yields offset and text from the first line that begins in [start, end) to the end of the last one, or beyond."""
    if end is not None and end <= start:
        return
    position = max(start - 1, 0)
    text = b""
    if start > 0:
        for chunk in chunks:
            newline = chunk.find(b"\n") + 1
            position += newline or len(chunk)
            if newline:
                text = chunk[newline:]
                break
            if end is not None and position >= end - 1:
                return
        else:
            return
    else:
        for chunk in chunks:
            text += chunk
            if len(text) >= len(_BOM):
                break
        if text.startswith(_BOM):
            text = text[len(_BOM) :]
            position = len(_BOM)
            # The byte order mark belongs to the first line, so a split that ends within the mark owns that line.
            end = None if end is None else max(end, position + 1)
    if end is not None and position >= end:
        return
    while True:
        if end is not None and not beyond:
            # The last line is the one that holds byte end - 1.
            newline = text.find(b"\n", max(end - 1 - position, 0))
            if newline >= 0:
                yield position, text[: newline + 1]
                return
        yield position, text
        position += len(text)
        try:
            text = next(chunks)
        except StopIteration:
            return


class _Cutter:
    """Divides text into blocks of ``block_bytes``, which may be changed between calls."""

    def __init__(self, block_bytes: int, max_record_bytes: int, *, skips_padding: bool) -> None:
        self.block_bytes = block_bytes
        self._skips_padding = skips_padding
        self._most = max_record_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._cut = 0  # end of the last complete line in the parts
        self._offset = 0  # offset of the first part in the file
        self._head: bytes | None = None  # first bytes of a long record while the rest of it is skipped
        self._length = 0  # length of that record so far
        self._is_padding = False  # True if all bytes so far of that record are zero
        self._carriage_return = False  # True if the last byte so far of that record is \r

    def feed(self, offset: int, piece: bytes) -> Iterator[Block]:
        done = 0
        while done < len(piece):
            if self._head is not None:
                newline = piece.find(b"\n", done)
                yield from self._skip(piece[done : newline if newline >= 0 else None], ended=newline >= 0)
                done = newline + 1 if newline >= 0 else len(piece)
                continue
            if not self._parts:
                self._offset = offset + done
            part = piece[done : done + self._part_size(len(piece) - done)]
            done += len(part)
            yield from self._add(part)

    def _part_size(self, available: int) -> int:
        """Returns the number of bytes to add next: all that are available, to avoid a copy, up to about two blocks."""
        missing = self.block_bytes - self._size
        if available <= missing + self.block_bytes:
            return available
        return missing if missing > 0 else self.block_bytes

    def finish(self) -> Iterator[Block]:
        if self._head is not None:
            yield from self._skip(b"", ended=True)
        elif self._parts:
            yield from self._lines(b"".join(self._parts))

    def _lines(self, text: bytes) -> Iterator[Block]:
        return _without_long_lines(self._offset, text, self._most, skips_padding=self._skips_padding)

    def finish_whole(self) -> Iterator[Block]:
        """Yields the complete lines that are held, without a last line whose end was not read."""
        if self._cut:
            yield from self._lines(b"".join(self._parts)[: self._cut])

    def _add(self, part: bytes) -> Iterator[Block]:
        newline = part.rfind(b"\n") + 1
        if newline:
            self._cut = self._size + newline
        self._parts.append(part)
        self._size += len(part)
        # If the parts end with a complete line, half a block is enough, and nothing has to be copied.
        if self._cut and self._size >= (self.block_bytes if self._cut < self._size else self.block_bytes // 2):
            # The last newline is nearly always in the last part, so the block is copied once.
            last = self._parts.pop() if newline else b""
            whole = memoryview(last)[:newline]
            text = b"".join([*self._parts, whole]) if self._parts or newline < len(last) else last
            remainder = text[self._cut :] + last[newline:]
            yield from self._lines(text[: self._cut])
            self._parts = [remainder] if remainder else []
            self._offset += self._cut
            self._size = len(remainder)
            self._cut = 0
        # One further byte may be the \r of the line end.
        if not self._cut and self._size > self._most + 1:
            text = b"".join(self._parts)
            if self._skips_padding and text.startswith(b"\0"):
                line = text.lstrip(b"\0")
                self._offset += len(text) - len(line)
                self._parts, self._size = [line] if line else [], len(line)
                if len(line) <= self._most + 1:
                    return
                text = line
            self._is_padding = is_padding(text.removesuffix(b"\r"))
            self._head = record_head(text, self._most)
            self._length = len(text)
            self._carriage_return = text.endswith(b"\r")
            self._parts = []
            self._size = 0

    def _skip(self, part: bytes, *, ended: bool) -> Iterator[Block]:
        if part:
            self._length += len(part)
            self._is_padding = self._is_padding and not self._carriage_return and is_padding(part.removesuffix(b"\r"))
            self._carriage_return = part.endswith(b"\r")
        if ended and self._head is not None:
            if not self._is_padding:
                yield Block(self._offset, self._head, self._length - self._carriage_return)
            self._head = None


def record_head(text: bytes, limit: int) -> bytes:
    """Returns the first bytes of a record that is longer than ``limit``, ending at a character boundary of UTF-8."""
    size = min(limit, HEAD_BYTES)
    if size > 3 and len(text) > size:
        while size > min(limit, HEAD_BYTES) - 3 and text[size] & 0xC0 == 0x80:
            size -= 1
    return text[:size]


def is_padding(text: bytes) -> bool:
    """True if all bytes are zero."""
    return not text or (text.startswith(b"\0") and text.count(0) == len(text))


def _without_long_lines(offset: int, text: bytes, limit: int, *, skips_padding: bool) -> Iterator[Block]:
    """Yields one block; or the first bytes of each line that exceeds the limit, and blocks of the lines between them.

    Lines of zero bytes are not records. With ``skips_padding``, zero bytes at the beginning of a line that exceeds the limit
    are not part of it.
    """
    if len(text) <= limit:
        yield Block(offset, text)
        return
    starts, ends, *_ = line_bounds(text)
    done = 0
    for line in np.flatnonzero(ends - starts > limit).tolist():
        start, stop = int(starts[line]), int(ends[line])
        if start > done:
            yield Block(offset + done, text[done:start])
        line_end = done = int(starts[line + 1]) if line + 1 < len(starts) else len(text)
        if is_padding(text[start:stop]):
            continue
        if skips_padding:
            start = stop - len(text[start:stop].lstrip(b"\0"))
        if stop - start > limit:
            yield Block(offset + start, record_head(text[start:stop], limit), stop - start)
        else:
            yield Block(offset + start, text[start:line_end])
    if done < len(text):
        yield Block(offset + done, text[done:])


class LineBounds(NamedTuple):
    """The lines of a text.

    Attributes:
        starts: start offset of each line.
        ends: end offset of each line, excluding its line end.
        is_ascii: True if the text is known to be ASCII.
        is_plain: True if it is known that no line is empty, begins with a space or a control character, or is padded.
        is_single: True if it is known that no line begins with ``[``, and no ``}`` is directly before a ``{``.
    """

    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    is_ascii: bool = False
    is_plain: bool = False
    is_single: bool = False


def line_bounds(text: bytes, *, seeks_values: bool = False) -> LineBounds:
    """Returns the lines of a text; with ``seeks_values``, whether they are single values is found in the same pass."""
    bounds = bounds_of_few_lines(text, seeks_values=seeks_values)
    return _bounds_at(text, byte_offsets(np.frombuffer(text, np.uint8), 0x0A)) if bounds is None else bounds


def bounds_of_few_lines(text: bytes, *, seeks_values: bool = False) -> LineBounds | None:
    """Returns the lines of a text as :func:`line_bounds`; None if there are more than ``MAX_LINES``."""
    raw = np.frombuffer(text, dtype=np.uint8)
    search = compiled_search(compilation.setting())
    if search is None:
        bounds = _bounds_at(text, byte_offsets(raw, 0x0A))
        return None if len(bounds.starts) > MAX_LINES else bounds
    starts, ends = np.empty((2, min(len(raw), MAX_LINES) + SEARCH_MARGIN), np.int32)
    count, traits = search.find_lines(raw, starts, ends, seeks_values)
    if not 0 <= count <= MAX_LINES:
        return None
    is_plain = not traits & search.UNUSUAL and not text.endswith(b"\0")
    is_single = seeks_values and not traits & search.SEVERAL
    return LineBounds(starts[:count], ends[:count], not traits & search.NOT_ASCII, is_plain, is_single)


def _bounds_at(text: bytes, newlines: npt.NDArray[np.int32]) -> LineBounds:
    unended = 1 if text and not text.endswith(b"\n") else 0
    ends = np.empty(len(newlines) + unended, dtype=np.int32)
    ends[: len(newlines)] = newlines
    if unended:
        ends[-1] = len(text)
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1] + 1
    if b"\r" in text:
        ends -= (ends > starts) & (np.frombuffer(text, np.uint8)[ends - 1] == 0x0D)
    return LineBounds(starts, ends)


def halves(block: Block) -> tuple[Block, Block]:
    """Returns the two parts of a block of several lines, of about as many bytes."""
    text, middle = block.data, len(block.data) // 2
    cut = text.rfind(b"\n", 0, middle) + 1 or text.find(b"\n", middle) + 1
    return Block(block.offset, text[:cut]), Block(block.offset + cut, text[cut:])
