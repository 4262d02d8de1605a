"""Batch reader for Spark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyspark.sql.datasource import DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from pyspark_logs.datasource.filters import from_spark
from pyspark_logs.datasource.schemas import check_condition, is_collated, to_ddl
from pyspark_logs.datasource.worker_process import exclude_modules_from_collections
from pyspark_logs.options import ReadOptions
from pyspark_logs.reader import LogReader
from pyspark_logs.task_reader import ReadTask


@dataclass(frozen=True)
class LogPartition(InputPartition):
    """A task of the plan, in the class that Spark sends to executors."""

    task: ReadTask


class LogBatchReader(LogReader, DataSourceReader):
    """A :class:`~pyspark_logs.reader.LogReader` with the methods of Spark's ``DataSourceReader``.

    Args:
        options: checked options.
        schema: requested columns.
        parallelism: number of tasks that Spark runs at the same time.
    """

    def __init__(self, options: ReadOptions, schema: StructType, parallelism: int = 1) -> None:
        super().__init__(options, to_ddl(schema))
        self._parallelism = parallelism
        check_condition(self.condition, schema)
        # The reader compares strings by bytes, which is wrong for other collations. A filter on the column for corrupt
        # records must not change which lines are validated.
        corrupt = options.records.corrupt_column.lower()
        self._pushable = frozenset(f.name for f in schema.fields if f.name.lower() != corrupt and not is_collated(f))

    @property
    def pushFilters(self) -> _PushFilters:  # noqa: N802 - Spark's name
        """Callable that accepts Spark's filters; see :class:`_PushFilters`."""
        return _PushFilters(self)

    def partitions(self) -> list[InputPartition]:
        """Plans the read: lists files, prunes them, and divides them into tasks."""
        tasks = self.start_audit(self.plan(self._parallelism)).tasks
        exclude_modules_from_collections()
        return [LogPartition(task) for task in tasks]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Reads a task. For an empty plan, Spark passes a partition of its own, which has no rows."""
        if isinstance(partition, LogPartition):
            yield from self.read_task(partition.task)
            exclude_modules_from_collections()

    def accept_filters(self, filters: list[Any]) -> list[Any]:
        """Accepts the filters that the reader evaluates exactly as Spark does, and returns the other filters.

        No filter is accepted without the option ``filterPushdown``. Spark 4.1 to 4.3 store pushed filters with the
        loaded frame, not with the query: after ``df.where(...).count()`` a plain ``df.count()`` reads with the
        filter, too, and in a union of two filtered frames the last filter wins. With the option, the user promises to
        use each load in one query.
        """
        if not self.options.plan.filter_pushdown:
            return list(filters)
        predicates = [from_spark(spark_filter) for spark_filter in filters]
        candidates = [
            predicate for predicate in predicates if predicate is not None and predicate.column in self._pushable
        ]
        accepted = {id(predicate) for predicate, exact in zip(candidates, self.push(candidates), strict=True) if exact}
        return [each for each, predicate in zip(filters, predicates, strict=True) if id(predicate) not in accepted]


class _PushFilters:
    """``LogBatchReader.pushFilters``, disguised as the inherited method.

    Spark 4.1 and later refuse a reader that overrides ``pushFilters`` while ``spark.sql.python.filterPushdown.enabled``
    is off, which is the default, and a reader cannot see the setting. Spark detects an override by the ``__func__`` of
    the bound method. Spark 4.0 has no ``pushFilters``.
    """

    def __init__(self, reader: LogBatchReader) -> None:
        self.__func__ = getattr(DataSourceReader, "pushFilters", None)
        self._reader = reader

    def __call__(self, filters: list[Any]) -> list[Any]:
        return self._reader.accept_filters(filters)
