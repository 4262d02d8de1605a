"""The door without Spark: the same plan and the same rows as a RecordBatchReader."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pyspark_logs.options import parse_read_options
from pyspark_logs.reader import LogReader, infer_schema

if TYPE_CHECKING:
    import pyarrow as pa


def scan(path: str | os.PathLike[str] | list[str], **options: Any) -> pa.RecordBatchReader:
    r"""Read log files without Spark.

    Args:
        path: a directory, file or glob, or a list of them.
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
    """
    import pyarrow as pa

    parsed = parse_read_options({**options, ("paths" if isinstance(path, (list, tuple)) else "path"): path})
    reader = LogReader(parsed, parsed.schema if parsed.schema is not None else infer_schema(parsed))
    plan = reader.plan()

    def batches() -> Iterator[pa.RecordBatch]:
        for task in plan.tasks:
            yield from reader.read_task(task)

    return pa.RecordBatchReader.from_batches(reader.target(), batches())
