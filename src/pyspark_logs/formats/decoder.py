"""Decoding blocks of lines into columns.

A decoder asks its engines in turn, the fastest first; each vouches for some lines, and what is left is
parsed one line at a time by the exact parser. No line is ever silently wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from pyspark_logs.formats.columnar.decoded_rows import DecodedRows, Engine
from pyspark_logs.formats.columnar.spans import Bool, Int64
from pyspark_logs.formats.parsed_line import CorruptReason, ParsedLine
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.timestamps.zones import utc_to_local
from pyspark_logs.records import Lines, sanitise


@dataclass(frozen=True)
class DecodedLines:
    """One block's columns, a value for each line.

    Attributes:
        columns: of the types asked for.
        corrupt: which lines are corrupt; None: not one.
        reasons: why, for each line that is.
    """

    columns: list[pa.Array]
    corrupt: Bool | None
    reasons: Mapping[int, CorruptReason] = field(default_factory=dict)


@dataclass(frozen=True)
class DecodedBlock:
    """The columns of the records of one block that the search did not leave out.

    Attributes:
        records: number of records in the block, including those that the search left out.
        rows: number of rows, that is of records that the search did not leave out.
        columns: one array for each requested column.
        corrupt: mask of the corrupt records; None: no record is corrupt.
        reasons: index of each corrupt record -> the reason.
        lines: the records, as valid UTF-8; None: the records are not lines of text.
    """

    records: int
    rows: int
    columns: list[pa.Array]
    corrupt: Bool | None = None
    reasons: Mapping[int, CorruptReason] = field(default_factory=dict)
    lines: Lines | None = None

    def offsets(self) -> pa.Array:
        """Returns the int64 offset of each row's record in the uncompressed file, null for records that are not lines."""
        return pa.nulls(self.rows, pa.int64()) if self.lines is None else pa.array(self.lines.offsets, pa.int64())


class LineParser(Protocol):
    """The exact meaning of one line, for :class:`Decoder`."""

    def parse(self, line: str, context: TimestampContext) -> ParsedLine:
        """The values of the columns."""


class Decoder:
    """Decodes blocks of lines into columns of ``target``'s types."""

    def __init__(
        self, engines: Sequence[Engine], exact: LineParser, native: Sequence[pa.DataType], target: Sequence[pa.DataType]
    ) -> None:
        self.engines, self.exact = tuple(engines), exact
        self.native, self.target = tuple(native), tuple(target)

    def decode(self, lines: Lines, context: TimestampContext) -> DecodedLines:
        """Every line of a block, in order.

        Args:
            lines: records of valid UTF-8 (see ``records.sanitise``).
            context: the zone and the year bound of the file.
        """
        parts, todo = self.surely(lines, context)
        corrupt, reasons = None, dict[int, CorruptReason]()
        if todo is None or len(todo):
            exact, corrupt, reasons = self.exactly(lines, todo, context)
            parts.append(exact)
        columns = _merged(parts, len(lines), self.native)
        finished = [self._finished(*pair, context) for pair in zip(columns, self.native, self.target, strict=True)]
        return DecodedLines(finished, corrupt, reasons)

    def surely(self, lines: Lines, context: TimestampContext) -> tuple[list[DecodedRows], Int64 | None]:
        """What the engines vouch for, and the lines that are left for the exact parser; None: all."""
        parts: list[DecodedRows] = []
        todo: Int64 | None = None
        for engine in self.engines:
            if todo is not None and len(todo) == 0:
                break
            starts = lines.starts if todo is None else lines.starts[todo]
            ends = lines.ends if todo is None else lines.ends[todo]
            sure = engine.parse(lines.block, starts, ends, context)
            if sure is None:
                continue
            parts.append(DecodedRows(_within(todo, sure.rows), sure.columns))
            todo = _left(todo, sure.rows, len(lines))
        return parts, todo

    def for_header(self, header: str | None) -> Decoder:
        """The decoder of lines under a header; of most formats it is always this one."""
        return self

    def exactly(
        self, lines: Lines, todo: Int64 | None, context: TimestampContext
    ) -> tuple[DecodedRows, Bool | None, dict[int, CorruptReason]]:
        """Some lines (None: all) by the exact parser: their columns, which of the block's are corrupt, and why."""
        rows = np.arange(len(lines)) if todo is None else todo
        values: list[list[Any]] = [[] for _ in self.native]
        corrupt = np.zeros(len(lines), np.bool_)
        reasons: dict[int, CorruptReason] = {}
        for row in rows.tolist():
            text = lines.block[lines.starts[row] : lines.ends[row]].decode("utf-8", "replace")
            parsed = self.exact.parse(text, context)
            for column, value in zip(values, parsed.values, strict=True):
                column.append(value)
            if parsed.reason:
                corrupt[row] = True
                reasons[row] = parsed.corrupt_reason
        arrays = [pa.array(column, dtype) for column, dtype in zip(values, self.native, strict=True)]
        return DecodedRows(rows, arrays), corrupt if reasons else None, reasons

    def _finished(
        self, array: pa.Array, native: pa.DataType, target: pa.DataType, context: TimestampContext
    ) -> pa.Array:
        """From what the format gives to what the schema wants: instants to wall clocks and days."""
        if native == target:
            return array
        if pa.types.is_timestamp(native) and (pa.types.is_timestamp(target) or pa.types.is_date32(target)):
            walls = utc_to_local(array, context.zone)
            return walls if pa.types.is_timestamp(target) else walls.cast(pa.date32(), safe=False)
        return array.cast(target)


