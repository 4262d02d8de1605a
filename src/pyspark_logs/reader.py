"""The reader: plan on the driver, read tasks on executors. It knows no Spark.

What travels between the two is plain data: :class:`ReadTask`. Nothing here does I/O before ``plan`` or
``read_task`` is called.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import pyarrow as pa

from pyspark_logs.bad_records import BadRecordWriter
from pyspark_logs.batch_builder import RowBuilder, path_value, year_bound_us
from pyspark_logs.column_sources import FROM_PATH, Columns, full_schema, resolve_columns
from pyspark_logs.errors import FormatError, OptionError, SchemaError
from pyspark_logs.file_batches import FileRowBuilder
from pyspark_logs.formats.multiline import record_starts
from pyspark_logs.formats.registry import format_schema, resolve_custom_format, resolve_line_format
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.layout import Layout
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning import Allowed, FileSplit, PlanReport, plan, resolve_layout
from pyspark_logs.predicates import Predicate, evaluate, possible_values, supported, time_bounds, value_filter
from pyspark_logs.prefetch import prefetch
from pyspark_logs.records import Lines
from pyspark_logs.schema import parse_ddl, to_ddl
from pyspark_logs.split_reader import SplitReader
from pyspark_logs.store import Store, normalise, open_store, split_scheme

_log = logging.getLogger(__name__)

MOST_ROWS = 65_536  # a batch; beyond, Spark's Arrow reader gets slower
# Smaller batches are joined, so that a selective filter does not send crumbs. Joining costs 100 ns a row of 36 columns,
# sending one more batch of them 40 us in Python and as much again in Spark.
FEWEST_ROWS = 2_048
AHEAD_BLOCKS = 2


@dataclass(frozen=True)
class ReadTask:
    """What one executor task needs beside the reader: its splits and how to read their paths.

    Attributes:
        splits: byte ranges of files.
        path_columns: names of the splits' ``partition_values``.
        slack_us: how far records drift from their path's time.
    """

    splits: tuple[FileSplit, ...]
    path_columns: tuple[str, ...] = ()
    slack_us: int = 0


@dataclass(frozen=True)
class ReadPlan:
    """What a query reads, and what planning it took."""

    tasks: tuple[ReadTask, ...]
    report: PlanReport


class LogReader:
    """One query: options, the schema it asks for, and the filters pushed into it.

    Args:
        options: checked options.
        schema_ddl: the columns asked for, as Spark DDL.
        predicates: a conjunction; applied as far as it is exact (``taken``), and used to prune.
    """

    def __init__(self, options: ReadOptions, schema_ddl: str, predicates: Sequence[Predicate] = ()) -> None:
        self.options = _normalised(options)
        self.text = SplitReader(self.options)
        self.schema_ddl = schema_ddl
        self.predicates = tuple(predicates)

    def target(self) -> pa.Schema:
        """The Arrow schema of every batch; without a column, batches still have their number of rows."""
        return parse_ddl(self.schema_ddl) if self.schema_ddl else pa.schema([])

    def push(self, predicates: Sequence[Predicate]) -> list[bool]:
        """Add filters to the query.

        Returns:
            For each, whether it is taken: evaluated on every row exactly as Spark would, so that nobody
            need look again. The others serve to prune where they can.
        """
        self.predicates += tuple(predicates)
        types = {field.name: field.type for field in self.target()}
        return [p.column in types and supported(p, types[p.column]) for p in predicates]

    # --- driver -------------------------------------------------------------------------------------------

    def plan(self) -> ReadPlan:
        """List, prune, cut and pack.

        Raises:
            PathNotFoundError: a load path is not there.
            SchemaError: a column that neither the format nor the path has.
            StoreError: the store refused or failed.
        """
        store = _store(self.options)
        layout = resolve_layout(store, self.options)
        columns = resolve_columns(self.options, self.target(), layout.columns)
        start_us, end_us = time_bounds(self.predicates, columns.shown_time or "", self.options.time.zone)
        planned = plan(
            store,
            self.options,
            layout=layout,
            start_us=start_us,
            end_us=end_us,
            allowed=self._allowed(columns),
            whole_files=columns.time is None,
            splittable=self.text.splittable,
        )
        # Compiled here once, too, so that what cannot work fails before any task runs.
        record_starts(self.options.format)
        self._builder(columns, ReadTask((), layout.columns))
        slack = self.options.time.slack_us if self.options.time.slack_us is not None else layout.default_slack_us
        tasks = tuple(ReadTask(task.splits, layout.columns, slack) for task in planned.tasks)
        return ReadPlan(tasks, planned.report)

    def _allowed(self, columns: Columns) -> dict[str, Allowed]:
        """The values of partition columns that the filters allow."""
        allowed: dict[str, Allowed] = {}
        for field, source in zip(columns.target, columns.sources, strict=True):
            about = [p for p in self.predicates if p.column == field.name and supported(p, field.type)]
            if source != FROM_PATH or not about:
                continue
            if not pa.types.is_string(field.type):
                allowed[field.name] = self._cast_test(field, about)
                continue
            values = possible_values(about, field.name)
            test = value_filter(about, field.name)
            allowed[field.name] = test if values is None else [value for value in values if test(value)]
        return allowed

    def _cast_test(self, field: pa.Field, about: list[Predicate]) -> Callable[[str | None], bool]:
        """A test of a path's text by the very value that its rows get."""

        @functools.cache
        def fits(text: str | None) -> bool:
            value = pa.repeat(path_value(text, field.type, self.options.time.zone), 1)
            return evaluate(about, {field.name: value})[0].as_py() is True

        return fits

    # --- executor -----------------------------------------------------------------------------------------

    def read_task(
        self, task: ReadTask, metrics: RecordMetrics | None = None, *, warn: bool = True
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a task, in batches of exactly :meth:`target`.

        A warning is logged if records did not match, when the task is done or its reading is given up.

        Args:
            task: of a plan.
            metrics: what becomes of the records is added to it as they are read.
            warn: whether that warning is logged.

        Raises:
            RecordError: ``mode=FAILFAST`` and a record does not match.
            SnapshotChangedError: a file changed or went away since planning.
            CorruptFileError: a file cannot be decompressed, unless ``ignoreCorruptFiles``.
            StoreError: the store refused or failed.
        """
        target = self.target()
        builder = self._builder(resolve_columns(self.options, target, task.path_columns), task)
        builder.metrics = metrics if metrics is not None else builder.metrics
        before = replace(builder.metrics, reasons=dict(builder.metrics.reasons))
        store = _store(self.options)
        batches = (batch for split in task.splits for batch in self._read_split(store, split, builder))
        try:
            for batch in _sized(batches, target):
                # Spark checks the first batch only; a wrong one after it could bring down the JVM's reader.
                if batch.schema != target:
                    raise SchemaError(f"a batch has the schema {batch.schema}, not {target}; please report this")
                yield batch
        except GeneratorExit:
            if warn:
                _warn_of_corrupt(builder, before)
            raise
        if warn:
            _warn_of_corrupt(builder, before)

    def _builder(self, columns: Columns, task: ReadTask) -> RowBuilder | FileRowBuilder:
        window = (self.options.time.start_us, self.options.time.end_us)
        own = resolve_custom_format(self.options.format)
        if own is not None:
            return FileRowBuilder(own, self.options, columns, task.path_columns, self.predicates, window)
        rejects = self._rejects(task)
        return RowBuilder(self.options, columns, task.path_columns, self.predicates, window, task.slack_us, rejects)

    def _rejects(self, task: ReadTask) -> BadRecordWriter | None:
        """What writes to ``badRecordsPath``."""
        path = self.options.records.bad_path
        if path is None:
            return None
        path, options = normalise(path), self.options
        # All that decides, beside the split, which records are rejects, and what is said of them.
        query = repr((options.format, options.time, self.schema_ddl, self.predicates, task.path_columns, task.slack_us))
        return BadRecordWriter(path, open_store(path, options.store), query)

    def _read_split(
        self, store: Store, split: FileSplit, builder: RowBuilder | FileRowBuilder
    ) -> Iterator[pa.RecordBatch]:
        # Closed here, or an error's traceback would keep the thread waiting.
        if isinstance(builder, FileRowBuilder):
            with closing(prefetch(self.text.whole(store, split), max_items=AHEAD_BLOCKS)) as pieces:
                yield from self.text.tolerant(split, builder.batches(split, pieces))
            return
        with closing(prefetch(self.text.lines(store, split), max_items=AHEAD_BLOCKS)) as blocks:
            yield from builder.batches(split, self.text.joined(split, blocks, builder.context(split)))


def _warn_of_corrupt(builder: RowBuilder | FileRowBuilder, before: RecordMetrics) -> None:
    counted = builder.metrics.since(before)
    if builder.example is None or not counted.corrupt:
        return
    what = "dropped" if builder.options.records.mode == "DROPMALFORMED" else "kept, with nulls"
    path, offset = builder.example
    _log.warning(
        "%d of %d records do not match the format and are %s: %s. The first of them: %s at byte %d",
        counted.corrupt, counted.records, what, counted.top_reasons(), path, offset,
    )  # fmt: skip


def _sized(batches: Iterator[pa.RecordBatch], target: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Join small batches and cut large ones."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= FEWEST_ROWS:
            yield from _cut(_joined(waiting, target))
            waiting, rows = [], 0
    if waiting:
        yield from _cut(_joined(waiting, target))


def _joined(batches: list[pa.RecordBatch], target: pa.Schema) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    columns = [pa.concat_arrays([batch.column(i) for batch in batches]) for i in range(len(target))]
    if not columns:
        rows = sum(batch.num_rows for batch in batches)
        return pa.RecordBatch.from_struct_array(pa.StructArray.from_buffers(pa.struct([]), rows, [None]))
    return pa.RecordBatch.from_arrays(columns, schema=target)


def _cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, MOST_ROWS):
        yield batch if batch.num_rows <= MOST_ROWS else batch.slice(start, MOST_ROWS)


# --- what schema() says -----------------------------------------------------------------------------------


def infer_schema(options: ReadOptions) -> str:
    """The columns a load has when the user gives no schema, as Spark DDL.

    Asks the store only where it must: for Hive directories where no layout is given, and for a sample
    of the first files by key where the format does not say its columns (JSON).

    Raises:
        LogSourceError: as :meth:`LogReader.plan`; and an OptionError where there is nothing to sample.
    """
    options = _normalised(options)
    store = _store(options)
    if options.plan.layout is not None:
        layout = Layout.parse(options.plan.layout, options.time.zone)
    else:
        layout = resolve_layout(store, options)
    record_starts(options.format)  # what is wrong with multiLine is not wrong with the sample
    in_line = format_schema(options.format)
    if in_line is None:
        taken = {name.lower() for name in layout.columns}
        try:
            sampled = resolve_line_format(options.format).infer(_sample(options, store, layout))
        except FormatError as error:
            paths = ", ".join(options.plan.paths)
            raise OptionError(f"{paths}: {error}; name the format of these lines, or give a schema") from error
        _check_sampled_time(options.time.column, sampled)
        in_line = pa.schema([field for field in parse_ddl(to_ddl(sampled)) if field.name.lower() not in taken])
    schema = full_schema(options, in_line, layout.columns)
    resolve_columns(options, schema, layout.columns)
    return to_ddl(schema)


def _check_sampled_time(name: str | None, sampled: pa.Schema) -> None:
    if name is None:
        return
    # A column of which the sample has nulls only is a string.
    fit = [f.name for f in sampled if pa.types.is_timestamp(f.type) or pa.types.is_string(f.type)]
    if name.lower() not in (one.lower() for one in fit):
        raise OptionError(
            f"option 'timeColumn': {name!r} is not a timestamp of the sampled records (what could be: {', '.join(fit) or 'none'})"
        )


def _sample(options: ReadOptions, store: Store, layout: Layout) -> Iterator[Lines]:
    """Records of the first files by key in the range."""
    planned = plan(store, options, layout=layout)
    splits = sorted((split for task in planned.tasks for split in task.splits), key=lambda split: split.path)
    if not splits:
        raise OptionError(
            f"{', '.join(options.plan.paths)}: there is no file in the range to infer the columns from;"
            " give a schema, e.g. .schema('ts timestamp, message string')"
        )
    reader = LogReader(options, "")
    for split in splits:
        lines = reader.text.lines(store, split)
        yield from reader.text.joined(split, lines, TimestampContext(options.time.zone, year_bound_us(split, 0)))


def _normalised(options: ReadOptions) -> ReadOptions:
    paths = tuple(normalise(path) for path in options.plan.paths)
    schemes = sorted({split_scheme(path)[0] for path in paths})
    if len(schemes) > 1:
        raise OptionError(f"load paths are of different stores ({', '.join(schemes)}); read each store by itself")
    return replace(options, plan=replace(options.plan, paths=paths))


def _store(options: ReadOptions) -> Store:
    return open_store(options.plan.paths[0], options.store)
