"""Schema of a load that names none: the format's columns, or those inferred from a sample of the records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from pyspark_logs.batch_builder import year_bound_us
from pyspark_logs.column_sources import full_schema, resolve_columns
from pyspark_logs.errors import FormatError, OptionError
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.layout import Layout
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning import NO_FILTERS, FileFilters, plan, resolve_layout
from pyspark_logs.reader import LogReader
from pyspark_logs.schema import parse_ddl, to_ddl
from pyspark_logs.split_reader import SplitReader
from pyspark_logs.store import Store, open_store


def load_schema(options: ReadOptions) -> str:
    """Returns the option ``schema``, or the inferred columns if it is not given, as Spark DDL."""
    return options.schema if options.schema is not None else infer_schema(options)


def infer_schema(options: ReadOptions) -> str:
    """Returns the columns of a load without a schema, as Spark DDL.

    Sends requests to the store only where necessary: for Hive directories if no layout is given, and for a sample of the
    first files by key if the format does not list its columns (JSON).

    Raises:
        LogSourceError: as :meth:`LogReader.plan`; an OptionError if there is nothing to sample.
    """
    reader = LogReader(options, "")
    options, form = reader.options, reader.form
    store = open_store(options.plan.paths[0], options.store)
    if options.plan.layout is not None:
        layout = Layout.parse(options.plan.layout, options.time.zone)
    else:
        layout = resolve_layout(store, options)
    form.check_records()  # before the sample is read, or an error of multiLine would be reported as one of the sample
    in_record = form.schema()
    if in_record is None or form.infers_schema:
        in_record_only = {name.lower() for name in (in_record.names if in_record is not None else ())}
        in_path = {name.lower() for name in layout.columns} - in_record_only
        sampled_paths: list[str] = []
        try:
            sampled = form.infer(_sample(reader, store, layout, sampled_paths))
        except FormatError as error:
            where = ", ".join(sampled_paths[:1] or options.plan.paths)
            raise OptionError(f"{where}: {error}; name the format of these lines, or give a schema") from error
        _check_sampled_time(options.time.column, sampled)
        in_record = pa.schema([field for field in parse_ddl(to_ddl(sampled)) if field.name.lower() not in in_path])
    schema = full_schema(form, options, in_record, layout.columns)
    resolve_columns(form, options, schema, layout.columns, reader.condition)
    return to_ddl(schema)


def _check_sampled_time(name: str | None, sampled: pa.Schema) -> None:
    """Raises OptionError if the option ``timeColumn`` names no timestamp of the sample."""
    if name is None:
        return
    # A column that is null in all records of the sample is a string.
    candidates = [f.name for f in sampled if pa.types.is_timestamp(f.type) or pa.types.is_string(f.type)]
    if name.lower() not in (candidate.lower() for candidate in candidates):
        raise OptionError(
            f"option 'timeColumn': {name!r} is not a timestamp of the sampled records (what could be:"
            f" {', '.join(candidates) or 'none'})"
        )


def _sample_filters(reader: LogReader, layout: Layout) -> FileFilters:
    """Returns the filters on files that the condition gives before the columns of the records are known."""
    try:
        columns = reader.columns(layout.columns)
    except OptionError:
        return NO_FILTERS  # the type of a column does not follow from the condition
    if columns.condition is None:
        return NO_FILTERS
    return replace(reader.file_filters(columns), whole_files=False)  # the time column may be one of the records


def _sample(reader: LogReader, store: Store, layout: Layout, sampled_paths: list[str]) -> Iterator[Any]:
    """Yields blocks of the first files by key in the time range and the partitions of the query.

    Appends the path of each file that has a block to ``sampled_paths``.
    """
    options = reader.options
    filters = _sample_filters(reader, layout)
    planned = plan(store, options, filters, layout=layout)
    if filters != NO_FILTERS and not planned.tasks:
        # Before the columns are known, the time of the paths may be taken for another one.
        planned = plan(store, options, layout=layout)
    splits = sorted((split for task in planned.tasks for split in task.splits), key=lambda split: split.path)
    if not splits:
        raise OptionError(
            f"there is no file to infer the columns from: {planned.empty_reason}. To read files that come later, give a schema,"
            " e.g. .schema('ts timestamp, message string')"
        )
    for split in splits:
        context = TimestampContext(options.time.zone, year_bound_us(split, 0))
        for block in SplitReader(reader.form, options, store, split, context).blocks():
            if split.path not in sampled_paths[-1:]:
                sampled_paths.append(split.path)
            yield block
