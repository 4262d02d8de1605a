"""The stream readers that Spark calls: with admission control from Spark 4.2 on, and without it before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql.datasource import DataSourceStreamReader, InputPartition
from pyspark.sql.types import StructType

from pyspark_logs.datasource.batch_reader import LogPartition
from pyspark_logs.datasource.schemas import to_ddl
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
except ImportError:  # pragma: no cover - older Sparks
    ReadAllAvailable = ReadLimit = ReadMaxBytes = ReadMaxFiles = None  # type: ignore[assignment,misc]
    SupportsTriggerAvailableNow = object  # type: ignore[assignment,misc]


class _StreamReader(LogStream, DataSourceStreamReader):
    """What both readers do."""

    def __init__(self, options: ReadOptions, schema: StructType) -> None:
        LogStream.__init__(self, options, to_ddl(schema))

    def initialOffset(self) -> dict[str, Any]:  # noqa: N802 - Spark's name
        """Where a new query begins."""
        return self.initial_offset()

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> Sequence[InputPartition]:
        """The tasks of a batch, from what stands in its end offset."""
        return [LogPartition(task) for task in self.plan_batch(start, end)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Read one task, as a batch would."""
        if isinstance(partition, LogPartition):
            yield from self.reader.read_task(partition.task)

    def commit(self, end: dict[str, Any]) -> None:
        """A batch is done."""
        self.commit_batch(end)


class LogStreamReader(_StreamReader, SupportsTriggerAvailableNow):
    """A :class:`~pyspark_logs.stream.LogStream` for Spark 4.2 and later."""

    def getDefaultReadLimit(self) -> ReadLimit:  # noqa: N802 - Spark's name
        """``maxFilesPerTrigger``; where Spark hands it back, ``maxBytesPerTrigger`` holds, too."""
        return ReadMaxFiles(self.options.stream.max_files)

    def latestOffset(self, start: dict[str, Any], limit: ReadLimit) -> dict[str, Any]:  # noqa: N802 - Spark's name
        """Poll for files, as many as the limit allows."""
        stream = self.options.stream
        if isinstance(limit, ReadAllAvailable):
            return self.latest_offset(start, max_files=None, max_bytes=None)
        if isinstance(limit, ReadMaxBytes):
            return self.latest_offset(start, max_files=None, max_bytes=limit.max_bytes)
        most = limit.max_files if isinstance(limit, ReadMaxFiles) else stream.max_files
        return self.latest_offset(start, max_files=most, max_bytes=stream.max_bytes)

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802 - Spark's name
        """Look once; the query ends when that is read."""
        self.freeze()

    def reportLatestOffset(self) -> dict[str, Any] | None:  # noqa: N802 - Spark's name
        """How far the stream could be, by the last listing."""
        return self.newest()


class LogStreamReaderWithoutLimits(_StreamReader):
    """A :class:`~pyspark_logs.stream.LogStream` for Spark 4.0 and 4.1, which tell neither position nor limit.

    The position is the end of the batch that was planned last: after a restart Spark plans from the last offset to
    itself, before it asks for the latest one. ``Trigger.AvailableNow`` is one batch there, of so many files as the
    limits allow.
    """

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> Sequence[InputPartition]:
        """Plan, and remember how far that goes."""
        self._position = end
        return super().partitions(start, end)

    def latestOffset(self) -> dict[str, Any]:  # type: ignore[override]  # noqa: N802 - Spark's name
        """Poll for files behind the last batch, at most ``maxFilesPerTrigger`` and ``maxBytesPerTrigger``."""
        stream = self.options.stream
        start = self.__dict__.get("_position") or self.initial_offset()
        return self.latest_offset(start, max_files=stream.max_files, max_bytes=stream.max_bytes)


def stream_reader_class() -> type[LogStreamReader | LogStreamReaderWithoutLimits]:
    """The one that this Spark can call."""
    return LogStreamReaderWithoutLimits if ReadLimit is None else LogStreamReader
