"""The records of a block, as offsets into it: lines, of which several may be joined (see ``joining``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pyspark_logs.records.blocks import BLOCK_BYTES, blocks, line_bounds


@dataclass(frozen=True)
class Lines:
    """The records of one block.

    Attributes:
        block: the raw text; the records may be any subset of its lines. Records begin where a line begins and
            end where one ends; the line ends within a record of several lines stay as they are.
        starts: int32, the first byte of each record in ``block``.
        ends: int32, one past the last byte of each record, line end excluded.
        offset: where the block begins in the uncompressed file.
        full_length: None, or: the block holds the head of one record that exceeds the limit, and
            this is the length in bytes it has in the file.
        origins: int64, offset in the file of each record where that is not ``offset + starts``,
            because bytes of the block were replaced.
        header: the line that names the columns of these records, where there is one (see ``headers``).
    """

    block: bytes
    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    offset: int
    full_length: int | None = None
    origins: npt.NDArray[np.int64] | None = None
    header: str | None = None

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Where each record begins in the uncompressed file, int64."""
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
    banners: tuple[bytes, ...] = (),
    to_join: bool = False,
) -> Iterator[Lines]:
    r"""The records that one split of a file owns: :func:`blocks`, then :func:`find_lines`.

    Blocks without a record are left out. With ``to_join`` they are what :func:`join_lines` takes: blocks of blank
    lines are among them, comments are cut out of the text, and it goes on behind the split for as long as somebody
    asks.

    >>> [bytes(lines.record(0)) for lines in read_lines(iter([b"#v1\na", b"b\nc\n"]), comment_prefix=b"#")]
    [b'ab']
    """
    # The prefix must fit into what is kept of a long line, or a long comment would pass for a record.
    prefixes = (*((comment_prefix,) if comment_prefix else ()), *banners)
    most = max([max_record_bytes, *map(len, prefixes)])
    for block in blocks(
        chunks, start=start, length=length, block_bytes=block_bytes, max_record_bytes=most, beyond=to_join
    ):
        lines = find_lines(block.data, block.offset, prefixes, block.full_length, cut_comments=to_join)
        if len(lines) or to_join:
            yield lines


def find_lines(
    block: bytes,
    offset: int,
    prefixes: bytes | tuple[bytes, ...] | None = None,
    full_length: int | None = None,
    *,
    cut_comments: bool = False,
) -> Lines:
    r"""The records of one block of whole lines.

    Args:
        block: what :func:`blocks` gives as ``data``.
        offset: where it begins in the uncompressed file.
        prefixes: lines that begin with one of them are no records.
        full_length: as in :class:`Block`; if it is given, the block is the head of one record.
        cut_comments: they are no part of the resulting block either.

    >>> lines = find_lines(b"one\n\n# no\ntwo\r\n", 100, b"#")
    >>> lines.starts.tolist(), lines.ends.tolist(), lines.offsets.tolist()
    ([0, 10], [3, 13], [100, 110])
    """
    if full_length is None:
        starts, ends = line_bounds(block)
    else:  # a \r at the end of a head is text
        starts, ends = np.array([0], dtype=np.int32), np.array([len(block)], dtype=np.int32)
    keep = ends > starts
    lines = Lines(block, starts, ends, offset, full_length)
    among = (prefixes,) if isinstance(prefixes, bytes) else prefixes or ()
    found = [begins_with(block, starts, ends, prefix) for prefix in among if prefix and prefix in block]
    if found:
        comments = np.logical_or.reduce(found)
        keep &= ~comments
        if cut_comments and comments.any():
            return _without(lines, comments).select(keep[~comments])
    return lines if keep.all() else lines.select(keep)


def _without(lines: Lines, which: npt.NDArray[np.bool_]) -> Lines:
    """All lines of a block but some, whose text is cut out of it, too."""
    sizes = np.diff(lines.starts, append=np.int32(len(lines.block)))  # with line ends
    text = np.frombuffer(lines.block, np.uint8)[np.repeat(~which, sizes)].tobytes()
    moved = np.cumsum(np.where(which, sizes, 0), dtype=np.int32)
    starts, ends = (places[~which] - moved[~which] for places in (lines.starts, lines.ends))
    return Lines(
        text, starts, ends, lines.offset, None if len(starts) == 0 else lines.full_length, lines.offsets[~which]
    )


def begins_with(
    block: bytes, starts: npt.NDArray[np.int32], ends: npt.NDArray[np.int32], prefix: bytes
) -> npt.NDArray[np.bool_]:
    """Which of the lines ``block[starts[i]:ends[i]]`` begin with the prefix."""
    raw = np.frombuffer(block, dtype=np.uint8)
    candidates = np.flatnonzero(ends - starts >= len(prefix))
    for index, byte in enumerate(prefix):
        candidates = candidates[raw[starts[candidates] + index] == byte]
    found: npt.NDArray[np.bool_] = np.zeros(len(starts), dtype=np.bool_)
    found[candidates] = True
    return found
