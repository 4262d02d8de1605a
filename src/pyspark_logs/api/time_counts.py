"""Counts of records over time, for :func:`pyspark_logs.check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyspark_logs.api.check_report import Interval, RecordCount

_MINUTE_US = 60_000_000
# Widths of the histogram's intervals, in minutes: the first one that gives at most _MAX_INTERVALS.
_WIDTHS = (1, 5, 15, 60, 180, 360, 1440, 7 * 1440, 30 * 1440, 365 * 1440)
_MAX_INTERVALS = 48
# The counts are by minute until there are more of them than this, then by longer steps.
_MAX_COUNTED = 100_000
# Outliers are at most one record in this many, without which the intervals are this much shorter; of fewer records two, one at
# each end, of less than 40 records one.
_OUTLIER_SHARE, _OUTLIER_FACTOR = 100, 10

NO_TIME = int(np.iinfo(np.int64).min)


@dataclass
class TimeCounts:
    """Numbers of records by the start of their interval, and of records without a time.

    Attributes:
        records: number of records by the start of their step.
        corrupt: number of these records that do not match.
        step_us: length of the steps.
        untimed: records without a time, and corrupt ones of them.
    """

    records: Counter[int] = field(default_factory=Counter)
    corrupt: Counter[int] = field(default_factory=Counter)
    step_us: int = _MINUTE_US
    untimed: RecordCount = field(default_factory=RecordCount)

    def add(self, times: Any, corrupt: Any) -> None:
        """Counts records.

        Args:
            times: array of their times in microseconds; ``NO_TIME``: none.
            corrupt: array of booleans.
        """
        has_time = times != NO_TIME
        self.untimed = RecordCount(
            self.untimed.records + int(np.count_nonzero(~has_time)),
            self.untimed.corrupt + int(np.count_nonzero(corrupt[~has_time])),
        )
        for counts, selected in ((self.records, times[has_time]), (self.corrupt, times[has_time & corrupt])):
            starts, numbers = np.unique(selected // self.step_us * self.step_us, return_counts=True)
            for start, number in zip(starts.tolist(), numbers.tolist(), strict=True):
                counts[start] += number
        while len(self.records) > _MAX_COUNTED:
            self.step_us *= 60
            self.records, self.corrupt = _rebin(self.records, self.step_us), _rebin(self.corrupt, self.step_us)

    def histogram(self) -> tuple[tuple[Interval, ...], Interval | None, Interval | None]:
        """Returns at most 48 intervals of equal width without gaps, and the outliers before and after them.

        The intervals are those of all records, unless a few records long before or after all others would stretch them.
        """
        if not self.records:
            return (), None, None
        steps = sorted(self.records)
        first, last = steps[0], steps[-1]
        inner = _without_outliers(steps, self.records)
        if self._width(first, last) >= _OUTLIER_FACTOR * self._width(*inner):
            first, last = inner
        width = self._width(first, last)
        records, corrupt = (
            _rebin({start: number for start, number in counts.items() if first <= start <= last}, width)
            for counts in (self.records, self.corrupt)
        )
        starts = range(first // width * width, last + 1, width)
        intervals = tuple(Interval(start, records[start], corrupt[start]) for start in starts)
        before, after = [start for start in steps if start < first], [start for start in steps if start > last]
        return intervals, self._outliers(before), self._outliers(after)

    def _width(self, first: int, last: int) -> int:
        """Returns the width of the intervals of a range."""
        width = next(
            (one * _MINUTE_US for one in _WIDTHS if (last - first) // (one * _MINUTE_US) < _MAX_INTERVALS - 1),
            -(-(last - first) // ((_MAX_INTERVALS - 1) * _MINUTE_US)) * _MINUTE_US,
        )
        return max(width, self.step_us)

    def _outliers(self, steps: Sequence[int]) -> Interval | None:
        if not steps:
            return None
        counts = [sum(counted[start] for start in steps) for counted in (self.records, self.corrupt)]
        return Interval(steps[0], *counts)


def _without_outliers(steps: Sequence[int], counts: Counter[int]) -> tuple[int, int]:
    """Returns the first and the last step of the shortest range that lacks only outliers.

    The range also includes its sparse ends: records whose distance from it is at most its length.
    """
    total = sum(counts.values())
    needed = total - max(total // _OUTLIER_SHARE, min(2, total // 20), min(1, total // 3))
    best, left, covered = (steps[0], steps[-1]), 0, 0
    for right, last in enumerate(steps):
        covered += counts[last]
        while left < right and covered - counts[steps[left]] >= needed:
            covered -= counts[steps[left]]
            left += 1
        if covered >= needed and last - steps[left] < best[1] - best[0]:
            best = steps[left], last
    reach = max(best[1] - best[0], _MAX_INTERVALS * _MINUTE_US)
    near = [step for step in steps if best[0] - reach <= step <= best[1] + reach]
    return near[0], near[-1]


def _rebin(counts: Mapping[int, int], width_us: int) -> Counter[int]:
    """Returns counts by the start of longer intervals."""
    result: Counter[int] = Counter()
    for start, number in counts.items():
        result[start // width_us * width_us] += number
    return result
