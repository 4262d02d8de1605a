"""Records of a block as offsets into it: lines, or joined lines (see ``joining``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pyspark_logs.records.blocks import (
    BLOCK_BYTES,
    MAX_LINES,
    Block,
    LineBounds,
    blocks,
    bounds_of_few_lines,
    halves,
    line_bounds,
)

_SPACE = 0x20


@dataclass(frozen=True)
class Extent:
    """The part of a text that a split owns.

    Attributes:
        member: name of the text in its archive; "" if the text is the file.
        start: offset of the part in the text.
        length: length of the part in bytes; None for the rest of the text.
    """

    member: str = ""
    start: int = 0
    length: int | None = None


@dataclass(frozen=True)
class Lines:
    """The records of one block.

    Attributes:
        block: raw text; the records are any subset of its lines. A record begins at the start of a line and ends at the end
            of a line; line ends within a record of several lines are part of it.
        starts: start offset of each record in ``block``, int32.
        ends: end offset of each record, exclusive and without the line end, int32.
        offset: offset of the block in the uncompressed file.
        full_length: length in bytes of the record whose first bytes the block holds, if that record exceeds the limit; else
            None.
        origins: offset of each record in the file, int64, if it differs from ``offset + starts`` because bytes of the block
            were replaced; else None.
        header: line that names the columns of these records; None without a header (see ``headers``).
        extent: part of the text in which the records were found.
        damage: reason why the only record of the block is corrupt, whatever its text; None: decoding tells.
        is_whole: True if each record is a JSON value of a document, and may not be divided.
        is_ascii: True if the block is known to be ASCII.
        files: index of the file of each record, ascending, int32, if the block has the records of several files; else None.
        is_single: True if it is known that no line begins with ``[``, and no ``}`` is directly before a ``{``: each line is at most
            one JSON value, unless blanks separate them.
    """

    block: bytes
    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    offset: int
    full_length: int | None = None
    origins: npt.NDArray[np.int64] | None = None
    header: str | None = None
    extent: Extent = Extent()
    damage: str | None = None
    is_whole: bool = False
    is_ascii: bool = False
    files: npt.NDArray[np.int32] | None = None
    is_single: bool = False

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Offset of each record in the uncompressed file, int64."""
        if self.origins is not None:
            return self.origins
        return self.starts.astype(np.int64) + self.offset

    def record(self, index: int) -> bytes:
        r"""Returns the bytes of one record.

        >>> find_lines(b"a\nbc\r\n", 0).record(1)
        b'bc'
        """
        return self.block[self.starts[index] : self.ends[index]]

    def select(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.integer]) -> Lines:
        """Returns the records selected by a boolean mask or an array of indices; the block is shared."""
        origins = None if self.origins is None else self.origins[which]
        files = None if self.files is None else self.files[which]
        return replace(self, starts=self.starts[which], ends=self.ends[which], origins=origins, files=files)

    def first(self, count: int) -> Lines:
        """Returns the first records, in the same block."""
        return self.select(np.arange(min(count, len(self))))

    def compact(self) -> Lines:
        """Returns the records in a block of their own if they are less than half of their block: less to scan."""
        lengths = self.ends - self.starts
        if len(self) == 0 or 2 * int(lengths.sum()) > len(self.block):
            return self
        records = [self.block[start:end] for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)]
        ends = (np.cumsum(lengths) + np.arange(len(lengths))).astype(np.int32)
        starts = (ends - lengths).astype(np.int32)
        return replace(self, block=b"\n".join(records), starts=starts, ends=ends, origins=self.offsets)


def read_lines(
    chunks: Iterator[bytes],
    *,
    start: int = 0,
    length: int | None = None,
    block_bytes: int = BLOCK_BYTES,
    max_record_bytes: int = 16 << 20,
    comment_prefix: bytes | None = None,
    banners: tuple[bytes, ...] = (),
    blanks: bytes = b"",
    to_join: bool = False,
    all_blocks: bool = False,
    seeks_values: bool = False,
) -> Iterator[Lines]:
    r"""Yields the records that a split of a file owns: :func:`blocks`, then :func:`find_lines`.

    Lines of ``blanks`` are not records. Blocks without a record are omitted, unless ``all_blocks``. With ``to_join`` the result
    is the input of :func:`join_lines`: blocks of blank lines are included, comments are removed from the text, and reading
    continues after the split while the caller iterates. ``seeks_values`` fills ``Lines.is_single``.

    >>> [bytes(lines.record(0)) for lines in read_lines(iter([b"#v1\na", b"b\nc\n"]), comment_prefix=b"#")]
    [b'ab']
    """
    # The bytes kept of a long line must hold the longest prefix; otherwise a long comment would count as a record.
    prefixes = (*((comment_prefix,) if comment_prefix else ()), *banners)
    most = max([max_record_bytes, *map(len, prefixes)])
    found = blocks(chunks, start=start, length=length, block_bytes=block_bytes, max_record_bytes=most, beyond=to_join)
    for block, bounds in _with_bounds(found, seeks_values=seeks_values):
        lines = _records(block, bounds, prefixes, blanks, cut_comments=to_join)
        if len(lines) or to_join or all_blocks:
            yield lines


