"""The writer: checked on the driver, staged in tasks, committed on the driver. It knows no Spark.

What travels between the three is plain data: the writer itself, a :class:`~pyspark_logs.jobs.Job` and
:class:`TaskOutput`. Nothing is visible before :meth:`LogWriter.commit_job` has written its one decision.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from pyspark_logs.codecs import codec_for
from pyspark_logs.commit import CommitResult, CommitSettings, abort, commit
from pyspark_logs.errors import OptionError, RecordError, SchemaError, StoreError
from pyspark_logs.formats.interface import Format, RowEncoder
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.jobs import Job, StagedFile, Transaction
from pyspark_logs.layout import Layout, hive_layout, is_hidden_key
from pyspark_logs.options import RecordOptions, WriteOptions
from pyspark_logs.routing import Router
from pyspark_logs.schema import parse_ddl
from pyspark_logs.staging import TaskFiles, check_part_size
from pyspark_logs.store import Store, normalise, open_store

_MOST_ROWS = 65_536
CORRUPT = RecordOptions().corrupt_column


@dataclass(frozen=True)
class TaskOutput:
    """What one task staged; nobody sees it yet.

    Attributes:
        job: of which it is a part.
        files: the staged files.
        rows: in them.
    """

    job: Job
    files: tuple[StagedFile, ...]
    rows: int


class LogWriter:
    """Writes rows of one schema to one place.

    Args:
        options: checked options.
        schema_ddl: the columns of the rows, as Spark DDL.
        overwrite: whether what is there is replaced: all of it, or with ``overwriteScope=partitions`` the
            directories that are written to.

    A writer is made once on the driver and copied to the tasks: what it draws at random here, all of them share.
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
        """The Arrow schema that batches are converted to."""
        return parse_ddl(self.schema_ddl)

    # --- driver, before any task ---------------------------------------------------------------------------

    def check(self) -> None:
        """Refuse what cannot work for any row. Makes no request.

        Raises:
            SchemaError: a column that the format has no place for, one that it needs and the rows lack, or one of
                a wrong type.
            OptionError: a layout that cannot be written to, or a size that the store does not take.
            StoreError: a store that is read-only.
        """
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
        """The job of this writer; of a streaming batch, if one is given. The same in every copy of the writer."""
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
        """Route, render, compress and stage the rows of one task.

        Args:
            batches: with the columns of :meth:`schema`, in their order; types that convert without loss are converted.
            job: from :meth:`job`.
            task: number of the task, part of its files' names.
            attempt: what no other attempt at this task has.

        Raises:
            RecordError: a value that would not read back, with ``onUnwritable=fail``; a row without a time for its layout.
            SchemaError: batches of another schema.
            StoreError: the store refused or failed. What was staged is taken back.
        """
        schema, router = self.schema(), self._router()
        encoder = self._encoder(router)
        files = TaskFiles(
            self._store(),
            job=job,
            task=task,
            attempt=attempt,
            rules=self.options.rules,
            suffix=self._suffix(),
            to_bytes=encoder.to_bytes,
            head=encoder.head,
        )
        rows = 0
        try:
            for batch in _pieces(batches):
                converted = _converted(batch, schema)
                # Rendered as a whole, then dealt out to the directories.
                lines = encoder.encode(converted, rows)
                for directory, places in router.route(converted):
                    files.write(directory, lines if places is None else lines.take(places))
                rows += batch.num_rows
            staged = files.close()
        except BaseException as error:
            files.discard()
            if isinstance(error, RecordError):
                raise RecordError(f"task {task}: {error}", record=error.record) from error
            raise
        return TaskOutput(job, staged, rows)

    # --- driver, after all tasks ---------------------------------------------------------------------------

    def commit_job(self, job: Job, outputs: Sequence[TaskOutput]) -> CommitResult:
        """Make the files of all tasks visible, by one decision.

        Raises:
            CommitConflictError: another writer was faster; nothing of this one is visible.
            CommitStateUnknownError: whether the files are visible could not be found out; run ``recover``, or
                write again with the same ``txnId``.
            StoreError: the store refused or failed before the decision.
        """
        for output in outputs:
            if output.job != job:
                raise OptionError(
                    f"job {job.id} cannot commit what a task staged for job {output.job.id}: a task and the driver are of"
                    " different runs; run the query again"
                )
        files = [file for output in outputs for file in output.files]
        return commit(self._store(), job, files, self._settings(), of_table=self._is_of_table)

    def abort_job(self, job: Job, outputs: Sequence[TaskOutput]) -> None:
        """Take back what was staged, as far as it is known; the rest is for ``recover`` and ``vacuum``."""
        abort(self._store(), job, [file for output in outputs for file in output.files])

    def _is_of_table(self, key: str) -> bool:
        """Whether a key is one that a reader with this layout sees, and so an overwrite replaces."""
        return not is_hidden_key(key) and self._layout().match(key) is not None

    # --- parts -----------------------------------------------------------------------------------------------

    def _settings(self) -> CommitSettings:
        rules = self.options.rules
        return CommitSettings(
            threads=rules.commit_threads,
            record_retention_us=rules.record_retention_us,
            txn_retention_us=rules.txn_retention_us,
            snapshot_retries=rules.snapshot_retries,
        )

    def _store(self) -> Store:
        return open_store(self.options.path, self.options.store)

    def _router(self) -> Router:
        rules = self.options.rules
        return Router(self._layout(), self.schema(), self._time_column(), on_unwritable=rules.on_unwritable)

    def _layout(self) -> Layout:
        options = self.options
        return hive_layout([]) if options.layout is None else Layout.parse(options.layout, options.zone)

    def _time_column(self) -> str | None:
        """The column that a reader of the same options takes the time from, whatever the order of these rows' columns."""
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
        """The columns that a line holds: not those that readers have from the path alone."""
        known = self.form.schema()
        clash = [f.name for f in self.schema() if self.form.is_open and f.name.lower() == CORRUPT]
        if clash:
            kind = self.options.format.kind.replace("json", "JSON")
            raise SchemaError(
                f"column {clash[0]!r}: a reader of {kind} fills this column itself; rename it, or drop it"
            )
        both = set() if known is None else {name.lower() for name in known.names}
        fields = [f for f in self.schema() if f.name not in router.columns_in_path or f.name.lower() in both]
        if not fields:
            raise SchemaError(
                "nothing is left to write into a line: all columns are in the path; add one, or leave out the layout"
            )
        return pa.schema(fields)


def _converted(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch in the types of the schema: Spark sends times in the session's zone, and other writers what they have."""
    if batch.schema.names != schema.names:
        raise SchemaError(f"a batch has the columns {', '.join(batch.schema.names)}, not {', '.join(schema.names)}")
    try:
        columns = [
            column if column.type == field.type else column.cast(field.type)
            for column, field in zip(batch.columns, schema, strict=True)
        ]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SchemaError(f"a batch with the schema {batch.schema} does not fit {schema}: {error}") from error
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of at most 64 k rows: rendering needs memory by the batch."""
    for batch in batches:
        for start in range(0, batch.num_rows, _MOST_ROWS):
            yield batch.slice(start, _MOST_ROWS)
