"""Stream readers for Spark: with admission control for Spark 4.2 and later, without it for older versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyspark import TaskContext
from pyspark.sql.datasource import DataSourceStreamReader, InputPartition
from pyspark.sql.types import StructType

from pyspark_logs.auditing import TaskOrigin
from pyspark_logs.datasource.batch_reader import LogPartition
from pyspark_logs.datasource.schemas import check_condition, to_ddl
from pyspark_logs.datasource.worker_process import exclude_modules_from_collections
from pyspark_logs.options import ReadOptions
from pyspark_logs.stream import LogStream

try:  # since Spark 4.2
    from pyspark.sql.streaming.datasource import (
        ReadAllAvailable,
        ReadLimit,
        ReadMaxBytes,
        ReadMaxFiles,
        SupportsTriggerAvailableNow,
    )
except ImportError:  # pragma: no cover - Spark 4.0 and 4.1
    ReadAllAvailable = ReadLimit = ReadMaxBytes = ReadMaxFiles = None  # type: ignore[assignment,misc]
    SupportsTriggerAvailableNow = object  # type: ignore[assignment,misc]


class _CommonStreamReader(LogStream, DataSourceStreamReader):
    """Methods of both stream readers."""

    def __init__(self, options: ReadOptions, schema: StructType) -> None:
        LogStream.__init__(self, options, to_ddl(schema))
        check_condition(self.reader.condition, schema)

    def initialOffset(self) -> dict[str, Any]:  # noqa: N802 - Spark's name
        """Returns the offset at which a new query starts."""
        return self.initial_offset()

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> Sequence[InputPartition]:
        """Returns the tasks of a batch, whose files are in its end offset."""
        return [LogPartition(task) for task in self.plan_batch(start, end)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Reads a task as the batch reader does."""
        if isinstance(partition, LogPartition):
            yield from self.reader.read_task(partition.task, origin=_task_origin())
            exclude_modules_from_collections()

    def commit(self, end: dict[str, Any]) -> None:
        """Cleans the files of a finished batch, if the options say so."""
        self.commit_batch(end)


class LogStreamReader(_CommonStreamReader, SupportsTriggerAvailableNow):
    """Stream reader for Spark 4.2 and later."""

    def getDefaultReadLimit(self) -> ReadLimit:  # noqa: N802 - Spark's name
        """Returns the limit ``maxFilesPerTrigger``. :meth:`latestOffset` applies ``maxBytesPerTrigger`` together with it."""
        return ReadMaxFiles(self.options.stream.max_files)

    def latestOffset(self, start: dict[str, Any], limit: ReadLimit) -> dict[str, Any]:  # noqa: N802 - Spark's name
        """Returns the end of the next batch: lists files and selects as many as the limit allows."""
        stream = self.options.stream
        if isinstance(limit, ReadAllAvailable):
            return self.latest_offset(start, max_files=None, max_bytes=None)
        if isinstance(limit, ReadMaxBytes):
            return self.latest_offset(start, max_files=None, max_bytes=limit.max_bytes)
        max_files = limit.max_files if isinstance(limit, ReadMaxFiles) else stream.max_files
        return self.latest_offset(start, max_files=max_files, max_bytes=stream.max_bytes)

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802 - Spark's name
        """Lists files once; the query ends when these files are read."""
        self.freeze()

    def reportLatestOffset(self) -> dict[str, Any] | None:  # noqa: N802 - Spark's name
        """Returns the newest file by the last listing, and number, bytes and age of the files that wait, for progress reports."""
        return self.newest()


class LogStreamReaderWithoutLimits(_CommonStreamReader):
    """Stream reader for Spark 4.0 and 4.1, which pass neither a start offset nor a limit to ``latestOffset``.

    The start is the end of the batch that was planned last. After a restart Spark plans a batch from the last offset to
    the same offset before it asks for the latest offset. ``Trigger.AvailableNow`` is one batch, with as many files as
    the limits allow.
    """

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> Sequence[InputPartition]:
        """Plans a batch and records its end as the start of the next one."""
        self._planned_end = end
        return super().partitions(start, end)

    def latestOffset(self) -> dict[str, Any]:  # type: ignore[override]  # noqa: N802 - Spark's name
        """Returns the end of the next batch, within ``maxFilesPerTrigger`` and ``maxBytesPerTrigger``."""
        stream = self.options.stream
        start = self.__dict__.get("_planned_end") or self.initial_offset()
        return self.latest_offset(start, max_files=stream.max_files, max_bytes=stream.max_bytes)


def _task_origin() -> TaskOrigin:
    """Returns the ids of query and batch that Spark passes to the tasks of a stream."""
    context = TaskContext.get()
    if context is None:
        return TaskOrigin()
    run, batch = (context.getLocalProperty(name) for name in ("sql.streaming.queryId", "streaming.sql.batchId"))
    return TaskOrigin(run, None if batch is None else int(batch))


def stream_reader_class() -> type[LogStreamReader | LogStreamReaderWithoutLimits]:
    """Returns the class of stream readers for the installed version of Spark: 4.0 has no ``ReadLimit``."""
    return LogStreamReaderWithoutLimits if ReadLimit is None else LogStreamReader
