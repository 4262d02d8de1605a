"""Peak resident memory of reading, by kind of input: of ``scan()`` in a process of its own, and of a Python worker of Spark."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

import pyspark_logs
from benchmarks import data, small_objects, spark_reads
from benchmarks.object_server import BUCKET, serving

LIMIT_MIB = 400  # of a worker, for any input
_LONG_LINE = 15 << 20  # just below the default of maxRecordBytes
_WIDE = ", ".join(f"c{n} string" for n in range(40))
# Lines of a few bytes, of which a block has many. A single thread of ``scan`` reads them ahead.
_SHORT_LINES: tuple[tuple[str, bytes, Mapping[str, str]], ...] = (
    ("lines of two bytes", b"a\n", {"template": "{a}"}),
    ("empty lines", b"\n", {"template": "{a}"}),
    (
        "lines `1,2`, of which no value is of its type",
        b"1,2\n",
        {"delimited": ",", "schema": "a timestamp, b timestamp"},
    ),
    ("lines `1,2` that lack 38 of 40 columns", b"1,2\n", {"delimited": ",", "schema": _WIDE}),
    ("lines of 40 empty values", b"," * 39 + b"\n", {"delimited": ",", "schema": _WIDE}),
    ("lines `{}`, 40 columns", b"{}\n", {"json": "true", "schema": _WIDE}),
    ("lines `a=1`, 41 columns", b"a=1\n", {"logfmt": "true", "schema": f"a int, {_WIDE}"}),
)


@dataclass(frozen=True)
class Input:
    """An input of a reader.

    Attributes:
        name: name in the table.
        path: load path.
        options: options of the reader.
    """

    name: str
    path: str
    options: Mapping[str, str] = field(default_factory=lambda: spark_reads.OPTIONS["app"])


def run(root: Path, mib: int, gib: float, count: int, delay_ms: float) -> None:
    """Prints a table with a row for each input."""
    with tempfile.TemporaryDirectory(dir=root) as scratch, contextlib.ExitStack() as stack:
        inputs = [
            *_local(root, Path(scratch), mib, gib),
            *_short_lines(Path(scratch), mib),
            *_remote(stack, root, Path(scratch), max(count // 10, 1), delay_ms),
        ]
        spark = spark_reads.session()
        print(f"peak resident memory in MiB; at most {LIMIT_MIB} for any input\n")
        print("| input | rows | `scan(threads=1)` | worker of Spark |\n| --- | ---: | ---: | ---: |")
        for given in inputs:
            command = [sys.executable, "-m", "benchmarks", "--memory", given.path, json.dumps(dict(given.options))]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            print(f"| {given.name} | {int(out[1]):,} | {int(out[0]) >> 10} | {_of_spark(spark, given)} |", flush=True)
        spark.stop()
    print()


def child(path: str, options: str) -> None:
    """Reads an input as a worker of an executor does; prints the peak resident memory in KiB and the number of rows."""
    import pyspark.sql.datasource  # noqa: F401 - a worker has loaded it, too

    rows = sum(batch.num_rows for batch in pyspark_logs.scan(path, threads=1, **json.loads(options)))
    print(_peak_kib(os.getpid()), rows)


def _of_spark(spark: Any, given: Input) -> int:
    """Returns the peak of the worker that needs most. Workers are reused, so it includes memory retained from earlier inputs."""
    jvm = spark.sparkContext._gateway.proc.pid
    for pid in _workers(jvm):
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # sets the peak to the current size, see proc(5)
    spark_reads.noop(spark.read.format("logs").options(**given.options).load(given.path))
    return max(map(_peak_kib, _workers(jvm))) >> 10


def _workers(jvm: int) -> list[int]:
    """Returns the processes in which the tasks of a JVM run Python, which its daemon has forked."""
    parents, workers = {}, []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if (entry / "cmdline").read_bytes().endswith(b"pyspark.daemon\0pyspark.worker\0"):
                    workers.append(int(entry.name))
    return [pid for pid in workers if parents.get(parents.get(pid, 0)) == jvm]


def _peak_kib(pid: int) -> int:
    # VmHWM instead of ru_maxrss, which a process inherits from its parent.
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0])


# --- inputs ----------------------------------------------------------------------------------------


def _local(root: Path, scratch: Path, mib: int, gib: float) -> Iterator[Input]:
    text = (data.make("app", root, mib) / "part-0.log").read_bytes()
    yield Input("application log", str(root / f"app-{mib}"))
    repeats = -(-int(gib * (1 << 30)) // len(text))
    member = gzip.compress(text, 1)
    yield Input(f"the same, one gzip file of {gib} GiB of text", _repeated(scratch / "large.log.gz", member, repeats))
    frame = pa.compress(text, "zstd", asbytes=True)
    yield Input(f"the same, one zstd file of {gib} GiB of text", _repeated(scratch / "large.log.zst", frame, repeats))
    yield Input("AWS ALB, 36 columns", str(data.make("alb", root, mib)), spark_reads.OPTIONS["alb"])
    yield Input("JSON, 100 columns", str(data.make("wide", root, mib)), spark_reads.OPTIONS["wide"])
    line = text[: text.index(b"\n")]
    long = (line + b" " + b"x" * (_LONG_LINE - len(line) - 1) + b"\n") * 3
    yield Input(f"lines of {_LONG_LINE >> 20} MiB", _repeated(scratch / "long.log", long, -(-mib // 45)))
    traces = {**spark_reads.OPTIONS["mixed"], "multiLine": "true"}
    yield Input("stack traces, multiLine", str(data.make("mixed", root, mib)), traces)
    lines = (data.make("json", root, mib) / "part-0.log").read_bytes().splitlines()
    documents = scratch / "documents.json"
    documents.write_bytes(b"[" + b",\n".join(lines * 4) + b"]")
    yield Input("one JSON array", str(documents), spark_reads.OPTIONS["json"])


def _short_lines(scratch: Path, mib: int) -> Iterator[Input]:
    for number, (name, line, options) in enumerate(_SHORT_LINES):
        text = line * ((mib << 20) // len(line))
        plain, compressed = scratch / f"short-{number}.log", scratch / f"short-{number}.log.gz"
        plain.write_bytes(text)
        compressed.write_bytes(gzip.compress(text, 1))
        yield Input(name, str(plain), options)
        yield Input("the same, gzip", str(compressed), options)
    row = b"2026-11-22T10:11:12Z,INFO,worker-1,com.example.Orders,17,/api/orders/1234567\n"
    schema = "time timestamp, level string, thread string, logger string, took int, path string"
    path = _repeated(scratch / "unquoted.csv", row * 1024, (4 * mib << 20) // (1024 * len(row)))
    yield Input(f"CSV of {4 * mib} MiB without quotes", path, {"delimited": ",", "schema": schema})


def _repeated(path: Path, part: bytes, times: int) -> str:
    with path.open("wb") as file:
        for _ in range(times):
            file.write(part)
    return str(path)


def _remote(stack: contextlib.ExitStack, root: Path, scratch: Path, count: int, delay_ms: float) -> Iterator[Input]:
    small, _ = small_objects.make_object(root)
    large = scratch / "object.log.gz"
    large.write_bytes(gzip.compress((data.make("app", root, 256) / "part-0.log").read_bytes(), 1))
    folder = scratch / "small"
    folder.mkdir()
    for number in range(count):
        os.link(small, folder / f"{number:06}.log.gz")
    app = spark_reads.OPTIONS["app"]
    more = {"fetchThreads": "8", "prefetchBytes": "64m"}
    yield Input(f"{count:,} gzip files of 64 KiB, fetchThreads=8", str(folder), {**app, **more})
    for name, file, objects in (("64 KiB", small, count), (f"{large.stat().st_size >> 20} MiB", large, 8)):
        keys = stack.enter_context(serving(file, objects, delay_ms / 1000))
        yield Input(f"{objects:,} gzip objects of {name} on S3", f"s3://{BUCKET}/app", {**app, **keys, **more})
