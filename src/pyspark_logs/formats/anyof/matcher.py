"""Matcher of lines of several formats, for ``multiLine=true``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.records import Lines


@dataclass(frozen=True)
class AnyOfMatcher(Matcher):
    """Finds the lines that match any of several formats.

    Attributes:
        members: matchers of the formats.
    """

    members: tuple[Matcher, ...] = ()

    def matching(self, lines: Lines, context: TimestampContext) -> Bool:
        """Returns a mask of the lines of a block that match; the lines are valid UTF-8 and not empty."""
        matches: Bool = np.zeros(len(lines), np.bool_)
        for member in self.members:
            remaining = np.flatnonzero(~matches)
            if len(remaining) == 0:
                break
            rest = lines if len(remaining) == len(lines) else lines.select(remaining).compact()
            matches[remaining] = member.matching(rest, context)
        return matches
