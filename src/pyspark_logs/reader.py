"""Reads log files without Spark: a plan on the driver, tasks on executors.

The data that travels between driver and executors is plain: :class:`LogReader` is pickled as its options, and a
:class:`ReadTask` is a dataclass. No constructor does I/O.
"""

from __future__ import annotations

import functools
import logging
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

import pyarrow as pa

from pyspark_logs.auditing import AuditTask, StreamBatch, TaskOrigin, TaskRecorder, write_plan
from pyspark_logs.bad_records import BadRecordSink, BadRecordWriter
from pyspark_logs.batch_builder import BatchBuilder
from pyspark_logs.batch_sizes import resize
from pyspark_logs.block_files import join_blocks, runs_of
from pyspark_logs.column_sources import FROM_PATH, ColumnSources, resolve_columns
from pyspark_logs.conditions import parse_condition
from pyspark_logs.errors import OptionError, SchemaError
from pyspark_logs.formats.interface import Format
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.jobs import job_of
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.options import ReadOptions
from pyspark_logs.path_columns import path_value
from pyspark_logs.planning import Allowed, FileSplit, PlannedFile, PlanReport, plan, resolve_layout
from pyspark_logs.predicates import (
    Predicate,
    evaluate,
    possible_values,
    restrict,
    supported,
    time_bounds,
    value_filter,
)
from pyspark_logs.prefetch import Prefetcher
from pyspark_logs.profiling import Profile, describe, is_requested
from pyspark_logs.records import BLOCK_BYTES, Lines
from pyspark_logs.schema import parse_ddl
from pyspark_logs.split_reader import SplitReader, is_splittable
from pyspark_logs.split_spans import record_counts, traced
from pyspark_logs.store import Store, normalise, open_store, split_scheme
from pyspark_logs.store.parallel import in_parallel
from pyspark_logs.telemetry import Span, start_span
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)

_OPEN_SPLITS = 64  # splits of a task that wait for the threads that fetch, or were fetched
_CHECK_THREADS = 16


@dataclass(frozen=True)
class ReadTask:
    """The work of one executor task.

    Attributes:
        splits: byte ranges of files.
        path_columns: names of the splits' ``partition_values``.
        slack_us: the longest time by which records are later than the time of their path.
        in_stream: True for a task of a streaming batch.
        jobs: all files of a streaming batch that belong to the write jobs of the splits, as (job id, ((path, etag), ...));
            empty without ``ignoreMissingFiles``.
        audit: identity of the task below ``auditPath``; None without the option.
        trace: identity of the span of the planning; empty if it is not recorded.
    """

    splits: Sequence[FileSplit]
    path_columns: tuple[str, ...] = ()
    slack_us: int = 0
    in_stream: bool = False
    jobs: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    audit: AuditTask | None = None
    trace: str = ""


@dataclass(frozen=True)
class ReadPlan:
    """The tasks of a query, and a report of the planning.

    Attributes:
        tasks: the tasks.
        report: counts of the listing.
        layout: text of the layout of the paths.
        path_columns: partition columns of the layout.
        files: files to read, as they were listed; empty without ``auditPath``.
    """

    tasks: tuple[ReadTask, ...]
    report: PlanReport
    layout: str = ""
    path_columns: tuple[str, ...] = ()
    files: Sequence[PlannedFile] = ()


@dataclass(frozen=True)
class TaskReport:
    """The records of a task that did not match, or that had more fields than their format.

    Attributes:
        metrics: counts of the task.
        corrupt: path and offset of the first record that did not match; None: all matched.
        appended: path and offset of the first record with fields after the last one of the format; None: no such record.
    """

    metrics: RecordMetrics
    corrupt: tuple[str, int] | None = None
    appended: tuple[str, int] | None = None


