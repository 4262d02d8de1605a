"""The writers that Spark calls: of batches, and of the micro-batches of a stream.

Of a batch Spark pickles one writer to the tasks and calls it again to commit. Of a stream it commits on a new one,
so everything is in the messages: the job, which all tasks of a micro-batch have built from the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyspark import TaskContext
from pyspark.sql import datasource as sparks
from pyspark.sql.datasource import DataSourceArrowWriter, DataSourceStreamWriter, WriterCommitMessage
from pyspark.sql.types import StructType

from pyspark_logs.datasource.schemas import to_ddl
from pyspark_logs.errors import LogSourceError
from pyspark_logs.jobs import Job
from pyspark_logs.options import WriteOptions
from pyspark_logs.writer import LogWriter, TaskOutput


@dataclass(frozen=True)
class LogCommitMessage(WriterCommitMessage):
    """What a task tells the driver: all that committing it needs."""

    output: TaskOutput


class LogBatchWriter(LogWriter, DataSourceArrowWriter):
    """A :class:`~pyspark_logs.writer.LogWriter` that Spark can call."""

    def __init__(self, options: WriteOptions, schema: StructType, overwrite: bool) -> None:
        super().__init__(options, to_ddl(schema, strict=False), overwrite=overwrite)

    def write(self, iterator: Iterator[pa.RecordBatch]) -> WriterCommitMessage:
        """Stage the rows of one task."""
        return LogCommitMessage(_write(self, iterator, self.job(), _context()))

    def commit(self, messages: list[WriterCommitMessage | None]) -> None:
        """Make the files of all tasks visible, by one decision."""
        self.commit_job(self.job(), _outputs(messages))

    def abort(self, messages: list[WriterCommitMessage | None]) -> None:
        """Take back what tasks staged."""
        self.abort_job(self.job(), _outputs(messages))


# Spark 4.0 has no Arrow writer for streams by name, but gives batches to any writer that is one of Arrow.
_STREAM_WRITER: tuple[Any, ...] = (
    (sparks.DataSourceStreamArrowWriter,)
    if hasattr(sparks, "DataSourceStreamArrowWriter")
    else (DataSourceStreamWriter, DataSourceArrowWriter)
)


class LogStreamWriter(LogWriter, *_STREAM_WRITER):  # type: ignore[misc]
    """A :class:`~pyspark_logs.writer.LogWriter` for the micro-batches of a stream."""

    def __init__(self, options: WriteOptions, schema: StructType) -> None:
        super().__init__(options, to_ddl(schema, strict=False))

    def write(self, iterator: Iterator[pa.RecordBatch]) -> WriterCommitMessage:
        """Stage the rows of one task of a micro-batch."""
        context = _context()
        query = context.getLocalProperty("sql.streaming.queryId")
        batch = context.getLocalProperty("streaming.sql.batchId")
        if query is None or batch is None:
            raise LogSourceError(
                "this Spark does not tell its tasks the ids of query and batch, without which a batch could be written twice;"
                " write with foreachBatch and the option txnId"
            )
        return LogCommitMessage(_write(self, iterator, self.job(query_id=query, batch=int(batch)), context))

    def commit(self, messages: list[WriterCommitMessage | None], batchId: int) -> None:  # noqa: N803 - Spark's name
        """Make a micro-batch visible; once, however often it is replayed."""
        outputs = _outputs(messages)
        jobs = {output.job for output in outputs}
        if len(jobs) > 1:
            raise LogSourceError(
                f"batch {batchId}: its tasks wrote for {len(jobs)} jobs ({', '.join(sorted(job.id for job in jobs))}), so some of"
                " them are of another run of this query; restart the query"
            )
        # Without a row there is nothing that could be there twice.
        if any(output.files for output in outputs):
            self.commit_job(outputs[0].job, outputs)

    def abort(self, messages: list[WriterCommitMessage | None], batchId: int) -> None:  # noqa: N803 - Spark's name
        """Take back what tasks staged."""
        outputs = _outputs(messages)
        for job in {output.job: None for output in outputs}:
            self.abort_job(job, [output for output in outputs if output.job == job])


def _write(writer: LogWriter, batches: Iterable[pa.RecordBatch], job: Job, context: TaskContext) -> TaskOutput:
    # Attempt numbers begin anew when a stage is run again; the id of an attempt does not come twice.
    return writer.write_task(batches, job, task=context.partitionId(), attempt=context.taskAttemptId())


def _context() -> TaskContext:
    context = TaskContext.get()
    if context is None:
        raise LogSourceError("this is called by Spark in a task; without Spark use pyspark_logs.write()")
    return context


def _outputs(messages: Sequence[WriterCommitMessage | None]) -> list[TaskOutput]:
    """What tasks said; those that failed said nothing."""
    return [message.output for message in messages if isinstance(message, LogCommitMessage)]
