r"""From a stream of bytes to blocks of whole records.

A record is a line. It ends at ``\n`` or ``\r\n``, the last one of a file with or without; a
``\r`` that ends the last line counts as half of an interrupted ``\r\n``. Lines without a byte and
lines that begin with the comment prefix are no records.

A file may be read in splits. A split ``[start, start + length)`` owns the lines whose first byte lies
in it: it skips the line that began before it and reads past its end to finish its last one. So any
cut of a file gives each record exactly once.

Nothing here copies a record out of its block: a block is one buffer, records are offsets into it.
"""

from __future__ import annotations

import codecs
import functools
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from pyspark_logs.errors import CorruptFileError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

BLOCK_BYTES = 3 << 20  # parsers are fastest on 3-4 MiB: there are a few thousand of the widest lines in it
HEAD_BYTES = 64 << 10  # what is kept of a record that is too long
_STRETCH_BYTES = 1 << 20  # that are searched at once
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


@dataclass(frozen=True)
class Lines:
    """The records of one block.

    Attributes:
        block: the raw text; the records may be any subset of its lines.
        starts: int32, the first byte of each record in ``block``.
        ends: int32, one past the last byte of each record, line end excluded.
        offset: where the block begins in the uncompressed file.
        full_length: None, or: the block holds the head of one record that exceeds the limit, and
            this is the length in bytes it has in the file.
        origins: int64, offset in the file of each record where that is not ``offset + starts``,
            because bytes of the block were replaced.
    """

    block: bytes
    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    offset: int
    full_length: int | None = None
    origins: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Where each record begins in the uncompressed file, int64."""
        import numpy as np

        if self.origins is not None:
            return self.origins
        return self.starts.astype(np.int64) + self.offset

    def record(self, index: int) -> bytes:
        r"""The bytes of one record.

        >>> find_lines(b"a\nbc\r\n", 0).record(1)
        b'bc'
        """
        return self.block[self.starts[index] : self.ends[index]]

    def select(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.integer]) -> Lines:
        """The records that a boolean mask, or an array of indices, picks; the block is shared."""
        origins = None if self.origins is None else self.origins[which]
        return replace(self, starts=self.starts[which], ends=self.ends[which], origins=origins)


def read_lines(
    chunks: Iterator[bytes],
    *,
    start: int = 0,
    length: int | None = None,
    block_bytes: int = BLOCK_BYTES,
    max_record_bytes: int = 16 << 20,
    comment_prefix: bytes | None = None,
) -> Iterator[Lines]:
    r"""The records that one split of a file owns: :func:`blocks`, then :func:`find_lines`.

    Blocks without a record are left out.

    >>> [bytes(lines.record(0)) for lines in read_lines(iter([b"#v1\na", b"b\nc\n"]), comment_prefix=b"#")]
    [b'ab']
    """
    # The prefix must fit into what is kept of a long line, or a long comment would pass for a record.
    most = max(max_record_bytes, len(comment_prefix or b""))
    for block in blocks(chunks, start=start, length=length, block_bytes=block_bytes, max_record_bytes=most):
        lines = find_lines(block.data, block.offset, comment_prefix, block.full_length)
        if len(lines):
            yield lines


def blocks(
    chunks: Iterator[bytes],
    *,
    start: int = 0,
    length: int | None = None,
    block_bytes: int = BLOCK_BYTES,
    max_record_bytes: int = 16 << 20,
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

    Raises:
        CorruptFileError: ``chunks`` raised it; the lines that were whole by then have been given.

    >>> list(blocks(iter([b"a\nb", b"b\nc\n"]), start=1, length=2))
    [Block(offset=2, data=b'bb\n', full_length=None)]
    """
    end = None if length is None else start + length
    cutter = _Cutter(block_bytes, min(max_record_bytes, LARGEST_RECORD_BYTES))
    try:
        for offset, piece in _owned(chunks, start, end):
            yield from cutter.feed(offset, piece)
        yield from cutter.finish()
    except CorruptFileError:
        yield from cutter.finish_whole()
        raise
    finally:
        if isinstance(chunks, Generator):
            chunks.close()


