"""Writers for Spark: of batches, and of the micro-batches of a stream.

For a batch, Spark pickles a writer to the tasks and commits with the same writer. For a stream, Spark commits with a
new writer, so the job is in the messages. All tasks of a micro-batch derive the same job from the ids of query and batch.
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
from pyspark_logs.datasource.worker_process import exclude_modules_from_collections
from pyspark_logs.errors import LogSourceError
from pyspark_logs.jobs import Job
from pyspark_logs.options import WriteOptions
from pyspark_logs.stream.feedback import check_feedback
from pyspark_logs.terminal_text import format_count
from pyspark_logs.writer import LogWriter, TaskOutput


@dataclass(frozen=True)
class LogCommitMessage(WriterCommitMessage):
    """Message of a task to the driver, with all data that the commit needs."""

    output: TaskOutput


class LogBatchWriter(LogWriter, DataSourceArrowWriter):
    """A :class:`~pyspark_logs.writer.LogWriter` with the methods of Spark's ``DataSourceArrowWriter``."""

    def __init__(self, options: WriteOptions, schema: StructType, overwrite: bool) -> None:
        super().__init__(options, to_ddl(schema, strict=False), overwrite=overwrite)

    def write(self, iterator: Iterator[pa.RecordBatch]) -> WriterCommitMessage:
        """Stages the rows of a task."""
        return LogCommitMessage(_write(self, iterator, self.job(), _context()))

    def commit(self, messages: list[WriterCommitMessage | None]) -> None:
        """Makes the files of all tasks visible with one decision."""
        self.commit_job(self.job(), _outputs(messages))

    def abort(self, messages: list[WriterCommitMessage | None]) -> None:
        """Deletes the staged files of all tasks."""
        self.abort_job(self.job(), _received(messages))


# Spark 4.0 has no DataSourceStreamArrowWriter, but passes Arrow batches to every DataSourceArrowWriter.
_STREAM_WRITER: tuple[Any, ...] = (
    (sparks.DataSourceStreamArrowWriter,)
    if hasattr(sparks, "DataSourceStreamArrowWriter")
    else (DataSourceStreamWriter, DataSourceArrowWriter)
)


class LogStreamWriter(LogWriter, *_STREAM_WRITER):  # type: ignore[misc]
    """A :class:`~pyspark_logs.writer.LogWriter` for micro-batches.

    Args:
        options: checked options.
        schema: schema of the rows.
        checkpoint: option ``checkpointLocation`` of the query; empty if Spark's configuration sets it.
    """

    def __init__(self, options: WriteOptions, schema: StructType, checkpoint: str = "") -> None:
        super().__init__(options, to_ddl(schema, strict=False))
        self.checkpoint = checkpoint

    def write(self, iterator: Iterator[pa.RecordBatch]) -> WriterCommitMessage:
        """Stages the rows of a task of a micro-batch."""
        context = _context()
        query = context.getLocalProperty("sql.streaming.queryId")
        batch = context.getLocalProperty("streaming.sql.batchId")
        if query is None or batch is None:
            raise LogSourceError(
                "this version of Spark does not pass the ids of query and batch to tasks, and without them a batch could be written twice;"
                " write with foreachBatch and the option txnId"
            )
        return LogCommitMessage(_write(self, iterator, self.job(query_id=query, batch=int(batch)), context))

    def commit(self, messages: list[WriterCommitMessage | None], batchId: int) -> None:  # noqa: N803 - Spark's name
        """Makes a micro-batch visible, once for all replays."""
        outputs, received = _outputs(messages), _received(messages)
        jobs = {output.job for output in received}
        if len(jobs) > 1:
            raise LogSourceError(
                f"batch {batchId}: its tasks wrote for {len(jobs)} jobs ({', '.join(sorted(job.id for job in jobs))}) instead of"
                " one, so some tasks belong to another run of this query; restart the query"
            )
        # A batch without rows cannot be written twice and needs no decision.
        if any(output.files for output in received) or len(received) < len(outputs):
            if not received:
                raise LogSourceError(
                    f"batch {batchId}: none of its {format_count(len(outputs), 'task')} sent a message; restart the query"
                )
            if self.checkpoint:
                check_feedback(self.checkpoint, batchId, self.options.path, self.options.store)
            self.commit_job(received[0].job, outputs)

    def abort(self, messages: list[WriterCommitMessage | None], batchId: int) -> None:  # noqa: N803 - Spark's name
        """Deletes the staged files of the tasks that sent a message; those of other tasks are left to ``vacuum``."""
        received = _received(messages)
        for job in {output.job: None for output in received}:
            self.abort_job(job, [output for output in received if output.job == job])


def _write(writer: LogWriter, batches: Iterable[pa.RecordBatch], job: Job, context: TaskContext) -> TaskOutput:
    # Attempt numbers restart when a stage is repeated; attempt ids are unique.
    output = writer.write_task(batches, job, task=context.partitionId(), attempt=context.taskAttemptId())
    exclude_modules_from_collections()
    return output


def _context() -> TaskContext:
    context = TaskContext.get()
    if context is None:
        raise LogSourceError("there is no Spark task; outside of Spark use pyspark_logs.write()")
    return context


def _outputs(messages: Sequence[WriterCommitMessage | None]) -> list[TaskOutput | None]:
    """Returns the output of each task, ``None`` for a task without a message."""
    return [message.output if isinstance(message, LogCommitMessage) else None for message in messages]


def _received(messages: Sequence[WriterCommitMessage | None]) -> list[TaskOutput]:
    """Returns the outputs of the tasks that sent a message."""
    return [output for output in _outputs(messages) if output is not None]
