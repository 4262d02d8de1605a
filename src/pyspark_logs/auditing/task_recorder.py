"""The report of a task: the outcome of each of its splits, written when the task ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType

import pyarrow as pa

from pyspark_logs.auditing.documents import (
    COMPLETE,
    DAMAGED,
    FAILED,
    READ,
    SKIPPED,
    STOPPED,
    AuditTask,
    SplitReport,
    TaskOrigin,
    TaskRecord,
    task_key,
)
from pyspark_logs.auditing.encoding import encode_task
from pyspark_logs.errors import LogSourceError
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.planning import FileSplit
from pyspark_logs.store import Store, join
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)


class TaskRecorder:
    """Records the outcome of the splits of a task, and writes them when its context ends.

    The report of a task that read all of its splits has one name for all attempts. Attempts that did not have other names, so
    that they never replace it; they are written if the store allows it.

    Args:
        store: store of the directory.
        directory: normalised ``auditPath``.
        task: identity of the task.
        origin: ids of the streaming query and batch.
    """

    def __init__(self, store: Store, directory: str, task: AuditTask, origin: TaskOrigin) -> None:
        self._store, self._directory, self._task, self._origin = store, directory, task, origin
        self._splits: list[SplitReport] = []
        self._skip_problem = ""

    def record_skip(self, _path: str, problem: str) -> None:
        """Records that the file of the current split is missing or changed, and an option allows that."""
        self._skip_problem = problem

    def add_skipped(self, split: FileSplit, problem: str) -> None:
        """Adds a split that is not begun."""
        self._splits.append(_report(split, SKIPPED, RecordMetrics(), 0.0, problem))

    def observe(
        self, split: FileSplit, batches: Iterator[pa.RecordBatch], metrics: RecordMetrics
    ) -> Iterator[pa.RecordBatch]:
        """Yields the batches of a split, and adds its outcome at their end.

        Args:
            split: the split.
            batches: its batches.
            metrics: counts of the task.
        """
        before, self._skip_problem = metrics.copy(), ""
        seconds, state, problem = 0.0, FAILED, ""
        started = time.monotonic()
        try:
            for batch in batches:
                seconds += time.monotonic() - started
                yield batch
                started = time.monotonic()
            state = SKIPPED if self._skip_problem else READ
            problem = self._skip_problem
        except GeneratorExit:
            state, started = STOPPED, time.monotonic()
            raise
        except BaseException as error:
            problem = type(error).__name__  # its message may hold records
            raise
        finally:
            counts = metrics.since(before)
            if state == READ and counts.damaged:
                state, problem = DAMAGED, "read up to damage in its compressed data"
            self._splits.append(_report(split, state, counts, seconds + time.monotonic() - started, problem))

    def __enter__(self) -> None:
        """Begins the task."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._write(COMPLETE)
            return
        try:
            self._write(STOPPED if issubclass(kind, GeneratorExit) else FAILED)
        except LogSourceError:
            # The error of the task is the one to raise. Without this report the query is unfinished all the same.
            _log.info("the report of an unfinished task cannot be written to %s", self._directory, exc_info=True)

    def _write(self, state: str) -> None:
        record = TaskRecord(self._task.number, state, tuple(self._splits), self._origin)
        self._store.put(join(self._directory, task_key(self._task, state, self._origin)), encode_task(record))


def _report(split: FileSplit, state: str, counts: RecordMetrics, seconds: float, problem: str) -> SplitReport:
    return SplitReport(
        split.path, split.etag, split.size, split.start, split.length, state,
        records=counts.records, rows=counts.rows, filtered=counts.filtered, dropped=counts.dropped, corrupt=counts.corrupt,
        reasons=counts.reasons, appended=counts.appended, seconds=round(seconds, 6), problem=problem,
    )  # fmt: skip
