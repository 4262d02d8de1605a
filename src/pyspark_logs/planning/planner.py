"""The plan of a query: listed files, cut and packed into tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark_logs.layout import Layout
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning.empty_plan import explain_empty
from pyspark_logs.planning.file_listing import PlanReport, list_files
from pyspark_logs.planning.file_table import FileTable
from pyspark_logs.planning.layout_inference import resolve_layout
from pyspark_logs.planning.packing import Task, pack, split_files, task_bytes
from pyspark_logs.planning.selection import NO_FILTERS, FileFilters
from pyspark_logs.store import Store


@dataclass(frozen=True)
class Plan:
    """The tasks of a query.

    Attributes:
        tasks: one task per Spark partition.
        report: counts of the listing.
        layout: layout of the paths.
        files: files to read, as they were listed; empty without ``auditPath``, because they take memory.
        empty_reason: explanation of a plan without tasks; empty if there are tasks.
    """

    tasks: tuple[Task, ...]
    report: PlanReport
    layout: Layout
    files: FileTable | tuple[()]
    empty_reason: str = ""


def plan(
    store: Store,
    options: ReadOptions,
    filters: FileFilters = NO_FILTERS,
    *,
    layout: Layout | None = None,
    splittable: Callable[[str], bool] | None = None,
    parallelism: int = 1,
) -> Plan:
    """Lists the files of a query, cuts them into splits and packs the splits into tasks.

    Args:
        store: store of the load paths.
        options: options of :func:`list_files`, and the sizes of tasks.
        filters: filters of the query, which narrow those of the options.
        layout: layout of the paths; by default the result of :func:`resolve_layout`.
        splittable: function that returns True for a path whose file can be read from any offset, because it is not
            compressed; by default no file is cut.
        parallelism: number of tasks that run at the same time.

    Raises:
        PathNotFoundError: a load path does not exist, or a glob matches nothing.
    """
    layout = resolve_layout(store, options) if layout is None else layout
    listing = list_files(store, options, layout, filters)
    if not listing.files:
        reason = explain_empty(store, options, listing.selection)
        return Plan((), listing.report, layout, (), reason)
    limit = task_bytes(
        options.plan, size=listing.report.bytes_planned, files=len(listing.files), parallelism=parallelism
    )
    splits = split_files(listing.files, max_bytes=limit, splittable=splittable or (lambda _: False))
    tasks = pack(splits, max_bytes=limit, open_cost_bytes=options.plan.open_cost_bytes)
    return Plan(tasks, listing.report, layout, listing.files if options.report.audit_path is not None else ())
