"""Costs of commits and of reading them."""

from __future__ import annotations

from benchmarks.limits import Cost, Limit, measure
from benchmarks.simulated_store import NOW_MS, SimulatedStore
from pyspark_logs.commit import CommitSettings, commit, decisions
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
    is_table_file = LogWriter(parse_write_options(options), "team string, ts timestamp")._table_files()
    job = start_job(0, NOW_MS).id
    keys = [f"web/2026/11/{n % 28 + 1:02}/{n % 24:02}/" + part_name(n, 0, job, 0, "log.gz") for n in range(entries)]
    return measure(lambda: [is_table_file(key) for key in keys])


def remove_replaced_files(entries: int) -> Cost:
    """Deletes the files of jobs that an overwrite replaces."""
    job = start_job(0, NOW_MS).id
    replaced = [Replaced(f"{n % 24:02}/" + part_name(n, 0, job, 0, "log.gz"), "etag") for n in range(entries)]
    store = SimulatedStore(StoredFile(ROOT + file.key, 1, NOW_MS, file.etag) for file in replaced)
    return measure(lambda: decisions.remove_replaced(store, ROOT, job, replaced, SETTINGS), store)


LIMITS = (
    Limit("commit of a streaming sink, batches of 10 s before", "<= 4 LIST", streaming_commit, 10_000),
    Limit("two looks at a root, txnIds before (1,000 a day)", "<= 4 LIST", two_looks, 30_000),
    Limit("commit of files: intent and record", "<= 15 MB for 10^5", intent, 100_000),
    Limit("overwrite: layout of the keys that it replaces", "<= 5 us/entry", layout_parsing),
    Limit(
        "overwrite: deletion of the files of jobs that it replaces",
        "1 DELETE for 1,000",
        remove_replaced_files,
        100_000,
    ),
)