class LineBlockDecoder:
    """Decodes the blocks of lines of one task: search, validation of UTF-8, columns.

    Args:
        decoder: decoder of the requested columns.
        select: function that leaves out lines which cannot satisfy the filters of the query; None: all lines stay.
        max_record_bytes: the option, for messages.
    """

    def __init__(self, decoder: Decoder, select: Callable[[Lines], Lines] | None, max_record_bytes: int) -> None:
        self.decoder, self.select, self.max_record_bytes = decoder, select, max_record_bytes

    def decode(self, block: Lines, context: TimestampContext) -> DecodedBlock:
        """Returns the requested columns of the lines that the search did not leave out."""
        lines = block if self.select is None else self.select(block)
        if len(lines) == 0:
            return DecodedBlock(len(block), 0, [], lines=lines)
        lines = sanitise(lines)
        if lines.full_length is not None:
            return self._too_long(lines, lines.full_length)
        decoded = self.decoder.for_header(lines.header).decode(lines, context)
        return DecodedBlock(len(block), len(lines), decoded.columns, decoded.corrupt, decoded.reasons, lines)

    def _too_long(self, lines: Lines, length: int) -> DecodedBlock:
        """Returns one corrupt record for the head of a record that is too long to be held."""
        text = f"the record has {length} bytes, more than maxRecordBytes={self.max_record_bytes}"
        columns = [pa.nulls(1, dtype) for dtype in self.decoder.target]
        reasons = {0: CorruptReason(text, "longer than maxRecordBytes")}
        return DecodedBlock(1, 1, columns, np.ones(1, np.bool_), reasons, lines)


def _within(todo: Int64 | None, rows: Int64 | None) -> Int64 | None:
    if todo is None:
        return rows
    return todo if rows is None else todo[rows]


def _left(todo: Int64 | None, rows: Int64 | None, count: int) -> Int64:
    if rows is None:
        return np.zeros(0, np.int64)
    left = np.ones(count if todo is None else len(todo), np.bool_)
    left[rows] = False
    places = np.flatnonzero(left)
    return places if todo is None else todo[places]


def _merged(parts: list[DecodedRows], count: int, types: Sequence[pa.DataType]) -> list[pa.Array]:
    """The parts' columns, put back into the order of the lines."""
    full = [part for part in parts if part.rows is None or len(part.rows)]
    if len(full) == 1 and (full[0].rows is None or len(full[0].rows) == count):
        return full[0].columns
    if not full:
        return [pa.array([], dtype) for dtype in types]
    order = np.empty(count, np.int64)
    order[np.concatenate([part.rows for part in full])] = np.arange(count)
    return [pa.concat_arrays([part.columns[i] for part in full]).take(pa.array(order)) for i in range(len(types))]
