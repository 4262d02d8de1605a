"""The public function ``write``: writes Arrow batches as log files without Spark."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
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
    """Result of :func:`write`.

    Attributes:
        job: id of the job, which is part of the names of its files.
        committed: True if the job is committed; False if an earlier job with the same ``txnId`` made it a no-op.
        files: paths of the files, relative to the directory.
        rows: number of rows in the files.
        bytes: compressed size of the files.
    """

    job: str
    committed: bool
    files: tuple[str, ...]
    rows: int
    bytes: int


_MODE_ADVICE = {
    **dict.fromkeys(("w", "replace", "truncate"), "; write mode='overwrite'"),
    **dict.fromkeys(("a", "x"), "; write mode='append'"),
    **dict.fromkeys(
        ("error", "errorifexists", "ignore"),
        "; a write with a txnId happens once, and a directory may have files of others",
    ),
    **dict.fromkeys(
        ("permissive", "dropmalformed", "failfast"),
        ", and this mode is one of readers; onUnwritable is that of writers",
    ),
}


def write(
    batches: pa.Table | pa.RecordBatch | pa.RecordBatchReader | Iterable[pa.RecordBatch],
    path: str | os.PathLike[str],
    *,
    mode: str = "append",
    schema: pa.Schema | str | None = None,
    **options: Any,
) -> WriteResult:
    r"""Writes rows as log lines, without Spark. All files become visible to readers at once, or none.

    Args:
        batches: table, batch, reader, an object that exports an Arrow stream, such as a DataFrame of Polars or pandas, or an
            iterable of batches with one schema.
        path: directory to write to.
        mode: ``append``, or ``overwrite`` to replace the files that ``overwriteScope`` selects.
        schema: schema of the batches, a ``pyarrow.Schema`` or DDL; required if an iterable may be empty.
        **options: options of ``df.write.format("logs")``, as strings or of the natural Python type.

    Raises:
        OptionError, SchemaError: bad arguments; raised before rows are written.
        RecordError: a value would not read back, and ``onUnwritable`` is ``fail``. No file is visible.
        CommitConflictError: another writer was faster. No file is visible.
        CommitStateUnknownError: it is unknown if the job is committed.
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
        raise OptionError(f"mode {mode!r} is not 'append' or 'overwrite'{_MODE_ADVICE.get(str(mode).lower(), '')}")
    batch_schema, rows = _batches(batches, parse_ddl(schema) if isinstance(schema, str) else schema)
    parsed = parse_write_options({**options, "path": path})
    writer = LogWriter(parsed, to_ddl(all_nullable(batch_schema)), overwrite=mode == "overwrite")
    writer.check()
    job = writer.job()
    output = writer.write_task(rows, job)
    try:
        result = writer.commit_job(job, [output])
    except Exception:
        # A commit that fails before its decision, with an error of any class, leaves the job undecided. Roll it back, if the store
        # still answers; the error of the commit is the one to raise.
        with suppress(LogSourceError):
            writer.abort_job(job, [output])
        raise
    committed = result.outcome == "committed"
    files = output.files if committed else ()
    return WriteResult(
        job.id, committed, tuple(f.key for f in files), sum(f.rows for f in files), sum(f.size for f in files)
    )


def _batches(source: Any, schema: pa.Schema | None) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Returns the schema of the batches and an iterator over them."""
    if isinstance(source, pa.RecordBatch):
        return schema or source.schema, iter([source])
    if isinstance(source, pa.Table):
        return schema or source.schema, iter(source.to_batches())
    if isinstance(source, pa.RecordBatchReader):
        return schema or source.schema, iter(source)
    if hasattr(source, "__arrow_c_stream__"):
        reader = pa.RecordBatchReader.from_stream(source)
        return schema or reader.schema, iter(reader)
    if not isinstance(source, Iterable):
        raise OptionError(
            f"batches are a pyarrow.Table or an iterable of pyarrow.RecordBatch, not {type(source).__name__}; they are the first"
            " argument, and the path is the second"
        )
    if isinstance(source, Mapping):
        raise OptionError("batches are a dict; pyarrow.table(...) makes a table of a dict of columns")
    rows = iter(source)
    if schema is not None:
        return schema, rows
    first = next(rows, None)
    if first is None:
        raise OptionError("there is no batch to take the schema from; give schema=pyarrow.schema([...])")
    if not isinstance(first, pa.RecordBatch):
        raise OptionError(
            f"batches are pyarrow.RecordBatch, not {type(first).__name__}; pyarrow.Table.from_pylist makes a table of dicts,"
            " and pyarrow.Table.from_pandas of a pandas.DataFrame"
        )

    def with_first() -> Iterator[pa.RecordBatch]:
        yield first
        yield from rows

    return first.schema, with_first()
