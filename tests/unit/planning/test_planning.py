"""Planning: the files that a full listing would find, found with few requests; cut and packed without loss."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import logging
import pickle
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyspark_logs.errors import LayoutError, OptionError, PathNotFoundError
from pyspark_logs.layout import HOUR_US, Layout, LayoutMatch, escape_value, hive_layout, is_hidden_key
from pyspark_logs.options import ReadOptions, StoreOptions, parse_read_options
from pyspark_logs.planning import Plan, PlanReport, plan, plan_files, resolve_layout
from pyspark_logs.planning.globs import Glob, is_glob, split_glob
from pyspark_logs.planning.packing import pack, split_files
from pyspark_logs.store import StoredFile, open_store
from tests.support.memory_store import KeyStore
from tests.support.s3_server import S3Bucket

ROOT = "s3://b/app/"


def us(text: str) -> int:
    return int(dt.datetime.fromisoformat(text + "+00:00").timestamp()) * 1_000_000


def options(path: str | list[str] = "s3://b/app", **given_options: object) -> ReadOptions:
    where = {"paths": path} if isinstance(path, list) else {"path": path}
    return parse_read_options({"json": "true", **where, **given_options})


def run(store: KeyStore, path: str | list[str] = "s3://b/app", **arguments: object) -> tuple[list[str], PlanReport]:
    """Paths below ROOT that are planned, and the report. ``allowed`` and ``whole_files`` go to the planner."""
    passed = {name: arguments.pop(name) for name in ("allowed", "whole_files") if name in arguments}
    read = options(path, **arguments)
    files, report = plan_files(store, read, resolve_layout(store, read), **passed)
    assert report.list_calls <= store.counted["LIST"]
    return [file.path.removeprefix(ROOT) for file, _ in files], report


def hours(start: str, count: int, layout: str = "%Y/%m/%d/%H/{n}.gz", per_hour: int = 1) -> list[str]:
    first = dt.datetime.fromisoformat(start)
    return [
        (first + dt.timedelta(hours=hour)).strftime(layout).replace("{n}", str(n))
        for hour in range(count)
        for n in range(per_hour)
    ]


YEAR = hours("2026-01-01", 365 * 24)
# Two lists of _commits/, before and after the data: see pyspark_logs.jobs.
LOOKS = 2

HOURLY = "{yyyy}/{MM}/{dd}/{HH}"


# --- what a listing costs -------------------------------------------------------------------------


def test_one_hour_of_a_year_costs_three_lists() -> None:
    store = KeyStore.of(YEAR)
    found, report = run(store, layout=HOURLY, startTime="2026-11-22T10:00:00Z", endTime="2026-11-22T11:00:00Z")
    assert found == ["2026/11/22/09/0.gz", "2026/11/22/10/0.gz", "2026/11/22/11/0.gz"]
    assert store.calls == {"LIST": 3 + LOOKS}
    assert report.list_calls == 3 + LOOKS
    assert report.prefixes_listed == tuple(ROOT + f"2026/11/22/{hour}/" for hour in ("09", "10", "11"))


def test_one_hour_that_crosses_a_year_costs_three_lists() -> None:
    store = KeyStore.of(hours("2025-12-31T00:00", 48))
    found, _ = run(store, layout=HOURLY, startTime="2026-01-01T00:00:00Z", endTime="2026-01-01T01:00:00Z")
    assert found == ["2025/12/31/23/0.gz", "2026/01/01/00/0.gz", "2026/01/01/01/0.gz"]
    assert store.calls == {"LIST": 3 + LOOKS}


@pytest.mark.parametrize(
    ("allowed", "lists"),
    [
        ({}, 1 + 3 * 3),
        ({"team": ["web"]}, 3),
        ({"TEAM": {"web", "db"}}, 6),
        ({"team": lambda value: value.startswith("w")}, 1 + 3),
    ],
)
def test_partition_filters_prune_the_listing(allowed: dict[str, object], lists: int) -> None:
    store = KeyStore.of([f"{team}/{key}" for team in ("web", "db", "ops") for key in YEAR[:4000]])
    found, report = run(
        store,
        layout="{team}/" + HOURLY,
        startTime="2026-02-22T10:00:00Z",
        endTime="2026-02-22T11:00:00Z",
        allowed=allowed,
    )
    assert store.calls["LIST"] == lists + LOOKS
    assert len(found) == report.files_planned == 3 * max(1, (lists - 1) // 3 if not allowed else lists // 3)


def test_one_team_of_one_hour_costs_four_lists() -> None:
    store = KeyStore.of([f"web/{key}" for key in YEAR])
    run(store, layout="{team}/" + HOURLY, startTime="2026-11-22T10:00:00Z", endTime="2026-11-22T11:00:00Z")
    assert store.calls == {"LIST": 4 + LOOKS}


def test_a_month_that_fits_a_page_costs_one_list_for_itself() -> None:
    store = KeyStore.of(YEAR)
    found, _ = run(store, layout=HOURLY, startTime="2026-11-01T00:00:00Z", endTime="2026-12-01T00:00:00Z")
    assert len(found) == 30 * 24 + 2
    # The month, and on each side the hour that slack adds.
    assert store.calls == {"LIST": 3 + LOOKS}


def test_a_range_without_end_costs_one_discovery() -> None:
    store = KeyStore.of(YEAR)
    found, report = run(store, layout=HOURLY, startTime="2026-12-30T10:00:00Z")
    assert found == YEAR[YEAR.index("2026/12/30/09/0.gz") :]
    assert store.calls["LIST"] <= 1 + 1 + 15 + LOOKS
    assert report.files_listed == len(found)


def test_a_large_year_is_listed_by_many_with_little_overhead() -> None:
    per_hour = 4
    store = KeyStore.of(hours("2026-01-01", 365 * 24, per_hour=per_hour))
    found, report = run(store, layout=HOURLY, startTime="2026-01-01T01:00:00Z", endTime="2026-12-31T23:00:00Z")
    assert len(found) == 365 * 24 * per_hour
    pages = 365 * 24 * per_hour / 1000
    assert report.list_calls < 1.2 * pages
    months = {f"{ROOT}2026/{month:02}/" for month in range(1, 13)}
    assert months < {prefix for prefix, recursive, token in store.requests if recursive and token is None}


def test_many_small_children_are_not_listed_one_by_one() -> None:
    store = KeyStore.of([f"2026/11/22/{request:05}/a.gz" for request in range(5000)])
    arguments = {"startTime": "2026-11-22T00:00:00Z", "endTime": "2026-11-23T00:00:00Z"}
    _, report = run(store, layout="{yyyy}/{MM}/{dd}/{request}", **arguments)
    assert report.files_planned == 5000
    assert report.list_calls == 5 + 2 + LOOKS


def test_a_listing_that_grows_dense_is_split_later() -> None:
    keys = [f"2026/01/{day:02}/{n}" for day in range(1, 10) for n in range(12)] + [
        f"2026/01/20/{n}" for n in range(400)
    ]
    store = KeyStore.of([*keys, *(f"2026/02/01/{n}" for n in range(400))], page_size=50)
    found, _ = run(store, layout="{yyyy}/{MM}/{dd}/*", endTime="2026-03-02T00:00:00Z")
    assert len(found) == 9 * 12 + 800
    assert (ROOT + "2026/01/20/", True, None) in store.requests


def test_nothing_is_listed_twice() -> None:
    store = KeyStore.of(hours("2026-01-01", 40 * 24, per_hour=3), page_size=50)
    run(store, layout=HOURLY, startTime="2026-01-03T05:00:00Z", endTime="2026-02-05T05:00:00Z")
    assert len(store.requests) == len(set(store.requests))


def test_a_token_in_the_file_name_makes_a_prefix() -> None:
    store = KeyStore.of(hours("2026-01-01", 5000, "logs-%Y-%m-%d-%H.gz"))
    found, _ = run(
        store, layout="logs-{yyyy-MM-dd-HH}.gz", startTime="2026-05-22T10:00:00Z", endTime="2026-05-22T11:00:00Z"
    )
    assert found == [f"logs-2026-05-22-{hour}.gz" for hour in ("09", "10", "11")]
    assert store.calls == {"LIST": 3 + LOOKS}


def test_a_known_column_before_the_token_makes_a_prefix() -> None:
    keys = hours("2026-01-01", 3000, "E1.%Y-%m-%d-%H.{n}.gz") + hours("2026-01-01", 3000, "E2.%Y-%m-%d-%H.{n}.gz")
    arguments = {"layout": "{dist}.{yyyy-MM-dd-HH}.*"}
    arguments |= {"startTime": "2026-03-22T10:00:00Z", "endTime": "2026-03-22T11:00:00Z"}
    store = KeyStore.of(keys)
    known, _ = run(store, allowed={"dist": {"E1"}}, **arguments)
    assert known == [f"E1.2026-03-22-{hour}.0.gz" for hour in ("09", "10", "11")]
    assert store.calls == {"LIST": 3 + LOOKS}
    store = KeyStore.of(keys)
    found, report = run(store, **arguments)
    assert len(found) == 6
    assert report.list_calls == 6 + LOOKS
    assert report.pruned_by_time == 6000 - 6


def test_values_with_special_characters_are_discovered() -> None:
    store = KeyStore.of(["k=a%3Ab/1", "k=a:b/2", "k=a b/3", "k=a%20b/4", "k=c/5"])
    found, _ = run(store, layout="k={k}", allowed={"k": {"a:b", "a b"}})
    assert {key[-1] for key in found} == {"1", "2", "3", "4"}


def test_a_null_partition_is_constructed() -> None:
    store = KeyStore.of(["k=__HIVE_DEFAULT_PARTITION__/1", "k=c/5"])
    assert run(store, layout="k={k}", allowed={"k": {None}})[0] == ["k=__HIVE_DEFAULT_PARTITION__/1"]
    assert store.calls == {"LIST": 1 + LOOKS}


def test_listing_runs_in_parallel_and_the_first_error_comes_out() -> None:
    arguments = {"layout": HOURLY, "startTime": "2026-01-01T00:00:00Z", "endTime": "2026-01-01T20:30:00Z"}
    store = KeyStore.of(YEAR[:100], fail=ROOT + "2026/01/01/07/")
    with pytest.raises(PermissionError, match="07"):
        run(store, **arguments)


def test_ten_thousand_files_plan_in_no_time() -> None:
    store = KeyStore.of(hours("2026-01-01", 1000, per_hour=10))
    # The store under test scans all keys for each request, so its own time is measured and taken off.
    read = options(layout=HOURLY, startTime="2026-01-01T00:00:00Z")
    layout, spent = resolve_layout(store, read), 0.0
    page = store.page

    def timed(*args: object, **kwargs: object) -> object:
        nonlocal spent
        start = time.thread_time()
        try:
            return page(*args, **kwargs)
        finally:
            spent += time.thread_time() - start

    store.page = timed  # type: ignore[method-assign]
    start = time.process_time()
    found = plan(store, read, layout=layout, splittable=lambda path: False)
    assert found.report.files_planned == 10_000
    assert time.process_time() - start - spent < 1.5


# --- the law: as if everything had been listed ----------------------------------------------------

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
    "logs-{yyyyMMdd}",
    "{yyyy}/{MM}/*/{dd}",
    "{team}/*",
    "{yyyy}/app",
    "{team}",
]
TEAMS = ["web", "db", "w-e.b", "a b", "a%20b", "_x", "1", "__HIVE_DEFAULT_PARTITION__"]
ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/Los_Angeles"]
# Keys and ranges crowd around the turn of a year, of a leap month and of summer time, so that ranges cut.
CENTRES = [us("2026-01-01"), us("2028-02-29"), us("2026-03-29")]


@st.composite
def hour_near(draw: st.DrawFn, centre: int) -> int:
    return (
        centre + draw(st.integers(-4, 4) | st.integers(-60, 60) | st.sampled_from([-9000, -720, 720, 9000])) * HOUR_US
    )


def spell(layout: str, context: int, team: str, tail: str) -> str:
    at = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=context)
    for token, directive in (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H")):
        layout = layout.replace(token, at.strftime(directive))
    if tail and not tail.startswith("/"):  # as our own writer spells it
        after = layout.partition("{team}")[2][:1]
        first = "/{team}" in "/" + layout
        team = escape_value(team, first=first, stop=after.strip("/")) if "%" not in team else team
    return layout.replace("{team}", team).replace("*", "any").replace("{", "").replace("}", "") + tail


@st.composite
def situations(draw: st.DrawFn) -> dict[str, object]:
    layout = draw(st.sampled_from(LAYOUTS))
    tails = st.sampled_from(["", "/a.log", "/b/c.log", "/_tmp/x", "x", ".gz", "/.hidden"])
    moments = hour_near(draw(st.sampled_from(CENTRES)))
    key = st.builds(spell, st.just(layout), moments, st.sampled_from(TEAMS), tails)
    noise = st.builds(spell, st.sampled_from(LAYOUTS), moments, st.sampled_from(TEAMS), tails)
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
    """The definition: match every key there is, then look at its time and its values."""
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


def check_law(s: dict[str, object]) -> None:
    layout, keys, teams = s["layout"], s["keys"], s["teams"]
    store = KeyStore.of([*keys, "zzz"], page_size=s["page_size"], ordered=s["ordered"])
    read = options()
    read = dataclasses.replace(read, time=dataclasses.replace(read.time, slack_us=s["slack_us"]))
    allowed = {"none": {}, "set": {"team": teams}, "test": {"team": lambda value: value in teams}}[s["allowed"]]
    files, report = plan_files(
        store,
        read,
        layout,
        start_us=s["start_us"],
        end_us=s["end_us"],
        allowed=allowed,
        whole_files=s["whole_files"],
    )
    found = [file.path.removeprefix(ROOT) for file, _ in files]
    assert found == sorted(expected_files([*keys, "zzz"], layout, s))
    assert all(match == layout.match(file.path.removeprefix(ROOT)) for file, match in files)
    assert report.list_calls == store.counted["LIST"]
    assert len(store.requests) == len(set(store.requests))


@given(situations())
def test_the_pruned_listing_finds_what_a_full_one_finds(s: dict[str, object]) -> None:
    check_law(s)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles"])
def test_the_same_for_every_way_to_cut_a_dense_bucket(layout: str, zone: str) -> None:
    centre = us("2026-01-01")
    near = [centre + hour * HOUR_US for hour in (-9000, -800, *range(-26, 27), 800)]
    keys = {spell(layout, at, team, tail) for at in near for team in TEAMS for tail in ("/a.log", ".gz")}
    ranges = [(None, 0), (0, None), (-24, 24), (-1, 1), (8, 9), (-800, 3000), (-3000, 8000)]
    filters = [("none", []), ("set", ["web", "_x"]), ("test", ["web", None]), ("set", ["a b"])]
    for number, ((first, last), (kind, teams)) in enumerate(itertools.product(ranges, filters)):
        check_law({
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


def test_hours_that_summer_time_skips_are_found() -> None:
    # In Nuuk it began on 30 March 2024 at 23:00: that hour never was, yet a writer with another clock fills it.
    store = KeyStore.of(["2024/03/30/23/a"])
    arguments = {"layout": HOURLY, "timeZone": "America/Nuuk", "layoutSlack": "0s"}
    assert run(store, startTime="2024-03-31T01:30:00Z", endTime="2024-03-31T02:00:00Z", **arguments)[0]


def test_directories_that_do_not_fit_are_not_entered() -> None:
    store = KeyStore.of(["2026/11/a", "junk/11/a", "_2026/11/a", "2026/xx/a", "2027/01/a"])
    found, report = run(store, layout="{yyyy}/{MM}", layoutSlack="0s", endTime="2026-12-01T00:00:00Z")
    assert found == ["2026/11/a"]
    assert {prefix for prefix, _, _ in store.requests} == {ROOT, *(f"{ROOT}2026/{month:02}/" for month in range(1, 12))}
    assert report.directories_pruned == 3


# --- filters --------------------------------------------------------------------------------------


def test_every_reason_is_counted() -> None:
    keys = [
        "2026/11/22/a.gz",
        "2026/11/22/_tmp/b.gz",
        "2026/11/22/.c.gz",
        "2026/11/22/d.log",
        "2026/1/x.gz",
        "2026/11/20/e.gz",
    ]
    store = KeyStore.of({**dict.fromkeys(keys, 10), "2026/11/22/empty.gz": 0})
    read = options(layout="{yyyy}/{MM}/{dd}", pathGlobFilter="*.gz")
    files, report = plan_files(store, read, Layout.parse("{yyyy}/{MM}/{dd}"))
    assert [file.path for file, _ in files] == [ROOT + "2026/11/20/e.gz", ROOT + "2026/11/22/a.gz"]
    assert dataclasses.replace(report, prefixes_listed=()) == PlanReport(
        list_calls=1 + LOOKS,
        files_listed=7,
        files_planned=2,
        bytes_planned=20,
        skipped_empty=1,
        skipped_hidden=2,
        skipped_by_layout=1,
        pruned_by_glob=1,
    )


def test_keys_that_do_not_fit_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        run(KeyStore.of(["2026/a", "x/b", "y/c"]), layout="{yyyy}")
    (record,) = caplog.records
    assert record.getMessage() == (
        "2 of 3 files listed do not fit the layout '{yyyy}' and are not read, s3://b/app/x/b among them"
    )


def test_modification_bounds_are_half_open() -> None:
    store = KeyStore([StoredFile(f"{ROOT}{ms}", 1, ms, "") for ms in (999, 1000, 1999, 2000)])
    found, report = run(store, modifiedAfter="1970-01-01T00:00:01Z", modifiedBefore="1970-01-01T00:00:02Z")
    assert found == ["1000", "1999"]
    assert report.pruned_by_modified == 2


def test_without_a_time_column_files_count_at_one_instant() -> None:
    store = KeyStore.of(hours("2026-01-01", 48))
    bounds = {"startTime": "2026-01-01T10:00:00Z", "endTime": "2026-01-01T12:00:00Z"}
    assert run(store, layout=HOURLY, whole_files=True, **bounds)[0] == ["2026/01/01/10/0.gz", "2026/01/01/11/0.gz"]
    store = KeyStore([StoredFile(f"{ROOT}{ms}", 1, ms, "") for ms in (999, 1000, 1999, 2000)])
    bounds = {"startTime": "1970-01-01T00:00:01Z", "endTime": "1970-01-01T00:00:02Z"}
    found, report = run(store, whole_files=True, **bounds)
    assert found == ["1000", "1999"]
    assert report.pruned_by_time == 2
    assert len(run(store, **bounds)[0]) == 4


def test_an_empty_range_reads_nothing_but_checks_the_path() -> None:
    store = KeyStore.of([*YEAR[:50], "x.log"])
    read, empty = options(["s3://b/app", ROOT + "x.log"]), {"start_us": us("2026-01-02"), "end_us": us("2026-01-02")}
    files, report = plan_files(store, read, Layout.parse(HOURLY), **empty)
    assert (files, report.list_calls, report.pruned_by_time) == ([], 1 + LOOKS, 1)
    with pytest.raises(PathNotFoundError):
        plan_files(store, options("s3://b/none"), Layout.parse(HOURLY), **empty)


@pytest.mark.parametrize(
    ("start", "end"), [("0001-01-01", "9999-12-31"), ("2025-01-01", "9999-12-31"), ("0001-01-01", "2026-12-31")]
)
def test_a_range_of_ages_is_discovered(start: str, end: str) -> None:
    store = KeyStore.of(YEAR[:50])
    assert len(run(store, layout=HOURLY, layoutSlack="500d", startTime=start, endTime=end)[0]) == 50
    assert store.calls["LIST"] == 2 + LOOKS


def test_filters_narrow_the_range_of_the_options() -> None:
    store = KeyStore.of(hours("2026-01-01", 48))
    read = options(layout=HOURLY, layoutSlack="0s", startTime="2026-01-01T10:00:00Z", endTime="2026-01-01T14:00:00Z")
    layout = Layout.parse(HOURLY)
    wider, _ = plan_files(store, read, layout, start_us=us("2026-01-01T08:00"), end_us=us("2026-01-01T12:00"))
    assert [file.path[-7:-5] for file, _ in wider] == ["10", "11"]
    assert plan_files(store, read, layout, start_us=us("2026-01-01T20:00"))[0] == []


def test_a_format_zone_reads_the_tokens() -> None:
    store = KeyStore.of(hours("2026-07-01", 24))
    found, _ = run(
        store,
        layout=HOURLY,
        timeZone="Europe/Berlin",
        layoutSlack="0s",
        startTime="2026-07-01T10:00:00Z",
        endTime="2026-07-01T11:00:00Z",
    )
    assert found == ["2026/07/01/12/0.gz"]


# --- load paths -----------------------------------------------------------------------------------

TREE = ["a1/x.log", "a2/x.log", "a2/y.gz", "b1/c/x.log", "_hidden/x.log", "top.log", "noext", "b2/c"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("s3://b/app", ["a1/x.log", "a2/x.log", "a2/y.gz", "b1/c/x.log", "b2/c", "noext", "top.log"]),
        ("s3://b/app/", ["a1/x.log", "a2/x.log", "a2/y.gz", "b1/c/x.log", "b2/c", "noext", "top.log"]),
        ("s3://b", ["a1/x.log", "a2/x.log", "a2/y.gz", "b1/c/x.log", "b2/c", "noext", "top.log"]),
        ("s3://b/app/a*", ["a1/x.log", "a2/x.log", "a2/y.gz"]),
        ("s3://b/app/a[2-9]", ["a2/x.log", "a2/y.gz"]),
        ("s3://b/app/a[^2]/", ["a1/x.log"]),
        ("s3://b/app/?2/*.gz", ["a2/y.gz"]),
        ("s3://b/app/{a1,b1/c}", ["a1/x.log", "b1/c/x.log"]),
        ("s3://b/app/{a{1,2},b1}/x.log", ["a1/x.log", "a2/x.log"]),
        ("s3://b/*/a1", ["a1/x.log"]),
        ("s3://b/app/*", ["a1/x.log", "a2/x.log", "a2/y.gz", "b1/c/x.log", "b2/c", "noext", "top.log"]),
        ("s3://b/app/*/", ["a1/x.log", "a2/x.log", "a2/y.gz", "b1/c/x.log", "b2/c"]),
        ("s3://b/app/b*/c", ["b1/c/x.log", "b2/c"]),
        ("s3://b/app/*.log", ["top.log"]),
        ("s3://b/app/_hidden", ["_hidden/x.log"]),
        ("s3://b/app/_h*", ["_hidden/x.log"]),
        ("s3://b/app/top.log", ["top.log"]),
        ("s3://b/app/noext", ["noext"]),
        ("s3://b/app/a\\1", ["a1/x.log"]),
        (["s3://b/app/a1", "s3://b/app/a2"], ["a1/x.log", "a2/x.log", "a2/y.gz"]),
        (["s3://b/app/a*", "s3://b/app/a2", "s3://b/app/a2/y.gz"], ["a1/x.log", "a2/x.log", "a2/y.gz"]),
    ],
)
@pytest.mark.parametrize("page_size", [1, 1000])
def test_load_paths(path: str | list[str], found: list[str], page_size: int) -> None:
    store = KeyStore.of(TREE, page_size=page_size)
    assert run(store, path)[0] == found


def test_overlapping_paths_are_counted_as_duplicates() -> None:
    _, report = run(KeyStore.of(TREE), ["s3://b/app/a2", "s3://b/app/a*", "s3://b/app/a2/y.gz"])
    assert (report.duplicates, report.files_planned, report.files_listed) == (3, 3, 6)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("s3://b/nothing", "there is no such file or directory"),
        ("s3://b/ap", "there is no such file or directory"),
        ("s3://b/app/nothing.log", "there is no such file or directory"),
        ("s3://b/app/z*", "the glob matches nothing"),
        ("s3://b/app/{x,y}", "the glob matches nothing"),
        ("s3://b/app/*/nothing", "the glob matches nothing"),
        (["s3://b/app/a1", "s3://b/nothing"], "there is no such file or directory"),
    ],
)
@pytest.mark.parametrize("page_size", [1, 1000])
def test_a_path_that_is_not_there_is_an_error(path: str | list[str], says: str, page_size: int) -> None:
    with pytest.raises(PathNotFoundError, match=says) as error:
        run(KeyStore.of(TREE, page_size=page_size), path)
    assert (path if isinstance(path, str) else path[-1]) in str(error.value)


@pytest.mark.parametrize("page_size", [1, 1000])
def test_a_path_with_nothing_in_the_range_is_an_empty_plan(page_size: int) -> None:
    # Neighbours that begin with its name come first in key order.
    keys = [*(f"app/{key}" for key in YEAR[:100]), *(f"app-{n}/x" for n in range(5))]
    store = KeyStore.of(keys, root="s3://b/", page_size=page_size)
    found, report = run(store, layout=HOURLY, startTime="2030-01-01T00:00:00Z", endTime="2030-01-01T01:00:00Z")
    assert found == []
    assert report.list_calls == store.calls["LIST"] <= 3 + 2 + LOOKS


@pytest.mark.parametrize("bucket", ["s3://b", "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/b"])
def test_a_bucket_with_nothing_in_the_range_is_an_empty_plan(bucket: str) -> None:
    store = KeyStore.of(YEAR[:10], root=bucket + "/")
    found, report = run(store, bucket, layout=HOURLY, startTime="2001-01-01T10:00:00Z", endTime="2001-01-01T11:00:00Z")
    assert found == []
    assert report.list_calls == 4 + LOOKS


@pytest.mark.parametrize("path", ["s3://*/app", "s3://{a,b}/app"])
def test_a_glob_cannot_stand_for_a_bucket(path: str) -> None:
    with pytest.raises(OptionError, match="name the bucket"):
        run(KeyStore.of(TREE), path)


def test_a_named_file_is_read_whatever_the_layout_says() -> None:
    store = KeyStore.of(["other/name.log", "2026/11/22/_x.log", "logs-2026-11-22.gz"])
    read = options([ROOT + "other/name.log", ROOT + "2026/11/22/_x.log"])
    files, report = plan_files(
        store, read, Layout.parse("{team}/{yyyy}"), start_us=us("2001-01-01"), end_us=us("2001-01-02")
    )
    assert [(file.path, match) for file, match in files] == [
        (ROOT + "2026/11/22/_x.log", LayoutMatch(None, None, (None,))),
        (ROOT + "other/name.log", LayoutMatch(None, None, (None,))),
    ]
    assert report.list_calls == 0
    named = options(ROOT + "logs-2026-11-22.gz", layout="logs-{yyyy-MM-dd}.gz")
    layout = Layout.parse("logs-{yyyy-MM-dd}.gz")
    ((_, match),) = plan_files(store, named, layout)[0]
    assert match.start_us == us("2026-11-22")
    assert plan_files(store, named, layout, end_us=us("2026-11-01"))[0] == []


# --- globs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*", ["", "a", "a.b"], []),
        ("a?c", ["abc", "a.c"], ["ac", "abbc"]),
        ("[abc]x", ["ax", "cx"], ["dx", "x"]),
        ("[a-c]x", ["bx"], ["dx", "-x"]),
        ("[^a]x", ["bx"], ["ax"]),
        ("[!a]x", ["bx"], ["ax"]),
        ("[]a]", ["]", "a"], ["b"]),
        ("[a-]", ["-", "a"], ["b"]),
        ("[\\]]", ["]"], ["\\"]),
        ("{a,b}.log", ["a.log", "b.log"], ["c.log", "a,b.log"]),
        ("{a,b{c,d}}", ["a", "bc", "bd"], ["b", "c"]),
        ("{a*,}x", ["x", "a12x"], ["bx"]),
        ("a\\*", ["a*"], ["ab"]),
        ("a.b", ["a.b"], ["axb"]),
        ("a}b,c", ["a}b,c"], ["a"]),
        ("(a|b)+$", ["(a|b)+$"], ["a"]),
    ],
)
def test_globs(glob: str, yes: list[str], no: list[str]) -> None:
    compiled = Glob(glob)
    assert [name for name in yes + no if compiled.matches(name)] == yes
    assert all(name.startswith(compiled.prefix) for name in yes)


@pytest.mark.parametrize("glob", ["[a", "{a", "{a,{b}", "a\\", "[z-a]", "["])
def test_malformed_globs_are_errors(glob: str) -> None:
    with pytest.raises(OptionError, match="glob"):
        Glob(glob)


def test_globs_know_what_is_literal() -> None:
    assert Glob("a\\*b").literal == "a*b"
    assert Glob("ab*").literal is None
    assert Glob("ab*").prefix == "ab"
    assert Glob("a{b}").literal is None
    assert not Glob("*").finds("_x")
    assert Glob("_*").finds("_x")
    assert not is_glob("a/b.c")


def test_only_braces_with_a_slash_are_expanded() -> None:
    paths = ["/".join(glob.text for glob in names) for names in split_glob("x{a,{b/c,d}}/{e,f}\\{/")]
    assert paths == ["xa/{e,f}\\{/", "xb/c/{e,f}\\{/", "xd/{e,f}\\{/"]


# --- which layout ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "columns"),
    [
        (["a=1/b=2/x.log", "a=2/b=3/x.log"], ("a", "b")),
        (["a=1/x.log", "_SUCCESS", "_tmp/b=1/x", ".x/y"], ("a",)),
        (["a=1/x.log", "b=1/x.log"], ()),
        (["a=1/x.log", "other/x.log"], ()),
        (["a=1/x.log", "stray.log"], ()),
        (["a=1/b=2/x.log", "a=1/x.log"], ("a",)),
        (["a=1/a=2/x.log"], ("a",)),
        (["a=/x.log"], ()),
        (["=1/x.log"], ()),
        (["yyyy=2026/MM=11/x.log"], ("yyyy", "MM")),
        (["x.log"], ()),
        ([], ()),
    ],
)
def test_hive_directories_are_recognised(keys: list[str], columns: tuple[str, ...]) -> None:
    layout = resolve_layout(KeyStore.of(keys), options())
    assert layout == hive_layout(columns)


def test_hive_values_of_a_globbed_path() -> None:
    store = KeyStore.of(["d1/a=1/x.log", "d2/a=2/x.log"])
    files, _ = plan_files(store, options("s3://b/app/d*"), resolve_layout(store, options("s3://b/app/d*")))
    assert [match.values for _, match in files] == [("1",), ("2",)]


def test_a_malformed_layout_is_an_error() -> None:
    with pytest.raises(LayoutError):
        resolve_layout(KeyStore.of([]), options(layout="{HH}"))


# --- tasks ----------------------------------------------------------------------------------------

sizes = st.dictionaries(st.text("abc", min_size=1, max_size=4), st.integers(0, 1000), max_size=30)


@given(sizes, st.integers(1, 400), st.integers(1, 100))
@example({"a": 0}, 1, 1)
def test_every_byte_is_in_one_split_and_tasks_keep_the_limit(files: dict[str, int], limit: int, cost: int) -> None:
    stored = [(StoredFile(path, size, 5, "e"), LayoutMatch(1, 2, ("v",))) for path, size in files.items()]
    splits = split_files(stored, max_bytes=limit, splittable=lambda path: "a" in path)
    tasks = pack(splits, max_bytes=limit, open_cost_bytes=cost)
    assert sorted((s for task in tasks for s in task.splits), key=repr) == sorted(splits, key=repr)
    for path, size in files.items():
        own = sorted((s.start, s.start + s.length) for s in splits if s.path == path)
        assert [start for start, _ in own] + [size] == [0] + [end for _, end in own] if own else size == 0
        assert len(own) <= 1 or "a" in path
    for task in tasks:
        assert task.splits
        assert task.bytes <= limit or (len(task.splits) == 1 and "a" not in task.splits[0].path)
        assert cost * (len(task.splits) - 1) <= limit
    assert pack(splits[::-1], max_bytes=limit, open_cost_bytes=cost) == tasks


def test_a_plan_is_data_and_the_same_every_time() -> None:
    keys = {**dict.fromkeys(hours("2026-01-01", 500, "team=web/%Y/%m/%d/%H/{n}.log"), 100), "team=db/big.log": 1000}
    read = options(maxPartitionBytes="300", openCostInBytes="1")

    def make(order: Callable[[list[str]], list[str]]) -> Plan:
        store = KeyStore.of({key: keys[key] for key in order(list(keys))}, page_size=7)
        return plan(store, read, splittable=lambda path: path.endswith(".log"))

    one, other = make(list), make(lambda names: names[::-1])
    assert one == other
    assert pickle.loads(pickle.dumps(one)) == one
    assert one.layout_columns == ("team",)
    assert sum(task.bytes for task in one.tasks) == one.report.bytes_planned == 51_000
    (first, *_), *_ = (task.splits for task in one.tasks)
    assert dataclasses.asdict(first) == {
        "path": ROOT + "team=db/big.log",
        "start": 0,
        "length": 300,
        "size": 1000,
        "modified_ms": 1000,
        "etag": "e1000",
        "layout_start_us": None,
        "layout_end_us": None,
        "partition_values": ("db",),
    }
    assert all(
        split.length == 1000
        for task in plan(make_store(keys), read).tasks
        for split in task.splits
        if split.size == 1000
    )


def make_store(keys: dict[str, int]) -> KeyStore:
    return KeyStore.of(keys)


# --- real stores ----------------------------------------------------------------------------------


def check_real(root: str, put: Callable[[str], object], store_options: dict[str, object]) -> None:
    for key in [
        *hours("2026-11-22T08:00", 6, "web/%Y/%m/%d/%H/{n}.gz"),
        "db/2026/11/22/10/a.log",
        "db/_tmp/x",
        "n.log",
    ]:
        put(key)
    (Path(root) / "empty").mkdir() if root.startswith("/") else None

    def files(path: str, **arguments: object) -> list[str]:
        read = options(path, **arguments, **store_options)
        store = open_store(path, read.store)
        found, report = plan_files(store, read, resolve_layout(store, read))
        # Another look at a path costs what the report says: no request is hidden.
        assert store.calls["LIST"] >= report.list_calls
        return [file.path.removeprefix(root + "/") for file, _ in found]

    hour = {"startTime": "2026-11-22T10:00:00Z", "endTime": "2026-11-22T11:00:00Z", "layout": "{team}/" + HOURLY}
    assert files(root, **hour, layoutSlack="0s") == ["db/2026/11/22/10/a.log", "web/2026/11/22/10/0.gz"]
    assert files(root + "/web/", layout="{yyyy}/{MM}/{dd}/{HH}", startTime="2026-11-22T13:00:00Z") == [
        "web/2026/11/22/12/0.gz",
        "web/2026/11/22/13/0.gz",
    ]
    assert files(root + "/*/2026/11/22/1[0-1]/*.{gz,log}") == [
        "db/2026/11/22/10/a.log",
        "web/2026/11/22/10/0.gz",
        "web/2026/11/22/11/0.gz",
    ]
    assert files(root + "/n.log") == ["n.log"]
    assert files(root, layout="{team}/{yyyy}", endTime="2001-01-01T00:00:00Z") == []
    assert len(files(root)) == 8
    for missing in ("/nothing", "/nothing.log", "/w", "/*/nothing"):
        with pytest.raises(PathNotFoundError):
            files(root + missing)


def test_local_files(tmp_path: Path) -> None:
    def put(key: str) -> None:
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(b"x")

    check_real(str(tmp_path), put, {})
    read = options(str(tmp_path / "empty"))
    assert plan_files(open_store(str(tmp_path), StoreOptions()), read, hive_layout(()))[0] == []


def test_s3(s3: S3Bucket) -> None:
    store_options = {
        "endpoint": s3.endpoint,
        "region": s3.options.region,
        "accessKey": s3.options.access_key,
        "secretKey": s3.options.secret_key,
    }
    check_real(s3.url + "/logs", lambda key: s3.put("logs/" + key, b"x"), store_options)


def test_memory() -> None:
    import fsspec

    filesystem = fsspec.filesystem("memory")
    try:
        check_real("memory://plan", lambda key: filesystem.pipe_file("/plan/" + key, b"x"), {})
    finally:
        filesystem.rm("/plan", recursive=True)
