"""Columnar engine for ``key=value`` pairs.

Lines are parsed by their shapes (:mod:`pyspark_logs.formats.columnar.line_shapes`). Two kinds
of lines are left to the line parser: lines with a backslash, because an escaped quote would be counted as a quote, and lines
in which an unquoted value would contain a blank, because the line parser would find a further key after the blank.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from pyspark_logs.arrow_values import to_scalar
from pyspark_logs.formats.column_names import find_name
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows, drop_uncertain_rows
from pyspark_logs.formats.columnar.line_shapes import LineShape, ShapeBlockParser, ValueSpans, count_in_lines
from pyspark_logs.formats.columnar.spans import Bool, Int32, Int64
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.logfmt.line_parser import LogfmtLineParser, pairs
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.conversion import convert_fields

_MAX_LITERAL = 300  # characters; the first and the last literal are compared byte by byte
_MAX_LINE = 64 << 10  # characters of the longest line from which a shape is learnt
_BACKSLASH, _SPACE = b"\\ "


@dataclass(frozen=True)
class LogfmtShape(LineShape):
    """Shape of lines of pairs. The quotes of values are part of the literals.

    Attributes:
        values: key of each value in the order of the line, and True if the value is quoted.
        flags: keys without a value.
    """

    values: tuple[tuple[str, bool], ...]
    flags: tuple[str, ...]

    @functools.cached_property
    def keys(self) -> list[str]:
        """Keys of the values and the flags."""
        return [*(key for key, _ in self.values), *self.flags]


def learn_shape(line: str) -> LogfmtShape | None:
    """Returns the shape of a line; None if the line repeats a key, has a backslash, is very long, or is not valid."""
    if len(line) > _MAX_LINE:
        return None
    try:
        found = list(pairs(line))
    except ValueError:
        return None
    valued = [pair for pair in found if not pair.flag]
    keys = [pair.key.lower() for pair in found]
    if not valued or "\\" in line or len(set(keys)) != len(keys):
        return None
    starts, ends = [pair.start for pair in valued], [pair.end for pair in valued]
    literals = [line[start:end] for start, end in zip([0, *ends], [*starts, len(line)], strict=True)]
    if max(map(len, literals)) > _MAX_LITERAL:
        return None
    values = tuple((pair.key, pair.quoted) for pair in valued)
    return LogfmtShape(tuple(literals), values, tuple(pair.key for pair in found if pair.flag))


class LogfmtEngine:
    """Parses lines of pairs by their shapes; see :class:`~pyspark_logs.formats.columnar.decoded_rows.Engine`."""

    name: ClassVar[str] = "numpy"

    def __init__(self, line_parser: LogfmtLineParser) -> None:
        self.line_parser = line_parser

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """Returns the columns of the lines whose shape was learnt from a line of the block; None if there are none."""
        if len(starts) == 0:
            return None
        parser = _LogfmtBlockParser(self.line_parser, block, starts, ends, context)
        rows = np.arange(len(starts))
        if b"\\" in block:
            rows = np.flatnonzero(count_in_lines(np.flatnonzero(parser.view == _BACKSLASH), starts, ends) == 0)
        return parser.parse(rows)


class _LogfmtBlockParser(ShapeBlockParser[LogfmtShape]):
    """Parses the lines of one block by their shapes."""

    max_shapes = 12

    def __init__(
        self, line_parser: LogfmtLineParser, block: bytes, starts: Int32, ends: Int32, context: TimestampContext
    ) -> None:
        super().__init__(block, block, starts, ends)
        self.line_parser, self.context = line_parser, context
        self.null = line_parser.null_value.encode()
        self.rescues = any(column.is_named(line_parser.rescued) for column in line_parser.columns)

    def learn(self, line: str) -> LogfmtShape | None:
        """Returns the shape of a line; None also if the line has keys for the rescued column."""
        shape = learn_shape(line)
        if shape is None or not self.rescues:
            return shape
        claimed = {find_name(shape.keys, column.source) for column in self.line_parser.claiming_columns}
        return None if set(shape.keys) - claimed else shape

    def has_valid_values(self, shape: LogfmtShape, values: ValueSpans) -> Bool | None:
        """Returns a mask of the lines whose unquoted values contain no blank."""
        valid: Bool | None = None
        for (_, quoted), (starts, ends) in zip(shape.values, values, strict=True):
            if not quoted:
                within = self._word_ends[np.searchsorted(self._word_ends, starts)] >= ends
                valid = within if valid is None else valid & within
        return valid

    def convert(self, shape: LogfmtShape, values: ValueSpans, rows: Int64) -> DecodedRows | None:
        """Returns the columns of the lines in which all values are certain."""
        converted = [self._column(column, shape, values, len(rows)) for column in self.line_parser.columns]
        arrays, masks = [array for array, _ in converted], [mask for _, mask in converted]
        return drop_uncertain_rows(rows, arrays, masks, len(arrays))

    def _column(
        self, column: RequestedColumn[str], shape: LogfmtShape, values: ValueSpans, count: int
    ) -> ConversionResult:
        name = find_name(shape.keys, column.source)
        if column.is_named(self.line_parser.rescued) or name is None:
            return pa.nulls(count, column.type.arrow()), None
        index = shape.keys.index(name)
        if index >= len(values):
            return pa.repeat(to_scalar(column.type.bare_key_value, column.type.arrow()), count), None
        starts, ends = values[index]
        quoted = shape.values[index][1]
        null: Bool = np.zeros(count, np.bool_) if quoted else spans.equals_literal(self.view, starts, ends, self.null)
        if not column.type.keeps_text:
            null |= ends == starts
        return convert_fields(self.block, self.view, starts, ends, null, column.type, self.context)

    @functools.cached_property
    def _word_ends(self) -> Int32:
        """Offsets of the bytes that end an unquoted value, and the end of the block."""
        offsets = np.flatnonzero(self.view <= _SPACE)
        return np.append(offsets, len(self.view)).astype(np.int32)
