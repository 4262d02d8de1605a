"""The tasks of a streaming batch, from the files that its offset names. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from pyspark_logs.errors import OptionError
from pyspark_logs.layout import Layout, LayoutMatch
from pyspark_logs.offsets import BatchPlan
from pyspark_logs.options import PlanOptions
from pyspark_logs.planning import PlannedFile, pack, split_files, task_bytes
from pyspark_logs.store import StoredFile
from pyspark_logs.stream.stream_root import StreamRoot
from pyspark_logs.task_reader import ReadTask


def check_path_columns(batch: BatchPlan, layout: Layout, requested: Collection[str]) -> None:
    """Checks that a batch has the columns that a query requests of its layout.

    A batch holds the values of the layout with which it was planned. A query with another layout may plan it again.

    Args:
        batch: batch of an offset.
        layout: layout of the query.
        requested: names of the columns that the query reads.

    Raises:
        OptionError: the layout of the batch has no such column.
    """
    known, names = ({name.lower() for name in found} for found in (batch.columns, requested))
    missing = [name for name in layout.columns if name.lower() in names - known]
    if missing and batch.files:
        raise OptionError(
            f"the batch in the checkpoint was planned with another layout, which has no column {missing[0]!r}. Restart the query"
            " with the earlier layout and without this column until the batch is complete, and change them then"
        )


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
        options: sizes of tasks.
        splittable: function that returns True for a path whose file can be read from any offset.
        trace: identity of the span of the planning.
    """
    limit = task_bytes(options, size=sum(file.size for file, _ in files), files=len(files))
    splits = split_files(files, max_bytes=limit, splittable=splittable)
    tasks = pack(splits, max_bytes=limit, open_cost_bytes=options.open_cost_bytes)
    return tuple(ReadTask(task.splits, batch.columns, batch.slack_us, in_stream=True, trace=trace) for task in tasks)
