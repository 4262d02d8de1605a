"""Streaming: cost of a poll by size of the bucket and compared with Spark's file source, and latency from file to row."""

from __future__ import annotations

import datetime as dt
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.spark_reads import session
from pyspark_logs.layout import Layout
from pyspark_logs.offsets import FullListing, Offset
from pyspark_logs.options import StoreOptions, parse_read_options
from pyspark_logs.planning import FileFilters
from pyspark_logs.store import Page, Store, StoredFile
from pyspark_logs.stream.listings import Listings, StreamRoot

LATENCY_S = 0.05  # of a LIST request
PAGE = 1000
HOUR_S = 3600
WHOLE_FILES = FileFilters(whole_files=True)
TEMPLATE = "{landed:long} {level} {message}"
PATTERN = r"^(\d+) (\w+) (.*)$"


def run() -> None:
    """Prints all tables of streaming."""
    _scale()
    with tempfile.TemporaryDirectory() as scratch:
        spark = session()
        _polls(spark, Path(scratch))
        _end_to_end(spark, Path(scratch))
        spark.stop()


# --- polls by size of the bucket ----------------------------------------------------------------------------------------


class Bucket(Store):
    """A store that computes the listing of ``<service>/yyyy/MM/dd/HH/n.log`` and delays each response."""

    lists_in_order = True

    def __init__(self, services: int, hours: int, files: int, last: dt.datetime) -> None:
        super().__init__("s3", StoreOptions())
        self.services = [f"service-{n:04}/" for n in range(services)] if services > 1 else [""]
        self.files, self.last = files, last
        times = [last - dt.timedelta(hours=n) for n in range(hours - 1, -1, -1)]
        self.hours = [(hour, f"{hour:%Y/%m/%d/%H}/") for hour in times]
        self.root = "s3://bucket/"

    @property
    def objects(self) -> int:
        return len(self.services) * len(self.hours) * self.files

    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        self.request_counts["LIST"] += 1
        time.sleep(LATENCY_S)
        wanted = prefix.removeprefix(self.root)
        if not recursive:
            return Page((), tuple(sorted(set(self._directories(wanted)))), None)
        start, found = int(token or 0), []
        for directory_index, (directory, hour) in enumerate(self._matching(wanted)):
            if (directory_index + 1) * self.files <= start:
                continue
            for number in range(self.files):
                index = directory_index * self.files + number
                if index >= start + PAGE:
                    return Page(tuple(found), (), str(index))
                if index >= start:
                    found.append(self._file(directory, hour, number))
        return Page(tuple(found), (), None)

    def _file(self, directory: str, hour: dt.datetime, number: int) -> StoredFile:
        modified = int(hour.timestamp()) + number * HOUR_S // self.files
        return StoredFile(f"{self.root}{directory}{number:04}.log", 1024, modified * 1000, "e")

    def _matching(self, wanted: str) -> Iterator[tuple[str, dt.datetime]]:
        service, slash, _ = wanted.partition("/")
        one = service.startswith("service-") and slash
        for name in [service + slash] if one else self.services:
            for hour, text in self.hours:
                directory = name + text
                if directory.startswith(wanted):
                    yield directory, hour

    def _directories(self, wanted: str) -> Iterator[str]:
        for directory, _ in self._matching(wanted):
            yield self.root + wanted + directory[len(wanted) :].partition("/")[0] + "/"

    def head(self, path: str) -> StoredFile | None:
        raise NotImplementedError

    def read(self, path: str, start: int = 0, end: int | None = None, **_: Any) -> Iterator[bytes]:
        raise NotImplementedError


