"""Costs of commits and of reading them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from benchmarks.costs import Bound, Cost, Limit, measure
from benchmarks.simulated_store import NOW_MS, SimulatedStore
from pyspark_logs.commit import CommitSettings, commit, decisions, publication
from pyspark_logs.jobs import (
    Job,
    Replaced,
    SingleRoot,
    StagedFile,
    Transaction,
    part_name,
    take_snapshot,
)
from pyspark_logs.options import parse_write_options
from pyspark_logs.store import StoredFile
from pyspark_logs.writer import LogWriter

ROOT = "s3://b/t/"
DAY_MS = 86_400_000
SETTINGS = CommitSettings(threads=1)


def start_job(number: int, now_ms: int, transaction: Transaction | None = None, mode: str = "append") -> Job:
    """Returns a job that starts at a time."""
    return Job.start(ROOT, random=f"job{number}", now_us=now_ms * 1000, mode=mode, transaction=transaction)


def stage(store: SimulatedStore, job: Job, count: int = 1) -> list[StagedFile]:
    """Stages files of one part in hourly directories."""
    files = []
    for number in range(count):
        key = f"2026/11/{number % 28 + 1:02}/{number % 24:02}/" + part_name(number, 0, job.id, 0, "log.gz")
        upload = store.start_upload(ROOT + key, token=job.id, staging=job.staging)
        part = store.upload_part(ROOT + key, upload, 1, b"x")
        files.append(StagedFile(key, upload, (part,), 1, 1))
    return files


def streaming_commit(entries: int) -> Cost:
    """Commits a batch after a number of batches of 10 s, each of which was committed with this package."""
    store = SimulatedStore()
    store.now_ms = NOW_MS - entries * 10_000
    for batch in range(entries):
        store.now_ms += 10_000
        commit_job(store, batch, Transaction.of_batch("q", batch))
    return measure(lambda: commit_job(store, entries, Transaction.of_batch("q", entries)), store)


def commit_job(store: SimulatedStore, number: int, transaction: Transaction) -> None:
    """Stages one file and commits it."""
    job = start_job(number, store.now_ms, transaction)
    commit(store, job, stage(store, job), SETTINGS)


def two_looks(entries: int) -> Cost:
    """Lists a root after a number of commits, each with a txnId of its own: 1,000 a day."""
    store = SimulatedStore()
    step_ms = DAY_MS // 1000
    store.now_ms = NOW_MS - entries * step_ms
    for number in range(entries):
        store.now_ms += step_ms
        commit_job(store, number, Transaction.of_id(f"txn-{number}"))
    return measure(lambda: take_snapshot(store, SingleRoot(ROOT), list), store)


def intent(entries: int) -> Cost:
    """Commits a number of files; the size is that of the bodies of all PUT requests."""
    store = SimulatedStore()
    job = start_job(0, NOW_MS)
    files = stage(store, job, entries)
    cost = measure(lambda: commit(store, job, files, SETTINGS), store)
    return Cost(cost.requests, cost.seconds, store.sent["PUT"])


def layout_parsing(entries: int) -> Cost:
    """Selects among a number of keys those of the table, as an overwrite does to find what it replaces."""
    options = {"path": ROOT, "json": "true", "layout": "{team}/{yyyy}/{MM}/{dd}/{HH}"}
    is_table_file = LogWriter(parse_write_options(options), "team string, ts timestamp")._table().holds
    job = start_job(0, NOW_MS).id
    keys = [f"web/2026/11/{n % 28 + 1:02}/{n % 24:02}/" + part_name(n, 0, job, 0, "log.gz") for n in range(entries)]
    return measure(lambda: [is_table_file(key) for key in keys])


class DeletedFiles(SimulatedStore):
    """A store of deletions only, which has no listing to keep in order; on AWS, a request compares many versions."""

    removable_versions = 1000

    def remove_all(self, paths: Sequence[str]) -> None:
        with self._guard:
            self.counted["DELETE"] += 1
        for path in paths:
            self.files.pop(path, None)

    def remove_versions(self, versions: Sequence[tuple[str, str]]) -> list[bool]:
        self.remove_all([path for path, etag in versions if self.files[path].etag == etag])
        return [path not in self.files for path, _ in versions]


def remove_replaced_files(entries: int, of_jobs: bool) -> Cost:
    """Deletes the files that an overwrite replaces: those of jobs, or those that no job wrote, on AWS."""
    job = start_job(0, NOW_MS).id
    names = (part_name(n, 0, job, 0, "log.gz") if of_jobs else f"app-{n:09}.log.gz" for n in range(entries))
    replaced = [Replaced(f"{n % 24:02}/{name}", "etag") for n, name in enumerate(names)]
    store = DeletedFiles(StoredFile(ROOT + file.key, 1, NOW_MS, file.etag) for file in replaced)
    cost = measure(lambda: decisions.remove_replaced(store, ROOT, job, replaced, SETTINGS), store)
    return replace(cost, kept=len(store.files))


class Pool(SimulatedStore):
    """A store whose requests to publish files take 10 ms each, on as many connections as the options of a writer allow.

    Attributes:
        most: largest number of requests at the same time.
    """

    def __init__(self, connections: int) -> None:
        super().__init__()
        self._pool = threading.BoundedSemaphore(connections)
        self._now = 0
        self.most = 0

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[str], *, size: int) -> bool:
        with self._pool:
            with self._guard:
                self._now += 1
                self.most = max(self.most, self._now)
            time.sleep(0.01)
            with self._guard:
                self._now -= 1
                self.counted["COMPLETE"] += 1
                return self.uploads.pop(upload_id, None) is not None


def publishing(entries: int) -> Cost:
    """Publishes files with ``commitThreads=128``."""
    options = parse_write_options({"path": ROOT, "json": "true", "commitThreads": "128"})
    store = Pool(options.store.connections)
    job = start_job(0, NOW_MS)
    files = stage(store, job, entries)
    settings = CommitSettings(threads=options.rules.commit_threads)
    cost = measure(lambda: publication.publish(store, job, files, settings), store, time.perf_counter)
    return replace(cost, parallel=store.most)


LIMITS = (
    Limit("commit of a streaming sink, batches of 10 s before", (Bound("LIST", 4),), streaming_commit, 10_000),
    Limit("two looks at a root, txnIds before (1,000 a day)", (Bound("LIST", 4),), two_looks, 30_000),
    Limit("commit of files: intent, once, and record", (Bound("MB", 15), Bound("B/entry")), intent, 100_000),
    Limit(
        "publishing files at 10 ms a request, commitThreads=128",
        (Bound("at a time", 128, 128), Bound("s")),
        publishing,
        100_000,
    ),
    Limit("overwrite: layout of the keys that it replaces", (Bound("us/entry", 5),), layout_parsing),
    Limit(
        "overwrite: deletion of the files of jobs that it replaces",
        (Bound("DELETE per 1,000", 1), Bound("kept", 0), Bound("us/entry")),
        partial(remove_replaced_files, of_jobs=True),
    ),
    Limit(
        "overwrite: deletion of the files of others, on AWS",
        (Bound("DELETE per 1,000", 1), Bound("kept", 0), Bound("us/entry")),
        partial(remove_replaced_files, of_jobs=False),
    ),
)
