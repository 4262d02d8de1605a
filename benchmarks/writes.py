"""Writing compared with Spark's ``concat`` and ``write.text``, and the requests and duration of commits."""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import pyspark_logs
from benchmarks import data, timing
from benchmarks.spark_reads import OPTIONS, session
from pyspark_logs.commit import CommitSettings, commit
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.jobs import Job, StagedFile, part_name
from pyspark_logs.options import StoreOptions, WriteOptions, parse_write_options
from pyspark_logs.schema import to_ddl
from pyspark_logs.store import Store, open_store
from pyspark_logs.writer import LogWriter

OURS = "pyspark-logs"
LATENCY_S = 0.02  # of a request; S3 takes about this time for small requests


def run(root: Path, mib: int, rounds: int) -> None:
    """Prints all tables of writing."""
    with tempfile.TemporaryDirectory() as scratch:
        _spark(root, mib, rounds, Path(scratch))
        _shares(root, Path(scratch))
    _rendering(root, min(mib, 16), rounds)
    _requests()
    _commits()


# --- comparison with Spark ----------------------------------------------------------------------------------------


def _parquet(root: Path, mib: int) -> Path:
    """Returns a directory with the rows of the application log in two Parquet files."""
    folder = root / f"app-parquet-{mib}"
    if not (folder / "_done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        text = data.make("app", root, mib, copies=2)
        for number, path in enumerate(sorted(text.glob("*.log"))):
            reader = pyspark_logs.scan(str(path), **OPTIONS["app"])
            with pq.ParquetWriter(folder / f"{number}.parquet", reader.schema) as writer:
                for batch in reader:
                    writer.write_batch(batch)
        (folder / "_done").touch()
    return folder


def _spark(root: Path, mib: int, rounds: int, scratch: Path) -> None:
    from pyspark.sql import functions as f

    spark = session()
    folder, size = _parquet(root, mib), data.total_bytes(data.make("app", root, mib, copies=2))
    rows = spark.read.parquet(str(folder))
    line = f.concat(
        f.date_format("ts", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"), f.lit(" "), "level", f.lit(" ["), "service",
        f.lit("] req="), "request_id", f.lit(" user="), f.col("user").cast("string"), f.lit(" "), "message",
    )  # fmt: skip
    turn = iter(range(1_000_000))

    def ours(compression: str) -> Callable[[], None]:
        def write() -> None:
            target = str(scratch / f"ours-{next(turn)}")
            options = {**OPTIONS["app"], "compression": compression}
            rows.write.format("logs").options(**options).mode("append").save(target)

        return write

    def theirs(compression: str) -> Callable[[], None]:
        def write() -> None:
            target = str(scratch / f"theirs-{next(turn)}")
            rows.select(line.alias("value")).write.option("compression", compression).mode("append").text(target)

        return write

    def discard() -> None:
        rows.write.format("prebuilt").mode("append").save()

    for compression in ("gzip", "none"):
        contenders = {OURS: ours(compression), "concat + write.text": theirs(compression)}
        seconds = timing.in_turns({**contenders, "ceiling (batches discarded)": discard}, rounds)
        title = f"app: Parquet to lines, {compression}, local files, local[2], {size >> 20} MiB of text"
        print(timing.table(title, seconds, size, OURS), flush=True)
    spark.stop()


# --- shares of the phases -----------------------------------------------------------------------------------


def _shares(root: Path, scratch: Path) -> None:
    """Prints the shares of staging and of the commit in a write of local files without Spark."""
    table = pyspark_logs.scan(str(data.make("app", root, 64)), **OPTIONS["app"]).read_all()
    target = str(scratch / "shares")
    writer = LogWriter(parse_write_options({**OPTIONS["app"], "path": target}), to_ddl(table.schema))
    job = writer.job()
    started = time.perf_counter()
    output = writer.write_task(table.to_batches(), job)
    staged = time.perf_counter()
    writer.commit_job(job, [output])
    done = time.perf_counter()
    whole = done - started
    print(
        f"one task, 64 MiB of text to gzip: staging {(staged - started) / whole:.1%}, publishing and deciding"
        f" {(done - staged) / whole:.1%} of {whole:.2f} s\n"
    )


# --- rendering --------------------------------------------------------------------------------------------


def _rendering(root: Path, mib: int, rounds: int) -> None:
    """Prints the speed of rendering by the machine and by the writers of the formats, in processor time."""
    print(f"rendering batches of 10,000 rows, {mib} MiB of text, MB of text per second of one processor")
    print(f"  {'':<12}{'by column':>10}{'compiled':>10}{'ratio':>9}")
    for kind in ("app", "combined", "alb", "json", "logfmt"):
        table = pyspark_logs.scan(str(data.make(kind, root, mib)), **OPTIONS[kind]).read_all().combine_chunks()
        form = resolve_format(parse_write_options({**OPTIONS[kind], "path": "/unused"}).format)
        by_column, compiled = form.encoder(table.schema), form.encoder(table.schema)
        if compiled.renderer is None:
            print("  the compiled engines are not installed\n")
            return
        by_column.renderer = None
        batches = table.to_batches(max_chunksize=10_000)
        size = sum(compiled.to_bytes(compiled.encode(batch)).nbytes for batch in batches)

        def render(encoder: Any, batches: list[pa.RecordBatch] = batches) -> None:
            for batch in batches:
                encoder.encode(batch)

        contenders = {"compiled": partial(render, compiled), "by column": partial(render, by_column)}
        seconds = timing.in_turns(contenders, rounds, time.process_time)
        speeds = {name: size / statistics.median(times) / 1e6 for name, times in seconds.items()}
        ratio = timing.ratio(seconds["compiled"], seconds["by column"])
        print(f"  {kind:<12}{speeds['by column']:>10.0f}{speeds['compiled']:>10.0f}{ratio:>7.2f} x", flush=True)
    print(flush=True)


# --- requests ----------------------------------------------------------------------------------------------


def _requests() -> None:
    """Prints the requests of a small write to an S3 server in this process, by kind."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it logs a line per request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        keys = {"endpoint": f"http://{host}:{port}", "region": "us-east-1", "accessKey": "k", "secretKey": "s"}
        _create_bucket(keys)
        print("requests of a write of one small file to S3 (moto), after a first write to the same root")
        print(f"  {'':<24}{'data':>6}{'control':>9}")
        for title, more in (("append", {}), ("append with txnId", {"txnId": "t"})):
            for turn in range(3):
                options = {**keys, **{name: f"{value}-{turn}" for name, value in more.items()}}
                calls = _calls_of_a_write(f"s3://logs/{title.replace(' ', '-')}", options)
            of_data = sum(calls[kind] for kind in ("CREATE", "PART", "COMPLETE"))
            rest = {kind: count for kind, count in calls.items() if kind not in ("CREATE", "PART", "COMPLETE")}
            print(f"  {title:<24}{of_data:>6}{sum(rest.values()):>9}  {dict(sorted(rest.items()))}")
        print(flush=True)
    finally:
        server.stop()


def _create_bucket(keys: dict[str, str]) -> None:
    from botocore.session import get_session

    client = get_session().create_client(
        "s3", region_name=keys["region"], endpoint_url=keys["endpoint"],
        aws_access_key_id=keys["accessKey"], aws_secret_access_key=keys["secretKey"],
    )  # fmt: skip
    client.create_bucket(Bucket="logs")


def _calls_of_a_write(path: str, options: dict[str, str]) -> Counter[str]:
    """Returns the requests of a write of ten rows; those of the task and of the driver are added."""
    table = pa.table({"level": ["INFO"] * 10, "message": ["hello"] * 10})
    parsed = parse_write_options({"path": path, "template": "{level} {message}", **options})
    writer = CountingWriter(parsed, to_ddl(table.schema))
    job = writer.job()
    writer.commit_job(job, [writer.write_task(table.to_batches(), job)])
    return sum((each.request_counts for each in writer.stores), Counter[str]())


class CountingWriter(LogWriter):
    """Writer that keeps the stores it opened, each of which counts its requests."""

    def __init__(self, options: WriteOptions, schema_ddl: str) -> None:
        super().__init__(options, schema_ddl)
        self.stores: list[Store] = []

    def _store(self) -> Store:
        self.stores.append(super()._store())
        return self.stores[-1]


# --- commits -----------------------------------------------------------------------------------------------


def _commits() -> None:
    """Prints the seconds of commits of many files with 1 and 16 threads, on a store that delays every request."""
    print(f"commit of staged files, memory:// with {LATENCY_S * 1000:.0f} ms added to every request")
    print(f"  {'files':>8}{'1 thread':>12}{'16 threads':>12}{'ratio':>9}")
    for count in (1, 100, 2_000):
        alone, together = (_commit_s(count, threads) for threads in (1, 16))
        print(f"  {count:>8}{alone:>10.2f} s{together:>10.2f} s{alone / together:>7.1f} x", flush=True)


def _commit_s(count: int, threads: int) -> float:
    root = f"memory://bench-{count}-{threads}/"
    store = open_store(root, StoreOptions())
    job = Job.start(root, random=f"{count}-{threads}", now_us=time.time_ns() // 1000)
    files = []
    for number in range(count):
        key = part_name(number, 0, job.id, 0, "log")
        upload = store.start_upload(root + key, token=job.id, staging=job.staging)
        part = store.upload_part(root + key, upload, 1, b"line\n")
        files.append(StagedFile(key, upload, (part,), 5, 1))
    started = time.perf_counter()
    commit(SlowStore(store), job, files, CommitSettings(threads=threads))  # type: ignore[arg-type]
    return time.perf_counter() - started


class SlowStore:
    """A store that delays every request of another store by ``LATENCY_S``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if not callable(found):
            return found

        def slowly(*arguments: Any, **named: Any) -> Any:
            time.sleep(LATENCY_S)
            return found(*arguments, **named)

        return slowly