def _owned(chunks: Iterator[bytes], start: int, end: int | None) -> Iterator[tuple[int, bytes]]:
    """The text from the first line that begins in [start, end) to the end of the last, with offsets."""
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
        if end is not None:
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
    """Collects pieces of text until they make a block."""

    def __init__(self, block_bytes: int, max_record_bytes: int) -> None:
        self._block_bytes = block_bytes
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
        room = self._block_bytes - self._size
        if wanted <= room + self._block_bytes:
            return wanted
        return room if room > 0 else self._block_bytes

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
        if self._cut and self._size >= (self._block_bytes if self._cut < self._size else self._block_bytes // 2):
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
            self._head = _head(text, self._most)
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


def _head(text: bytes, most: int) -> bytes:
    """The first bytes of a record that is too long, not cut within a character."""
    size = min(most, HEAD_BYTES)
    if size > 3:
        while size > min(most, HEAD_BYTES) - 3 and text[size] & 0xC0 == 0x80:
            size -= 1
    return text[:size]


def _without_long_lines(offset: int, text: bytes, most: int) -> Iterator[Block]:
    """One block, or, where lines exceed the limit, these as heads and blocks of what is between."""
    if len(text) <= most:
        yield Block(offset, text)
        return
    import numpy as np

    starts, ends = _line_bounds(text)
    done = 0
    for line in np.flatnonzero(ends - starts > most).tolist():
        start, stop = int(starts[line]), int(ends[line])
        if start > done:
            yield Block(offset + done, text[done:start])
        yield Block(offset + start, _head(text[start:stop], most), stop - start)
        done = int(starts[line + 1]) if line + 1 < len(starts) else len(text)
    if done < len(text):
        yield Block(offset + done, text[done:])


def _line_bounds(text: bytes) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """First byte of each line, and one past its last byte without the line end."""
    import numpy as np

    raw = np.frombuffer(text, dtype=np.uint8)
    newlines = byte_places(raw, 0x0A)
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


def byte_places(raw: npt.NDArray[np.uint8], byte: int) -> npt.NDArray[np.int32]:
    """Where a byte stands, ascending.

    Eight bytes at a time: those without the byte are left out before the others are looked at one by one. That takes
    two thirds of the time of ``flatnonzero(raw == byte)`` where it stands as often as line ends and quotes do in logs.

    >>> import numpy as np
    >>> byte_places(np.frombuffer(b"a,b,", np.uint8), ord(",")).tolist()
    [1, 3]
    """
    import numpy as np

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


def find_lines(block: bytes, offset: int, comment_prefix: bytes | None = None, full_length: int | None = None) -> Lines:
    r"""The records of one block of whole lines.

    Args:
        block: what :func:`blocks` gives as ``data``.
        offset: where it begins in the uncompressed file.
        comment_prefix: lines that begin with it are no records.
        full_length: as in :class:`Block`; if it is given, the block is the head of one record.

    >>> lines = find_lines(b"one\n\n# no\ntwo\r\n", 100, b"#")
    >>> lines.starts.tolist(), lines.ends.tolist(), lines.offsets.tolist()
    ([0, 10], [3, 13], [100, 110])
    """
    import numpy as np

    if full_length is None:
        starts, ends = _line_bounds(block)
    else:  # a \r at the end of a head is text
        starts, ends = np.array([0], dtype=np.int32), np.array([len(block)], dtype=np.int32)
    keep = ends > starts
    if comment_prefix and comment_prefix in block:
        keep &= ~_begins_with(block, starts, ends, comment_prefix)
    lines = Lines(block, starts, ends, offset, full_length)
    return lines if keep.all() else lines.select(keep)


def _begins_with(
    block: bytes, starts: npt.NDArray[np.int32], ends: npt.NDArray[np.int32], prefix: bytes
) -> npt.NDArray[np.bool_]:
    import numpy as np

    raw = np.frombuffer(block, dtype=np.uint8)
    candidates = np.flatnonzero(ends - starts >= len(prefix))
    for index, byte in enumerate(prefix):
        candidates = candidates[raw[starts[candidates] + index] == byte]
    found: npt.NDArray[np.bool_] = np.zeros(len(starts), dtype=np.bool_)
    found[candidates] = True
    return found


def is_ascii(text: bytes) -> bool:
    """Whether all bytes are ASCII; on whole blocks three times as fast as ``bytes.isascii``."""
    import numpy as np

    return not text or bool(np.frombuffer(text, np.uint8).max() < 0x80)


def is_utf8(text: bytes) -> bool:
    r"""Whether the bytes are valid UTF-8.

    >>> is_utf8("ä".encode()), is_utf8(b"\xe4")
    (True, False)
    """
    if is_ascii(text):
        return True
    import numpy as np
    import pyarrow as pa

    # Four times as fast as bytes.decode on text that is not plain ASCII.
    offsets = pa.py_buffer(np.array([0, len(text)], dtype=np.int32))
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(text)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def sanitise(lines: Lines, encoding: str = "utf-8") -> Lines:
    r"""The same records over a block that is valid UTF-8; what is not valid in its encoding is U+FFFD.

    The number and the order of records stay, and so do their ``offsets``. Records must begin where a
    line begins and end where one ends. A block that is valid UTF-8 already is returned as it is.

    Args:
        lines: records of one block.
        encoding: of the block; one that :func:`keeps_lines`.

    >>> lines = sanitise(find_lines(b"a\xff\nb\n", 0))
    >>> lines.record(0).decode(), lines.record(1).decode(), lines.offsets.tolist()
    ('a\ufffd', 'b', [0, 3])
    """
    if is_ascii(lines.block) or (encoding == "utf-8" and is_utf8(lines.block)):
        return lines
    import numpy as np

    def line_ends(text: bytes) -> npt.NDArray[np.int64]:
        newlines = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == 0x0A)
        return np.append(newlines, len(text)).astype(np.int64)

    # A line end always decodes to itself, whatever comes before it. So both texts have the same lines, and
    # what is between a record's end and its line's end (a \r) has the same length.
    text = lines.block.decode(encoding, "replace").encode()
    before, after = line_ends(lines.block), line_ends(text)
    moved = after - before
    first = np.searchsorted(before, lines.starts)
    last = np.searchsorted(before, lines.ends)
    starts = lines.starts + np.where(first > 0, moved[first - 1], 0)
    ends = lines.ends + moved[last]
    return replace(
        lines,
        block=text,
        starts=starts.astype(np.int32),
        ends=ends.astype(np.int32),
        origins=lines.offsets,
    )


