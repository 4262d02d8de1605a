"""Many small gzip objects from a slow S3 server, gzip against plain files, and scans with several threads; without Spark."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyspark_logs
from benchmarks import data, timing
from benchmarks.object_server import BUCKET, serving
from benchmarks.spark_reads import OPTIONS, THREE, noop

OBJECT_BYTES = 64 << 10  # stored size of an object


def run(root: Path, mib: int, rounds: int, count: int, delay_ms: float) -> None:
    """Prints all tables of this module."""
    _threads(root, mib, rounds)
    _objects(root, rounds, count, delay_ms)


def _read(path: str, **options: object) -> int:
    return sum(batch.num_rows for batch in pyspark_logs.scan(path, **options))


def _compressed(folder: Path) -> Path:
    """Returns a directory with the files of another one, compressed by gzip at level 6."""
    target = folder.with_name(f"{folder.name}-gzip")
    if not (target / "_done").exists():
        target.mkdir(exist_ok=True)
        for path in sorted(folder.glob("*.log")):
            (target / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 6))
        (target / "_done").touch()
    return target


def _threads(root: Path, mib: int, rounds: int) -> None:
    folder = data.make("app", root, mib)
    size = data.total_bytes(folder)
    folders = {"plain": folder, "gzip": _compressed(folder)}
    for columns in (None, THREE["app"]):
        schema = {} if columns is None else {"schema": _ddl(columns)}
        contenders: dict[str, Callable[[], object]] = {
            f"{name}, threads={threads}": lambda path=path, threads=threads, schema=schema: _read(
                str(path), threads=threads, **OPTIONS["app"], **schema
            )
            for name, path in folders.items()
            for threads in (1, 2)
        }
        shown = "all columns" if columns is None else "three columns"
        for clock, unit in ((time.perf_counter, "elapsed"), (time.process_time, "processor time")):
            seconds = timing.in_turns(contenders, rounds, clock)
            title = f"app: {shown}, local files, {size >> 20} MiB, {unit}"
            print(timing.table(title, seconds, size, "plain, threads=1"), flush=True)


def _ddl(columns: list[str]) -> str:
    types = {"ts": "timestamp", "user": "bigint"}
    return ", ".join(f"{name} {types.get(name, 'string')}" for name in columns)


def make_object(root: Path) -> tuple[Path, int]:
    """Returns a gzip file of about ``OBJECT_BYTES`` and the size of its text."""
    text = (data.make("app", root, 64) / "part-0.log").read_bytes()
    size = OBJECT_BYTES
    while len(gzip.compress(text[: text.index(b"\n", size) + 1], 6)) < OBJECT_BYTES:
        size += OBJECT_BYTES // 4
    part = text[: text.index(b"\n", size) + 1]
    path = root / "object.log.gz"
    path.write_bytes(gzip.compress(part, 6, mtime=0))
    return path, len(part)


def with_spark(spark: Any, root: Path, rounds: int, count: int, delay_ms: float) -> None:
    """Prints the table of small objects read by Spark, with files fetched ahead and one after another.

    Spark's own sources fetch the files of a task one after another, too. They need the jars of S3A, which are not downloaded for
    a benchmark.
    """
    file, text_bytes = make_object(root)
    with serving(file, count, delay_ms / 1000) as keys:

        def read(**options: object) -> Callable[[], object]:
            def run() -> None:
                frame = spark.read.format("logs").options(**OPTIONS["app"], **keys, **options)
                noop(frame.load(f"s3://{BUCKET}/app"))

            return run

        seconds = timing.in_turns({"pyspark-logs": read(), "fetchThreads=1": read(fetchThreads=1)}, rounds)
    title = f"{count:,} gzip objects of {OBJECT_BYTES >> 10} KiB from S3 with {delay_ms:.0f} ms a request, to noop, local[2]"
    print(timing.table(title, seconds, count * text_bytes, "pyspark-logs"), flush=True)


def _objects(root: Path, rounds: int, count: int, delay_ms: float) -> None:
    file, text_bytes = make_object(root)
    with serving(file, count, delay_ms / 1000) as keys:

        def read(**options: object) -> Callable[[], object]:
            return lambda: _read(f"s3://{BUCKET}/app", **OPTIONS["app"], **keys, **options)

        contenders = {
            "scan()": read(),
            "scan(threads=1)": read(threads=1),
            "scan(threads=1, fetchThreads=1)": read(threads=1, fetchThreads=1),
            "scan(directReads=false)": read(directReads=False),
        }
        for clock, unit in ((time.perf_counter, "elapsed"), (time.process_time, "processor time")):
            seconds = timing.in_turns(contenders, rounds, clock)
            title = (
                f"{count:,} gzip objects of {OBJECT_BYTES >> 10} KiB from S3 with {delay_ms:.0f} ms a request, {unit}"
            )
            print(timing.table(title, seconds, count * text_bytes, "scan()"), flush=True)
