"""Pruned listings compared with filtered full listings."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.layout import HOUR_US, Layout, escape_value, is_hidden_key
from pyspark_logs.planning import FileFilters, Window, list_files
from tests.support.key_store import KeyStore
from tests.support.plans import ROOT, options, us

LAYOUTS = [
    "{yyyy}/{MM}/{dd}/{HH}",
    "{team}/{yyyy}/{MM}/{dd}",
    "dt={yyyy-MM-dd}/team={team}",
    "{yyyyMMddHH}",
    "{yyyy-MM}/{dd}",
    "{dd}.{MM}.{yyyy}/x",
    "{HH}/{yyyy-MM-dd}",
    "x/*/{yyyy}/{MM}",
    "{team}.{yyyy-MM-dd-HH}.*",
    "{yyyy}/{team}-{MM}-{dd}",
    "{yyyy}/{MM}/{dd}/{team}.log",
    "y={yyyy}/m={MM}/d={dd}/h={HH}",
    "{team}.{yyyy-MM-dd-HH}",
    "app.log.{yyyy-MM-dd-HH}",
    "log-{yyyy-MM-dd}",
    "logs-{yyyyMMdd}",
    "{yyyy}/{MM}/*/{dd}",
    "{team}/*",
    "{yyyy}/app",
    "{team}",
]
TEAMS = ["web", "db", "w-e.b", "a b", "a%20b", "_x", "1", "__HIVE_DEFAULT_PARTITION__"]
ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/Los_Angeles"]
# Keys and ranges lie around the turn of a year, a leap day and the start of summer time.
CENTRES = [us("2026-01-01"), us("2028-02-29"), us("2026-03-29")]


@st.composite
def hour_near(draw: st.DrawFn, centre: int) -> int:
    return (
        centre + draw(st.integers(-4, 4) | st.integers(-60, 60) | st.sampled_from([-9000, -720, 720, 9000])) * HOUR_US
    )


def spell(layout: str, context: int, team: str, tail: str, unpadded: str = "") -> str:
    """Returns a key of a layout; ``unpadded`` names the tokens that are written without a leading zero."""
    at = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=context)
    for token, number in (("yyyy", at.year), ("MM", at.month), ("dd", at.day), ("HH", at.hour)):
        layout = layout.replace(token, str(number) if token[0] in unpadded else f"{number:0{len(token)}}")
    if tail and not tail.startswith("/"):  # The spelling of this package's writer.
        after = layout.partition("{team}")[2][:1]
        first = "/{team}" in "/" + layout
        team = escape_value(team, first=first, stop=after.strip("/")) if "%" not in team else team
    return layout.replace("{team}", team).replace("*", "any").replace("{", "").replace("}", "") + tail


@st.composite
def situations(draw: st.DrawFn) -> dict[str, object]:
    layout = draw(st.sampled_from(LAYOUTS))
    tails = st.sampled_from(["", "/a.log", "/b/c.log", "/_tmp/x", "x", ".gz", "/.hidden"])
    moments = hour_near(draw(st.sampled_from(CENTRES)))
    unpadded = st.sampled_from(["", "", "MdH", "M", "dH", "H"])
    key = st.builds(spell, st.just(layout), moments, st.sampled_from(TEAMS), tails, unpadded)
    noise = st.builds(spell, st.sampled_from(LAYOUTS), moments, st.sampled_from(TEAMS), tails, unpadded)
    teams = st.lists(st.sampled_from(["web", "db", "w-e.b", "a b", "_x", "1", None, ""]), max_size=4)
    return {
        "layout": Layout.parse(layout, draw(st.sampled_from(ZONES))),
        "keys": draw(st.lists(key | key | noise, max_size=40, unique=True)),
        "start_us": draw(st.none() | moments),
        "end_us": draw(st.none() | moments),
        "slack_us": draw(st.sampled_from([None, 0, 1, HOUR_US // 2, 24 * HOUR_US])),
        "allowed": draw(st.sampled_from(["set", "test", "none"])),
        "teams": draw(teams),
        "whole_files": draw(st.booleans()),
        "page_size": draw(st.sampled_from([1, 2, 3, 7, 1000])),
        "ordered": draw(st.booleans()),
    }


def expected_files(keys: Iterable[str], layout: Layout, s: dict[str, object]) -> set[str]:
    """Returns the selected keys by definition: each key is matched, then filtered by time and values."""
    start, end, slack = s["start_us"], s["end_us"], s["slack_us"]
    slack = layout.default_slack_us if slack is None else slack
    wanted = set()
    for key in keys:
        match = layout.match(key)
        if match is None or is_hidden_key(key) or (start is not None and end is not None and start >= end):
            continue
        if s["whole_files"]:
            instant = 1_000_000 if match.start_us is None else match.start_us
            in_time = (start is None or instant >= start) and (end is None or instant < end)
        else:
            in_time = match.start_us is None or (
                (end is None or match.start_us - slack < end) and (start is None or match.end_us + slack > start)
            )
        named = dict(zip(layout.columns, match.values, strict=True))
        if in_time and (s["allowed"] == "none" or "team" not in named or named["team"] in s["teams"]):
            wanted.add(key)
    return wanted


def check_pruned_listing(s: dict[str, object]) -> None:
    layout, keys, teams = s["layout"], s["keys"], s["teams"]
    store = KeyStore.from_keys([*keys, "zzz"], page_size=s["page_size"], ordered=s["ordered"])
    read = options()
    read = dataclasses.replace(read, time=dataclasses.replace(read.time, slack_us=s["slack_us"]))
    allowed = {"none": {}, "set": {"team": teams}, "test": {"team": lambda value: value in teams}}[s["allowed"]]
    filters = FileFilters(Window(s["start_us"], s["end_us"]), allowed, s["whole_files"])
    listing = list_files(store, read, layout, filters)
    found = [file.path.removeprefix(ROOT) for file, _ in listing.files]
    assert found == sorted(expected_files([*keys, "zzz"], layout, s))
    assert all(match == layout.match(file.path.removeprefix(ROOT)) for file, match in listing.files)
    assert listing.report.list_calls == store.counted["LIST"]
    assert len(store.requests) == len(set(store.requests))


@given(situations())
def test_a_pruned_listing_equals_a_filtered_full_listing(s: dict[str, object]) -> None:
    check_pruned_listing(s)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles"])
def test_a_pruned_listing_of_a_dense_bucket(layout: str, zone: str) -> None:
    centre = us("2026-01-01")
    near = [centre + hour * HOUR_US for hour in (-9000, -800, *range(-26, 27), 800)]
    keys = {
        spell(layout, at, team, tail, ("", "MdH", "dH")[number % 3])
        for number, at in enumerate(near)
        for team in TEAMS
        for tail in ("/a.log", ".gz")
    }
    ranges = [(None, 0), (0, None), (-24, 24), (-1, 1), (8, 9), (-800, 3000), (-3000, 8000)]
    filters = [("none", []), ("set", ["web", "_x"]), ("test", ["web", None]), ("set", ["a b"])]
    for number, ((first, last), (kind, teams)) in enumerate(itertools.product(ranges, filters)):
        check_pruned_listing({
            "layout": Layout.parse(layout, zone),
            "keys": keys,
            "start_us": None if first is None else centre + first * HOUR_US,
            "end_us": None if last is None else centre + last * HOUR_US,
            "slack_us": (0, 1, None)[number % 3],
            "allowed": kind,
            "teams": teams,
            "whole_files": number % 5 == 0,
            "page_size": (25, 1000)[number % 2],
            "ordered": number % 7 != 0,
        })  # fmt: skip
