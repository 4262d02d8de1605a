"""Reads the splits of a plan with several threads, in the order of their paths and without Spark."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import cast

import pyarrow as pa

from pyspark_logs.batch_builder import BatchBuilder
from pyspark_logs.batch_sizes import fixed_row_bytes, held_bytes
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning import Splits, in_path_order, processors
from pyspark_logs.prefetch import Prefetcher
from pyspark_logs.reader import LogReader, ReadPlan
from pyspark_logs.records import BLOCK_BYTES
from pyspark_logs.task_log import TaskReport
from pyspark_logs.task_reader import ReadTask

# Text that a thread reads at once. With less, the fixed cost of a task would be measurable; with more, a single file of a few
# dozen MiB would occupy only one thread. Nearly six blocks: a chunk ends with a line and is shorter than a block, and the rest of
# a unit would be a block that costs as much of the interpreter as a large one.
UNIT_BYTES = 6 * BLOCK_BYTES - (64 << 10)
UNIT_FILES = 256
# Files that a thread reads first if the consumer takes only the first rows: small objects of a store would be requested in vain.
FIRST_UNIT_FILES = 8
MAX_THREADS = 8
_BATCH_BYTES = 4 << 20  # expected size of a batch
_HELD_BYTES = 32 << 20  # batches that wait for the consumer, for each thread

_Counted = tuple[pa.RecordBatch | None, RecordMetrics]  # a batch, and the counts since the batch before it


def default_threads() -> int:
    """Returns the number of processors that this process may use, at most ``MAX_THREADS``."""
    return min(processors(), MAX_THREADS)


def scan_options(options: ReadOptions, threads: int) -> ReadOptions:
    """Returns options whose plan cuts large files into units, and whose limit of memory is divided among threads."""
    plan, fetch = options.plan, options.fetch
    plan = replace(
        plan, max_partition_bytes=min(plan.max_partition_bytes or UNIT_BYTES, UNIT_BYTES), min_partitions=None
    )
    return replace(options, plan=plan, fetch=replace(fetch, max_bytes=fetch.max_bytes // threads))


def read_plan(
    reader: LogReader,
    plan: ReadPlan,
    metrics: RecordMetrics,
    threads: int,
    finished: Callable[[int], object] | None = None,
    *,
    stops_early: bool = False,
) -> Iterator[pa.RecordBatch]:
    """Yields the batches of all splits of a plan, ordered by path and offset whatever the number of threads.

    Args:
        reader: reader of the query.
        plan: its plan, made with :func:`scan_options`.
        metrics: counts to which those of the records are added as their batches are taken.
        threads: number of threads that read; 1: the calling thread reads, unless ``finished`` is given.
        finished: function that receives the stored bytes of each part of the plan after its last batch; None if they are of no
            interest.
        stops_early: True if the consumer takes only the first rows; the parts of the plan are small at first, and grow.
    """
    if not plan.tasks:
        reader.start_audit(plan)
        return
    splits = in_path_order([cast("Splits", task.splits) for task in plan.tasks])
    everything = replace(plan.tasks[0], has_free_processor=processors() > threads)
    is_whole = threads == 1 and finished is None and not stops_early
    parts = [splits] if is_whole else list(_units(splits, growth=threads if stops_early else None))
    tasks = reader.start_audit(replace(plan, tasks=tuple(replace(everything, splits=part) for part in parts))).tasks
    if is_whole:
        yield from reader.read_task(tasks[0], metrics)
        return
    reports: dict[int, TaskReport] = {}
    before = metrics.copy()
    builders: list[BatchBuilder] = []
    units = [
        _counted_batches(reader, task, builders, functools.partial(reports.setdefault, number))
        for number, task in enumerate(tasks)
    ]
    # A consumer of the first rows may need no second batch: each thread pauses after its first one.
    held, least = (_BATCH_BYTES, _BATCH_BYTES) if stops_early else (_HELD_BYTES, 0)
    row_bytes = fixed_row_bytes(reader.target())
    prefetcher = Prefetcher(
        threads=threads, max_bytes=threads * held, item_bytes=_BATCH_BYTES, max_items=None, name="pyspark-logs-scan"
    )  # fmt: skip
    try:
        with closing(prefetcher):
            for part, items in zip(
                parts,
                [prefetcher.add(unit, lambda item: max(_size(item, row_bytes), least)) for unit in units],
                strict=True,
            ):
                for batch, counts in items:
                    metrics.add(counts)
                    if batch is not None:
                        yield batch
                if finished is not None:
                    finished(sum(part.lengths))
    finally:
        ordered = [reports[number] for number in sorted(reports)]
        corrupt = next((report.corrupt for report in ordered if report.corrupt is not None), None)
        appended = next((report.appended for report in ordered if report.appended is not None), None)
        reader.log.report(TaskReport(metrics.since(before), corrupt, appended))


def _units(splits: Splits, growth: int | None = None) -> Iterator[Splits]:
    """Yields consecutive splits, as many as a thread reads at once.

    Args:
        splits: splits of the plan, in order.
        growth: number of units after which the largest number of files doubles, from ``FIRST_UNIT_FILES`` on; None: it is
            ``UNIT_FILES`` from the beginning.
    """
    start = size = units = 0
    most = UNIT_FILES if growth is None else FIRST_UNIT_FILES
    for row, length in enumerate(splits.lengths):
        if row > start and (size + length > UNIT_BYTES or row - start == most):
            yield splits[start:row]
            start, size, units = row, 0, units + 1
            if growth is not None and units % growth == 0:
                most = min(2 * most, UNIT_FILES)
        size += length
    yield splits[start:]


def _counted_batches(
    reader: LogReader, task: ReadTask, builders: list[BatchBuilder], report: Callable[[TaskReport], object]
) -> Iterator[_Counted]:
    """Yields the batches of a task with the counts since the batch before; at the end, also of an error, the last counts.

    Args:
        reader: reader of the query.
        task: the task.
        builders: builders that no task uses; a task takes one of them, because making one holds the interpreter for up to 2 ms.
        report: receiver of the report of the task.
    """
    counts = RecordMetrics()
    before = counts.copy()
    try:
        builder = builders.pop()
    except IndexError:
        builder = reader.builder(task)
    try:
        for batch in reader.read_task(task, counts, report=report, builder=builder):
            yield batch, counts.since(before)
            before = counts.copy()
    except Exception:
        yield None, counts.since(before)
        raise
    builders.append(builder)
    yield None, counts.since(before)


def _size(item: _Counted, row_bytes: float) -> int:
    batch, _ = item
    return 0 if batch is None else held_bytes(batch, row_bytes)
