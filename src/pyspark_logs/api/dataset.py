"""The public function ``dataset``: a load that can be read several times, with columns, a condition and a limit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pyarrow as pa

from pyspark_logs.api.loads import resolve_load
from pyspark_logs.api.read_progress import ReadProgress
from pyspark_logs.api.scan import ScanSummary, open_scan
from pyspark_logs.conditions import parse_where
from pyspark_logs.errors import OptionError, SchemaError
from pyspark_logs.options.numbers import parse_count
from pyspark_logs.reader import LogReader
from pyspark_logs.schema import parse_ddl


@dataclass(frozen=True)
class LogDataset:
    """Log files that can be read any number of times.

    Each call that reads lists the files again, so it returns files that came since the last call. The schema is determined
    once, by :func:`dataset`.

    Attributes:
        path: directory, file or glob, or a list of them.
        options: options of the reader.
        schema: columns of the files, or those of the option ``schema``.
        has_positional_columns: True if the columns of the schema are the values of a line in their order. All of them are then
            parsed, whatever the columns of a scan.
        is_permissive: False if ``mode`` drops or refuses records by any column, so that all columns decide about a row.
    """

    path: str | list[str]
    options: dict[str, Any]
    schema: pa.Schema
    has_positional_columns: bool = False
    is_permissive: bool = True

    def scan(
        self,
        *,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        limit: int | None = None,
        summary: ScanSummary | None = None,
        progress: Callable[[ReadProgress], object] | None = None,
    ) -> pa.RecordBatchReader:
        """Reads the files.

        Args:
            columns: names of the columns to parse, in order and without regard to case; None: all columns.
            where: condition as in the option ``where``, in addition to that option.
            limit: maximum number of rows; None for no limit. Reading stops after the batch of the last row.
            summary: object that receives the numbers of records.
            progress: function that is called after each batch of rows.

        Raises:
            LogSourceError: as :func:`pyspark_logs.scan`.
        """
        most = None if limit is None else parse_count("limit", limit)
        schema = self.schema if columns is None else select_columns(self.schema, columns)
        # Without names in the files, only the schema gives the positions of the values. The rows of a count are those of all
        # columns.
        is_count = not schema.names and not self.is_permissive
        parsed = self.schema if self.has_positional_columns or is_count else schema
        options = dict(self.options)
        if where is not None:
            parse_where(where, "UTC")
            given = self.options.get("where")
            options["where"] = where if given is None else f"({given}) AND ({where})"
        if parsed is schema and columns is not None:
            parsed = self._with_condition(schema, options.get("where"))
        options["schema"] = parsed
        reader = open_scan(self.path, options, summary=summary, progress=progress, stops_early=most is not None)
        if parsed is not schema:
            reader = _selected(reader, schema.names)
        return reader if most is None else _limited(reader, most)

    def _with_condition(self, schema: pa.Schema, where: str | None) -> pa.Schema:
        """Returns a schema with the columns that a condition names, so that these have the types of the dataset.

        The reader would give them the types of the format, or those of the literals with which they are compared.
        """
        if where is None:
            return schema
        named = {name.lower() for name in parse_where(where, "UTC").column_types()} - {"_metadata"}
        known = {name.lower() for name in schema.names}
        added = [field for field in self.schema if field.name.lower() in named - known]
        return pa.schema([*schema, *added]) if added else schema

    def to_batches(self, **arguments: Any) -> Iterator[pa.RecordBatch]:
        """Yields the record batches of :meth:`scan`, which has the same arguments."""
        with self.scan(**arguments) as reader:
            yield from reader

    def to_table(self, **arguments: Any) -> pa.Table:
        """Returns the rows of :meth:`scan`, which has the same arguments, as a table in memory."""
        with self.scan(**arguments) as reader:
            return reader.read_all()

    def head(self, rows: int = 10, **arguments: Any) -> pa.Table:
        """Returns the first rows."""
        return self.to_table(limit=parse_count("rows", rows), **arguments)

    def count_rows(self, where: str | None = None) -> int:
        """Returns the number of rows of ``to_table(columns=[], where=where)``.

        Columns that the condition does not name are parsed only with ``mode=DROPMALFORMED`` or ``FAILFAST``, because
        a value of any column can then drop the row or fail the query.
        """
        with self.scan(columns=(), where=where) as reader:
            return sum(batch.num_rows for batch in reader)

    def to_polars(self) -> Any:
        """Returns a ``polars.LazyFrame`` that parses only the columns of the query and reads no further than its limit.

        Raises:
            OptionError: polars is not installed.
        """
        try:
            import polars as pl
            from polars.io.plugins import register_io_source
        except ImportError as error:
            raise OptionError(
                "to_polars() needs polars 1.20 or later: pip install polars; to_table() needs no other package"
            ) from error

        def batches(with_columns: list[str] | None, predicate: Any, n_rows: int | None, _: int | None) -> Iterator[Any]:
            remaining = n_rows
            # The condition of the query is in the language of polars, so rows are filtered after they are parsed.
            with self.scan(columns=with_columns, limit=n_rows if predicate is None else None) as reader:
                for batch in reader:
                    frame = pl.from_arrow(batch, rechunk=False)
                    frame = frame if predicate is None else frame.filter(predicate)
                    frame = frame if remaining is None else frame.head(remaining)
                    remaining = None if remaining is None else remaining - len(frame)
                    yield frame
                    if remaining == 0:
                        return

        empty = pl.from_arrow(pa.table({field.name: pa.nulls(0, field.type) for field in self.schema}))
        return register_io_source(batches, schema=empty.schema)

    def __repr__(self) -> str:
        return f"LogDataset({self.path!r}, {', '.join(self.schema.names)})"


def dataset(path: str | os.PathLike[str] | list[str], **options: Any) -> LogDataset:
    r"""Returns log files as a dataset that can be read several times, without Spark.

    Args:
        path: directory, file or glob, or a list of them.
        **options: options of :func:`pyspark_logs.scan`.

    Raises:
        LogSourceError: as :func:`pyspark_logs.scan`.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "app.log").write_text("INFO started\nWARN slow\n")
    >>> logs = dataset(folder, template="{level} {message}")
    >>> logs.count_rows(), logs.head(1, columns=["message"]).to_pylist()
    (2, [{'message': 'started'}])
    >>> logs.to_table(where="level = 'WARN'").to_pylist()
    [{'level': 'WARN', 'message': 'slow'}]
    """
    paths = [os.fspath(one) for one in path] if isinstance(path, (list, tuple)) else os.fspath(path)
    parsed, schema = resolve_load(paths, options)
    is_positional = LogReader(parsed, schema).form.has_positional_columns
    is_permissive = parsed.records.mode == "PERMISSIVE"
    return LogDataset(paths, dict(options), parse_ddl(schema), is_positional, is_permissive)


def select_columns(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    """Returns the columns of a schema that are named, in the order of the names, which match without regard to case.

    Raises:
        SchemaError: there is no such column; the message names the nearest ones.
        OptionError: the names are one string.
    """
    if isinstance(names, str):
        raise OptionError(f"columns is the text {names!r}; give a list of names, such as columns=[{names!r}]")
    by_name = {field.name.lower(): field for field in schema}
    fields = []
    for name in names:
        if not isinstance(name, str):
            raise OptionError(f"columns: {name!r} is not the name of a column; there are: {', '.join(schema.names)}")
        if name.lower() not in by_name:
            near = get_close_matches(name.lower(), by_name, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(schema.names)}"
            raise SchemaError(f"column {name!r} is not there; {hint}")
        fields.append(by_name[name.lower()])
    return pa.schema(fields)


def _selected(reader: pa.RecordBatchReader, names: list[str]) -> pa.RecordBatchReader:
    def batches() -> Iterator[pa.RecordBatch]:
        with reader:
            for batch in reader:
                yield batch.select(names)

    return pa.RecordBatchReader.from_batches(pa.schema([reader.schema.field(name) for name in names]), batches())


def _limited(reader: pa.RecordBatchReader, limit: int) -> pa.RecordBatchReader:
    def batches() -> Iterator[pa.RecordBatch]:
        remaining = limit
        with reader:
            while remaining > 0:
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    return
                yield batch.slice(0, remaining)
                remaining -= batch.num_rows

    return pa.RecordBatchReader.from_batches(reader.schema, batches())
