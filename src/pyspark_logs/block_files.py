"""Blocks with the records of several small files.

A block, its decoder and its batch cost about as much for three lines as for three thousand. The lines of small files that
follow one another, in one directory of the layout, are therefore joined to blocks and decoded together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pyspark_logs.formats.columnar.spans import Int64
from pyspark_logs.planning import FileSplit
from pyspark_logs.records import BLOCK_BYTES, MAX_LINES, Lines, sanitise
from pyspark_logs.small_files import is_small

_MAX_FILES = 512  # of a run


@dataclass(frozen=True)
class BlockFiles:
    """The files of the records of a block.

    Attributes:
        splits: split of each file. Their layout interval and partition values are equal.
        begins: offset of the beginning of each file's text in the joined block. After a search has moved some records to another
            block, :attr:`Lines.files` gives the file of each record instead.
    """

    splits: tuple[FileSplit, ...]
    begins: tuple[int, ...] = (0,)

    @property
    def first(self) -> FileSplit:
        """The first file."""
        return self.splits[0]

    def indices(self, lines: Lines) -> Int64:
        """Returns the index of the file of each record."""
        return np.zeros(len(lines), np.int64) if lines.files is None else lines.files.astype(np.int64)

    def of(self, lines: Lines, row: int) -> FileSplit:
        """Returns the file of a record; its path names the archive's member if there is one: ``a.zip!/app.log``."""
        member = lines.extent.member
        if lines.files is not None:
            return self.splits[lines.files[row]]
        return replace(self.first, path=f"{self.first.path}!/{member}") if member else self.first


def runs_of(splits: Iterable[FileSplit], *, joins: bool) -> Iterator[tuple[FileSplit, ...]]:
    """Yields splits in their order: small files that may be decoded together, and single splits.

    Args:
        splits: splits of a task.
        joins: False to yield each split by itself.
    """
    run: list[FileSplit] = []
    size = 0
    for split in splits:
        joinable = joins and is_small(split)
        if run and not (
            joinable and len(run) < _MAX_FILES and size + split.size <= BLOCK_BYTES and _in_one_directory(run[0], split)
        ):
            yield tuple(run)
            run, size = [], 0
        if joinable:
            run.append(split)
            size += split.size
        else:
            yield (split,)
    if run:
        yield tuple(run)


def _in_one_directory(one: FileSplit, other: FileSplit) -> bool:
    """Returns True if two files have the same values from the layout."""
    return (one.layout_start_us, one.layout_end_us, one.partition_values) == (
        other.layout_start_us, other.layout_end_us, other.partition_values,
    )  # fmt: skip


def join_blocks(found: Iterable[tuple[FileSplit, Lines]]) -> Iterator[tuple[BlockFiles, Lines]]:
    """Yields the records of files in blocks of several files, in their order.

    Args:
        found: blocks of each file, those of one file after another.
    """
    pending: list[tuple[FileSplit, Lines]] = []
    size = count = 0
    for split, block in found:
        lines = sanitise(block)  # so that offsets in the block do not change any more
        is_full = size + len(lines.block) > BLOCK_BYTES or count + len(lines) > MAX_LINES
        if pending and (is_full or not _fits(pending[0][1], lines)):
            yield _joined(pending)
            pending, size, count = [], 0, 0
        pending.append((split, lines))
        size += len(lines.block) + 1
        count += len(lines)
    if pending:
        yield _joined(pending)


def _fits(one: Lines, other: Lines) -> bool:
    """Returns True if blocks can be joined."""
    return all(
        lines.full_length is None and lines.damage is None and not lines.extent.member for lines in (one, other)
    ) and (one.header == other.header and one.is_whole == other.is_whole)


def _joined(parts: Sequence[tuple[FileSplit, Lines]]) -> tuple[BlockFiles, Lines]:
    if len(parts) == 1:
        return BlockFiles((parts[0][0],)), parts[0][1]
    texts: list[bytes] = []
    begins: list[int] = []
    size = 0
    for _, lines in parts:
        begins.append(size)
        text = lines.block if lines.block.endswith(b"\n") else lines.block + b"\n"
        texts.append(text)
        size += len(text)
    indices = np.repeat(np.arange(len(parts), dtype=np.int32), [len(lines) for _, lines in parts])
    shifts = np.array(begins, np.int32)[indices]
    joined = Lines(
        b"".join(texts),
        np.concatenate([lines.starts for _, lines in parts]) + shifts,
        np.concatenate([lines.ends for _, lines in parts]) + shifts,
        0,
        origins=np.concatenate([lines.offsets for _, lines in parts]),
        header=parts[0][1].header,
        is_whole=parts[0][1].is_whole,
        files=indices,
    )
    return BlockFiles(tuple(split for split, _ in parts), tuple(begins)), joined


def divide(files: BlockFiles, lines: Lines) -> Iterator[tuple[BlockFiles, Lines]]:
    """Yields the records of each file of a block, as it was joined, by themselves."""
    bounds = np.searchsorted(files.indices(lines), np.arange(len(files.splits) + 1))
    for index, split in enumerate(files.splits):
        first, last = int(bounds[index]), int(bounds[index + 1])
        if first < last:
            begin, end = files.begins[index], (*files.begins, len(lines.block))[index + 1]
            part = replace(lines.select(np.arange(first, last)), files=None)
            starts, ends = part.starts - np.int32(begin), part.ends - np.int32(begin)
            yield BlockFiles((split,)), replace(part, block=lines.block[begin:end], starts=starts, ends=ends)
