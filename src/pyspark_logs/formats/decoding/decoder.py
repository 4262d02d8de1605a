"""Decoding blocks of lines into columns.

A decoder runs its engines in turn, the fastest first. Each engine decodes the lines of whose values it is certain; the
line parser, which defines the meaning of the format, parses the remaining lines one at a time. An engine that is wrong
about a line is a bug; the conformance tests compare engines with the line parser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
import pyarrow as pa

from pyspark_logs.arrow_values import from_numpy, from_values
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows
from pyspark_logs.formats.columnar.reasons import CorruptReason, Reasons, ReasonsBuilder
from pyspark_logs.formats.columnar.spans import Bool, Int32, Int64
from pyspark_logs.formats.decoding.mismatches import SEARCHED, UNCERTAIN, MismatchSearch, first_of_each
from pyspark_logs.formats.decoding.parsed_line import ParsedLine
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.timestamps.zones import utc_to_local
from pyspark_logs.records import Lines, sanitise

LINE_PARSER = "line parser"  # name of the line parser among the names of engines


@dataclass(frozen=True)
class AppendedText:
    """Lines that go on after the last field of their format.

    Attributes:
        rows: ascending indices of the lines.
        starts: offset in the block of the text after the last field, in each of these lines.
    """

    rows: Int64
    starts: Int32


@dataclass(frozen=True)
class DecodedLines:
    """The columns of the lines of a block.

    Attributes:
        columns: arrays of the requested types, with a value for each line.
        corrupt: mask of the corrupt lines; None: no line is corrupt.
        reasons: index of each corrupt line -> the reason.
        appended: lines with text after the last field; None: there are none, or the format does not seek them.
        engines: name of each engine -> number of lines that it decoded.
    """

    columns: list[pa.Array]
    corrupt: Bool | None
    reasons: Reasons = field(default_factory=Reasons.none)
    appended: AppendedText | None = None
    engines: Mapping[str, int] = field(default_factory=dict)


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
        appended: records with text after the last field; None: there are none, or the format does not seek them.
        engines: name of each engine -> number of records that it decoded.
    """

    records: int
    rows: int
    columns: list[pa.Array]
    corrupt: Bool | None = None
    reasons: Reasons = field(default_factory=Reasons.none)
    lines: Lines | None = None
    appended: AppendedText | None = None
    engines: Mapping[str, int] = field(default_factory=dict)

    def offsets(self) -> pa.Array:
        """Returns the int64 offset of each row's record in the uncompressed file, null for records that are not lines."""
        return pa.nulls(self.rows, pa.int64()) if self.lines is None else from_numpy(self.lines.offsets)


@dataclass(frozen=True)
class ParsedLines:
    """Lines that the engines left.

    Attributes:
        decoded: columns of the lines; a line that does not match has nulls.
        corrupt: mask over all lines of the block of the corrupt ones; None: no line is corrupt.
        reasons: index of each corrupt line -> the reason.
        searched: number of lines that the search for mismatches found.
    """

    decoded: DecodedRows
    corrupt: Bool | None
    reasons: Reasons
    searched: int = 0


class Engine(Protocol):
    """Parses whole blocks of lines.

    Attributes:
        name: name of the engine in metrics.
    """

    name: ClassVar[str]

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """Returns the lines that are certain to be decoded correctly; None if the engine does not support the block.

        Args:
            block: the lines, valid UTF-8.
            starts: start offset of each line, ascending.
            ends: end offset of each line.
            context: the zone and the year bound of the file.
        """


class LineParser(Protocol):
    """Parses one line. A line parser defines the meaning of a format."""

    def parse(self, line: str, context: TimestampContext) -> ParsedLine:
        """Returns the values of the columns, and the reason if the line is corrupt."""


