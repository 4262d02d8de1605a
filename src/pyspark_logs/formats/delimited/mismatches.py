"""Searches for the lines with too few or too many values, among those without a quote."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.line_shapes import count_in_lines
from pyspark_logs.formats.columnar.spans import Int32, Int64
from pyspark_logs.formats.decoding.mismatches import UNCERTAIN
from pyspark_logs.formats.delimited.line_parser import DelimitedColumn, DelimitedRules
from pyspark_logs.formats.delimited.splitter import ValueSplitter
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.records import byte_offsets


class DelimitedMismatchSearch:
    """Finds lines that do not have the number of values of the format.

    Args:
        splitter: separator and quote.
        columns: requested columns.
        rules: rules of the lines.
    """

    def __init__(self, splitter: ValueSplitter, columns: Sequence[DelimitedColumn], rules: DelimitedRules) -> None:
        self.separator, self.quote = splitter.separator.encode(), (splitter.quote or "").encode()
        self.rules, self.last_validated = rules, rules.last_validated(columns)

    def find(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> Int64:
        """Returns the classes of the lines that do not match; see :class:`MismatchSearch`."""
        classes = np.full(len(starts), UNCERTAIN, np.int64)
        if len(self.separator) > 1 or len(self.quote) > 1 or self.last_validated < 0:
            return classes
        view = spans.terminated_view(block)
        expected = self.rules.value_count
        found = count_in_lines(byte_offsets(view, self.separator[0]).astype(np.int64), starts, ends) + 1
        # A line is validated up to its last validated value, and by the separator after that.
        mismatches = (found < expected) & (found <= self.last_validated + 1)
        if not self.rules.allow_trailing and self.last_validated >= expected - 1:
            mismatches |= found > expected
        if self.quote and self.quote in block:
            mismatches &= count_in_lines(byte_offsets(view, self.quote[0]).astype(np.int64), starts, ends) == 0
        classes[mismatches] = np.minimum(found, expected + 1)[mismatches]
        return classes
