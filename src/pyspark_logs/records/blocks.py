"""From a stream of bytes to blocks of whole lines, and which of them a split owns."""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pyspark_logs.errors import CorruptFileError

BLOCK_BYTES = 3 << 20  # parsers are fastest on 3-4 MiB: there are a few thousand of the widest lines in it
HEAD_BYTES = 64 << 10  # what is kept of a record that is too long
_KEPT_BYTES = 8 * BLOCK_BYTES
_STRETCH_BYTES = 1 << 20  # that are searched at once
BEHIND_BYTES = 64 << 10  # a block behind a split's end, where only the rest of one record is looked for
# Offsets are int32, and replacing invalid bytes can make a text three times as long.
LARGEST_RECORD_BYTES = 512 << 20

_BOM = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Whole lines of a file, or the head of one line that is too long to be held.

    Attributes:
        offset: where ``data`` begins in the uncompressed file.
        data: the lines with their line ends.
        full_length: None, or the length in bytes of the one record that ``data`` is the head of.
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
    r"""Cut the text that one split owns into blocks of whole lines.

    A record longer than ``max_record_bytes`` becomes a block of its own that holds its first bytes
    (at most ``HEAD_BYTES``) and its full length; the rest is skipped. So memory is bounded by
    ``max_record_bytes + block_bytes`` and a chunk, and no record is lost.

    Args:
        chunks: the file's bytes from ``max(start - 1, 0)`` on, in pieces of any size. No more of them
            are taken than the split needs, and a generator is closed at the end.
        start: first byte of the split in the file.
        length: bytes of the split; None: up to the end of the file.
        block_bytes: size of a block, except where a single record is longer.
        max_record_bytes: longest record that is held; beyond 512 MiB the limit is 512 MiB.
        beyond: go on behind the split's last line, in small blocks, for as long as somebody asks. A split in
            which no line begins gives nothing all the same.

    Raises:
        CorruptFileError: ``chunks`` raised it; the lines that were whole by then have been given.

    >>> list(blocks(iter([b"a\nb", b"b\nc\n"]), start=1, length=2))
    [Block(offset=2, data=b'bb\n', full_length=None)]
    """
    _keep_freed_memory()
    end = None if length is None else start + length
    cutter = _Cutter(block_bytes, min(max_record_bytes, LARGEST_RECORD_BYTES))
    try:
        for offset, piece in _owned(chunks, start, end, beyond):
            if end is not None and offset >= end:
                cutter.block_bytes = min(block_bytes, BEHIND_BYTES)
            yield from cutter.feed(offset, piece)
        yield from cutter.finish()
    except CorruptFileError:
        yield from cutter.finish_whole()
        raise
    finally:
        if isinstance(chunks, Generator):
            chunks.close()


@functools.cache
def _keep_freed_memory() -> None:
    """Have the C library keep the memory of blocks that are done with, for those to come.

    glibc gives free memory back to the system once there is twice as much of it as the largest mapped allocation that
    was ever freed (mallopt(3), M_TRIM_THRESHOLD): with blocks of 3 MiB, all the time, and each new block is paid for
    with hundreds of page faults again. One allocation that is freed untouched raises that; elsewhere it does nothing.
    """
    untouched = bytes(_KEPT_BYTES)
    del untouched