class Decoder:
    """Decodes blocks of lines.

    Args:
        engines: engines in the order in which they run.
        line_parser: parser of the lines that the engines leave.
        native: types of the columns that engines and line parser return.
        target: requested types of the columns.
        search: search for lines that do not match, among those that the engines leave; None: there is none.

    Attributes:
        min_searched: number of lines from which they are searched; fewer cost less by the line parser.
    """

    min_searched: int = 16

    def __init__(
        self, engines: Sequence[Engine], line_parser: LineParser, native: Sequence[pa.DataType],
        target: Sequence[pa.DataType], search: MismatchSearch | None = None,
    ) -> None:  # fmt: skip
        self.engines, self.line_parser, self.search = tuple(engines), line_parser, search
        self.native, self.target = tuple(native), tuple(target)

    def decode(self, lines: Lines, context: TimestampContext) -> DecodedLines:
        """Returns the columns of all lines of a block, in order.

        Args:
            lines: records of valid UTF-8 (see ``records.sanitise``).
            context: time zone and year bound of the file.
        """
        parts, todo = self.run_engines(lines, context)
        reasons = Reasons.none()
        for part in parts:
            reasons = reasons.union(part.block_reasons())
        engines = _count_lines(parts, len(lines))
        if todo is None or len(todo):
            parsed = self.parse_lines(lines, todo, context)
            reasons = reasons.union(parsed.reasons)
            parts.append(parsed.decoded)
            count = len(lines) if todo is None else len(todo)
            for name, number in ((SEARCHED, parsed.searched), (LINE_PARSER, count - parsed.searched)):
                if number:
                    engines[name] = engines.get(name, 0) + number
        columns = merge_rows(parts, len(lines), self.native)
        corrupt = None
        if len(reasons):
            corrupt = np.zeros(len(lines), np.bool_)
            corrupt[reasons.rows] = True
        return DecodedLines(self.cast(columns, context), corrupt, reasons, _find_appended(parts, lines), engines)

    def run_engines(self, lines: Lines, context: TimestampContext) -> tuple[list[DecodedRows], Int64 | None]:
        """Returns the rows that the engines decoded, and the indices of the remaining lines; None: all lines remain."""
        parts: list[DecodedRows] = []
        todo: Int64 | None = None
        for engine in self.engines:
            if todo is not None and len(todo) == 0:
                break
            starts = lines.starts if todo is None else lines.starts[todo]
            ends = lines.ends if todo is None else lines.ends[todo]
            decoded = engine.parse(lines.block, starts, ends, context)
            if decoded is None:
                continue
            rows = _block_rows(todo, decoded.rows)
            parts.append(DecodedRows(rows, decoded.columns, decoded.rests, engine.name, decoded.reasons))
            todo = _remaining(todo, decoded.rows, len(lines))
        return parts, todo

    def for_header(self, header: str | None) -> Decoder:
        """Returns the decoder of lines under a header: this decoder, for formats without headers."""
        return self

    def parse_lines(self, lines: Lines, todo: Int64 | None, context: TimestampContext) -> ParsedLines:
        """Parses lines that the engines left: those that do not match by the search, all others by the line parser.

        Args:
            lines: lines of a block.
            todo: indices of the lines to parse; None: all lines.
            context: time zone and year bound of the file.
        """
        rows = np.arange(len(lines)) if todo is None else todo
        if self.search is None or len(rows) < self.min_searched:
            return self.parse_one_by_one(lines, rows, context)
        classes = self.search.find(lines.block, lines.starts[rows], lines.ends[rows], context)
        found, left = np.flatnonzero(classes != UNCERTAIN), np.flatnonzero(classes == UNCERTAIN)
        if len(found) == 0:
            return self.parse_one_by_one(lines, rows, context)
        first, codes = first_of_each(classes[found])
        samples = [self.line_parser.parse(_text(lines, row), context) for row in rows[found[first]].tolist()]
        reasons = Reasons.by_code(rows[found], codes, [sample.corrupt_reason for sample in samples])
        corrupt = np.zeros(len(lines), np.bool_)
        corrupt[rows[found]] = True
        nulls = [pa.nulls(len(found), dtype) for dtype in self.native]
        rests = lines.ends[rows]
        if len(left) == 0:
            return ParsedLines(DecodedRows(rows, nulls, rests), corrupt, reasons, len(found))
        parsed = self.parse_one_by_one(lines, rows[left], context)
        if parsed.corrupt is not None:
            corrupt |= parsed.corrupt
        if parsed.decoded.rests is not None:
            rests[left] = parsed.decoded.rests
        parts = [DecodedRows(found, nulls), DecodedRows(left, parsed.decoded.columns)]
        decoded = DecodedRows(rows, merge_rows(parts, len(rows), self.native), rests)
        return ParsedLines(decoded, corrupt, reasons.union(parsed.reasons), len(found))

    def parse_one_by_one(self, lines: Lines, rows: Int64, context: TimestampContext) -> ParsedLines:
        """Parses lines by the line parser.

        Args:
            lines: lines of a block.
            rows: indices of the lines to parse.
            context: time zone and year bound of the file.
        """
        values: list[list[Any]] = [[] for _ in self.native]
        corrupt = np.zeros(len(lines), np.bool_)
        reasons = ReasonsBuilder()
        rests = lines.ends[rows]
        for index, row in enumerate(rows.tolist()):
            text = _text(lines, row)
            parsed = self.line_parser.parse(text, context)
            for column, value in zip(values, parsed.values, strict=True):
                column.append(value)
            if parsed.rest is not None and not parsed.reason:
                rests[index] = lines.starts[row] + len(text[: parsed.rest].encode())
            if parsed.reason:
                corrupt[row] = True
                reasons.add(row, parsed.corrupt_reason)
        arrays = [from_values(column, dtype) for column, dtype in zip(values, self.native, strict=True)]
        return ParsedLines(DecodedRows(rows, arrays, rests), corrupt if reasons.rows else None, reasons.build())

    def cast(self, columns: Sequence[pa.Array], context: TimestampContext) -> list[pa.Array]:
        """Casts columns to their requested types. Instants become wall clocks and days of the context's time zone."""
        return [_cast(*column, context) for column in zip(columns, self.native, self.target, strict=True)]


