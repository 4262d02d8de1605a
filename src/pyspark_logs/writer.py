"""Writes log files without Spark: a check on the driver, staging in tasks, one commit on the driver.

The data that travels between driver and executors is plain: the writer itself, a :class:`~pyspark_logs.jobs.Job` and
:class:`TaskOutput`. No file is visible before :meth:`LogWriter.commit_job` has written its decision.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from pyspark_logs.codecs import codec_for
from pyspark_logs.commit import CommitResult, CommitSettings, Table, abort, commit
from pyspark_logs.errors import LogSourceError, OptionError, RecordError, SchemaError, StoreError
from pyspark_logs.formats.interface import Format, RowEncoder
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.jobs import CLAIMS, COMMITS, Job, StagedFile, Transaction
from pyspark_logs.layout import Layout, hive_layout, is_hidden_key
from pyspark_logs.options import RecordOptions, WriteOptions
from pyspark_logs.routing import Router
from pyspark_logs.schema import parse_ddl
from pyspark_logs.staging import TaskFiles, check_part_size
from pyspark_logs.staging.background import BackgroundFiles
from pyspark_logs.store import Store, normalise, open_store, split_scheme
from pyspark_logs.telemetry import Attributes, start_span

_MAX_ROWS = 65_536
CORRUPT = RecordOptions().corrupt_column


@dataclass(frozen=True)
class TaskOutput:
    """The staged files of one task, which are not yet visible.

    Attributes:
        job: job of the task.
        files: staged files.
        rows: number of rows in the files.
    """

    job: Job
    files: tuple[StagedFile, ...]
    rows: int


class LogWriter:
    """Writes rows of one schema below one path.

    A writer is created once on the driver and copied to the tasks, which therefore share its random value.

    Args:
        options: checked options.
        schema_ddl: columns of the rows as Spark DDL.
        overwrite: True to replace the existing files: all of them, or with ``overwriteScope=partitions`` those of the
            directories that are written to.
    """

    def __init__(self, options: WriteOptions, schema_ddl: str, *, overwrite: bool = False) -> None:
        path = normalise(options.path)
        self.options = replace(options, path=path if path.endswith("/") else path + "/")
        self.schema_ddl = schema_ddl
        self.overwrite = overwrite
        self.started_us = time.time_ns() // 1000
        self.random = secrets.token_hex(16)

    @property
    def form(self) -> Format:
        """Format of the files, resolved at most once in each process."""
        return resolve_format(self.options.format)

    def schema(self) -> pa.Schema:
        """Returns the Arrow schema to which batches are cast."""
        return parse_ddl(self.schema_ddl)

    # --- driver, before any task ---------------------------------------------------------------------------

    def check(self) -> None:
        """Raises an error for a job that cannot succeed for any row. Sends no request.

        Raises:
            SchemaError: a column that the format lacks, one that it needs and the rows lack, or one of a wrong type.
            OptionError: a path or a layout that cannot be written to, or a size that the store does not accept.
            StoreError: a store that is read-only.
        """
        own = next((name for name in self.options.path.split("/") if f"{name}/" in (COMMITS, CLAIMS)), None)
        if own is not None:
            # An overwrite there would delete decisions that the readers of a table need.
            raise OptionError(
                f"cannot write to {self.options.path}: {own}/ holds the documents of the jobs that wrote to the directory above it;"
                " write to another directory"
            )
        root = normalise(self.options.path)
        if not split_scheme(root)[0] and Path(root).is_file():
            raise OptionError(
                f"cannot write to {self.options.path}: it is a file; give a directory, whose files are named by the job"
            )
        store = self._store()
        if not store.writable:
            raise StoreError(
                f"cannot write to {self.options.path}: {store.scheme}:// is read-only here; write to s3://, to local files,"
                " or to memory:// in tests"
            )
        check_part_size(store, self.options.rules)
        codec_for("", self.options.rules.compression).compressor(self.options.rules.compression_level)
        self._encoder(self._router())

    def job(self, *, query_id: str | None = None, batch: int | None = None) -> Job:
        """Returns the job of this writer, or of one batch of a streaming query. Equal in all copies of the writer."""
        rules = self.options.rules
        transaction, random = None, self.random
        if query_id is not None and batch is not None:
            transaction, random = Transaction.of_batch(query_id, batch), f"{self.random}-{batch}"
        elif rules.txn_id is not None:
            transaction = Transaction.of_id(rules.txn_id)
        return Job.start(
            self.options.path,
            random=random,
            now_us=self.started_us,
            mode="overwrite" if self.overwrite else "append",
            scope=rules.overwrite_scope,
            transaction=transaction,
        )

    # --- executor ------------------------------------------------------------------------------------------

    def write_task(self, batches: Iterable[pa.RecordBatch], job: Job, *, task: int = 0, attempt: int = 0) -> TaskOutput:
        """Routes, encodes, compresses and stages the rows of one task.

        Args:
            batches: batches with the columns of :meth:`schema`, in its order; types are cast if no value is lost.
            job: the result of :meth:`job`.
            task: number of the task, a part of its files' names.
            attempt: number that no other attempt at this task has.

        Raises:
            RecordError: a value that would not read back, with ``onUnwritable=fail``; a row without a time for the layout.
            SchemaError: batches of another schema.
            StoreError: the store refused or failed; staged files are discarded.
        """
        schema, router = self.schema(), self._router()
        encoder = self._encoder(router)
        files = BackgroundFiles(
            TaskFiles(
                self._store(),
                job=job,
                task=task,
                attempt=attempt,
                rules=self.options.rules,
                suffix=self._suffix(),
                to_bytes=encoder.to_bytes,
                head=encoder.head,
            )
        )
        rows = 0
        attributes: Attributes = {"pyspark_logs.job": job.id, "pyspark_logs.root": job.root, "pyspark_logs.task": task}
        try:
            with start_span("pyspark_logs.write_task", attributes) as span:
                for batch in _slice(batches):
                    cast = _cast(batch, schema)
                    encoded = encoder.encode(cast, rows)
                    for directory, indices in router.route(cast):
                        files.write(directory, encoded if indices is None else encoded.take(indices))
                    rows += batch.num_rows
                staged = files.close()
                sizes = sum(file.size for file in staged)
                span.set({"pyspark_logs.rows": rows, "pyspark_logs.files": len(staged), "pyspark_logs.bytes": sizes})
        except BaseException as error:
            files.discard()
            if isinstance(error, RecordError):
                raise RecordError(f"task {task}: {error}", record=error.record) from error
            raise
        return TaskOutput(job, staged, rows)

    # --- driver, after all tasks ---------------------------------------------------------------------------

    def commit_job(self, job: Job, outputs: Sequence[TaskOutput | None]) -> CommitResult:
        """Makes the files of all tasks visible by one decision.

        Args:
            job: the result of :meth:`job`.
            outputs: one output for each task. ``None`` stands for a task without a message; the job is then rolled back,
                because the files of that task are not known.

        Raises:
            LogSourceError: a task has no output; no file of this writer is visible.
            CommitConflictError: another writer has committed first; no file of this writer is visible.
            CommitStateUnknownError: the writer could not determine if the files are visible; run ``recover``, or write
                again with the same ``txnId``.
            StoreError: the store refused or failed before the decision.
        """
        received = [output for output in outputs if output is not None]
        for output in received:
            if output.job != job:
                raise OptionError(
                    f"job {job.id} cannot commit what a task staged for job {output.job.id}: a task and the driver are of"
                    " different runs; run the query again"
                )
        if len(received) < len(outputs):
            error = LogSourceError(
                f"job {job.id} at {job.root} cannot commit: {len(outputs) - len(received)} of {len(outputs)} tasks sent no"
                " message, so their rows would be missing. None of the job's files are visible; run the job again"
            )
            try:
                self.abort_job(job, received)
            except StoreError as failure:
                raise error from failure
            raise error
        files = [file for output in received for file in output.files]
        return commit(self._store(), job, files, self._settings(), table=self._table())

    def abort_job(self, job: Job, outputs: Sequence[TaskOutput]) -> None:
        """Discards the staged files that are known; ``recover`` and ``vacuum`` remove all others."""
        abort(self._store(), job, [file for output in outputs for file in output.files], self._settings())

    def _table(self) -> Table:
        """Returns the files that a reader with this layout reads, and an overwrite replaces."""
        layout = self._layout()  # parsing it again for each key would take ten times as long as a match
        return Table(lambda key: not is_hidden_key(key) and layout.matches(key), layout.spellings)

    # --- parts -----------------------------------------------------------------------------------------------

    def _settings(self) -> CommitSettings:
        rules = self.options.rules
        return CommitSettings(
            threads=rules.commit_threads,
            record_retention_us=rules.record_retention_us,
            txn_retention_us=rules.txn_retention_us,
            snapshot_retries=rules.snapshot_retries,
        ).with_minimum()

    def _store(self) -> Store:
        return open_store(self.options.path, self.options.store)

    def _router(self) -> Router:
        rules = self.options.rules
        return Router(self._layout(), self.schema(), self._time_column(), on_unwritable=rules.on_unwritable)

    def _layout(self) -> Layout:
        options = self.options
        return hive_layout([]) if options.layout is None else Layout.parse(options.layout, options.zone)

    def _time_column(self) -> str | None:
        """Returns the column from which a reader of the same options takes the time, whatever the order of the columns."""
        known = self.form.schema()
        if self.options.time_column is not None or known is None:
            return self.options.time_column
        given = {field.name.lower() for field in self.schema() if pa.types.is_timestamp(field.type)}
        times = (field.name for field in known if pa.types.is_timestamp(field.type))
        return next((name for name in times if name.lower() in given), None)

    def _encoder(self, router: Router) -> RowEncoder:
        schema = self._record_schema(router)
        return self.form.encoder(schema, zone=self.options.zone, on_unwritable=self.options.rules.on_unwritable)

    def _suffix(self) -> str:
        return self.form.suffix + codec_for("", self.options.rules.compression).suffix

    def _record_schema(self, router: Router) -> pa.Schema:
        """Returns the columns of a record: all but those that readers take from the path alone."""
        known = self.form.schema()
        conflicts = [f.name for f in self.schema() if self.form.is_open and f.name.lower() == CORRUPT]
        if conflicts:
            kind = self.options.format.kind.replace("json", "JSON")
            raise SchemaError(
                f"column {conflicts[0]!r}: a reader of {kind} fills this column itself; rename it, or drop it"
            )
        in_record = set() if known is None else {name.lower() for name in known.names}
        fields = [f for f in self.schema() if f.name not in router.columns_in_path or f.name.lower() in in_record]
        if not fields:
            raise SchemaError(
                "nothing is left to write into a line: all columns are in the path; add one, or leave out the layout"
            )
        return pa.schema(fields)


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Returns a batch cast to the schema: Spark sends times in the zone of the session, and other callers any types."""
    if batch.schema.names != schema.names:
        raise SchemaError(f"a batch has the columns {', '.join(batch.schema.names)}, not {', '.join(schema.names)}")
    try:
        columns = [
            column if column.type == field.type else column.cast(field.type)
            for column, field in zip(batch.columns, schema, strict=True)
        ]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SchemaError(
            f"a batch with the schema {batch.schema} does not fit {schema}: {error}; cast or round its columns before the write"
        ) from error
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _slice(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yields the same rows in batches of at most 64 k rows: encoding needs memory in proportion to a batch."""
    for batch in batches:
        for start in range(0, batch.num_rows, _MAX_ROWS):
            yield batch.slice(start, _MAX_ROWS)
