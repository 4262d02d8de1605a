r"""Joins lines into records of several lines.

A line either starts a record or continues the record before it, which depends on the line alone. A record ends with its last
line that is not blank: blank lines within a record belong to it, blank lines after it belong to no record. A line that exceeds
the limit always starts a record. Lines before the first line of a file that starts a record are records of their own, so a file
of another format is not joined into one record.

A split owns the records whose first line begins in it. It skips the lines at its beginning that do not start a record, because
they continue a record of the previous split, and reads beyond its end up to the next line that starts a record. The first split
of a file also owns all lines before the first line that starts a record, wherever that line is: another split cannot know
whether a record has begun before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from pyspark_logs.records.blocks import LARGEST_RECORD_BYTES, record_head
from pyspark_logs.records.lines import Lines

Starts = Callable[[Lines], npt.NDArray[np.bool_]]
OnJoin = Callable[[int, int], None]
"""Function of the number of lines that are joined to the record before them, and the offset of the first in the file."""

_BOM_BYTES = 3


def join_lines(
    blocks: Iterator[Lines],
    starts: Starts,
    *,
    start: int = 0,
    length: int | None = None,
    max_record_bytes: int = 16 << 20,
    on_join: OnJoin | None = None,
) -> Iterator[Lines]:
    r"""Joins the lines of a split into records.

    A record whose lines take more than ``max_record_bytes`` in the file is yielded as its first bytes with its full length,
    as :func:`read_lines` yields lines that exceed the limit. Memory is bounded by ``max_record_bytes`` and a few blocks; each
    line is processed once.

    Args:
        blocks: blocks from :func:`read_lines` with ``to_join``. Only as many are taken as the split needs.
        starts: function that returns a mask of the lines that start a record; not called for lines that exceed the limit.
        start: offset of the split in the file.
        length: length of the split in bytes; None for the rest of the file.
        max_record_bytes: length of the longest record that is held; at most 512 MiB.
        on_join: function that is called with the number of lines of a block that are joined to the record before them, and
            the offset of the first of these lines.

    >>> import numpy as np
    >>> from pyspark_logs.records.lines import read_lines
    >>> capital = lambda lines: np.array([lines.record(i)[:1].isupper() for i in range(len(lines))])
    >>> blocks = read_lines(iter([b"One\n two\n\nThree\n"]), to_join=True)
    >>> [lines.record(i) for lines in join_lines(blocks, capital) for i in range(len(lines))]
    [b'One\n two', b'Three']
    """
    owner = _SplitOwnership(start, None if length is None else start + length)
    joiner = _LineJoiner(min(max_record_bytes, LARGEST_RECORD_BYTES), on_join)
    for lines in blocks:
        if len(lines) == 0:
            owner.observe(lines)
            yield from joiner.blank(lines)
            continue
        begins = _begins(lines, starts)
        begins, count = owner.owned(lines, begins)
        yield from joiner.add(lines, begins, count)
        if count < len(lines):
            break
    yield from joiner.close()


def _begins(lines: Lines, starts: Starts) -> npt.NDArray[np.bool_]:
    return starts(lines) if lines.full_length is None else np.ones(1, np.bool_)


class _SplitOwnership:
    """Ownership of lines: those of records that start in a split.

    Attributes:
        start: offset of the split.
        end: end offset of the split, exclusive; None for the end of the file.
        before_first: True for the first split of a file until a line starts a record.
        owns_record: True if a line of an owned record was seen.
    """

    def __init__(self, start: int, end: int | None) -> None:
        self.start, self.end = start, end
        self.first_block, self.before_first, self.owns_record = True, start == 0, False

    def observe(self, lines: Lines) -> None:
        """Takes note of a block. Called with each block in turn."""
        if self.first_block and self.start == 0 and lines.offset == _BOM_BYTES and self.end is not None:
            # The byte order mark belongs to the first line, so a split that ends within the mark owns that line.
            self.end = max(self.end, _BOM_BYTES + 1)
        self.first_block = False

    def owned(self, lines: Lines, begins: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], int]:
        """Returns a mask of the lines that start a record, and the number of lines before the next split's first record."""
        self.observe(lines)
        count = len(lines)
        if self.end is not None and lines.offsets[-1] >= self.end:
            after = np.flatnonzero(begins & (lines.offsets >= self.end))
            count = int(after[0]) if len(after) else count
        first = int(np.argmax(begins)) if begins.any() else len(lines)
        if self.before_first:
            self.before_first = first == len(lines)
            begins = begins.copy()
            begins[:first] = True
            first = 0
        self.owns_record = self.owns_record or first < count
        if not self.owns_record and self.end is not None and lines.offsets[-1] >= self.end:
            count = 0  # no record begins in the split; the lines beyond its end continue a record of another split
        return begins, count


