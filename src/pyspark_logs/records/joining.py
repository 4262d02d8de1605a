r"""From lines to records of several lines.

A line either starts a record or continues the one before it; which of the two is known from the line alone. A record
ends with its last line that is not blank: blank lines within it belong to it, those behind it to nobody. The first
line of a file starts a record whatever it is, and so does a line that is too long to be held.

A split owns the records whose first line begins in it. It skips the lines at its beginning that start none, since
they continue a record of the split before it, and reads on past its end up to the next start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from pyspark_logs.records.blocks import LARGEST_RECORD_BYTES, head_of
from pyspark_logs.records.lines import Lines

Starts = Callable[[Lines], npt.NDArray[np.bool_]]

_BOM_BYTES = 3


def join_lines(
    blocks: Iterator[Lines],
    starts: Starts,
    *,
    start: int = 0,
    length: int | None = None,
    max_record_bytes: int = 16 << 20,
) -> Iterator[Lines]:
    r"""Join the lines of a split into its records.

    A record whose lines are more than ``max_record_bytes`` in the file, from its first byte to its last, comes as a
    head with its full length, as :func:`read_lines` gives lines that are too long. Memory is bounded by
    ``max_record_bytes`` and a few blocks; each line is looked at once.

    Args:
        blocks: what :func:`read_lines` gives with ``to_join``. No more of them are taken than the split needs.
        starts: which lines start a record. It is not asked about lines that are too long.
        start: first byte of the split in the file.
        length: bytes of the split; None: up to the end of the file.
        max_record_bytes: longest record that is held; beyond 512 MiB the limit is 512 MiB.

    >>> import numpy as np
    >>> from pyspark_logs.records.lines import read_lines
    >>> capital = lambda lines: np.array([lines.record(i)[:1].isupper() for i in range(len(lines))])
    >>> blocks = read_lines(iter([b"One\n two\n\nThree\n"]), to_join=True)
    >>> [lines.record(i) for lines in join_lines(blocks, capital) for i in range(len(lines))]
    [b'One\n two', b'Three']
    """
    owner = _Owner(start, None if length is None else start + length)
    joiner = _Joiner(min(max_record_bytes, LARGEST_RECORD_BYTES))
    for lines in blocks:
        if len(lines) == 0:
            owner.see(lines)
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


class _Owner:
    """Tells which lines belong to the records of a split."""

    def __init__(self, start: int, end: int | None) -> None:
        self.start, self.end = start, end
        self.first_block, self.first_line = True, start == 0

    def see(self, lines: Lines) -> None:
        """Called with each block in turn."""
        if self.first_block and self.start == 0 and lines.offset == _BOM_BYTES and self.end is not None:
            # The byte order mark belongs to the first line: a split that ends within it owns that line.
            self.end = max(self.end, _BOM_BYTES + 1)
        self.first_block = False

    def owned(self, lines: Lines, begins: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.bool_], int]:
        """Which lines start a record, and how many lines there are before the first record of another split."""
        self.see(lines)
        orphan = self.first_line and not begins[0]
        self.first_line = False
        count = len(lines)
        if self.end is not None and lines.offsets[-1] >= self.end:
            behind = np.flatnonzero(begins & (lines.offsets >= self.end))
            count = int(behind[0]) if len(behind) else count
        if orphan:  # whoever owns the file's beginning owns it, even if blank lines moved it behind the split
            begins = begins.copy()
            begins[0] = True
        return begins, count


class _Joiner:
    """Collects the record that is still open from block to block."""

    def __init__(self, most: int) -> None:
        self.most = most
        # At most one of the two: the last block, if its last record is open, or that record with what was added to it.
        self.held: tuple[Lines, npt.NDArray[np.int64]] | None = None
        self.open: _Open | None = None

    def add(self, lines: Lines, begins: npt.NDArray[np.bool_], count: int) -> Iterator[Lines]:
        """Take the first ``count`` lines of a block; gives the records that are complete now."""
        firsts = np.flatnonzero(begins[:count])
        head = int(firsts[0]) if len(firsts) else count
        if head and (self.held is not None or self.open is not None):
            yield from self._reopen()
            if self.open is not None:
                self.open.add(lines, head)
        if len(firsts):
            yield from self.close()
            self.held = _joined(lines, firsts, count)

    def blank(self, lines: Lines) -> Iterator[Lines]:
        """Take a block of blank lines: part of the open record only if more of it follows."""
        yield from self._reopen()
        if self.open is not None:
            self.open.keep(lines.block)

    def close(self) -> Iterator[Lines]:
        """The open record ends here."""
        if self.held is not None:
            yield from _without_long_records(*self.held, self.most)
        if self.open is not None:
            yield self.open.record()
        self.held = self.open = None

    def _reopen(self) -> Iterator[Lines]:
        """Part the last record of the block from the others, which are complete."""
        if self.held is None:
            return
        records, sizes = self.held
        self.held, self.open = None, _Open.last_of(records, int(sizes[-1]), self.most)
        for others in _sliced(records, 0, len(records) - 1):
            yield from _without_long_records(others, sizes[:-1], self.most)


@dataclass
class _Open:
    """A record that may go on.

    Attributes:
        offset: its first byte in the file.
        end: one past its last byte so far, in the file; without blank lines at the end.
        most: longest record that is held. Of text beyond that, nothing is kept.
        parts: its text so far, with the line ends and blank lines behind it.
        size: bytes of ``parts``.
        solid: how many of these bytes are its own, whatever follows.
        sealed: whether ``parts`` is the head of a line that is too long.
    """

    offset: int
    end: int
    most: int
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    solid: int = 0
    sealed: bool = False

    @classmethod
    def last_of(cls, records: Lines, size: int, most: int) -> _Open:
        """The last record of a block, with ``size`` bytes in the file."""
        start, stop = int(records.starts[-1]), int(records.ends[-1])
        offset = int(records.offsets[-1])
        one = cls(offset, offset + size, most, solid=stop - start)
        one.keep(records.block[start:])
        one.sealed = records.full_length is not None
        return one

    def keep(self, text: bytes) -> None:
        """Text that belongs to it if more of it follows."""
        if self.size <= self.most and not self.sealed:
            self.parts.append(text)
            self.size += len(text)

    def add(self, lines: Lines, count: int) -> None:
        """The first lines of a block continue it."""
        stop = int(lines.ends[count - 1])
        if not self.sealed:
            self.solid = self.size + stop
        self.keep(lines.block if count == len(lines) else lines.block[:stop])
        self.end = int(lines.offsets[count - 1]) + stop - int(lines.starts[count - 1])

    def record(self) -> Lines:
        """All of it, or the head of it if it is too long."""
        text, size = b"".join(self.parts)[: self.solid], self.end - self.offset
        too_long = size > self.most
        return _single(head_of(text, self.most) if too_long else text, self.offset, size if too_long else None)


def _joined(lines: Lines, firsts: npt.NDArray[np.int64], count: int) -> tuple[Lines, npt.NDArray[np.int64]]:
    """The records among the first lines of a block, and their sizes in the file; ``firsts`` are their first lines."""
    if lines.full_length is not None:
        return lines, np.array([lines.full_length])
    last = np.append(firsts[1:], count) - 1
    ends = lines.offsets[last] + (lines.ends - lines.starts)[last]
    records = lines
    if len(firsts) < len(lines):
        records = replace(lines.select(firsts), ends=lines.ends[last])
    return records, ends - records.offsets


def _without_long_records(records: Lines, sizes: npt.NDArray[np.int64], most: int) -> Iterator[Lines]:
    """The records of a block, those that are too long as heads."""
    done = 0
    if records.full_length is None:
        for row in np.flatnonzero(sizes > most).tolist():
            yield from _sliced(records, done, row)
            yield _single(head_of(records.record(row), most), int(records.offsets[row]), int(sizes[row]))
            done = row + 1
    yield from _sliced(records, done, len(records))


def _sliced(records: Lines, start: int, stop: int) -> Iterator[Lines]:
    """Some records of a block, if there are any."""
    if start < stop:
        yield records if stop - start == len(records) else records.select(np.arange(start, stop))


def _single(text: bytes, offset: int, full_length: int | None) -> Lines:
    return Lines(text, np.zeros(1, np.int32), np.array([len(text)], np.int32), offset, full_length)