class LineBlockDecoder:
    """Decodes the blocks of lines of one task: search, validation of UTF-8, columns.

    Args:
        decoder: decoder of the requested columns.
        select: function that leaves out lines which cannot satisfy the filters of the query; None: all lines stay.
        max_record_bytes: the option, for messages.
    """

    def __init__(
        self, decoder: Decoder, select: Callable[[Lines, TimestampContext], Lines] | None, max_record_bytes: int
    ) -> None:
        self.decoder, self.select, self.max_record_bytes = decoder, select, max_record_bytes

    def decode(self, block: Lines, context: TimestampContext) -> DecodedBlock:
        """Returns the requested columns of the lines that the search did not leave out."""
        lines = block if self.select is None else self.select(block, context)
        if len(lines) == 0:
            return DecodedBlock(len(block), 0, [], lines=lines)
        lines = sanitise(lines)
        if lines.full_length is not None:
            text = f"the record has {lines.full_length} bytes, more than maxRecordBytes={self.max_record_bytes}"
            return self._corrupt(lines, CorruptReason(text, "longer than maxRecordBytes"))
        if lines.damage is not None:
            return self._corrupt(lines, CorruptReason(lines.damage, lines.damage))
        decoded = self.decoder.for_header(lines.header).decode(lines, context)
        return DecodedBlock(
            len(block), len(lines), decoded.columns, decoded.corrupt, decoded.reasons, lines, decoded.appended,
            decoded.engines,
        )  # fmt: skip

    def _corrupt(self, lines: Lines, reason: CorruptReason) -> DecodedBlock:
        """Returns one corrupt record for a block whose only record is known to be corrupt."""
        columns = [pa.nulls(1, dtype) for dtype in self.decoder.target]
        return DecodedBlock(1, 1, columns, np.ones(1, np.bool_), Reasons.of([0], [reason]), lines)


