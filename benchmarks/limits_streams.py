"""Costs of planning and of streams."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from unittest import mock

from benchmarks.costs import Bound, Cost, Limit, kept_bytes, measure
from benchmarks.simulated_store import NOW_MS, SimulatedStore
from pyspark_logs.layout import Layout
from pyspark_logs.offsets import BatchPlan, Offset, PollRules, StreamFile, is_new, poll
from pyspark_logs.options import ReadOptions, parse_read_options
from pyspark_logs.planning import plan
from pyspark_logs.store import Page, StoredFile
from pyspark_logs.stream import LogStream
from pyspark_logs.stream.cleaning import Cleaner
from pyspark_logs.stream.listings import StreamRoot
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


def latest_offset(entries: int) -> Cost:
    """Starts after files that were copied in the last 20 minutes; ``size`` is that of the offset."""
    files = [
        StreamFile(f"app-{n:09}.log.gz", 1000, NOW_MS - 1_200_000 + n * 1_200_000 // entries, f"{n:032x}")
        for n in range(entries)
    ]
    found: list[Offset] = []

    def begin() -> None:
        found.append(
            Offset.initial(ROOT, "key", starting="latest", listing=files, now_ms=NOW_MS, window_ms=2 * HOUR_MS)
        )

    return replace(measure(begin), size=len(json.dumps(found[0].to_dict())))


def timed_files(prefixes: int, entries: int) -> list[StoredFile]:
    """Returns files in hourly directories up to now, each modified in its hour, in an even distribution."""
    files = []
    for n in range(entries):
        modified_ms = NOW_MS - (entries - 1 - n) * prefixes * HOUR_MS // entries
        hour = dt.datetime.fromtimestamp(modified_ms / 1000, dt.timezone.utc)
        files.append(StoredFile(f"{ROOT}{hour:%Y/%m/%d/%H}/app-{n:09}.log.gz", 1000, modified_ms, f"{n:032x}"))
    return files


def open_stream(store: SimulatedStore, **given: str) -> LogStream:
    """Returns a stream over a simulated store."""
    stream = LogStream(options(**given), "message string")
    stream._store = lambda: store  # type: ignore[method-assign]
    return stream


def at_now() -> contextlib.ExitStack:
    """Context in which streams take the time of the simulated store for the time."""
    stack = contextlib.ExitStack()
    stack.enter_context(mock.patch("pyspark_logs.stream.listings._now_ms", return_value=NOW_MS))
    stack.enter_context(mock.patch("pyspark_logs.stream.log_stream.now_ms", return_value=NOW_MS))
    return stack


def full_listing(entries: int) -> Cost:
    """Lists all prefixes of a bucket of 2,400 hours for a stream that has read everything up to the last two hours."""
    store = NewStrings(timed_files(2400, entries))
    floor_ms = NOW_MS - 2 * HOUR_MS
    offset = Offset(ROOT[:-1], "key", ts_ms=NOW_MS, floor_ms=floor_ms)
    listings = open_stream(store)._lists(offset)

    def list_all() -> list[StreamFile]:
        return listings.list_everything(NOW_MS, offset=offset)[0]

    with at_now():
        cost = measure(list_all, store)
        return replace(cost, size=kept_bytes(list_all), kept=len(list_all()))


def available_now(prefixes: int) -> Cost:
    """Runs ``Trigger.AvailableNow`` again after one new file, at a number of hourly prefixes with ten files each."""
    store = SimulatedStore(timed_files(prefixes, 10 * prefixes))

    def run_query(offset: dict[str, object] | None) -> dict[str, object]:
        stream = open_stream(store)
        offset = offset or stream.initial_offset()
        stream.freeze()
        while (after := stream.latest_offset(offset, max_files=1000, max_bytes=None)) != offset:
            offset = after
        return offset

    with at_now():
        offset = run_query(None)
        store._add(f"{ROOT}{dt.datetime.fromtimestamp(NOW_MS / 1000, dt.timezone.utc):%Y/%m/%d/%H}/new.log", 1, "e")
        return measure(lambda: run_query(offset), store)


class DistantStore(SimulatedStore):
    """A store whose requests take 100 ms each; a conditional DELETE costs a HEAD before it, as on servers other than AWS."""

    def read(self, path: str, *arguments: object, **options: object) -> Iterator[bytes]:
        time.sleep(0.1)
        return super().read(path)

    def put(self, path: str, data: bytes) -> None:
        time.sleep(0.1)
        super().put(path, data)

    def remove(self, path: str, *, etag: str = "") -> bool:
        time.sleep(0.2)
        self.counted["HEAD"] += 1
        return super().remove(path, etag=etag)


def clean_source(entries: int, how: str) -> Cost:
    """Cleans the files of one batch."""
    files = timed_files(24, entries)
    store = DistantStore(files)
    given = {"cleanSource": how} | ({"sourceArchiveDir": "s3://b/archive"} if how == "archive" else {})
    root = StreamRoot.of([ROOT[:-1]])
    cleaner = Cleaner(store, root, options(**given).stream)
    cleaner._archive_store = store
    batch = BatchPlan(
        files=tuple(StreamFile(root.key_of(file.path), file.size, file.modified_ms, file.etag) for file in files)
    )
    cost = measure(lambda: cleaner.committed(batch, NOW_MS), store, time.perf_counter)
    return replace(cost, kept=sum(file.path in store.files for file in files))


LIMITS = (
    Limit("plan a query over n objects", (Bound("us/entry", 10), Bound("B/entry", 300)), planning),
    Limit(
        "full listing of a stream: keeps the files of the last two hours",
        (Bound("us/entry"), Bound("kept"), Bound("B/kept"), Bound("B/entry", 10)),
        full_listing,
    ),
    Limit(
        "AvailableNow again, at n hourly prefixes",
        (Bound("LIST"),),
        available_now,
        counts=(240, 2400),
        same="LIST",
    ),
    Limit("read n files of a copy of yesterday; its offsets", (Bound("MB", 1),), lambda n: bulk_copy(n, 24 * HOUR_MS)),
    Limit("read n files of a copy that ends now; its offsets", (Bound("MB", 1),), lambda n: bulk_copy(n, 1_200_000)),
    Limit("startingPosition=latest after a copy of n files; its offset", (Bound("MB", 1),), latest_offset),
    Limit(
        "cleanSource=delete at 100 ms a request",
        (Bound("s", 5), Bound("kept", 0)),
        partial(clean_source, how="delete"),
        counts=(1000,),
    ),
    Limit(
        "cleanSource=archive at 100 ms a request",
        (Bound("s", 5), Bound("kept", 0)),
        partial(clean_source, how="archive"),
        counts=(1000,),
    ),
)
