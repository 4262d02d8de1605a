"""Decoder of regular expressions, whose exact parser takes blocks of lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows
from pyspark_logs.formats.columnar.spans import Bool, Int64
from pyspark_logs.formats.decoding.decoder import Decoder, ParsedLines
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.regex.line_parser import MatchResult, RegexLineParser
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.records import Lines


class RegexDecoder(Decoder):
    """A decoder that matches all lines left by the engines at once."""

    line_parser: RegexLineParser

    def match(self, lines: Lines, context: TimestampContext) -> MatchResult:
        """Returns the result of the exact parser for the lines of a block."""
        return self.line_parser.match(spans.field_strings(lines.block, lines.starts, lines.ends), context)

    def parse_one_by_one(self, lines: Lines, rows: Int64, context: TimestampContext) -> ParsedLines:
        """Parses the lines in one call of the exact parser; see :meth:`Decoder.parse_one_by_one`."""
        result = self.match(lines if len(rows) == len(lines) else lines.select(rows), context)
        reasons = result.reasons.moved(rows)
        corrupt = np.zeros(len(lines), np.bool_)
        corrupt[reasons.rows] = True
        return ParsedLines(DecodedRows(rows, result.columns), corrupt if len(reasons) else None, reasons)


@dataclass(frozen=True)
class RegexMatcher(Matcher):
    """Finds the lines that an expression matches with values of the columns' types."""

    decoder: RegexDecoder

    def matching(self, lines: Lines, context: TimestampContext) -> Bool:
        """Returns a mask of the lines of a block that match; the lines are valid UTF-8 and not empty."""
        matches: Bool = np.ones(len(lines), np.bool_)
        matches[self.decoder.match(lines, context).reasons.rows] = False
        return matches