def _cast(array: pa.Array, native: pa.DataType, target: pa.DataType, context: TimestampContext) -> pa.Array:
    if native == target:
        return array
    if pa.types.is_timestamp(native) and (pa.types.is_timestamp(target) or pa.types.is_date32(target)):
        walls = utc_to_local(array, context.zone)
        return walls if pa.types.is_timestamp(target) else walls.cast(pa.date32(), safe=False)
    return array.cast(target)


def _text(lines: Lines, row: int) -> str:
    return lines.block[lines.starts[row] : lines.ends[row]].decode("utf-8", "replace")


def _count_lines(parts: Sequence[DecodedRows], count: int) -> dict[str, int]:
    """Returns the number of lines that each engine decoded, of ``count`` lines."""
    counts: dict[str, int] = {}
    for part in parts:
        decoded = count if part.rows is None else len(part.rows)
        if decoded:
            counts[part.engine] = counts.get(part.engine, 0) + decoded
    return counts


def _block_rows(todo: Int64 | None, rows: Int64 | None) -> Int64 | None:
    """Returns the indices in the block of rows among the lines ``todo``; None: all lines."""
    if todo is None:
        return rows
    return todo if rows is None else todo[rows]


def _remaining(todo: Int64 | None, rows: Int64 | None, count: int) -> Int64:
    """Returns the indices in the block of the lines ``todo`` without ``rows``."""
    if rows is None:
        return np.zeros(0, np.int64)
    mask = np.ones(count if todo is None else len(todo), np.bool_)
    mask[rows] = False
    indices = np.flatnonzero(mask)
    return indices if todo is None else todo[indices]


def merge_rows(parts: Sequence[DecodedRows], count: int, types: Sequence[pa.DataType]) -> list[pa.Array]:
    """Returns the columns of all lines in order, from parts that together have each line once."""
    full = [part for part in parts if part.rows is None or len(part.rows)]
    if len(full) == 1 and (full[0].rows is None or len(full[0].rows) == count):
        return full[0].columns
    if not full:
        return [pa.nulls(0, dtype) for dtype in types]
    order = np.empty(count, np.int64)
    order[np.concatenate([part.rows for part in full])] = np.arange(count)
    return [pa.concat_arrays([part.columns[i] for part in full]).take(from_numpy(order)) for i in range(len(types))]


def _find_appended(parts: Sequence[DecodedRows], lines: Lines) -> AppendedText | None:
    """Returns the lines with text after the last field of their format; None: there are none, or it was not sought.

    Spaces do not count as text.
    """
    rows: list[Int64] = []
    starts: list[Int32] = []
    for part in parts:
        if part.rests is None:
            continue
        ends = lines.ends if part.rows is None else lines.ends[part.rows]
        found = np.flatnonzero(part.rests < ends)
        if len(found):
            rows.append(found if part.rows is None else part.rows[found])
            starts.append(part.rests[found])
    if not rows:
        return None
    all_rows, all_starts = np.concatenate(rows), np.concatenate(starts)
    ends = lines.ends[all_rows]
    raw = np.frombuffer(lines.block, np.uint8)
    # Nearly always a space and a field follow each other; lines that only end in spaces are rare.
    following = raw[np.minimum(all_starts + 1, ends - 1)]
    blank = np.flatnonzero((following == ord(" ")) | (following == ord("\t")))
    keep = np.ones(len(all_rows), np.bool_)
    keep[blank] = [bool(lines.block[all_starts[row] : ends[row]].strip()) for row in blank.tolist()]
    order = np.argsort(all_rows[keep], kind="stable")
    return AppendedText(all_rows[keep][order], all_starts[keep][order]) if keep.any() else None
