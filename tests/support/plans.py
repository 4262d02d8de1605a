"""Plans of stores in memory, for tests of planning."""

from __future__ import annotations

import datetime as dt

from pyspark_logs.options import ReadOptions, parse_read_options
from pyspark_logs.planning import FileFilters, PlanReport, list_files, resolve_layout
from tests.support.key_store import KeyStore

ROOT = "s3://b/app/"


def us(text: str) -> int:
    return int(dt.datetime.fromisoformat(text + "+00:00").timestamp()) * 1_000_000


def options(path: str | list[str] = "s3://b/app", **given_options: object) -> ReadOptions:
    where = {"paths": path} if isinstance(path, list) else {"path": path}
    return parse_read_options({"json": "true", **where, **given_options})


def run(store: KeyStore, path: str | list[str] = "s3://b/app", **arguments: object) -> tuple[list[str], PlanReport]:
    """Returns the planned paths relative to ROOT, and the report."""
    passed = {name: arguments.pop(name) for name in ("allowed", "whole_files") if name in arguments}
    read = options(path, **arguments)
    listing = list_files(store, read, resolve_layout(store, read), FileFilters(**passed))
    assert listing.report.list_calls <= store.counted["LIST"]
    return [file.path.removeprefix(ROOT) for file, _ in listing.files], listing.report


def hours(start: str, count: int, layout: str = "%Y/%m/%d/%H/{n}.gz", per_hour: int = 1) -> list[str]:
    first = dt.datetime.fromisoformat(start)
    return [
        (first + dt.timedelta(hours=hour)).strftime(layout).replace("{n}", str(n))
        for hour in range(count)
        for n in range(per_hour)
    ]


YEAR = hours("2026-01-01", 365 * 24)
# Lists of _commits/ before and after the data.
COMMIT_LISTS = 2

HOURLY = "{yyyy}/{MM}/{dd}/{HH}"