class _LineJoiner:
    """Joins lines across blocks, holding the last record until it is known to be complete."""

    def __init__(self, limit: int, on_join: OnJoin | None) -> None:
        self.limit, self.on_join = limit, on_join
        # At most one of the two is set: the last block with its open record, or that record with the lines added to it.
        self.held: tuple[Lines, npt.NDArray[np.int64]] | None = None
        self.open: _OpenRecord | None = None

    def add(self, lines: Lines, begins: npt.NDArray[np.bool_], count: int) -> Iterator[Lines]:
        """Adds the first ``count`` lines of a block and yields the records that are complete."""
        firsts = np.flatnonzero(begins[:count])
        head = int(firsts[0]) if len(firsts) else count
        continues = self.held is not None or self.open is not None
        self._report_joined(lines, begins, 0 if continues else head, count)
        if head and continues:
            yield from self._reopen()
            if self.open is not None:
                self.open.add(lines, head)
        if len(firsts):
            yield from self.close()
            self.held = _joined(lines, firsts, count)

    def _report_joined(self, lines: Lines, begins: npt.NDArray[np.bool_], start: int, stop: int) -> None:
        """Calls ``on_join`` if one of the lines from start to stop does not begin a record."""
        joined = np.flatnonzero(~begins[start:stop])
        if self.on_join is not None and len(joined):
            self.on_join(len(joined), int(lines.offsets[start + joined[0]]))

    def blank(self, lines: Lines) -> Iterator[Lines]:
        """Adds a block of blank lines, which belong to the open record only if further lines continue it."""
        yield from self._reopen()
        if self.open is not None:
            self.open.append(lines.block)

    def close(self) -> Iterator[Lines]:
        """Ends the open record and yields it."""
        if self.held is not None:
            yield from _without_long_records(*self.held, self.limit)
        if self.open is not None:
            yield self.open.record()
        self.held = self.open = None

    def _reopen(self) -> Iterator[Lines]:
        """Opens the last record of the held block and yields the other records, which are complete."""
        if self.held is None:
            return
        records, sizes = self.held
        self.held, self.open = None, _OpenRecord.last_of(records, int(sizes[-1]), self.limit)
        for others in _slice(records, 0, len(records) - 1):
            yield from _without_long_records(others, sizes[:-1], self.limit)


@dataclass
class _OpenRecord:
    """A record that further lines may continue.

    Attributes:
        offset: start offset of the record in the file.
        end: end offset of the record so far in the file, exclusive, without trailing blank lines.
        limit: length of the longest record that is held; further text is not kept.
        parts: text so far, including trailing line ends and blank lines.
        size: bytes in ``parts``.
        solid: number of these bytes that belong to the record whatever follows.
        sealed: True if ``parts`` is the beginning of a line that exceeds the limit.
    """

    offset: int
    end: int
    limit: int
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    solid: int = 0
    sealed: bool = False

    @classmethod
    def last_of(cls, records: Lines, size: int, limit: int) -> _OpenRecord:
        """Returns the last record of a block, which has ``size`` bytes in the file."""
        start, stop = int(records.starts[-1]), int(records.ends[-1])
        offset = int(records.offsets[-1])
        record = cls(offset, offset + size, limit, solid=stop - start)
        record.append(records.block[start:])
        record.sealed = records.full_length is not None
        return record

    def append(self, text: bytes) -> None:
        """Appends text that belongs to the record if further lines continue it."""
        if self.size <= self.limit and not self.sealed:
            self.parts.append(text)
            self.size += len(text)

    def add(self, lines: Lines, count: int) -> None:
        """Continues the record with the first lines of a block."""
        stop = int(lines.ends[count - 1])
        if not self.sealed:
            self.solid = self.size + stop
        self.append(lines.block if count == len(lines) else lines.block[:stop])
        self.end = int(lines.offsets[count - 1]) + stop - int(lines.starts[count - 1])

    def record(self) -> Lines:
        """Returns the record, or its first bytes if it exceeds the limit."""
        text, size = b"".join(self.parts)[: self.solid], self.end - self.offset
        too_long = size > self.limit
        return _single(record_head(text, self.limit) if too_long else text, self.offset, size if too_long else None)


def _joined(lines: Lines, firsts: npt.NDArray[np.int64], count: int) -> tuple[Lines, npt.NDArray[np.int64]]:
    """Returns the records in the first ``count`` lines of a block and their sizes in the file.

    Args:
        lines: lines of a block.
        firsts: indices of the lines that start a record.
        count: number of lines.
    """
    if lines.full_length is not None:
        return lines, np.array([lines.full_length])
    last = np.append(firsts[1:], count) - 1
    ends = lines.offsets[last] + (lines.ends - lines.starts)[last]
    records = lines
    if len(firsts) < len(lines):
        records = replace(lines.select(firsts), ends=lines.ends[last])
    return records, ends - records.offsets


def _without_long_records(records: Lines, sizes: npt.NDArray[np.int64], limit: int) -> Iterator[Lines]:
    """Yields the records of a block; of records that exceed the limit, the first bytes."""
    done = 0
    if records.full_length is None:
        for row in np.flatnonzero(sizes > limit).tolist():
            yield from _slice(records, done, row)
            yield _single(record_head(records.record(row), limit), int(records.offsets[row]), int(sizes[row]))
            done = row + 1
    yield from _slice(records, done, len(records))


def _slice(records: Lines, start: int, stop: int) -> Iterator[Lines]:
    """Yields the records from start to stop, unless the range is empty."""
    if start < stop:
        yield records if stop - start == len(records) else records.select(np.arange(start, stop))


def _single(text: bytes, offset: int, full_length: int | None) -> Lines:
    return Lines(text, np.zeros(1, np.int32), np.array([len(text)], np.int32), offset, full_length)
