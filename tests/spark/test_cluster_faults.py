"""Queries on a cluster with two executors that lose an executor, workers or memory, or are cancelled: each row once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark")

import pyarrow as pa

import pyspark_logs
from pyspark_logs.jobs import job_of
from tests.spark.programs import run
from tests.spark.write_targets import WriteTarget
from tests.support.fault_proxy import FaultProxy
from tests.support.s3_server import S3Bucket
from tests.support.trials import tries

LINE = {"template": "{n:long} {message}"}
ROWS, FILES = 12_000, 24


class Cluster:
    """Queries that ran on a cluster, each of which met a fault.

    Args:
        s3: bucket of the source and of the sinks.
        proxy: proxy of the bucket.
        folder: directory of the program.
        queries: names of the queries.
    """

    def __init__(self, s3: S3Bucket, proxy: FaultProxy, folder: Path, *queries: str) -> None:
        self.proxy = proxy
        self.target = WriteTarget.on_s3(s3, proxy.endpoint)
        source = WriteTarget(f"{self.target.url}-source", self.target.store_options, self.target.direct_options)
        # Messages of a kilobyte, so that tasks still read when the fault happens.
        table = pa.table({"n": range(ROWS), "message": ["x" * 1000] * ROWS})
        files = {"compression": "none", "maxRecordsPerFile": str(ROWS // FILES)}
        pyspark_logs.write(table, source.url, **files, **source.options, **LINE)
        half = sum(map(len, source.files().values())) // 2
        given = {
            "source": source.url, "url": self.target.url, "options": {**self.target.options, **LINE}, "rows": ROWS,
            "read": {"maxPartitionBytes": str(half + 1), "openCostInBytes": "0", "maxFilesPerTrigger": str(FILES // 2)},
            "markers": str(folder),
        }  # fmt: skip
        ended = threading.Event()
        watcher = threading.Thread(target=self._tell_what_is_staged, args=(folder, queries, ended))
        watcher.start()
        try:
            self.told: dict[str, Any] = run("cluster_faults_program.py", folder, 600.0, **given, queries=queries)
        finally:
            ended.set()
            watcher.join()
        print({name: told["seconds"] for name, told in self.told.items()})  # noqa: T201

    def _tell_what_is_staged(self, folder: Path, queries: tuple[str, ...], ended: threading.Event) -> None:
        """Creates a file for each query that has staged a file, and for queries that only read."""
        left = set(queries)
        while left and not ended.wait(0.05):
            for query in [
                name for name in left if name.startswith("read") or self.uploads_started(name, "part-00000-")
            ]:
                (folder / f"staged-{query}").touch()
                left.remove(query)

    def sink(self, query: str) -> WriteTarget:
        return WriteTarget(f"{self.target.url}-{query}", self.target.store_options, self.target.options)

    def check_rows(self, query: str) -> None:
        """Checks that a query met its fault and read each row once."""
        told = self.told[query]
        assert told["met"]
        assert sorted(told["result"]) == list(range(ROWS)), str(told["result"])[:4000]

    def check_sink(self, query: str, jobs: int = 1) -> None:
        """Checks that a query met its fault and wrote each row once, and that ``vacuum`` leaves nothing else."""
        told, sink = self.told[query], self.sink(query)
        assert (told["result"], told["met"]) == (None, True)
        found = pyspark_logs.scan(sink.url, mode="FAILFAST", **sink.direct_options, **LINE).read_all()["n"].to_pylist()
        assert sorted(found) == list(range(ROWS))
        assert sink.left_by_tasks() == []
        assert len(sink.lines()) == ROWS
        assert self.uploads_started(query) > len(sink.files())  # attempts staged files before the fault
        assert len({job_of(key) for key in sink.files()}) == jobs
        own = {"_commits", "_claims"} if query.startswith("stream") else {"_commits"}
        assert {key.split("/")[0] for key in sink.listing()} == {*own, *sink.files()}

    def check_empty_sink(self, query: str, error: str) -> None:
        """Checks that a query met its fault and ended with an error, and that nothing is left after ``vacuum``."""
        told, sink = self.told[query], self.sink(query)
        assert told["met"]
        assert error in (told["result"] or "").lower()
        assert self.uploads_started(query) > 0
        assert sink.left_by_tasks() == []
        assert sink.files() == {}

    def uploads_started(self, query: str, name: str = "") -> int:
        """Returns the number of uploads that a query has started, of files whose names begin with a text."""
        return sum(
            method == "POST" and f"-{query}/{name}" in path and path.endswith("?uploads")
            for method, path, _ in list(self.proxy.requests)
        )


@tries("an executor of Spark that is killed while it reads and writes", "each row once; `vacuum` leaves nothing")
@tries("a query that is cancelled while tasks stage files", "no row; `vacuum` leaves nothing")
def test_an_executor_is_killed_and_a_query_is_cancelled(s3: S3Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    cluster = Cluster(s3, proxy, tmp_path, "copy-executor", "copy-cancel")
    cluster.check_sink("copy-executor")
    cluster.check_empty_sink("copy-cancel", "cancel")


@pytest.mark.slow
@tries(
    "Python workers that are killed, or have no memory left, while they read or write",
    "each row once; `vacuum` leaves nothing",
)
def test_workers_are_killed_and_have_no_memory(s3: S3Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    reads, copies = ("read-executor", "read-workers", "read-memory"), ("write-executor", "copy-workers", "copy-memory")
    cluster = Cluster(s3, proxy, tmp_path, *reads, *copies)
    for read in reads:
        cluster.check_rows(read)
    for copy in copies:
        cluster.check_sink(copy)


@pytest.mark.slow
@tries(
    "a stream that loses an executor, or is stopped within a batch and started again",
    "each row once; `vacuum` leaves nothing",
)
def test_streams_lose_an_executor_and_are_stopped(s3: S3Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    streams = ("stream-executor", "stream-stop")
    cluster = Cluster(s3, proxy, tmp_path, *streams)
    for stream in streams:
        cluster.check_sink(stream, jobs=2)
