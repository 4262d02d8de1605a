"""Reads, writes, a stream, recovery and vacuum through a proxy that injects faults at random: right, or a clear error and nothing lost.

Each case writes jobs, and reads and streams them, under one kind of fault. Then the faults stop, ``recover`` and ``vacuum`` run, and the
rows must be those of the jobs that reported success, plus at most those whose outcome was reported as unknown.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from pyspark_logs import recover, scan, vacuum, write
from pyspark_logs.errors import CommitStateUnknownError, LogSourceError
from pyspark_logs.options import parse_read_options
from pyspark_logs.store import circuit_breaker, open_store, s3_reads, s3_retries, s3_writes
from pyspark_logs.stream import LogStream
from tests.support.fault_proxy import FaultProxy
from tests.support.faults import FAULTS
from tests.support.s3_server import S3Bucket

ROWS, JOBS = 50, 2
Row = tuple[int, int]
# No operation lasts longer, with attempts of half a second and short pauses, also on a machine with more to do.
DEADLINE_S = 120.0


@pytest.fixture
def proxy(s3: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    for module in (s3_reads, s3_writes, s3_retries):
        monkeypatch.setattr(module, "backoff_s", lambda failures: 0.01)
    monkeypatch.setattr(circuit_breaker, "FIRST_PAUSE_S", 0.01)
    proxy = FaultProxy(s3.endpoint)
    proxy.start()
    yield proxy
    proxy.stop()


class Follower:
    """A stream of the rows below a root, whose steps may fail and are repeated.

    Args:
        root: root of the jobs.
        options: options of the reader.
    """

    def __init__(self, root: str, options: dict[str, str]) -> None:
        self.stream = LogStream(parse_read_options({"path": root, **options}), "job int, n int")
        self.start: dict[str, Any] | None = None
        self.end: dict[str, Any] | None = None
        self.rows: list[Row] = []

    def step(self) -> bool:
        """Polls, and reads the batch; False if there is none. The batch of an earlier step that failed is read first."""
        if self.start is None:
            self.start = self.stream.initial_offset()
        if self.end is None:
            self.end = self.stream.latest_offset(self.start, max_files=100, max_bytes=None)
        found = [
            row
            for task in self.stream.plan_batch(self.start, self.end)
            for part in self.stream.reader.read_task(task)
            for row in zip(part["job"].to_pylist(), part["n"].to_pylist(), strict=True)
        ]
        self.rows += found
        self.start, self.end = self.end, None
        return bool(found)


def check(bucket: S3Bucket, proxy: FaultProxy, kind: str, rate: float, seed: int) -> set[int]:
    """Writes and reads under faults; returns the jobs that reported success."""
    choose, fault = random.Random(seed), FAULTS[kind]
    options = {"endpoint": proxy.endpoint, "region": "us-east-1", "accessKey": "testing", "secretKey": "test-secret",
               "template": "{job:int} {n:int}", "requestTimeout": "500ms", "maxRetries": "4",
               "maxConsecutiveFailures": "0"}  # fmt: skip
    root = f"{bucket.url}/out"

    def timed(call: Callable[[], object]) -> LogSourceError | None:
        started = time.monotonic()
        error: LogSourceError | None = None
        try:
            call()
        except LogSourceError as raised:
            error = raised
        assert time.monotonic() - started < DEADLINE_S
        return error

    def rows() -> list[Row]:
        return sorted(map(tuple, (row.values() for row in scan(root, **options).read_all().to_pylist())))

    follower = Follower(root, options)
    committed: set[int] = set()
    unknown: set[int] = set()
    proxy.choose = lambda method: fault(choose) if choose.random() < rate else None
    for job in range(JOBS):
        table = pa.table({"job": pa.array([job] * ROWS, pa.int32()), "n": pa.array(range(ROWS), pa.int32())})
        error = timed(lambda table=table: write(table, root, **options))
        if error is None:
            committed.add(job)
        elif isinstance(error, CommitStateUnknownError):
            unknown.add(job)
        timed(follower.step)
        found: list[Row] = []
        if committed and timed(lambda found=found: found.extend(rows())) is None:
            assert set(found) >= {(done, n) for done in committed for n in range(ROWS)}
            assert len(found) == len(set(found)) == ROWS * len({done for done, _ in found})
    timed(lambda: recover(root, "0s", **options))
    timed(lambda: vacuum(root, "0s", **options))

    proxy.choose = lambda method: None
    recover(root, "0s", **options)
    vacuum(root, "0s", **options)
    found = rows() if committed or unknown else []
    jobs = {job for job, _ in found}
    assert committed <= jobs <= committed | unknown
    assert found == [(job, n) for job in sorted(jobs) for n in range(ROWS)]
    while found and follower.step():
        pass
    assert sorted(follower.rows) == found
    store = open_store(root, replace(bucket.options, endpoint=proxy.endpoint))
    # A probe whose start failed leaves an upload, which a probe an hour later aborts.
    assert [one.path for one in store.list_uploads(f"{root}/").uploads if "/~probe-" not in one.path] == []
    return committed


@pytest.mark.parametrize("kind", FAULTS)
def test_one_request_in_ten_fails(s3: S3Bucket, proxy: FaultProxy, kind: str) -> None:
    assert check(s3, proxy, kind, 0.1, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", FAULTS)
def test_requests_fail(s3: S3Bucket, proxy: FaultProxy, kind: str, seed: int, rate: float) -> None:
    check(s3, proxy, kind, rate, seed)
