"""Matcher of lines: finds the lines that match a format as a whole, with ``multiLine=true`` and in ``anyOf``.

With ``multiLine=true``, a line that matches begins a record; any other line continues the record before it. A line matches if
the line parser accepts it with all fields of the format validated, so that the records do not depend on the columns of a query. Most lines
that do not match are found by their first byte, or by a regular expression that matches the beginning of every line of the
format.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.line_start import LineStart
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.records import Lines


@dataclass(frozen=True)
class Matcher:
    """Matcher of the lines of a format.

    Attributes:
        decoder: decoder of no columns that judges whole lines.
        start: condition on the beginning of every line that matches.
    """

    decoder: Decoder
    start: LineStart = field(default_factory=LineStart)

    def matching(self, lines: Lines, context: TimestampContext) -> Bool:
        """Returns a mask of the lines of a block that match.

        Args:
            lines: lines, valid UTF-8 and not empty.
            context: zone and year bound of the file.
        """
        matches: Bool = np.zeros(len(lines), np.bool_)
        rows = self.start.candidates(lines)
        if len(rows) == 0:
            return matches
        parts, left = self.decoder.run_engines(lines if len(rows) == len(lines) else lines.select(rows), context)
        uncertain = rows if left is None else rows[left]
        matches[rows] = True
        matches[uncertain] = False
        for part in parts:
            matches[rows[part.block_reasons().rows]] = False
        uncertain = uncertain[self.start.may_match(lines.select(uncertain))]
        if len(uncertain):
            corrupt = self.decoder.parse_lines(lines, uncertain, context).corrupt
            matches[uncertain] = True if corrupt is None else ~corrupt[uncertain]
        return matches
