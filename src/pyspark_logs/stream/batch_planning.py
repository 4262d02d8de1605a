"""The tasks of a streaming batch, from the files that its offset names. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyspark_logs.jobs import job_of
from pyspark_logs.layout import LayoutMatch
from pyspark_logs.offsets import BatchPlan
from pyspark_logs.options import PlanOptions
from pyspark_logs.planning import PlannedFile, pack, split_files, task_bytes
from pyspark_logs.store import StoredFile
from pyspark_logs.stream.listings import StreamRoot
from pyspark_logs.task_reader import ReadTask


def batch_files(batch: BatchPlan, root: StreamRoot) -> list[PlannedFile]:
    """Returns the files of a batch as a listing would.

    Args:
        batch: batch of an offset.
        root: mapping between the keys of offsets and paths.
    """
    return [
        (
            StoredFile(root.path_of(file.key), file.size, file.modified_ms, file.etag),
            LayoutMatch(file.layout_start_us, file.layout_end_us, file.values),
        )
        for file in batch.files
    ]


def batch_tasks(
    batch: BatchPlan,
    files: Sequence[PlannedFile],
    options: PlanOptions,
    *,
    splittable: Callable[[str], bool],
    trace: str = "",
) -> tuple[ReadTask, ...]:
    """Cuts the files of a batch into splits and packs these into tasks. Equal arguments give equal tasks.

    Args:
        batch: batch of an offset.
        files: its files, from :func:`batch_files`.
        options: sizes of tasks, and ``ignoreMissingFiles``.
        splittable: function that returns True for a path whose file can be read from any offset.
        trace: identity of the span of the planning.
    """
    limit = task_bytes(options, size=sum(file.size for file, _ in files), files=len(files))
    splits = split_files(files, max_bytes=limit, splittable=splittable)
    tasks = pack(splits, max_bytes=limit, open_cost_bytes=options.open_cost_bytes)
    by_job = _files_by_job(files) if options.ignore_missing else {}
    planned = []
    for task in tasks:
        names = sorted({job_of(path) or "" for path in task.splits.paths})
        jobs = tuple((job, by_job[job]) for job in names if job in by_job)
        planned.append(ReadTask(task.splits, batch.columns, batch.slack_us, in_stream=True, jobs=jobs, trace=trace))
    return tuple(planned)


def _files_by_job(files: Sequence[PlannedFile]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Returns path and etag of the files by the write job that they belong to."""
    by_job: dict[str, list[tuple[str, str]]] = {}
    for file, _ in files:
        if job := job_of(file.path):
            by_job.setdefault(job, []).append((file.path, file.etag))
    return {job: tuple(pairs) for job, pairs in by_job.items()}