def _scale() -> None:
    print(
        f"a poll between full listings; the store is simulated, each LIST takes {LATENCY_S * 1000:.0f} ms, 16 at once"
    )
    print(f"  {'objects':>12}  {'layout':<34}{'LISTs':>7}{'s':>8}     LISTs of everything, as Spark's file source does")
    now = dt.datetime(2026, 11, 22, 12, 30, tzinfo=dt.timezone.utc)
    top = now.replace(minute=0)
    hourly, by_service = "{yyyy}/{MM}/{dd}/{HH}", "{service}/{yyyy}/{MM}/{dd}/{HH}"
    for services, hours, layout in (
        (1, 10, hourly), (1, 1_000, hourly), (1, 8_784, hourly), (1_000, 10, by_service),
    ):  # fmt: skip
        bucket = Bucket(services, hours, 1_000, top)
        options = parse_read_options({"path": bucket.root, "template": "{message}", "layout": layout})
        lists = Listings(bucket, options, StreamRoot.of(options.plan.paths), Layout.parse(layout), WHOLE_FILES)
        # An offset after a full listing ten minutes ago; the first poll of a new query makes one.
        last = FullListing(_ms(now) - 600_000, took_ms=0)
        offset = Offset(bucket.root, "key", _ms(now), _ms(now) - 7_200_000, full_listing=last)
        started = time.perf_counter()
        files = lists._list(offset, _ms(now))
        seconds = time.perf_counter() - started
        whole = bucket.objects // PAGE + len(bucket.hours) * len(bucket.services)
        title = f"{bucket.objects:,}"
        print(f"  {title:>12}  {layout:<34}{bucket.request_counts['LIST']:>7}{seconds:>8.2f}     {whole:,}", flush=True)
        if not files:
            raise RuntimeError("the poll found nothing")
    bucket = Bucket(1, 1_000, 1_000, top)
    options = parse_read_options({"path": bucket.root, "template": "{message}", "layout": hourly})
    lists = Listings(bucket, options, StreamRoot.of(options.plan.paths), Layout.parse(hourly), WHOLE_FILES)
    started = time.perf_counter()
    found = len(lists.list_everything(_ms(now))[0])
    print(
        f"  the full listing of {found:,} objects, beside the polls: {bucket.request_counts['LIST']:,} LISTs,"
        f" {time.perf_counter() - started:.1f} s\n"
    )


def _ms(context: dt.datetime) -> int:
    return int(context.timestamp() * 1000)


# --- comparison with Spark's file source ------------------------------------------------------------------------------------


