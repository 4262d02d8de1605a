"""The number of list requests of a plan."""

from __future__ import annotations

import re
import time

import pytest

from pyspark_logs.planning import plan, resolve_layout
from tests.support.key_store import KeyStore
from tests.support.plans import COMMIT_LISTS, HOURLY, ROOT, YEAR, hours, options, run


def test_one_hour_of_a_year_costs_three_lists() -> None:
    store = KeyStore.from_keys(YEAR)
    found, report = run(store, layout=HOURLY, startTime="2026-11-22T11:00:00Z", endTime="2026-11-22T12:00:00Z")
    assert found == ["2026/11/22/10/0.gz", "2026/11/22/11/0.gz", "2026/11/22/12/0.gz"]
    assert store.request_counts == {"LIST": 3 + COMMIT_LISTS}
    assert report.list_calls == 3 + COMMIT_LISTS
    assert report.prefixes_listed == tuple(ROOT + f"2026/11/22/{hour}/" for hour in ("10", "11", "12"))


UNPADDED = [re.sub("/0(?=[0-9])", "/", key) for key in YEAR]


@pytest.mark.parametrize("keys", [YEAR, UNPADDED, YEAR + UNPADDED], ids=["padded", "unpadded", "both"])
def test_each_level_with_values_below_ten_costs_one_list(keys: list[str]) -> None:
    keys = list(dict.fromkeys(keys))
    store = KeyStore.from_keys(keys)
    found, _ = run(store, layout=HOURLY, startTime="2026-03-07T05:00:00Z", endTime="2026-03-07T06:00:00Z")
    names = [f"2026/{text}" for hour in (4, 5, 6) for text in (f"03/07/{hour:02}/0.gz", f"3/7/{hour}/0.gz")]
    assert found == sorted(name for name in names if name in keys)
    levels, hours_found = 3, len(found)
    # With both spellings, the levels of day and hour are listed twice.
    assert store.request_counts["LIST"] == levels + (2 if len(keys) > len(YEAR) else 0) + hours_found + COMMIT_LISTS


def test_unpadded_names_of_files_cost_one_list_for_each_prefix_that_is_missing() -> None:
    keys = hours("2026-01-01", 365 * 24, "E2.%Y-%m-%d-%H.{n}.gz")
    store = KeyStore.from_keys(keys)
    layout = "{dist}.{yyyy-MM-dd-HH}.*"
    found, _ = run(
        store,
        layout=layout,
        startTime="2026-03-07T05:00:00Z",
        endTime="2026-03-07T06:00:00Z",
        allowed={"dist": ["E2"]},
    )
    assert found == [f"E2.2026-03-07-{hour}.0.gz" for hour in ("04", "05", "06")]
    # Three hours in two spellings, one month and one day that do not exist.
    assert store.request_counts["LIST"] == 6 + 2 + COMMIT_LISTS


def test_a_page_of_other_names_falls_back_to_both_spellings() -> None:
    names = [f"2026/03/07/{name:06}.gz" for name in range(5000)]  # files beside the directories of the hours
    store = KeyStore.from_keys([*names, "2026/03/07/5/a.gz", "2026/03/07/06/b.gz"])
    found, _ = run(store, layout=HOURLY, startTime="2026-03-07T05:00:00Z", endTime="2026-03-07T06:00:00Z")
    assert found == ["2026/03/07/06/b.gz", "2026/03/07/5/a.gz"]
    assert store.request_counts["LIST"] == 3 + 6 + COMMIT_LISTS