def _with_bounds(found: Iterator[Block], *, seeks_values: bool) -> Iterator[tuple[Block, LineBounds]]:
    """Yields blocks with their lines, in parts those of more than ``MAX_LINES`` lines."""
    for block in found:
        if block.full_length is not None:
            yield block, _bounds(block, seeks_values=seeks_values)
            continue
        pending = [block]
        while pending:
            part = pending.pop()
            bounds = bounds_of_few_lines(part.data, seeks_values=seeks_values)
            if bounds is None:
                pending.extend(reversed(halves(part)))
            else:
                yield part, bounds


def _bounds(block: Block, *, seeks_values: bool) -> LineBounds:
    if block.full_length is None:
        return line_bounds(block.data, seeks_values=seeks_values)
    # A \r at the end of an incomplete record is text.
    return LineBounds(np.array([0], dtype=np.int32), np.array([len(block.data)], dtype=np.int32))


def find_lines(
    block: bytes,
    offset: int,
    prefixes: bytes | tuple[bytes, ...] | None = None,
    full_length: int | None = None,
    *,
    blanks: bytes = b"",
    cut_comments: bool = False,
    seeks_values: bool = False,
) -> Lines:
    r"""Returns the records of one block of whole lines.

    Zero bytes at the beginning of a line, and at the end of a last line without a line end, are padding of a file that was
    preallocated or truncated. They are not part of the record and become line ends in the resulting block, so that a record
    begins after a line end in any case.

    Args:
        block: ``data`` of a block from :func:`blocks`.
        offset: offset of the block in the uncompressed file.
        prefixes: prefixes of lines that are not records.
        full_length: see :class:`Block`; if given, the block holds the first bytes of one record.
        blanks: characters of a blank line, which is not a record.
        cut_comments: True to remove lines with these prefixes from the resulting block, too.
        seeks_values: True to find whether each line is a single JSON value.

    >>> lines = find_lines(b"one\n\n# no\ntwo\r\n", 100, b"#")
    >>> lines.starts.tolist(), lines.ends.tolist(), lines.offsets.tolist()
    ([0, 10], [3, 13], [100, 110])
    """
    given = Block(offset, block, full_length)
    among = (prefixes,) if isinstance(prefixes, bytes) else prefixes or ()
    return _records(given, _bounds(given, seeks_values=seeks_values), among, blanks, cut_comments=cut_comments)


def _records(
    given: Block, bounds: LineBounds, prefixes: tuple[bytes, ...], blanks: bytes, *, cut_comments: bool
) -> Lines:
    """Returns the records among the lines of a block; see :func:`find_lines`."""
    offset, block, full_length = given
    starts, ends = bounds.starts, bounds.ends
    lines = Lines(block, starts, ends, offset, full_length, is_ascii=bounds.is_ascii, is_single=bounds.is_single)
    if bounds.is_plain and not any(prefix in block for prefix in prefixes):
        return lines
    keep = ends > starts
    if full_length is None and not bounds.is_plain:
        lines, keep = _without_padding(lines, keep, blanks, keep_offsets=cut_comments)
        block, starts, ends = lines.block, lines.starts, lines.ends
    found = [begins_with(block, starts, ends, prefix) for prefix in prefixes if prefix and prefix in block]
    if found:
        comments = np.logical_or.reduce(found)
        keep &= ~comments
        if cut_comments and comments.any():
            return remove_lines(lines, comments).select(keep[~comments])
    return lines if keep.all() else lines.select(keep)


