"""The doors without Spark for writing: the same files, the same commit."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pyspark_logs.errors import LogSourceError, OptionError
from pyspark_logs.options import parse_write_options
from pyspark_logs.schema import all_nullable, parse_ddl, to_ddl
from pyspark_logs.writer import LogWriter


@dataclass(frozen=True)
class WriteResult:
    """What a write did.

    Attributes:
        job: its id, which is in the names of its files.
        committed: whether this very job is what readers see now; False: one with the same ``txnId`` was there before.
        files: paths of the files, relative to the directory written to.
        rows: in them.
        bytes: in them, compressed.
    """

    job: str
    committed: bool
    files: tuple[str, ...]
    rows: int
    bytes: int


def write(
    batches: pa.Table | pa.RecordBatch | pa.RecordBatchReader | Iterable[pa.RecordBatch],
    path: str | os.PathLike[str],
    *,
    mode: str = "append",
    schema: pa.Schema | str | None = None,
    **options: Any,
) -> WriteResult:
    r"""Write rows as log lines, without Spark. Readers see all of the files or none.

    Args:
        batches: a table, a batch, a reader, or batches of one schema in an iterable.
        path: the directory to write to.
        mode: ``append``, or ``overwrite`` to replace what is there (``overwriteScope`` says how much of it).
        schema: of the batches, a ``pyarrow.Schema`` or DDL; needed only where an iterable may be empty.
        **options: those of ``df.write.format("logs")``, as strings or of the natural Python type.

    Raises:
        OptionError, SchemaError: before anything is written.
        RecordError: a value that would not read back; see ``onUnwritable``. Nothing is visible.
        CommitConflictError: another writer was faster. Nothing is visible.
        CommitStateUnknownError: see there.
        StoreError: the store refused or failed.

    >>> import pathlib, tempfile
    >>> import pyarrow as pa
    >>> folder = tempfile.mkdtemp()
    >>> rows = pa.table({"level": ["INFO", "WARN"], "message": ["started", "slow"]})
    >>> write(rows, folder, template="{level} {message}", compression="none").rows
    2
    >>> [path.read_text() for path in pathlib.Path(folder).glob("*.log")]
    ['INFO started\nWARN slow\n']
    """
    if mode not in ("append", "overwrite"):
        raise OptionError(f"mode {mode!r} is not 'append' or 'overwrite'")
    found, rows = _batches(batches, parse_ddl(schema) if isinstance(schema, str) else schema)
    parsed = parse_write_options({**options, "path": path})
    writer = LogWriter(parsed, to_ddl(all_nullable(found)), overwrite=mode == "overwrite")
    writer.check()
    job = writer.job()
    output = writer.write_task(rows, job)
    try:
        result = writer.commit_job(job, [output])
    except Exception:
        # Before its decision a commit that fails leaves the job undecided; this decides it, as far as the store answers.
        with suppress(LogSourceError):
            writer.abort_job(job, [output])
        raise
    committed = result.outcome == "committed"
    files = output.files if committed else ()
    return WriteResult(
        job.id, committed, tuple(f.key for f in files), sum(f.rows for f in files), sum(f.size for f in files)
    )


def _batches(given: Any, schema: pa.Schema | None) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The schema, and the batches one after the other."""
    if isinstance(given, pa.RecordBatch):
        return schema or given.schema, iter([given])
    if isinstance(given, pa.Table):
        return schema or given.schema, iter(given.to_batches())
    if isinstance(given, pa.RecordBatchReader):
        return schema or given.schema, iter(given)
    rows = iter(given)
    if schema is not None:
        return schema, rows
    first = next(rows, None)
    if first is None:
        raise OptionError("there is no batch to take the schema from; give schema=pyarrow.schema([...])")
    if not isinstance(first, pa.RecordBatch):
        raise OptionError(
            f"batches are pyarrow.RecordBatch, not {type(first).__name__}; pyarrow.Table.from_... makes a table of it"
        )

    def all_of_them() -> Iterator[pa.RecordBatch]:
        yield first
        yield from rows

    return first.schema, all_of_them()
