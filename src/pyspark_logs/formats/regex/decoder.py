"""Decoder of regular expressions, whose exact parser takes blocks of lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows
from pyspark_logs.formats.columnar.spans import Bool, Int64
from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.parsed_line import CorruptReason
from pyspark_logs.formats.regex.line_parser import MatchResult, RegexLineParser
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.records import Lines


class RegexDecoder(Decoder):
    """A decoder that matches all lines left by the engines at once."""

    line_parser: RegexLineParser

    def match(self, lines: Lines, context: TimestampContext) -> MatchResult:
        """Returns the result of the exact parser for the lines of a block."""
        return self.line_parser.match(spans.field_strings(lines.block, lines.starts, lines.ends), context)

    def parse_lines(
        self, lines: Lines, todo: Int64 | None, context: TimestampContext
    ) -> tuple[DecodedRows, Bool | None, dict[int, CorruptReason]]:
        """Implements :meth:`Decoder.parse_lines` for all lines at once."""
        rows = np.arange(len(lines)) if todo is None else todo
        result = self.match(lines if todo is None else lines.select(todo), context)
        reasons = {int(rows[row]): reason for row, reason in result.reasons.items()}
        corrupt = np.zeros(len(lines), np.bool_)
        corrupt[list(reasons)] = True
        return DecodedRows(rows, result.columns), corrupt if reasons else None, reasons


@dataclass(frozen=True)
class RegexMatcher(Matcher):
    """Finds the lines that an expression matches with values of the columns' types."""

    decoder: RegexDecoder

    def matching(self, lines: Lines, context: TimestampContext) -> Bool:
        """Returns a mask of the lines of a block that match; the lines are valid UTF-8 and not empty."""
        matches: Bool = np.ones(len(lines), np.bool_)
        matches[list(self.decoder.match(lines, context).reasons)] = False
        return matches
