"""Spans of the splits of a task, with the counts of their records."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.planning import FileSplit
from pyspark_logs.telemetry import Attributes, Span


def traced(
    task: Span, split: FileSplit, batches: Iterator[pa.RecordBatch], metrics: RecordMetrics
) -> Iterator[pa.RecordBatch]:
    """Returns the batches of a split; in a span of their own if that of the task is recorded."""
    return _in_span(task, split, batches, metrics) if task.is_recording else batches


def record_counts(counted: RecordMetrics) -> dict[str, int]:
    """Returns the attributes of a span for counts of records."""
    return {f"pyspark_logs.{name}": getattr(counted, name) for name in _COUNTS}


_COUNTS = ("records", "rows", "filtered", "dropped", "corrupt")


def _in_span(
    task: Span, split: FileSplit, batches: Iterator[pa.RecordBatch], metrics: RecordMetrics
) -> Iterator[pa.RecordBatch]:
    attributes: Attributes = {
        "file.path": split.path,
        "file.size": split.size,
        "pyspark_logs.split.start": split.start,
        "pyspark_logs.split.length": split.length,
    }
    before = metrics.copy()
    with task.child("pyspark_logs.read_split", attributes) as span:
        try:
            yield from batches
        finally:
            span.set(record_counts(metrics.since(before)))
