"""Counts over time: intervals and outliers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.api import time_counts
from pyspark_logs.api.time_counts import NO_TIME, TimeCounts

MINUTE_US = 60_000_000
DAY = 1440


def counts_of(minutes: list[int], corrupt: list[bool] | None = None) -> TimeCounts:
    counts = TimeCounts()
    counts.add(np.array(minutes, np.int64) * MINUTE_US, np.array(corrupt or [False] * len(minutes), bool))
    return counts


@pytest.mark.parametrize(
    ("minutes", "bars", "earlier", "later"),
    [
        ([], 0, 0, 0),
        ([5], 1, 0, 0),
        ([0, 60 * DAY], 9, 0, 0),  # two records are no outliers of each other
        ([0, 20_000 * DAY, 20_000 * DAY + 120], 25, 1, 0),
        ([0, 10, 20, 30 * DAY], 21, 0, 1),
        ([0, *range(20_000 * DAY, 20_000 * DAY + 60), 30_000 * DAY], 12, 1, 1),
        ([0, 0, 120], 25, 0, 0),  # the range without the last record is short, and the whole one is drawn as well
        ([*range(1000), 40 * DAY, 50 * DAY], 17, 0, 2),
        ([0] * 20 + [*range(20_000 * DAY, 20_000 * DAY + 1000)], 47, 0, 0),  # too many to be outliers
        ([*range(990), 1400], 24, 0, 0),  # a sparse end
    ],
)
def test_outliers(minutes: list[int], bars: int, earlier: int, later: int) -> None:
    histogram, before, after = counts_of(minutes).histogram()
    assert (len(histogram), before.records if before else 0, after.records if after else 0) == (bars, earlier, later)


@given(
    st.lists(st.tuples(st.one_of(st.integers(-(10**7), 10**8), st.integers(0, 3000)), st.booleans())), st.integers(0, 5)
)
def test_each_record_is_counted_once(records: list[tuple[int, bool]], untimed: int) -> None:
    counts = counts_of([minute for minute, _ in records], [bad for _, bad in records])
    counts.add(np.full(untimed, NO_TIME), np.ones(untimed, bool))
    histogram, before, after = counts.histogram()
    shown = [*histogram, *(one for one in (before, after) if one is not None)]
    assert sum(one.records for one in shown) == len(records)
    assert sum(one.corrupt for one in shown) == sum(bad for _, bad in records)
    assert (counts.untimed.records, counts.untimed.corrupt) == (untimed, untimed)
    assert len(histogram) <= 48
    assert len({later.start_us - one.start_us for one, later in itertools.pairwise(histogram)}) <= 1
    outliers = [one.records for one in (before, after) if one is not None]
    assert not outliers or sum(outliers) <= max(2, len(records) // 100)


def test_memory_does_not_depend_on_the_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_counts, "_MAX_COUNTED", 100)
    counts = TimeCounts()
    for first in range(0, 10**8, 10**6):
        counts.add(np.arange(first, first + 10**6, 10**4) * MINUTE_US, np.zeros(100, bool))
        assert len(counts.records) <= 100
    assert sum(one.records for one in counts.histogram()[0]) == 10_000