class LogReader:
    """A query: options, requested schema, and filters.

    Args:
        options: checked options.
        schema_ddl: requested columns as Spark DDL.
        predicates: a conjunction of filters. Those that can be evaluated exactly are applied; all are used for pruning.
    """

    def __init__(self, options: ReadOptions, schema_ddl: str, predicates: Sequence[Predicate] = ()) -> None:
        self.options = _normalise_paths(options)
        self.schema_ddl = schema_ddl
        self.predicates = tuple(predicates)
        where = self.options.records.where
        self.condition = None if where is None else parse_condition(where, self.options.time.zone)
        self._notices: dict[str, str] = {}

    def _notice(self, kind: str, message: str, level: int = logging.WARNING) -> None:
        """Logs a notice about a file; further ones of the same kind are not logged."""
        if self._notices.setdefault(kind, message) is message:  # atomic: several threads fetch files
            self._log(level, "%s", message)

    def _log(self, level: int, message: str, *arguments: Any, **options: Any) -> None:
        """Logs a message of a task; with ``quiet``, at level DEBUG."""
        _log.log(logging.DEBUG if self.options.report.quiet else level, message, *arguments, **options)

    def _warn(self, message: str, *arguments: Any, **options: Any) -> None:
        """Logs a warning of a task, as ``Logger.warning``."""
        self._log(logging.WARNING, message, *arguments, **options)

    @property
    def form(self) -> Format:
        """Format of the files, resolved at most once in each process."""
        return resolve_format(self.options.format)

    def target(self) -> pa.Schema:
        """Returns the Arrow schema of every batch. Without a column, batches still have their number of rows."""
        return parse_ddl(self.schema_ddl) if self.schema_ddl else pa.schema([])

    def columns(self, path_columns: Sequence[str]) -> ColumnSources:
        """Returns the requested columns and their sources.

        Args:
            path_columns: partition columns of the layout.

        Raises:
            SchemaError: a column that neither the format nor the path has.
        """
        return resolve_columns(self.form, self.options, self.target(), path_columns, self.condition)

    def is_splittable(self, path: str) -> bool:
        """Returns True if reading a file may begin in its middle."""
        return is_splittable(self.form, self.options, path)

    def push(self, predicates: Sequence[Predicate]) -> list[bool]:
        """Adds filters to the query.

        Returns:
            True for each filter that is evaluated on every row exactly as Spark would, so that Spark need not evaluate it
            again; False for the filters that are used for pruning only.
        """
        self.predicates += tuple(predicates)
        types = {field.name: field.type for field in self.target()}
        return [p.column in types and supported(p, types[p.column]) for p in predicates]

    # --- driver ---------------------------------------------------------------------------------------------

    def plan(self) -> ReadPlan:
        """Lists files, prunes them, and packs their splits into tasks.

        Raises:
            PathNotFoundError: a load path does not exist.
            SchemaError: a column that neither the format nor the path has.
            StoreError: the store refused or failed.
        """
        with start_span("pyspark_logs.plan", {"pyspark_logs.paths": self.options.plan.paths}, current=True) as span:
            plan = self._plan(span.header())
            span.set(
                {
                    "pyspark_logs.list_requests": plan.report.list_calls,
                    "pyspark_logs.files_listed": plan.report.files_listed,
                    "pyspark_logs.files": plan.report.files_planned,
                    "pyspark_logs.bytes": plan.report.bytes_planned,
                    "pyspark_logs.tasks": len(plan.tasks),
                }
            )
        return plan

    def _plan(self, trace: str) -> ReadPlan:
        store = _open_store(self.options)
        layout = resolve_layout(store, self.options)
        columns = self.columns(layout.columns)
        start_us, end_us = self.time_range(columns)
        planned = plan(
            store,
            self.options,
            layout=layout,
            start_us=start_us,
            end_us=end_us,
            allowed=self.allowed_values(columns),
            whole_files=columns.time is None,
            splittable=self.is_splittable,
        )
        if planned.empty_reason:
            _log.warning("%s", planned.empty_reason)
        # What cannot be compiled fails here, before any task runs.
        self.form.check_records()
        self._builder(columns, ReadTask((), layout.columns))
        slack = self.options.time.slack_us if self.options.time.slack_us is not None else layout.default_slack_us
        tasks = tuple(ReadTask(task.splits, layout.columns, slack, trace=trace) for task in planned.tasks)
        return ReadPlan(tasks, planned.report, layout.text, layout.columns, planned.files)

    def start_audit(self, plan: ReadPlan, batch: StreamBatch | None = None) -> ReadPlan:
        """Writes a plan to ``auditPath``; returns it with tasks that report there. Without the option, returns ``plan`` itself.

        Args:
            plan: the plan, with the tasks that will run.
            batch: identity of a batch of a stream; None for another query.

        Raises:
            ReadOnlyStoreError: ``auditPath`` cannot be written to.
            StoreError: the store refused or failed.
        """
        directory = self.options.report.audit_path
        if directory is None:
            return plan
        directory, counts = normalise(directory), asdict(plan.report)
        tasks = write_plan(
            open_store(directory, self.options.store),
            directory,
            plan.files,
            [task.splits for task in plan.tasks],
            paths=self.options.plan.paths,
            columns=self.schema_ddl,
            where=self.options.records.where,
            listing={name: count for name, count in counts.items() if isinstance(count, int)} if batch is None else {},
            batch=batch,
        )
        return replace(
            plan, tasks=tuple(replace(task, audit=each) for task, each in zip(plan.tasks, tasks, strict=True))
        )

    def time_range(self, columns: ColumnSources) -> tuple[int | None, int | None]:
        """Returns the half-open range of times, in microseconds, that the filters and the condition allow; None: unbounded."""
        predicates = (*self.predicates, *columns.implied)
        return time_bounds(predicates, columns.shown_time or "", self.options.time.zone)

    def allowed_values(self, columns: ColumnSources) -> dict[str, Allowed]:
        """Returns the values of partition columns that the filters and the condition allow."""
        allowed: dict[str, Allowed] = {}
        predicates = (*self.predicates, *columns.implied)
        for field, source in zip(columns.target, columns.sources, strict=True):
            if source != FROM_PATH:
                continue
            restricted = [restrict(p, field.name) for p in predicates]
            filters = [p for p in restricted if p is not None and supported(p, field.type)]
            if not filters:
                continue
            if not pa.types.is_string(field.type):
                allowed[field.name] = self._value_test(field, filters)
                continue
            values = possible_values(filters, field.name)
            test = value_filter(filters, field.name)
            allowed[field.name] = test if values is None else [value for value in values if test(value)]
        return allowed

    def _value_test(self, field: pa.Field, filters: list[Predicate]) -> Callable[[str | None], bool]:
        """Returns a test of a path's text by the value that its rows have in the column."""

        @functools.cache
        def is_allowed(text: str | None) -> bool:
            value = pa.repeat(path_value(text, field.type, self.options.time.zone), 1)
            return evaluate(filters, {field.name: value})[0].as_py() is True

        return is_allowed

    # --- executor -------------------------------------------------------------------------------------------

    def read_task(
        self,
        task: ReadTask,
        metrics: RecordMetrics | None = None,
        *,
        report: Callable[[TaskReport], object] | None = None,
        bad_records: BadRecordSink | None = None,
        origin: TaskOrigin | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yields the rows of a task, in batches of exactly :meth:`target`.

        Args:
            task: task of a plan.
            metrics: counts to which those of the task are added as records are read.
            report: function that is called once if records did not match or had more fields than their format, when the
                task is complete or its reader gives up; by default :meth:`warn`.
            bad_records: receiver of the records that do not match; None: the writer of ``badRecordsPath``, if given.
            origin: ids of the streaming query and batch, for ``auditPath``; None outside of streams.

        Raises:
            RecordError: ``mode=FAILFAST`` and a record does not match.
            SnapshotChangedError: a file changed or went away since planning.
            CorruptFileError: a file cannot be decompressed, unless ``ignoreCorruptFiles``.
            StoreError: the store refused or failed.
        """
        target = self.target()
        builder = self._builder(self.columns(task.path_columns), task, bad_records)
        builder.metrics = metrics if metrics is not None else builder.metrics
        before = builder.metrics.copy()
        if self.options.report.profile or is_requested():
            builder.profile = Profile(builder.metrics.seconds)
        store = _open_store(self.options)
        recorder = self._recorder(task, origin)
        splits = self._complete_jobs(store, task, recorder)
        span = start_span("pyspark_logs.read_task", {"pyspark_logs.splits": len(splits)}, parent=task.trace)
        reading = closing(self._read_splits(store, splits, builder, span, recorder, in_stream=task.in_stream))
        try:
            with span, recorder or nullcontext(), reading as batches:
                for batch in resize(batches, target):
                    # Spark checks the first batch only; a later batch of another schema could crash the JVM's reader.
                    if batch.schema != target:
                        raise SchemaError(f"a batch has the schema {batch.schema}, not {target}; please report this")
                    yield batch
                span.set(record_counts(builder.metrics.since(before)))
        except GeneratorExit:
            self._report(builder, before, report or self.warn)
            raise
        finally:
            builder.metrics.count_retries(store.retry_counts)
            if builder.profile is not None:
                counted = builder.metrics.since(before)
                _log.warning(
                    "profile of a task of %d files, %d records: %s",
                    counted.files, counted.records, describe(counted.seconds),
                )  # fmt: skip
        self._report(builder, before, report or self.warn)

    def warn(self, report: TaskReport) -> None:
        """Logs the number of records that do not match, and of those with fields after the last one of the format."""
        counted = report.metrics
        if report.appended is not None and counted.appended:
            is_kept = self.options.format.rescued_column is not None
            self._log(
                logging.INFO if is_kept else logging.WARNING,
                "%d of %d records have fields after the last one of the format%s. The first of them: %s at byte %d",
                counted.appended, counted.records,
                "" if is_kept else ", which are not read; rescuedDataColumn=NAME keeps them by their positions",
                *report.appended,
            )  # fmt: skip
        if report.corrupt is not None and counted.corrupt:
            outcome = "dropped" if self.options.records.mode == "DROPMALFORMED" else "kept, with nulls"
            self._warn(
                "%d of %d records do not match the format and are %s: %s. The first of them: %s at byte %d",
                counted.corrupt, counted.records, outcome, counted.top_reasons(), *report.corrupt,
            )  # fmt: skip

    def _report(self, builder: BatchBuilder, before: RecordMetrics, report: Callable[[TaskReport], object]) -> None:
        counted = builder.metrics.since(before)
        if counted.corrupt or counted.appended:
            report(TaskReport(counted, builder.example, builder.appended_example))

    def _builder(
        self, columns: ColumnSources, task: ReadTask, bad_records: BadRecordSink | None = None
    ) -> BatchBuilder:
        return BatchBuilder(
            self.form, self.options, columns, task.path_columns, self.predicates,
            slack_us=task.slack_us, bad_records=bad_records or self._bad_record_writer(task),
        )  # fmt: skip

    def _bad_record_writer(self, task: ReadTask) -> BadRecordWriter | None:
        path = self.options.records.bad_path
        if path is None:
            return None
        path, options = normalise(path), self.options
        # Everything that decides, beside the split, which records are bad, and the reasons that are written.
        filters = (self.predicates, options.records.where)
        query = repr((options.format, options.time, self.schema_ddl, *filters, task.path_columns, task.slack_us))
        return BadRecordWriter(path, open_store(path, options.store), query)

    def _recorder(self, task: ReadTask, origin: TaskOrigin | None) -> TaskRecorder | None:
        directory = self.options.report.audit_path
        if directory is None or task.audit is None:
            return None
        directory = normalise(directory)
        return TaskRecorder(open_store(directory, self.options.store), directory, task.audit, origin or TaskOrigin())

    def _complete_jobs(self, store: Store, task: ReadTask, recorder: TaskRecorder | None) -> list[FileSplit]:
        """Returns the splits of a task without those of the write jobs that a streaming batch passes over."""
        skipped = _incomplete_jobs(store, task, self._warn)
        if recorder is not None and skipped:
            for split in task.splits:
                if job_of(split.path) in skipped:
                    recorder.add_skipped(split, "a file of its write job was deleted or changed after planning")
        return [split for split in task.splits if job_of(split.path) not in skipped]

    def _read_splits(
        self,
        store: Store,
        splits: Sequence[FileSplit],
        builder: BatchBuilder,
        span: Span,
        recorder: TaskRecorder | None = None,
        *,
        in_stream: bool,
    ) -> Generator[pa.RecordBatch, None, None]:
        """Yields the batches of splits in their order, while the files of the next ones are fetched and decompressed."""
        fetch = self.options.fetch
        prefetcher = Prefetcher(threads=fetch.threads, max_bytes=fetch.max_bytes, item_bytes=BLOCK_BYTES)

        def open_split(split: FileSplit, prefetcher: Prefetcher | None = prefetcher) -> Generator[Any, None, None]:
            return SplitReader(
                self.form, self.options, store, split, builder.context(split), prefetcher,
                in_stream=in_stream, on_damage=builder.record_damage, notice=self._notice, warn=self._warn,
                on_skip=None if recorder is None else recorder.record_skip,
                on_join=functools.partial(self._record_joined, builder.metrics), profile=builder.profile,
            ).blocks()  # fmt: skip

        def find_lines(run: Sequence[FileSplit]) -> Iterator[tuple[FileSplit, Lines]]:
            for split in run:
                with closing(open_split(split, None)) as blocks:
                    for lines in blocks:
                        yield split, lines

        def open_run(run: Sequence[FileSplit]) -> Any:
            if len(run) == 1:
                return open_split(run[0])
            return prefetcher.add(join_blocks(find_lines(run)), lambda item: len(item[1].block))

        # A request of an object store takes longer than decoding, so several of them should run at the same time.
        # Rows of files before the one with an error are returned first, so that files are not joined with FAILFAST.
        may_fail = self.options.records.mode == "FAILFAST"
        is_joinable = store.is_local and self.form.reads_lines and builder.joins_files and not may_fail
        runs = runs_of(splits, joins=is_joinable and recorder is None and not span.is_recording)
        # Closed here: an error's traceback would keep the threads waiting.
        with closing(prefetcher):
            opened: deque[tuple[Sequence[FileSplit], Any]] = deque()
            while True:
                opened.extend((run, open_run(run)) for run in islice(runs, _OPEN_SPLITS - len(opened)))
                if not opened:
                    return
                run, blocks = opened.popleft()
                with closing(blocks):
                    if len(run) > 1:
                        yield from builder.batches_of_run(run, blocks)
                        continue
                    batches = builder.batches(run[0], blocks)
                    if recorder is not None:
                        batches = recorder.observe(run[0], batches, builder.metrics)
                    yield from traced(span, run[0], batches, builder.metrics)

    def _record_joined(self, metrics: RecordMetrics, path: str, count: int, offset: int) -> None:
        """Counts lines that were joined to the record before them; see :class:`SplitReader`."""
        metrics.joined += count
        # Stack traces are expected, so this is no warning.
        message = f"{path}: the line at byte {offset}, and perhaps others, belongs to the record before it"
        self._notice("joined", message, logging.INFO)


def _incomplete_jobs(store: Store, task: ReadTask, warn: Callable[..., None]) -> set[str | None]:
    """Returns the write jobs of a streaming task of which a file of the batch is missing or changed.

    Their files are read as a whole or not at all, but by several tasks. So each task checks all files of its jobs before it
    reads one of them.
    """
    files = [(job, path, etag) for job, listed in task.jobs for path, etag in listed]

    def problem(item: tuple[str, str, str]) -> str | None:
        _, path, etag = item
        found = store.head(path)
        return f"{path} was deleted" if found is None else f"{path} changed" if found.etag != etag else None

    incomplete: dict[str | None, list[str]] = {}
    for item, text in zip(files, in_parallel(problem, files, _CHECK_THREADS), strict=True):
        if text is not None:
            incomplete.setdefault(item[0], []).append(text)
    for job, texts in incomplete.items():
        warn(
            "job %s is passed over in this batch (ignoreMissingFiles): after it was planned, %s%s",
            job, ", ".join(texts[:10]), "" if len(texts) <= 10 else f" and {len(texts) - 10} more",
        )  # fmt: skip
    return set(incomplete)


def _normalise_paths(options: ReadOptions) -> ReadOptions:
    paths = tuple(normalise(path) for path in options.plan.paths)
    schemes = sorted({split_scheme(path)[0] for path in paths})
    if len(schemes) > 1:
        raise OptionError(f"load paths are of different stores ({', '.join(schemes)}); read each store by itself")
    return replace(options, plan=replace(options.plan, paths=paths))


def _open_store(options: ReadOptions) -> Store:
    return open_store(options.plan.paths[0], options.store)
