"""The files of a batch that ``ignoreMissingFiles`` passes over, by one decision for all tasks of the batch.

The files of a write job are read as a whole or not at all, and so is a file of several splits. Several tasks read them, at
different times; if each of them decided, a file that goes away between two tasks would leave a part of its job in the batch.
The driver therefore decides when it plans the batch. A file that goes away later is an error of its task, so that the batch
fails as a whole, and is planned and decided again when the query restarts.

A file that one split reads and that no job wrote is left to its task, and costs no request here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pyspark_logs.jobs import job_of
from pyspark_logs.planning import FileSplit
from pyspark_logs.store import Store
from pyspark_logs.store.parallel import in_parallel
from pyspark_logs.task_reader import ReadTask
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)

_THREADS = 32  # the size of the connection pool
_SHOWN = 10  # files of a job in a warning
_JOB_REASON = "a file of its write job was deleted or changed after planning"


def skip_missing_files(store: Store, tasks: Sequence[ReadTask], threads: int = _THREADS) -> tuple[ReadTask, ...]:
    """Returns the tasks of a batch with the files that they pass over, and logs these.

    Makes one HEAD request for each file of a write job and for each file of several splits.

    Args:
        store: store of the files.
        tasks: all tasks of the batch.
        threads: number of requests that run at the same time.

    Raises:
        StoreError: the store refused or failed.
    """
    skipped = _skipped_files(store, (split for task in tasks for split in task.splits), threads)
    if not skipped:
        return tuple(tasks)
    paths = ({split.path for split in task.splits} & skipped.keys() for task in tasks)
    return tuple(
        replace(task, skipped=tuple((path, skipped[path]) for path in sorted(found)))
        for task, found in zip(tasks, paths, strict=True)
    )


def _skipped_files(store: Store, splits: Iterable[FileSplit], threads: int) -> dict[str, str]:
    """Returns the reason for each path that a batch passes over."""
    etags = {split.path: split.etag for split in splits if job_of(split.path) or not split.is_whole}

    def problem(path: str) -> str:
        found = store.head(path)
        return "was deleted" if found is None else "changed" if found.etag != etags[path] else ""

    problems = dict(zip(etags, in_parallel(problem, etags, threads), strict=True))
    skipped: dict[str, str] = {}
    by_job: dict[str, list[str]] = {}
    for path, text in problems.items():
        if job := job_of(path):
            by_job.setdefault(job, []).append(path)
        elif text:
            skipped[path] = f"{text} after planning"
            _log.warning("%s: %s, skipped (ignoreMissingFiles)", path, skipped[path])
    for job, paths in by_job.items():
        if missing := [f"{path} {problems[path]}" for path in paths if problems[path]]:
            skipped |= dict.fromkeys(paths, _JOB_REASON)
            _log.warning(
                "job %s is passed over in this batch (ignoreMissingFiles): after it was planned, %s%s",
                job, ", ".join(missing[:_SHOWN]), "" if len(missing) <= _SHOWN else f" and {len(missing) - _SHOWN} more",
            )  # fmt: skip
    return skipped
