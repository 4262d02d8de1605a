"""The plan of a query, as the driver writes it before the first task runs."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence

from pyspark_logs.auditing.documents import (
    READ_BATCH,
    AuditedFile,
    AuditTask,
    PlannedSplit,
    PlanRecord,
    StreamBatch,
    files_key,
    offset_digest,
    plan_key,
    stream_id,
)
from pyspark_logs.auditing.encoding import compress, encode_plan, lines_of
from pyspark_logs.errors import ReadOnlyStoreError
from pyspark_logs.planning import FileSplit, PlannedFile
from pyspark_logs.store import Store, join
from pyspark_logs.store.parallel import in_parallel

_FILES_PER_PART = 50_000  # about 1 MiB of compressed lines
_THREADS = 8


def write_plan(
    store: Store,
    directory: str,
    files: Sequence[PlannedFile],
    tasks: Sequence[Sequence[FileSplit]],
    *,
    paths: tuple[str, ...],
    columns: str,
    where: str | None,
    listing: Mapping[str, int],
    batch: StreamBatch | None = None,
) -> list[AuditTask]:
    """Writes a plan, and returns the identity of each task.

    Args:
        store: store of the directory.
        directory: normalised ``auditPath``.
        files: files that were listed and are read.
        tasks: splits of each task.
        paths: load paths.
        columns: requested columns as Spark DDL.
        where: option ``where``.
        listing: counts of the listing.
        batch: batch of a stream; None for another query.

    Raises:
        ReadOnlyStoreError: the store cannot be written to.
        StoreError: the store refused or failed.
    """
    if not store.writable:
        raise ReadOnlyStoreError(
            f"option 'auditPath': cannot write to {directory}: {store.scheme}:// is read-only here. Give a directory on S3"
            " (s3://, s3a://), a local directory, or one of memory://"
        )
    contents, plan_hash = [], hashlib.sha256()
    for lines in lines_of(_audited_files(files, tasks), _FILES_PER_PART):
        plan_hash.update(lines)
        contents.append(compress(lines))
    plan = PlanRecord(
        query=_new_query_id() if batch is None else stream_id(batch.stream),
        batch=READ_BATCH if batch is None else offset_digest(batch.end),
        plan=plan_hash.hexdigest()[:16],
        created_ms=time.time_ns() // 1_000_000,
        paths=paths,
        columns=columns,
        where=where,
        tasks=len(tasks),
        files=len(files),
        bytes=sum(file.size for file, _ in files),
        parts=len(contents),
        listing=listing,
        start="" if batch is None else offset_digest(batch.start),
        end="" if batch is None else offset_digest(batch.end),
    )
    in_parallel(
        lambda part: store.put(join(directory, files_key(plan, part)), contents[part]), range(len(contents)), _THREADS
    )
    # The last write: a plan that exists has all of its files.
    store.put(join(directory, plan_key(plan.query, plan.batch)), encode_plan(plan))
    return [AuditTask(plan.query, plan.name, number) for number in range(len(tasks))]


def _audited_files(files: Sequence[PlannedFile], tasks: Sequence[Sequence[FileSplit]]) -> Iterator[AuditedFile]:
    """Yields the listed files with the splits of the tasks, then files that have splits and were not listed."""
    splits: dict[str, list[PlannedSplit]] = {}
    unlisted: dict[str, FileSplit] = {}
    for number, task in enumerate(tasks):
        for split in task:
            splits.setdefault(split.path, []).append(PlannedSplit(split.start, split.length, number))
            unlisted[split.path] = split
    for file, _ in files:
        unlisted.pop(file.path, None)
        yield AuditedFile(file.path, file.etag, file.size, file.modified_ms, tuple(sorted(splits.pop(file.path, ()))))
    for path, split in unlisted.items():
        yield AuditedFile(path, split.etag, split.size, split.modified_ms, tuple(sorted(splits[path])), listed=False)


def _new_query_id() -> str:
    """Returns an id that sorts by time."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(4)}"
