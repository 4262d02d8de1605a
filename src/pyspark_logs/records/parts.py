r"""Joins the parts into which a container runtime cuts a long line, to one record.

Runtimes cut lines that exceed the size of their buffer, 16 KiB as a rule. Each part is a line of the file; the parts of
``stdout`` and ``stderr`` may alternate. A record has the fields of its first part, and is yielded in the block of its last part.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pyspark_logs.records.blocks import LARGEST_RECORD_BYTES, record_head
from pyspark_logs.records.joining import OnJoin
from pyspark_logs.records.lines import Lines


@dataclass(frozen=True)
class LinePart:
    """A line that may be a part; the line is ``head + tag + text + tail``.

    Attributes:
        stream: name of the stream, as it is in the line; the parts of a record are of the same stream.
        is_last: True if the line ends a record; a record that was not cut has one part, which is the last.
        head: fields before the text, for a record that begins with this part.
        tag: fields before the text, for a record that ends with this part.
        text: the part of the container's line.
        tail: fields after the text, for a record that begins with this part.
    """

    stream: bytes
    is_last: bool
    head: bytes
    tag: bytes
    text: bytes
    tail: bytes


class PartRule(Protocol):
    """The rule by which a format marks parts."""

    @property
    def column(self) -> str:
        """Name of the column that shows that a line is not the last part."""

    def candidates(self, lines: Lines) -> npt.NDArray[np.intp]:
        """Returns the ascending indices of lines that may be parts, among them all parts that are not the last."""

    def parse(self, line: bytes) -> LinePart | None:
        """Returns the parts of a line; None if the line is not of the format."""


def join_parts(
    blocks: Iterator[Lines], rule: PartRule, *, max_record_bytes: int = 16 << 20, on_join: OnJoin | None = None
) -> Iterator[Lines]:
    """Joins the parts in the lines of a whole file to records; yields blocks without parts unchanged.

    A record that exceeds ``max_record_bytes`` is yielded as its first bytes with its full length. A record whose last part is
    missing ends with the file. Memory is bounded by a block and ``max_record_bytes`` for each stream.

    Args:
        blocks: blocks from :func:`read_lines`.
        rule: rule that finds parts.
        max_record_bytes: length of the longest record that is held; at most 512 MiB.
        on_join: function that is called with the number of parts of a block that are joined to the part before them, and the
            offset of the first of these parts.
    """
    joiner = _PartJoiner(rule, min(max_record_bytes, LARGEST_RECORD_BYTES), on_join)
    for lines in blocks:
        yield from joiner.add(lines)
    yield from joiner.close()


@dataclass
class _UnfinishedRecord:
    """A record whose last part was not found yet.

    Attributes:
        first: first part.
        offset: offset of the first part in the file.
        tag: tag of the latest part.
        texts: texts of the parts, as far as the record does not exceed the limit.
        size: length of the record.
        limit: length of the longest record that is held.
    """

    first: LinePart
    offset: int
    limit: int
    tag: bytes = b""
    texts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, part: LinePart) -> None:
        """Adds the text of a part."""
        if self.size <= self.limit:
            self.texts.append(part.text)
        self.size += len(part.text)
        self.tag = part.tag

    def lines(self) -> Lines:
        """Returns the record as a block."""
        first = self.first
        size = len(first.head) + len(self.tag) + self.size + len(first.tail)
        text = b"".join([first.head, self.tag, *self.texts])
        too_long = size > self.limit
        text = record_head(text, self.limit) if too_long else text + first.tail
        ends = np.array([len(text)], np.int32)
        return Lines(text, np.zeros(1, np.int32), ends, self.offset, size if too_long else None)


class _PartJoiner:
    """Joins parts across blocks."""

    def __init__(self, rule: PartRule, limit: int, on_join: OnJoin | None) -> None:
        self.rule, self.limit, self.on_join = rule, limit, on_join
        self.open: dict[bytes, _UnfinishedRecord] = {}

    def add(self, lines: Lines) -> Iterator[Lines]:
        """Yields the records that end in a block."""
        if lines.full_length is not None:
            yield lines
            return
        candidates = self.rule.candidates(lines)
        if not self.open and not len(candidates):
            yield lines
            return
        joined: list[int] = []
        output: list[Lines] = []  # records, each a block, and runs of lines that are not parts
        begin = 0
        finder = _RowFinder(lines, candidates)
        row = finder.next(0, self.open)
        while row < len(lines):
            part = self.rule.parse(lines.record(row))
            if part is not None and (not part.is_last or part.stream in self.open):
                output += _slice(lines, begin, row)
                begin = row + 1
                output += self._take(part, int(lines.offsets[row]), joined)
            row = finder.next(row + 1, self.open)
        output += _slice(lines, begin, len(lines))
        if self.on_join is not None and joined:
            self.on_join(len(joined), joined[0])
        yield from _merge(output)

    def _take(self, part: LinePart, offset: int, joined: list[int]) -> list[Lines]:
        """Adds a part to its record, and returns the record if the part is the last one."""
        record = self.open.get(part.stream)
        if record is None:
            record = self.open[part.stream] = _UnfinishedRecord(part, offset, self.limit)
        else:
            joined.append(offset)
        record.add(part)
        return [self.open.pop(part.stream).lines()] if part.is_last else []

    def close(self) -> Iterator[Lines]:
        """Yields the records whose last part is missing."""
        records = sorted(self.open.values(), key=lambda record: record.offset)
        self.open = {}
        yield from _merge([record.lines() for record in records])


class _RowFinder:
    """Finds the lines of a block that may be parts: the others are not parsed, also if the last part of a record is missing.

    Args:
        lines: lines of the block.
        candidates: indices of the lines that may open a record, ascending.
    """

    def __init__(self, lines: Lines, candidates: npt.NDArray[np.intp]) -> None:
        self.block, self.starts = lines.block, lines.starts.tolist()
        self.candidates = [*candidates.tolist(), len(self.starts)]
        self._of_stream: dict[bytes, int] = {}  # index of the next line that contains the name of a stream

    def next(self, row: int, streams: Iterable[bytes]) -> int:
        """Returns the index of the next candidate or line of a stream, from a row on; the number of lines if there is none."""
        found = self.candidates[bisect.bisect_left(self.candidates, row)]
        if found == row:
            return row
        return min([found, *(self._next_of(stream, row) for stream in streams)])

    def _next_of(self, stream: bytes, row: int) -> int:
        following = self._of_stream.get(stream, -1)
        if following < row:
            offset = self.block.find(stream, self.starts[row])
            following = bisect.bisect_right(self.starts, offset) - 1 if offset >= 0 else len(self.starts)
            self._of_stream[stream] = following
        return following


def _slice(lines: Lines, start: int, stop: int) -> list[Lines]:
    return [lines.select(np.arange(start, stop))] if start < stop else []


def _merge(pieces: list[Lines]) -> Iterator[Lines]:
    """Yields the pieces as few blocks; a record that exceeds the limit is a block."""
    run: list[Lines] = []
    for piece in pieces:
        if piece.full_length is None:
            run.append(piece)
            continue
        yield from _concatenate(run)
        yield piece
        run = []
    yield from _concatenate(run)


def _concatenate(pieces: list[Lines]) -> Iterator[Lines]:
    if not pieces:
        return
    texts: list[bytes] = []
    starts, ends, size = [], [], 0
    for piece in pieces:
        first, last = int(piece.starts[0]), int(piece.ends[-1])
        texts.append(piece.block[first:last])
        starts.append(piece.starts + np.int32(size - first))
        ends.append(piece.ends + np.int32(size - first))
        size += last - first + 1
    origins = np.concatenate([piece.offsets for piece in pieces])
    yield Lines(
        b"\n".join(texts),
        np.concatenate(starts),
        np.concatenate(ends),
        int(origins[0]),
        None,
        origins,
        pieces[0].header,
    )
