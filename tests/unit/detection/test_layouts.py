"""Layouts proposed for keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.detection.layouts import propose_layout
from pyspark_logs.layout import Layout

KEYS = {
    "year={yyyy}/month={MM}/day={dd}/hour={HH}": [
        "year=2026/month=1/day=2/hour=5/a",
        "year=2026/month=11/day=22/hour=17/b",
    ],
    "dt={yyyy-MM-dd}/hr={HH}": ["dt=2026-11-22/hr=06/a"],
    "team={team}/dt={yyyyMMdd}": ["team=web/dt=20261122/a", "team=pay/dt=20261123/a"],
    "dt={yyyy-MM-dd}": ["dt=2026-11-22/shard=3/a", "dt=2026-11-23/shard=4/a"],
    "*/{yyyy}/{MM}/{dd}/{HH}": ["web/2026/11/22/06/a.gz", "pay/2026/11/22/07/b.gz"],
    "{yyyy}/{MM}/{dd}": ["2026/11/22/1/a", "2026/11/23/7/a"],
    "v1/{yyyy}/{MM}/{dd}/{HH}/{mm}": ["v1/2026/11/22/06/30/x", "v1/2026/11/22/06/31/x"],
    "logs/{yyyy-MM-dd-HH}": ["logs/2026-11-22-06/a"],
    "AWSLogs/{account}/elasticloadbalancing/{region}/{yyyy}/{MM}/{dd}": [
        "AWSLogs/123456789012/elasticloadbalancing/eu-central-1/2026/11/22/a.gz",
        "AWSLogs/123456789013/elasticloadbalancing/us-gov-east-1/2026/11/23/b.gz",
    ],
    "AWSLogs/{organization}/{account}/CloudTrail/{region}/{yyyy}/{MM}/{dd}": [
        "AWSLogs/o-abcdefghij12/123456789012/CloudTrail/eu-central-1/2026/11/22/a.json.gz"
    ],
}


@pytest.mark.parametrize("layout", KEYS)
def test_layouts_of_keys(layout: str) -> None:
    assert propose_layout(KEYS[layout]) == layout


@pytest.mark.parametrize(
    "keys",
    [
        [],
        ["a.log"],
        ["env=prod/team=x/a"],
        ["a/b.log", "c.log"],
        ["2026/11/22/a", "readme.log"],
        ["dt=2026-11-22/a", "other/a"],
        ["x/2026/11/30/a", "x/2026/11/31/a"],
    ],
)
def test_keys_without_a_common_time_have_no_layout(keys: list[str]) -> None:
    assert propose_layout(keys) is None


names = st.sampled_from(
    ["2026", "11", "22", "06", "2026-11-22", "20261122", "dt=2026-11-22", "y=2026", "{a}", "*", "a=b", "x", ""]
)


@given(st.lists(st.lists(names, min_size=1, max_size=5).map("/".join), max_size=3))
def test_a_proposed_layout_matches_all_keys(keys: list[str]) -> None:
    layout = propose_layout(keys)
    assert layout is None or all(map(Layout.parse(layout).matches, keys))
