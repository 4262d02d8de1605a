"""Searches for the lines without ``key=value``, and for those whose first ``=`` or quote cannot be where it is."""

from __future__ import annotations

import numpy as np

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Int32, Int64
from pyspark_logs.formats.decoding.mismatches import UNCERTAIN, classes_at
from pyspark_logs.formats.timestamps.parsing import TimestampContext

_EQUALS, _QUOTE, _SPACE = b'=" '
_NO_PAIR, _STRAY_QUOTE, _NO_KEY = range(3)  # problems


class LogfmtMismatchSearch:
    """Finds lines that do not consist of pairs and flags, or have flags only."""

    def find(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> Int64:
        """Returns the classes of the lines that do not match; see :class:`MismatchSearch`."""
        view = spans.terminated_view(block)
        classes = np.full(len(starts), UNCERTAIN, np.int64)
        special = np.append(np.flatnonzero((view == _EQUALS) | (view == _QUOTE)), len(view))
        first = special[np.searchsorted(special, starts)]
        classes[first >= ends] = classes_at(_NO_PAIR, np.zeros(1, np.int64))
        rows = np.flatnonzero(first < ends)
        first = first[rows]
        # Whatever is before its first quote or equals sign, a line consists of flags up to there.
        is_quote = view[first] == _QUOTE
        lacks_key = (first == starts[rows]) | (view[np.maximum(first - 1, 0)] <= _SPACE)
        for problem, mask in ((_STRAY_QUOTE, is_quote), (_NO_KEY, ~is_quote & lacks_key)):
            classes[rows[mask]] = classes_at(problem, first[mask] - starts[rows[mask]])
        return classes
