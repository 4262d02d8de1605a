"""Costs of planning and of streams."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.limits import Cost, Limit, kept_bytes, measure
from benchmarks.simulated_store import NOW_MS, SimulatedStore
from pyspark_logs.layout import Layout
from pyspark_logs.options import ReadOptions, parse_read_options
from pyspark_logs.planning import plan
from pyspark_logs.store import Page, StoredFile

ROOT = "s3://b/logs/"
HOURLY = "{yyyy}/{MM}/{dd}/{HH}"
HOUR_MS = 3_600_000


def options(**given: str) -> ReadOptions:
    """Returns options of a query over the files of :func:`hourly_files`."""
    return parse_read_options({"path": ROOT, "template": "{message}", "layout": HOURLY, **given})


def hourly_files(entries: int) -> list[StoredFile]:
    """Returns files in 2,400 hourly directories; a path has 59 characters and an etag 32."""
    return [
        StoredFile(
            f"{ROOT}2026/{hour // 672 + 1:02}/{hour // 24 % 28 + 1:02}/{hour % 24:02}/app-{n:09}-{n * 40503 % 2**32:08x}.log.gz",
            1000 + n % 997, NOW_MS - (2400 - hour) * HOUR_MS + n, f"{n * 2654435761 * 40503:032x}",
        )
        for n in range(entries)
        for hour in [n * 2400 // entries]
    ]  # fmt: skip


class NewStrings(SimulatedStore):
    """A store whose pages hold strings of their own, as responses of a server do."""

    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        page = super().list_page(prefix, recursive=recursive, token=token)
        files = (replace(file, path="".join([*file.path]), etag="".join([*file.etag])) for file in page.files)
        return replace(page, files=tuple(files))


def planning(entries: int) -> Cost:
    """Plans a query over all files."""
    store, read, layout = SimulatedStore(hourly_files(entries)), options(), Layout.parse(HOURLY)
    cost = measure(lambda: plan(store, read, layout=layout), store)
    fresh = NewStrings(store.files.values())
    return replace(cost, size=kept_bytes(lambda: plan(fresh, read, layout=layout)))


LIMITS = (Limit("plan a query over n objects", "<= 10 us, <= 300 B", planning),)