def _without_padding(
    lines: Lines, keep: npt.NDArray[np.bool_], blanks: bytes, *, keep_offsets: bool
) -> tuple[Lines, npt.NDArray[np.bool_]]:
    """Returns the lines without zero bytes that are padding, and the mask of those that are not blank.

    With ``keep_offsets`` the offset of a line remains that of its first zero byte, from which follows the split that owns it.
    """
    raw = np.frombuffer(lines.block, np.uint8)
    doubtful = keep & (raw[lines.starts] <= _SPACE)
    padded_end = lines.block.endswith(b"\0")
    if not padded_end and not doubtful.any():
        return lines, keep
    starts, ends = lines.starts.copy(), lines.ends.copy()
    block = lines.block
    if padded_end:
        ends[-1] = max(len(block.rstrip(b"\0")), int(starts[-1]))
        doubtful[-1] = True
    padded = np.flatnonzero(doubtful & (raw[starts] == 0))
    for row in padded.tolist():
        text = block[starts[row] : ends[row]]
        starts[row] += len(text) - len(text.lstrip(b"\0"))
    if len(padded) or padded_end:
        block = _blank_out(block, [*zip(lines.starts[padded], starts[padded], strict=True), (ends[-1], lines.ends[-1])])
        origins = lines.offsets if keep_offsets else None
        lines = replace(lines, block=block, starts=starts, ends=ends, origins=origins, is_single=False)
    keep = ends > starts
    if blanks:
        # Most indented lines end with other text.
        candidates = np.flatnonzero(keep & doubtful)
        candidates = candidates[raw[ends[candidates] - 1] <= _SPACE]
        blank = [row for row in candidates.tolist() if not block[starts[row] : ends[row]].strip(blanks)]
        keep[blank] = False
    return lines, keep


def _blank_out(block: bytes, ranges: list[tuple[int, int]]) -> bytes:
    """Returns the block with the bytes in these ranges replaced by line ends."""
    changed = bytearray(block)
    for start, end in ranges:
        changed[start:end] = b"\n" * (end - start)
    return bytes(changed)


def remove_lines(lines: Lines, mask: npt.NDArray[np.bool_]) -> Lines:
    """Returns the lines of a block without those in the mask, whose text is removed from the block, too."""
    begins = lines.starts.copy()
    begins[:1] = 0  # line ends before the first line are padding
    sizes = np.diff(begins, append=np.int32(len(lines.block)))  # including line ends
    text = np.frombuffer(lines.block, np.uint8)[np.repeat(~mask, sizes)].tobytes()
    removed = np.cumsum(np.where(mask, sizes, 0), dtype=np.int32)
    starts, ends = (bounds[~mask] - removed[~mask] for bounds in (lines.starts, lines.ends))
    return Lines(
        text, starts, ends, lines.offset, None if len(starts) == 0 else lines.full_length, lines.offsets[~mask]
    )


def cut_lines(lines: Lines, start: int, stop: int) -> Lines:
    """Returns the lines from start to stop in a block of their own, with the text up to the next line."""
    if start >= len(lines):
        return replace(lines.select(np.arange(0)), block=b"")
    begin = int(lines.starts[start])
    end = int(lines.starts[stop]) if stop < len(lines) else len(lines.block)
    return replace(
        lines,
        block=lines.block[begin:end],
        starts=lines.starts[start:stop] - np.int32(begin),
        ends=lines.ends[start:stop] - np.int32(begin),
        offset=lines.offset + begin,
        origins=None if lines.origins is None else lines.origins[start:stop],
        files=None if lines.files is None else lines.files[start:stop],
    )


def in_blocks(lines: Lines) -> Iterator[Lines]:
    """Yields records in blocks of the usual size, unless a record is longer."""
    if len(lines.block) <= 2 * BLOCK_BYTES and len(lines) <= 2 * MAX_LINES:
        yield lines
        return
    begin = 0
    while begin < len(lines):
        end = min(int(np.searchsorted(lines.starts, lines.starts[begin] + BLOCK_BYTES)), begin + MAX_LINES)
        yield cut_lines(lines, begin, max(end, begin + 1))
        begin = max(end, begin + 1)


def concatenate_lines(blocks: list[Lines]) -> Lines:
    """Returns the lines of successive blocks in one block."""
    if len(blocks) == 1:
        return blocks[0]
    shifts = np.cumsum([0, *(len(lines.block) for lines in blocks[:-1])]).astype(np.int32)
    return replace(
        blocks[0],
        block=b"".join([lines.block for lines in blocks]),
        starts=np.concatenate([lines.starts + shift for lines, shift in zip(blocks, shifts, strict=True)]),
        ends=np.concatenate([lines.ends + shift for lines, shift in zip(blocks, shifts, strict=True)]),
        origins=np.concatenate([lines.offsets for lines in blocks]),
        is_ascii=all(lines.is_ascii for lines in blocks),
        is_single=all(lines.is_single for lines in blocks),
    )


def begins_with(
    block: bytes, starts: npt.NDArray[np.int32], ends: npt.NDArray[np.int32], prefix: bytes
) -> npt.NDArray[np.bool_]:
    """Returns a mask of the lines ``block[starts[i]:ends[i]]`` that begin with the prefix."""
    raw = np.frombuffer(block, dtype=np.uint8)
    candidates = np.flatnonzero(ends - starts >= len(prefix))
    for index, byte in enumerate(prefix):
        candidates = candidates[raw[starts[candidates] + index] == byte]
    found: npt.NDArray[np.bool_] = np.zeros(len(starts), dtype=np.bool_)
    found[candidates] = True
    return found
