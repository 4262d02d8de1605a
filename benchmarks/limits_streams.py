"""Costs of planning and of streams."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

from benchmarks.limits import Cost, Limit, kept_bytes, measure
from benchmarks.simulated_store import NOW_MS, SimulatedStore
from pyspark_logs.layout import Layout
from pyspark_logs.offsets import Offset, PollRules, StreamFile, is_new, poll
from pyspark_logs.options import ReadOptions, parse_read_options
from pyspark_logs.planning import plan
from pyspark_logs.store import Page, StoredFile
from pyspark_logs.stream.pending import PendingFiles

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


def bulk_copy(entries: int, age_ms: int) -> Cost:
    """Reads files that were copied within 20 minutes, in batches of 10,000; ``size`` is that of the largest offset.

    Args:
        entries: number of files.
        age_ms: time since the copy began.
    """
    files = [
        StreamFile(f"app-{n:09}.log.gz", 1000, NOW_MS - age_ms + n * 1_200_000 // entries // 1000 * 1000, f"{n:032x}")
        for n in range(entries)
    ]
    rules = PollRules(window_ms=2 * HOUR_MS, lateness_ms=HOUR_MS, max_files=10_000)
    offset = Offset.initial(ROOT, "key", starting="earliest", now_ms=NOW_MS, window_ms=rules.window_ms)
    largest = 0

    def read() -> None:
        nonlocal offset, largest
        pending = PendingFiles(files, NOW_MS)
        while True:
            found, _ = pending.candidates(partial(is_new, offset, lateness_ms=HOUR_MS), rules.max_files, None)
            before, offset = offset, poll(offset, found, NOW_MS, rules)
            if offset is before:
                return
            largest = max(largest, len(json.dumps({**offset.to_dict(), "batch": ""})))

    cost = measure(read)
    return replace(cost, size=largest)


LIMITS = (
    Limit("plan a query over n objects", "<= 10 us, <= 300 B", planning),
    Limit("read n files of a copy of yesterday; its offsets", "<= 1 MB", lambda n: bulk_copy(n, 24 * HOUR_MS)),
    Limit("read n files of a copy that ends now; its offsets", "<= 1 MB", lambda n: bulk_copy(n, 1_200_000)),
)
