"""A condition on the beginning of a line that every line of a format fulfils."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool, Int64
from pyspark_logs.records import Lines


@dataclass(frozen=True)
class LineStart:
    """A necessary condition of a match, which is evaluated much faster than a line is decoded.

    Attributes:
        first_bytes: bytes with which a line that matches can begin; None: any byte.
        pattern: regular expression (RE2) that matches every line of the format; "": there is none.
    """

    first_bytes: frozenset[int] | None = None
    pattern: str = ""

    def candidates(self, lines: Lines) -> Int64:
        """Returns the indices of the lines that begin with a byte with which lines that match can begin."""
        if self.first_bytes is None:
            return np.arange(len(lines))
        allowed = np.zeros(256, np.bool_)
        allowed[list(self.first_bytes)] = True
        return np.flatnonzero(allowed[np.frombuffer(lines.block, np.uint8)[lines.starts]])

    def may_match(self, lines: Lines) -> Bool:
        """Returns a mask of the lines that the regular expression matches."""
        if not self.pattern:
            return np.ones(len(lines), np.bool_)
        texts = spans.field_strings(lines.block, lines.starts, lines.ends)
        return as_bool(pc.match_substring_regex(texts, self.pattern))

    def is_in(self, lines: Lines) -> bool:
        """Returns True if a line of a block may match; the lines are valid UTF-8."""
        if (lines.starts == lines.ends).any():
            return True
        rows = self.candidates(lines)
        return bool(len(rows)) and bool(self.may_match(lines.select(rows)).any())
