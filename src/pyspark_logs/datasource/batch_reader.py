"""The batch reader that Spark calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyspark.sql.datasource import DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from pyspark_logs.datasource.filters import from_spark
from pyspark_logs.datasource.schemas import is_collated, to_ddl
from pyspark_logs.options import ReadOptions
from pyspark_logs.reader import LogReader, ReadTask


@dataclass(frozen=True)
class LogPartition(InputPartition):
    """One task of the plan, as Spark carries it to an executor."""

    task: ReadTask


class LogBatchReader(LogReader, DataSourceReader):
    """A :class:`~pyspark_logs.reader.LogReader` that Spark can call."""

    def __init__(self, options: ReadOptions, schema: StructType) -> None:
        super().__init__(options, to_ddl(schema))
        # Other collations compare strings in other ways than we do. A filter on the raw text of corrupt rows must not
        # decide which lines are judged.
        raw_text = options.records.corrupt_column.lower()
        self._takes = frozenset(f.name for f in schema.fields if f.name.lower() != raw_text and not is_collated(f))

    @property
    def pushFilters(self) -> _PushFilters:  # noqa: N802 - Spark's name
        """Takes filters from Spark, where Spark offers them; see :class:`_PushFilters`."""
        return _PushFilters(self)

    def partitions(self) -> list[InputPartition]:
        """Plan the read: list, prune, and cut into tasks."""
        return [LogPartition(task) for task in self.plan().tasks]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Read one task. Spark makes up a partition without one when the plan is empty."""
        if isinstance(partition, LogPartition):
            yield from self.read_task(partition.task)

    def take_filters(self, filters: list[Any]) -> list[Any]:
        """Take what is evaluated here exactly as in Spark; the rest is returned, by identity.

        Nothing is taken without the option ``filterPushdown``. Spark 4.1 to 4.3 keep what was pushed with the
        loaded frame, not with the query: after ``df.where(...).count()`` a plain ``df.count()`` reads with the
        filter, too, without asking us, and in a union of two filtered frames the last filter wins. Whoever gives
        the option promises to use each load in one query.
        """
        if not self.options.plan.filter_pushdown:
            return list(filters)
        predicates = [from_spark(spark_filter) for spark_filter in filters]
        ours = [predicate for predicate in predicates if predicate is not None and predicate.column in self._takes]
        taken = {id(predicate) for predicate, exact in zip(ours, self.push(ours), strict=True) if exact}
        return [kept for kept, predicate in zip(filters, predicates, strict=True) if id(predicate) not in taken]


class _PushFilters:
    """``reader.pushFilters``, passing for not overridden.

    Spark 4.1 and later refuse a reader that overrides ``pushFilters`` while ``spark.sql.python.filterPushdown.enabled``
    is off, which is the default, and a reader cannot see the setting. What they look at is the ``__func__`` of the
    bound method. Spark 4.0 has no ``pushFilters``, and does not look.
    """

    def __init__(self, reader: LogBatchReader) -> None:
        self.__func__ = getattr(DataSourceReader, "pushFilters", None)
        self._reader = reader

    def __call__(self, filters: list[Any]) -> list[Any]:
        return self._reader.take_filters(filters)
