"""The public function ``scan``: reads log files as Arrow batches without Spark."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import pyarrow as pa

from pyspark_logs.api.loads import resolve_load
from pyspark_logs.api.read_progress import ReadProgress, check_progress
from pyspark_logs.errors import OptionError
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.options.numbers import parse_positive_count
from pyspark_logs.parallel_scan import default_threads, read_plan, scan_options
from pyspark_logs.planning import Splits
from pyspark_logs.reader import LogReader, ReadPlan


@dataclass
class ScanSummary(RecordMetrics):
    """Numbers of records of a :func:`scan`. After all batches are read, ``records == rows + filtered + dropped``.

    Attributes:
        records: number of records in the files.
        rows: number of rows returned.
        filtered: number of records outside of the time range or excluded by a filter.
        dropped: number of records dropped by ``mode=DROPMALFORMED``.
        corrupt: number of records that do not match and were not filtered; part of ``rows`` or ``dropped``.
        files: number of files opened.
        reasons: number of corrupt records by reason; after 100 reasons, all others are counted as ``other``.
        damaged: number of files read up to damage in their compression, with ``ignoreCorruptFiles``.
        joined: number of lines joined to the record before them, by ``multiLine``, within quotes, or as parts of a line.
        appended: number of records with text after the last field of their format; records that were not read to their end do
            not count.
        retries: number of repeated requests of reading by error code, such as ``SlowDown``; those of listing are not counted.
        engines: number of records by the engine that decoded them: ``compiled``, ``numpy``, or ``line parser`` for the
            records that are decoded one at a time.

    >>> ScanSummary()  # doctest: +NORMALIZE_WHITESPACE
    ScanSummary(records=0, rows=0, filtered=0, dropped=0, corrupt=0, files=0, reasons={}, damaged=0, joined=0, appended=0,
    retries={})
    """


def scan(
    path: str | os.PathLike[str] | list[str],
    *,
    summary: ScanSummary | None = None,
    threads: int | None = None,
    progress: Callable[[ReadProgress], object] | None = None,
    **options: Any,
) -> pa.RecordBatchReader:
    r"""Reads log files as Arrow record batches, without Spark.

    Args:
        path: directory, file or glob, or a list of them.
        summary: object that is updated while batches are read; use a new one for each scan. It is an argument because
            a ``pyarrow.RecordBatchReader`` cannot have further attributes.
        threads: number of threads that read; by default the number of processors, at most 8. The order of the rows does not
            depend on it.
        progress: function that is called after each batch of rows.
        **options: options of ``spark.read.format("logs")``, as strings or of the natural Python type; ``schema`` is a
            DDL string or a ``pyarrow.Schema``.

    Returns:
        A reader of record batches, for ``.read_all()``, iteration, DuckDB or Polars, ordered by the paths of the files. Files
        are listed before this function returns. Reading starts with the first requested batch, and runs ahead of the consumer
        within bounded memory.

    Raises:
        LogSourceError: see :mod:`pyspark_logs.errors`.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "app.log").write_text("INFO started\nWARN slow\n")
    >>> scan(str(folder), template="{level} {message}").read_all().to_pylist()
    [{'level': 'INFO', 'message': 'started'}, {'level': 'WARN', 'message': 'slow'}]
    >>> summary = ScanSummary()
    >>> scan(str(folder), template="{level} {n:int}", summary=summary).read_all().num_rows
    2
    >>> summary.corrupt, summary.reasons
    (2, {"field 'n': not a whole number": 2})
    """
    return open_scan(path, options, summary=summary, threads=threads, progress=progress)


def open_scan(
    path: str | os.PathLike[str] | list[str],
    options: dict[str, Any],
    *,
    summary: ScanSummary | None = None,
    threads: int | None = None,
    progress: Callable[[ReadProgress], object] | None = None,
    stops_early: bool = False,
) -> pa.RecordBatchReader:
    """Returns the reader of :func:`scan`.

    Args:
        path: directory, file or glob, or a list of them.
        options: options of the reader.
        summary: object that is updated while batches are read.
        threads: number of threads that read.
        progress: function that is called after each batch of rows.
        stops_early: True if only the first rows will be read, so that few files are read ahead of them.
    """
    if summary is not None and not isinstance(summary, RecordMetrics):
        raise OptionError(f"summary: {summary!r} is not a ScanSummary; write summary=pyspark_logs.ScanSummary()")
    check_progress(progress)
    count = default_threads() if threads is None else parse_positive_count("threads", threads)
    parsed, schema = resolve_load(path, options)
    reader = LogReader(scan_options(parsed, count), schema)
    metrics = summary if summary is not None else ScanSummary()
    plan = reader.plan()
    if progress is None:
        batches = read_plan(reader, plan, metrics, count, stops_early=stops_early)
        return pa.RecordBatchReader.from_batches(reader.target(), batches)
    finished: list[int] = []
    batches = read_plan(reader, plan, metrics, count, finished=finished.append, stops_early=stops_early)
    return pa.RecordBatchReader.from_batches(reader.target(), _reporting(batches, plan, finished, metrics, progress))


def _reporting(
    batches: Iterator[pa.RecordBatch],
    plan: ReadPlan,
    finished: list[int],
    metrics: RecordMetrics,
    progress: Callable[[ReadProgress], object],
) -> Iterator[pa.RecordBatch]:
    """Yields batches, and reports the progress after each of them.

    Args:
        batches: batches of the plan.
        plan: plan of the scan.
        finished: stored bytes of the parts of the plan that were read, which the iterator of the batches extends.
        metrics: counts of the records so far.
        progress: function that receives the progress.
    """
    total = sum(sum(cast("Splits", task.splits).lengths) for task in plan.tasks)
    before, started = metrics.copy(), time.monotonic()
    for batch in batches:
        yield batch
        counts, seconds = metrics.since(before), time.monotonic() - started
        progress(ReadProgress(sum(finished), total, counts.records, counts.corrupt, seconds))