def _owned(chunks: Iterator[bytes], start: int, end: int | None, beyond: bool) -> Iterator[tuple[int, bytes]]:
    """The text from the first line that begins in [start, end) to the end of the last, or beyond, with offsets."""
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
            # The mark belongs to the first line, so a split that ends within it owns that line.
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
    """Collects pieces of text until they make a block of ``block_bytes``, which may change on the way."""

    def __init__(self, block_bytes: int, max_record_bytes: int) -> None:
        self.block_bytes = block_bytes
        self._most = max_record_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._cut = 0  # one past the last newline in the parts
        self._offset = 0  # of the first part in the file
        self._head: bytes | None = None  # set while the rest of a long record is skipped
        self._length = 0  # of that record so far
        self._carriage_return = False  # whether its last byte so far is \r

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
            part = piece[done : done + self._room(len(piece) - done)]
            done += len(part)
            yield from self._add(part)

    def _room(self, wanted: int) -> int:
        """How many of the next ``wanted`` bytes to add: all of them, rather than copy a part, unless that is far too many."""
        room = self.block_bytes - self._size
        if wanted <= room + self.block_bytes:
            return wanted
        return room if room > 0 else self.block_bytes

    def finish(self) -> Iterator[Block]:
        if self._head is not None:
            yield from self._skip(b"", ended=True)
        elif self._parts:
            yield from _without_long_lines(self._offset, b"".join(self._parts), self._most)

    def finish_whole(self) -> Iterator[Block]:
        """What is held, without a last line that nobody saw the end of."""
        if self._cut:
            yield from _without_long_lines(self._offset, b"".join(self._parts)[: self._cut], self._most)

    def _add(self, part: bytes) -> Iterator[Block]:
        newline = part.rfind(b"\n") + 1
        if newline:
            self._cut = self._size + newline
        self._parts.append(part)
        self._size += len(part)
        # Without a begun line to carry on with, half a block is one, and nothing is copied.
        if self._cut and self._size >= (self.block_bytes if self._cut < self._size else self.block_bytes // 2):
            # The last newline is nearly always in the last part: then the block is copied together once.
            last = self._parts.pop() if newline else b""
            whole = memoryview(last)[:newline]
            text = b"".join([*self._parts, whole]) if self._parts or newline < len(last) else last
            rest = text[self._cut :] + last[newline:]
            yield from _without_long_lines(self._offset, text[: self._cut], self._most)
            self._parts = [rest] if rest else []
            self._offset += self._cut
            self._size = len(rest)
            self._cut = 0
        # One byte more may be the \r of the line end.
        if not self._cut and self._size > self._most + 1:
            text = b"".join(self._parts)
            self._head = head_of(text, self._most)
            self._length = len(text)
            self._carriage_return = text.endswith(b"\r")
            self._parts = []
            self._size = 0

    def _skip(self, part: bytes, *, ended: bool) -> Iterator[Block]:
        if part:
            self._length += len(part)
            self._carriage_return = part.endswith(b"\r")
        if ended and self._head is not None:
            yield Block(self._offset, self._head, self._length - self._carriage_return)
            self._head = None


def head_of(text: bytes, most: int) -> bytes:
    """The first bytes of a record that is longer than ``most``, not cut within a character."""
    size = min(most, HEAD_BYTES)
    if size > 3 and len(text) > size:
        while size > min(most, HEAD_BYTES) - 3 and text[size] & 0xC0 == 0x80:
            size -= 1
    return text[:size]


def _without_long_lines(offset: int, text: bytes, most: int) -> Iterator[Block]:
    """One block, or, where lines exceed the limit, these as heads and blocks of what is between."""
    if len(text) <= most:
        yield Block(offset, text)
        return
    starts, ends = line_bounds(text)
    done = 0
    for line in np.flatnonzero(ends - starts > most).tolist():
        start, stop = int(starts[line]), int(ends[line])
        if start > done:
            yield Block(offset + done, text[done:start])
        yield Block(offset + start, head_of(text[start:stop], most), stop - start)
        done = int(starts[line + 1]) if line + 1 < len(starts) else len(text)
    if done < len(text):
        yield Block(offset + done, text[done:])


def line_bounds(text: bytes) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """First byte of each line, and one past its last byte without the line end."""
    raw = np.frombuffer(text, dtype=np.uint8)
    newlines = byte_offsets(raw, 0x0A)
    unended = 1 if text and not text.endswith(b"\n") else 0
    ends: npt.NDArray[np.int32] = np.empty(len(newlines) + unended, dtype=np.int32)
    ends[: len(newlines)] = newlines
    if unended:
        ends[-1] = len(text)
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1] + 1
    if b"\r" in text:
        ends -= (ends > starts) & (raw[ends - 1] == 0x0D)
    return starts, ends


def byte_offsets(raw: npt.NDArray[np.uint8], byte: int) -> npt.NDArray[np.int32]:
    """Where a byte stands, ascending.

    Eight bytes at a time: those without the byte are left out before the others are looked at one by one. That takes
    two thirds of the time of ``flatnonzero(raw == byte)`` where it stands as often as line ends and quotes do in logs.

    >>> import numpy as np
    >>> byte_offsets(np.frombuffer(b"a,b,", np.uint8), ord(",")).tolist()
    [1, 3]
    """
    # In stretches, whose mask stays in the processor's cache; one for all would be new memory for each block, too.
    found = []
    mask = np.empty(min(_STRETCH_BYTES, len(raw)), np.bool_)
    for begin in range(0, len(raw), _STRETCH_BYTES):
        piece = raw[begin : begin + _STRETCH_BYTES]
        here = np.equal(piece, byte, out=mask[: len(piece)])
        aligned = len(piece) & ~7
        words = here[:aligned].view(np.uint64)
        hits = np.flatnonzero(words != 0)
        bytes_of_hits = np.flatnonzero(words[hits].view(np.bool_))
        places = hits[bytes_of_hits >> 3]
        places <<= 3
        bytes_of_hits &= 7
        places += bytes_of_hits
        found.append(places if begin == 0 else places + begin)
        if aligned < len(piece):
            found.append(np.flatnonzero(here[aligned:]) + (begin + aligned))
    return np.concatenate(found).astype(np.int32) if found else np.zeros(0, np.int32)
