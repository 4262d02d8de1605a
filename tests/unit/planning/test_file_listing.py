"""Filters and reports of listings."""

from __future__ import annotations

import dataclasses
import logging

import pytest

from pyspark_logs.errors import PathNotFoundError
from pyspark_logs.layout import Layout
from pyspark_logs.planning import FileFilters, PlanReport, Window, list_files
from pyspark_logs.store import StoredFile
from tests.support.key_store import KeyStore
from tests.support.plans import COMMIT_LISTS, HOURLY, ROOT, YEAR, hours, options, run, us


def test_each_reason_for_exclusion_is_counted() -> None:
    keys = [
        "2026/11/22/a.gz",
        "2026/11/22/_tmp/b.gz",
        "2026/11/22/.c.gz",
        "2026/11/22/d.log",
        "2026/1/x.gz",
        "2026/11/20/e.gz",
    ]
    store = KeyStore.from_keys({**dict.fromkeys(keys, 10), "2026/11/22/empty.gz": 0})
    read = options(layout="{yyyy}/{MM}/{dd}", pathGlobFilter="*.gz")
    listing = list_files(store, read, Layout.parse("{yyyy}/{MM}/{dd}"))
    assert [file.path for file, _ in listing.files] == [ROOT + "2026/11/20/e.gz", ROOT + "2026/11/22/a.gz"]
    assert dataclasses.replace(listing.report, prefixes_listed=()) == PlanReport(
        list_calls=1 + COMMIT_LISTS,
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
        run(KeyStore.from_keys(["2026/a", "x/b", "y/c"]), layout="{yyyy}")
    (record,) = caplog.records
    assert record.getMessage() == (
        "2 of 3 files listed do not fit the layout '{yyyy}' and are not read, 's3://b/app/x/b' among them"
    )


def test_modification_bounds_are_half_open() -> None:
    store = KeyStore([StoredFile(f"{ROOT}{ms}", 1, ms, "") for ms in (999, 1000, 1999, 2000)])
    found, report = run(store, modifiedAfter="1970-01-01T00:00:01Z", modifiedBefore="1970-01-01T00:00:02Z")
    assert found == ["1000", "1999"]
    assert report.pruned_by_modified == 2


def test_without_a_time_column_files_count_at_one_instant() -> None:
    store = KeyStore.from_keys(hours("2026-01-01", 48))
    bounds = {"startTime": "2026-01-01T10:00:00Z", "endTime": "2026-01-01T12:00:00Z"}
    assert run(store, layout=HOURLY, whole_files=True, **bounds)[0] == ["2026/01/01/10/0.gz", "2026/01/01/11/0.gz"]
    store = KeyStore([StoredFile(f"{ROOT}{ms}", 1, ms, "") for ms in (999, 1000, 1999, 2000)])
    bounds = {"startTime": "1970-01-01T00:00:01Z", "endTime": "1970-01-01T00:00:02Z"}
    found, report = run(store, whole_files=True, **bounds)
    assert found == ["1000", "1999"]
    assert report.pruned_by_time == 2
    assert len(run(store, **bounds)[0]) == 4


def test_an_empty_range_reads_nothing_but_checks_the_path() -> None:
    store = KeyStore.from_keys([*YEAR[:50], "x.log"])
    read = options(["s3://b/app", ROOT + "x.log"])
    empty = FileFilters(Window(us("2026-01-02"), us("2026-01-02")))
    listing = list_files(store, read, Layout.parse(HOURLY), empty)
    assert (len(listing.files), listing.report.list_calls, listing.report.pruned_by_time) == (0, 1 + COMMIT_LISTS, 1)
    with pytest.raises(PathNotFoundError):
        list_files(store, options("s3://b/none"), Layout.parse(HOURLY), empty)


@pytest.mark.parametrize(
    ("start", "end"), [("0001-01-01", "9999-12-31"), ("2025-01-01", "9999-12-31"), ("0001-01-01", "2026-12-31")]
)
def test_years_of_a_long_range_are_discovered(start: str, end: str) -> None:
    store = KeyStore.from_keys(YEAR[:50])
    assert len(run(store, layout=HOURLY, layoutSlack="500d", startTime=start, endTime=end)[0]) == 50
    assert store.request_counts["LIST"] == 2 + COMMIT_LISTS


def test_filters_narrow_the_range_of_the_options() -> None:
    store = KeyStore.from_keys(hours("2026-01-01", 48))
    read = options(layout=HOURLY, layoutSlack="0s", startTime="2026-01-01T10:00:00Z", endTime="2026-01-01T14:00:00Z")
    layout = Layout.parse(HOURLY)
    wider = list_files(store, read, layout, FileFilters(Window(us("2026-01-01T08:00"), us("2026-01-01T12:00"))))
    assert [file.path[-7:-5] for file, _ in wider.files] == ["10", "11"]
    assert not list_files(store, read, layout, FileFilters(Window(us("2026-01-01T20:00")))).files


def test_tokens_are_in_the_time_zone_of_the_options() -> None:
    store = KeyStore.from_keys(hours("2026-07-01", 24))
    found, _ = run(
        store,
        layout=HOURLY,
        timeZone="Europe/Berlin",
        layoutSlack="0s",
        startTime="2026-07-01T10:00:00Z",
        endTime="2026-07-01T11:00:00Z",
    )
    assert found == ["2026/07/01/12/0.gz"]