def test_one_hour_that_crosses_a_year_costs_three_lists_and_one_for_each_level() -> None:
    store = KeyStore.from_keys(hours("2025-12-31T00:00", 48))
    found, _ = run(store, layout=HOURLY, startTime="2026-01-01T00:00:00Z", endTime="2026-01-01T01:00:00Z")
    assert found == ["2025/12/31/23/0.gz", "2026/01/01/00/0.gz", "2026/01/01/01/0.gz"]
    assert store.request_counts == {"LIST": 3 + 3 + COMMIT_LISTS}


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
    store = KeyStore.from_keys([f"{team}/{key}" for team in ("web", "db", "ops") for key in YEAR[-4000:]])
    found, report = run(
        store,
        layout="{team}/" + HOURLY,
        startTime="2026-11-22T11:00:00Z",
        endTime="2026-11-22T12:00:00Z",
        allowed=allowed,
    )
    assert store.request_counts["LIST"] == lists + COMMIT_LISTS
    assert len(found) == report.files_planned == 3 * max(1, (lists - 1) // 3 if not allowed else lists // 3)


def test_one_team_of_one_hour_costs_four_lists() -> None:
    store = KeyStore.from_keys([f"web/{key}" for key in YEAR])
    run(store, layout="{team}/" + HOURLY, startTime="2026-11-22T11:00:00Z", endTime="2026-11-22T12:00:00Z")
    assert store.request_counts == {"LIST": 4 + COMMIT_LISTS}


def test_a_month_that_fits_a_page_costs_one_list_for_itself() -> None:
    store = KeyStore.from_keys(YEAR)
    found, _ = run(store, layout=HOURLY, startTime="2026-11-01T00:00:00Z", endTime="2026-12-01T00:00:00Z")
    assert len(found) == 30 * 24 + 2
    # The month, on each side the hour that slack adds, and the days and hours of December, whose spelling is unknown.
    assert store.request_counts == {"LIST": 3 + 2 + COMMIT_LISTS}


def test_a_range_without_end_costs_one_discovery() -> None:
    store = KeyStore.from_keys(YEAR)
    found, report = run(store, layout=HOURLY, startTime="2026-12-30T11:00:00Z")
    assert found == YEAR[YEAR.index("2026/12/30/10/0.gz") :]
    assert store.request_counts["LIST"] <= 1 + 1 + 14 + COMMIT_LISTS
    assert report.files_listed == len(found)


@pytest.mark.parametrize("others", [[], ["app.log", "app.2025", "app.20x", "app.tmp/a"]])
def test_a_range_without_end_costs_the_same_in_directories_of_any_size(others: list[str]) -> None:
    lists = []
    for count in (1_000, 3_000):
        keys = hours("2026-07-25", count, "app.%Y-%m-%d-%H.log")
        store = KeyStore.from_keys([*keys, *others, "app.2028-01-01-00.log"], page_size=50)
        start = f"{keys[-20][4:14]}T{keys[-20][15:17]}:00:00Z"
        found, _ = run(store, layout="app.{yyyy-MM-dd-HH}.log", startTime=start, layoutSlack="0s")
        assert found == [*keys[-20:], "app.2028-01-01-00.log"]
        lists.append(store.request_counts["LIST"])
    assert max(lists) < 16 + 70, lists


def test_years_that_cannot_be_told_from_names_are_discovered() -> None:
    keys = [f"app.2026é{n:04}" for n in range(60)] + ["app.2027-x"]
    store = KeyStore.from_keys(keys, page_size=2)
    found, _ = run(store, layout="app.{yyyy}*", startTime="2026-01-01T00:00:00Z")
    assert found == sorted(keys)


def test_a_large_year_is_split_with_little_overhead() -> None:
    per_hour = 4
    store = KeyStore.from_keys(hours("2026-01-01", 365 * 24, per_hour=per_hour))
    found, report = run(store, layout=HOURLY, startTime="2026-01-01T01:00:00Z", endTime="2026-12-31T23:00:00Z")
    assert len(found) == 365 * 24 * per_hour
    pages = 365 * 24 * per_hour / 1000
    assert report.list_calls < 1.2 * pages
    months = {f"{ROOT}2026/{month:02}/" for month in range(1, 13)}
    assert months < {prefix for prefix, recursive, token in store.requests if recursive and token is None}


def test_many_small_children_are_not_listed_one_by_one() -> None:
    store = KeyStore.from_keys([f"2026/11/22/{request:05}/a.gz" for request in range(5000)])
    arguments = {"startTime": "2026-11-22T00:00:00Z", "endTime": "2026-11-23T00:00:00Z"}
    _, report = run(store, layout="{yyyy}/{MM}/{dd}/{request}", **arguments)
    assert report.files_planned == 5000
    assert report.list_calls == 5 + 2 + COMMIT_LISTS


def test_a_prefix_that_becomes_dense_is_split() -> None:
    keys = [f"2026/01/{day:02}/{n}" for day in range(1, 10) for n in range(12)] + [
        f"2026/01/20/{n}" for n in range(400)
    ]
    store = KeyStore.from_keys([*keys, *(f"2026/02/01/{n}" for n in range(400))], page_size=50)
    found, _ = run(store, layout="{yyyy}/{MM}/{dd}/*", endTime="2026-03-02T00:00:00Z")
    assert len(found) == 9 * 12 + 800
    assert (ROOT + "2026/01/20/", True, None) in store.requests


def test_no_prefix_is_listed_twice() -> None:
    store = KeyStore.from_keys(hours("2026-01-01", 40 * 24, per_hour=3), page_size=50)
    run(store, layout=HOURLY, startTime="2026-01-03T05:00:00Z", endTime="2026-02-05T05:00:00Z")
    assert len(store.requests) == len(set(store.requests))


def test_a_token_in_the_file_name_gives_a_prefix() -> None:
    store = KeyStore.from_keys(hours("2026-05-01", 5000, "logs-%Y-%m-%d-%H.gz"))
    found, _ = run(
        store, layout="logs-{yyyy-MM-dd-HH}.gz", startTime="2026-11-22T11:00:00Z", endTime="2026-11-22T12:00:00Z"
    )
    assert found == [f"logs-2026-11-22-{hour}.gz" for hour in ("10", "11", "12")]
    assert store.request_counts == {"LIST": 3 + COMMIT_LISTS}


def test_a_selected_column_before_the_token_gives_a_prefix() -> None:
    keys = hours("2026-09-01", 3000, "E1.%Y-%m-%d-%H.{n}.gz") + hours("2026-09-01", 3000, "E2.%Y-%m-%d-%H.{n}.gz")
    arguments = {"layout": "{dist}.{yyyy-MM-dd-HH}.*"}
    arguments |= {"startTime": "2026-11-22T11:00:00Z", "endTime": "2026-11-22T12:00:00Z"}
    store = KeyStore.from_keys(keys)
    known, _ = run(store, allowed={"dist": {"E1"}}, **arguments)
    assert known == [f"E1.2026-11-22-{hour}.0.gz" for hour in ("10", "11", "12")]
    assert store.request_counts == {"LIST": 3 + COMMIT_LISTS}
    store = KeyStore.from_keys(keys)
    found, report = run(store, **arguments)
    assert len(found) == 6
    assert report.list_calls == 6 + COMMIT_LISTS
    assert report.pruned_by_time == 6000 - 6


def test_values_with_special_characters_are_discovered() -> None:
    store = KeyStore.from_keys(["k=a%3Ab/1", "k=a:b/2", "k=a b/3", "k=a%20b/4", "k=c/5"])
    found, _ = run(store, layout="k={k}", allowed={"k": {"a:b", "a b"}})
    assert {key[-1] for key in found} == {"1", "2", "3", "4"}


def test_a_null_partition_is_constructed() -> None:
    store = KeyStore.from_keys(["k=__HIVE_DEFAULT_PARTITION__/1", "k=c/5"])
    assert run(store, layout="k={k}", allowed={"k": {None}})[0] == ["k=__HIVE_DEFAULT_PARTITION__/1"]
    assert store.request_counts == {"LIST": 1 + COMMIT_LISTS}


def test_the_first_error_of_a_parallel_listing_is_raised() -> None:
    arguments = {"layout": HOURLY, "startTime": "2026-01-01T00:00:00Z", "endTime": "2026-01-01T20:30:00Z"}
    store = KeyStore.from_keys(YEAR[:100], fail=ROOT + "2026/01/01/07/")
    with pytest.raises(PermissionError, match="07"):
        run(store, **arguments)


def test_ten_thousand_files_are_planned_within_1_5_seconds() -> None:
    store = KeyStore.from_keys(hours("2026-01-01", 1000, per_hour=10))
    read = options(layout=HOURLY, startTime="2026-01-01T00:00:00Z")
    layout, spent = resolve_layout(store, read), 0.0
    page = store.list_page

    def timed(*args: object, **kwargs: object) -> object:
        nonlocal spent
        start = time.thread_time()
        try:
            return page(*args, **kwargs)
        finally:
            spent += time.thread_time() - start

    store.list_page = timed  # type: ignore[method-assign]
    durations = []
    while len(durations) < 3 and min(durations, default=1.5) >= 1.5:  # the first plan may import modules
        # The store of the test scans all keys for each request; its time is subtracted.
        start, spent = time.process_time(), 0.0
        found = plan(store, read, layout=layout, splittable=lambda path: False)
        assert found.report.files_planned == 10_000
        durations.append(time.process_time() - start - spent)
    assert min(durations) < 1.5


def test_hours_skipped_by_summer_time_are_found() -> None:
    # Summer time in Nuuk began on 30 March 2024 at 23:00; a writer with another clock may still use that hour.
    store = KeyStore.from_keys(["2024/03/30/23/a"])
    arguments = {"layout": HOURLY, "timeZone": "America/Nuuk", "layoutSlack": "0s"}
    assert run(store, startTime="2024-03-31T01:30:00Z", endTime="2024-03-31T02:00:00Z", **arguments)[0]


def test_directories_that_do_not_fit_are_not_listed() -> None:
    store = KeyStore.from_keys(["2026/11/a", "junk/11/a", "_2026/11/a", "2026/xx/a", "2027/01/a"])
    found, report = run(store, layout="{yyyy}/{MM}", layoutSlack="0s", endTime="2026-12-01T00:00:00Z")
    assert found == ["2026/11/a"]
    assert {prefix for prefix, _, _ in store.requests} == {ROOT, f"{ROOT}2026/", f"{ROOT}2026/11/"}
    assert report.directories_pruned == 4
