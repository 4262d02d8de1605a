"""The door without Spark: the same plan and the same rows as a RecordBatchReader."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.options import parse_read_options
from pyspark_logs.reader import LogReader, infer_schema


@dataclass
class ScanSummary(RecordMetrics):
    """What became of the records of a :func:`scan`: ``records == rows + filtered + dropped`` once all are read.

    Attributes:
        records: that were found.
        rows: that were given.
        filtered: that a time range or a filter left out.
        dropped: that did not match, with ``mode=DROPMALFORMED``.
        corrupt: that did not match and were not filtered; they count among ``rows`` or ``dropped``, too.
        files: whose reading has begun.
        reasons: how many of the corrupt ones there are by reason; beyond 100 reasons the others count as ``other``.

    >>> ScanSummary()
    ScanSummary(records=0, rows=0, filtered=0, dropped=0, corrupt=0, files=0, reasons={})
    """


def scan(
    path: str | os.PathLike[str] | list[str], *, summary: ScanSummary | None = None, **options: Any
) -> pa.RecordBatchReader:
    r"""Read log files without Spark.

    Args:
        path: a directory, file or glob, or a list of them.
        summary: is filled while batches are read; a new one for each scan. It is an argument, since a
            ``pyarrow.RecordBatchReader`` takes no attributes.
        **options: the options of ``spark.read.format("logs")``, as strings or of the natural Python
            type; ``schema`` is a DDL string or a ``pyarrow.Schema``.

    Returns:
        A reader of record batches: ``.read_all()``, iterate it, or hand it to DuckDB or Polars. Planning
        is done when this returns; files are read as batches are asked for.

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
    parsed = parse_read_options({**options, ("paths" if isinstance(path, (list, tuple)) else "path"): path})
    reader = LogReader(parsed, parsed.schema if parsed.schema is not None else infer_schema(parsed))
    plan = reader.plan()

    def batches() -> Iterator[pa.RecordBatch]:
        for task in plan.tasks:
            yield from reader.read_task(task, summary)

    return pa.RecordBatchReader.from_batches(reader.target(), batches())
