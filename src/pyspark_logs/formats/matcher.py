"""Matcher of lines: finds the lines that match a format as a whole, with ``multiLine=true``.

A line that matches begins a record; any other line continues the record before it. A line matches if the line parser
finds nothing wrong with it when all fields of the format are judged, so that the records do not depend on the columns
of a query. Most lines that do not match are found by their first byte, or by a regular expression that matches the
beginning of every line of the format.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool
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
        rows = np.arange(len(lines))
        if self.first_bytes is not None:
            allowed = np.zeros(256, np.bool_)
            allowed[list(self.first_bytes)] = True
            rows = np.flatnonzero(allowed[np.frombuffer(lines.block, np.uint8)[lines.starts]])
        if len(rows) == 0:
            return matches
        _, left = self.decoder.run_engines(lines if len(rows) == len(lines) else lines.select(rows), context)
        uncertain = rows if left is None else rows[left]
        matches[rows] = True
        matches[uncertain] = False
        uncertain = uncertain[self._may_match(lines.select(uncertain))]
        if len(uncertain):
            _, corrupt, _ = self.decoder.parse_lines(lines, uncertain, context)
            matches[uncertain] = True if corrupt is None else ~corrupt[uncertain]
        return matches

    def _may_match(self, lines: Lines) -> Bool:
        """Returns a mask of the lines for which the line parser must decide."""
        if not self.prefix_pattern:
            return np.ones(len(lines), np.bool_)
        texts = spans.field_strings(lines.block, lines.starts, lines.ends)
        return spans.as_bool(pc.match_substring_regex(texts, self.prefix_pattern))