@functools.cache
def keeps_lines(encoding: str) -> bool:
    """Whether a newline is the byte 0x0A, and that byte a newline wherever it stands: UTF-8, Latin-1, GBK.

    >>> [keeps_lines(name) for name in ("utf-8", "iso8859-1", "gbk", "utf-16", "utf-7", "cp037")]
    [True, True, True, False, False, False]
    """
    every = [bytes([byte]) for byte in range(256)]
    texts = [byte.decode(encoding, "replace") for byte in every]
    plain = all(len(text) == 1 for text in texts) and all(texts[byte] == chr(byte) for byte in range(128))
    # Nor may the first byte of a longer character swallow a line end.
    return plain and all((byte + b"\r\n").decode(encoding, "replace")[-2:] == "\r\n" for byte in every)


def transcode(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    r"""Text of another encoding as UTF-8; what is not valid in it becomes U+FFFD.

    UTF-8 passes unchanged (see :func:`sanitise`). This is for encodings that do not :func:`keeps_lines`:
    offsets of records are then those in the transcoded text, and such a file cannot be split.

    >>> b"".join(transcode(iter([b"\xe4\n"]), "latin-1")).decode()
    'ä\n'
    """
    try:
        if codecs.lookup(encoding).name == "utf-8":
            yield from chunks
            return
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        for chunk in chunks:
            # Some encodings can spell half a surrogate pair, which UTF-8 cannot.
            if text := decoder.decode(chunk):
                yield text.encode("utf-8", "replace")
        if text := decoder.decode(b"", final=True):
            yield text.encode("utf-8", "replace")
    finally:
        if isinstance(chunks, Generator):
            chunks.close()
