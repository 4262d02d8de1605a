"""Matcher of lines: finds the lines that match a format as a whole, with ``multiLine=true`` and in ``anyOf``.

With ``multiLine=true``, a line that matches begins a record; any other line continues the record before it. A line matches if
the line parser accepts it with all fields of the format validated, so that the records do not depend on the columns of a query. Most lines
that do not match are found by their first byte, or by a regular expression that matches the beginning of every line of the
format.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool, Int64
from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.records import Lines


@dataclass(frozen=True)
class Matcher:
    """Matcher of the lines of a format.

    Attributes:
        decoder: decoder of no columns that judges whole lines.
        first_bytes: bytes with which a line that matches can begin; None: any byte.
        prefix_pattern: regular expression (RE2) that matches every line of the format; "": there is none.
    """

    decoder: Decoder
    first_bytes: frozenset[int] | None = None
    prefix_pattern: str = ""

    def matching(self, lines: Lines, context: TimestampContext) -> Bool:
        """Returns a mask of the lines of a block that match.

        Args:
            lines: lines, valid UTF-8 and not empty.
            context: zone and year bound of the file.
        """
        matches: Bool = np.zeros(len(lines), np.bool_)
        rows = self.candidates(lines)
        if len(rows) == 0:
            return matches
        _, left = self.decoder.run_engines(lines if len(rows) == len(lines) else lines.select(rows), context)
        uncertain = rows if left is None else rows[left]
        matches[rows] = True
        matches[uncertain] = False
        uncertain = uncertain[self.may_match(lines.select(uncertain))]
        if len(uncertain):
            corrupt = self.decoder.parse_lines(lines, uncertain, context).corrupt
            matches[uncertain] = True if corrupt is None else ~corrupt[uncertain]
        return matches

    def candidates(self, lines: Lines) -> Int64:
        """Returns the indices of the lines that begin with a byte with which lines that match can begin."""
        if self.first_bytes is None:
            return np.arange(len(lines))
        allowed = np.zeros(256, np.bool_)
        allowed[list(self.first_bytes)] = True
        return np.flatnonzero(allowed[np.frombuffer(lines.block, np.uint8)[lines.starts]])

    def may_match(self, lines: Lines) -> Bool:
        """Returns a mask of the lines for which the line parser must decide."""
        if not self.prefix_pattern:
            return np.ones(len(lines), np.bool_)
        texts = spans.field_strings(lines.block, lines.starts, lines.ends)
        return spans.as_bool(pc.match_substring_regex(texts, self.prefix_pattern))