def _fill(folder: Path, files: int) -> None:
    """Writes hourly directories of 100 files each; the newest is two hours old."""
    last = dt.datetime.now(dt.timezone.utc) - dt.timedelta(hours=2)
    for hour in range(files // 100):
        at = last - dt.timedelta(hours=hour)
        directory = folder / f"{at:%Y/%m/%d/%H}"
        directory.mkdir(parents=True)
        for number in range(100):
            path = directory / f"{number:03}.log"
            path.write_text("0 INFO old\n")
            os.utime(path, (at.timestamp(), at.timestamp()))


def _put(folder: Path, name: str, rows: int) -> None:
    now = dt.datetime.now(dt.timezone.utc)
    directory = folder / f"{now:%Y/%m/%d/%H}"
    directory.mkdir(parents=True, exist_ok=True)
    hidden = directory / f".{name}"
    hidden.write_text(f"{time.time_ns() // 1_000_000} INFO a message of some length, as they are\n" * rows)
    hidden.rename(directory / f"{name}.log")


def _sources(spark: Any, folder: Path, **ours: str) -> dict[str, Any]:
    from pyspark.sql import functions as f

    options = {"template": TEMPLATE, "layout": "{yyyy}/{MM}/{dd}/{HH}", **ours}
    text = spark.readStream.option("recursiveFileLookup", "true").option("maxCachedFiles", "0")
    text = text.option("maxFilesPerTrigger", "1000" if not ours else "1").text(str(folder))
    parts = [f.regexp_extract("value", PATTERN, n).alias(name) for n, name in ((2, "level"), (3, "message"))]
    return {
        "pyspark-logs": spark.readStream.format("logs").options(**options).load(str(folder)),
        "readStream.text": text.select(f.regexp_extract("value", PATTERN, 1).cast("long").alias("landed"), *parts),
    }


def _polls(spark: Any, scratch: Path) -> None:
    """Prints the duration of ``latestOffset`` by number of existing files, from the progress of the query."""
    print("latestOffset of a running query, local files in hourly directories (the median of its triggers)")
    print(f"  {'files':>9}{'pyspark-logs':>15}{'readStream.text':>18}{'ratio':>9}")
    for files in (1_000, 10_000, 100_000):
        folder = scratch / f"polls-{files}"
        _fill(folder, files)
        middle = {}
        for name, frame in _sources(spark, folder, startingPosition="latest", maxFilesPerTrigger="1").items():
            middle[name] = _median_poll_ms(frame, folder, scratch / f"checkpoint-{files}-{name}")
        ours, theirs = middle.values()
        print(f"  {files:>9,}{ours:>12.0f} ms{theirs:>15.0f} ms{theirs / max(ours, 1):>7.1f} x", flush=True)
    print()


def _median_poll_ms(frame: Any, folder: Path, checkpoint: Path) -> float:
    query = (
        frame.writeStream.format("noop").option("checkpointLocation", str(checkpoint))
        .trigger(processingTime="500 milliseconds").start()
    )  # fmt: skip
    seen: dict[int, float] = {}
    deadline = time.monotonic() + 120
    number = 0
    while len(seen) < 7 and time.monotonic() < deadline:
        time.sleep(0.5)
        number += 1
        _put(folder, f"new-{checkpoint.name}-{number}", 1)
        for progress in query.recentProgress:
            if progress["numInputRows"] and "latestOffset" in progress["durationMs"]:
                seen[progress["batchId"]] = progress["durationMs"]["latestOffset"]
    query.stop()
    # The first triggers start Python workers and fill caches.
    return statistics.median(ms for batch, ms in sorted(seen.items())[2:])


def _end_to_end(spark: Any, scratch: Path) -> None:
    """Prints rows per second and the age of rows at the end of their batch; files of 20,000 rows appear twice a second."""
    print("30 files of 20,000 rows land in 15 s, each query in its turn: from landing to the end of the batch")
    print(f"  {'':<20}{'rows':>10}{'rows/s':>10}{'median s':>10}{'worst s':>9}")
    for name in ("pyspark-logs", "readStream.text"):
        folder = scratch / f"moving-{name}"
        _put(folder, "first", 1)
        ages: list[float] = []
        counts: list[int] = []
        frame = _sources(spark, folder)[name]
        query = (
            frame.writeStream.foreachBatch(_collector(ages, counts))
            .option("checkpointLocation", str(scratch / f"checkpoint-{name}")).start()
        )  # fmt: skip
        while not counts:
            time.sleep(0.2)
        ages.clear()
        started = time.perf_counter()
        writer = threading.Thread(target=_land, args=(folder,))
        writer.start()
        writer.join()
        while sum(counts) < 30 * 20_000 + 1 and time.perf_counter() - started < 120:
            time.sleep(0.1)
        seconds = time.perf_counter() - started
        query.stop()
        rows = sum(counts) - 1
        print(
            f"  {name:<20}{rows:>10,}{rows / seconds:>10,.0f}{statistics.median(ages):>10.2f}{max(ages):>9.2f}",
            flush=True,
        )


def _land(folder: Path) -> None:
    for number in range(30):
        _put(folder, f"f{number:02}", 20_000)
        time.sleep(0.5)


def _collector(ages: list[float], counts: list[int]) -> Callable[[Any, int], None]:
    def collect(frame: Any, _batch: int) -> None:
        landed = frame.groupBy("landed").count().collect()
        now = time.time()
        ages.extend(now - row["landed"] / 1000 for row in landed)
        counts.append(sum(row["count"] for row in landed))

    return collect
