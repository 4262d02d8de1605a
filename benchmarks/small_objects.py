"""Many small gzip objects from a slow S3 server, and many tiny local files."""

from __future__ import annotations

import functools
import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import data, delayed_files, scans, timing
from benchmarks.object_server import BUCKET, serving
from benchmarks.spark_reads import OPTIONS, OURS, app_by_regexp, noop

OBJECT_BYTES = 64 << 10  # stored size of an object


def run(root: Path, rounds: int, count: int, delay_ms: float) -> None:
    """Prints the tables of reading without Spark."""
    _objects(root, rounds, max(count // 10, 1), delay_ms)
    _tiny(root, 10 * count)


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


def with_spark(spark: Any, classes: Path, root: Path, rounds: int, count: int, delay_ms: float) -> None:
    """Prints the tables of small objects read by Spark: a tenth of the objects by all contenders in rounds, then all objects once.

    Spark's readers read the same content from :mod:`benchmarks.delayed_files`, in less time than they would need with S3A.

    Args:
        spark: session with the settings of :func:`benchmarks.delayed_files.settings`.
        classes: directory of these settings.
        root: directory of the data.
        rounds: number of rounds.
        count: number of objects.
        delay_ms: milliseconds of a request of the S3 server, and of an ``open`` of the file system.
    """
    file, text_bytes = make_object(root)
    delayed_files.install(spark, classes, delay_ms)
    title = f"gzip objects of {OBJECT_BYTES >> 10} KiB with {delay_ms:.0f} ms a request, to noop, local[2]"
    in_rounds = functools.partial(timing.in_turns, rounds=rounds)
    for objects, measured in ((max(count // 10, 1), in_rounds), (count, timing.once)):
        with tempfile.TemporaryDirectory(dir=root) as scratch, serving(file, objects, delay_ms / 1000) as keys:
            copies = delayed_files.link_copies(file, Path(scratch), objects)
            ours = spark.read.format("logs").options(**OPTIONS["app"], **keys)
            contenders: dict[str, Callable[[], object]] = {
                OURS: lambda ours=ours: noop(ours.load(f"s3://{BUCKET}/app")),
                "text + regexp_extract, at least": lambda copies=copies: noop(app_by_regexp(spark, copies)),
            }
            if objects < count:
                contenders["text, at least"] = lambda copies=copies: noop(spark.read.text(copies))
            seconds = measured(contenders)
        print(timing.table(f"{objects:,} {title}", seconds, objects * text_bytes, OURS), flush=True)
    _tiny_with_spark(spark, root, rounds, count)


def make_tiny(root: Path, count: int) -> tuple[Path, int]:
    """Returns a directory of files of three lines, 1,000 in each subdirectory, and the size of all files."""
    folder = root / f"tiny-{count}"
    with (data.make("app", root, 64) / "part-0.log").open("rb") as lines:
        text = b"".join(line for line, _ in zip(lines, range(3), strict=False))
    if not (folder / "_done").exists():
        for number in range(count):
            path = folder / f"{number // 1000:03}" / f"{number:06}.log"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        (folder / "_done").touch()
    return folder, count * len(text)


def _tiny_with_spark(spark: Any, root: Path, rounds: int, count: int) -> None:
    folder, size = make_tiny(root, count)
    ours = spark.read.format("logs").options(**OPTIONS["app"])
    contenders: dict[str, Callable[[], object]] = {
        OURS: lambda: noop(ours.load(str(folder))),
        "text + regexp_extract": lambda: noop(app_by_regexp(spark, f"{folder}/*")),
    }
    title = f"app: {count:,} local files of three lines, to noop, local[2]"
    print(timing.table(title, timing.in_turns(contenders, rounds), size, OURS), flush=True)


def _objects(root: Path, rounds: int, count: int, delay_ms: float) -> None:
    file, text_bytes = make_object(root)
    with serving(file, count, delay_ms / 1000) as keys:

        def read(**options: object) -> Callable[[], object]:
            return lambda: scans.count_rows(f"s3://{BUCKET}/app", **OPTIONS["app"], **keys, **options)

        contenders = {
            "scan()": read(),
            "scan(threads=1)": read(threads=1),
            "scan(threads=1, fetchThreads=1)": read(threads=1, fetchThreads=1),
            "scan(directReads=false)": read(directReads=False),
        }
        for seconds, unit in zip(timing.by_both_clocks(contenders, rounds), timing.CLOCKS, strict=True):
            title = (
                f"{count:,} gzip objects of {OBJECT_BYTES >> 10} KiB from S3 with {delay_ms:.0f} ms a request, {unit}"
            )
            print(timing.table(title, seconds, count * text_bytes, "scan()"), flush=True)


def _tiny(root: Path, count: int) -> None:
    folder, size = make_tiny(root, count)
    contenders: dict[str, Callable[[], object]] = {
        f"scan(threads={threads})": lambda threads=threads: scans.count_rows(
            str(folder), threads=threads, **OPTIONS["app"]
        )
        for threads in (1, 2)
    }
    title = f"app: {count:,} local files of three lines"
    print(timing.table(title, timing.once(contenders), size, "scan(threads=1)"), flush=True)
