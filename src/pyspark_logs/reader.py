"""A query without Spark: :class:`LogReader` plans it on the driver, and reads its tasks on executors.

The data that travels between driver and executors is plain: a reader is pickled as its options, and a task is a dataclass.
No constructor does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import pyarrow as pa

from pyspark_logs.auditing import StreamBatch, TaskOrigin, TaskRecorder, write_plan
from pyspark_logs.bad_records import BadRecordSink, BadRecordWriter
from pyspark_logs.batch_builder import BatchBuilder
from pyspark_logs.column_sources import ColumnSources, resolve_columns
from pyspark_logs.conditions import parse_where
from pyspark_logs.errors import OptionError
from pyspark_logs.formats.interface import Format
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.options import ReadOptions
from pyspark_logs.path_columns import allowed_values
from pyspark_logs.planning import FileFilters, PlannedFile, PlanReport, Window, plan, resolve_layout
from pyspark_logs.predicates import Predicate, supported, time_bounds
from pyspark_logs.profiling import Profile, describe, is_requested
from pyspark_logs.schema import parse_ddl
from pyspark_logs.split_reader import is_splittable
from pyspark_logs.store import Store, normalise, open_store, split_scheme
from pyspark_logs.task_log import TaskLog, TaskReport
from pyspark_logs.task_reader import ReadTask, TaskReader
from pyspark_logs.telemetry import start_span
from pyspark_logs.terminal_text import format_count, get_logger

_log = get_logger(__name__)
# Names of partition columns that are probably parts of a time.
_TIME_NAMES = frozenset(("year", "month", "day", "hour", "date", "dt", "yyyymmdd"))


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
        self.condition = None if where is None else parse_where(where, self.options.time.zone)
        self.log = TaskLog(self.options)

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

    def plan(self, parallelism: int = 1) -> ReadPlan:
        """Lists files, prunes them, and packs their splits into tasks.

        Args:
            parallelism: number of tasks that run at the same time.

        Raises:
            PathNotFoundError: a load path does not exist.
            SchemaError: a column that neither the format nor the path has.
            StoreError: the store refused or failed.
        """
        with start_span("pyspark_logs.plan", {"pyspark_logs.paths": self.options.plan.paths}, current=True) as span:
            plan = self._plan(span.header(), parallelism)
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

    def _plan(self, trace: str, parallelism: int) -> ReadPlan:
        store = _open_store(self.options)
        layout = resolve_layout(store, self.options)
        columns = self.columns(layout.columns)
        planned = plan(
            store, self.options, self.file_filters(columns),
            layout=layout, splittable=self.is_splittable, parallelism=parallelism,
        )  # fmt: skip
        if planned.empty_reason:
            _log.warning("%s", planned.empty_reason)
        if self.options.time.is_bounded and columns.time is None and not layout.granularity_us and planned.tasks:
            _log.warning(
                "startTime and endTime select whole files by their modification times: the format has no timestamp, and the"
                " paths have no layout with times. Declare a column as timestamp in the template or the schema, or give a layout"
            )
        named = [name for name in layout.columns if name.lower() in _TIME_NAMES]
        if self.options.time.is_bounded and named and not layout.granularity_us and planned.tasks:
            _log.warning(
                "startTime and endTime select rows, but no directories: %s of the layout %r have the values of paths as text."
                " Write tokens of time instead, such as {yyyy}, {MM}, {dd} and {HH}",
                ", ".join(named), layout.text,
            )  # fmt: skip
        # What cannot be compiled fails here, before any task runs.
        self.form.check_records()
        self.builder(ReadTask((), layout.columns))
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

    def file_filters(self, columns: ColumnSources) -> FileFilters:
        """Returns the filters on files that follow from those of the query and from the condition."""
        predicates, zone = (*self.predicates, *columns.implied), self.options.time.zone
        return FileFilters(
            Window(*time_bounds(predicates, columns.shown_time or "", zone)),
            allowed_values(columns, predicates, zone),
            whole_files=columns.time is None,
        )

    # --- executor -------------------------------------------------------------------------------------------

    def read_task(
        self,
        task: ReadTask,
        metrics: RecordMetrics | None = None,
        *,
        report: Callable[[TaskReport], object] | None = None,
        bad_records: BadRecordSink | None = None,
        origin: TaskOrigin | None = None,
        builder: BatchBuilder | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yields the rows of a task, in batches of exactly :meth:`target`.

        Args:
            task: task of a plan.
            metrics: counts to which those of the task are added as records are read.
            report: function that is called once if records did not match or had more fields than their format, when the
                task is complete or its reader gives up; by default :meth:`TaskLog.report`.
            bad_records: receiver of the records that do not match; None: the writer of ``badRecordsPath``, if given.
            origin: ids of the streaming query and batch, for ``auditPath``; None outside of streams.
            builder: builder that has read another task of the same plan to its end, see :meth:`builder`; None: a new builder.

        Raises:
            RecordError: ``mode=FAILFAST`` and a record does not match.
            SnapshotChangedError: a file changed or went away since planning.
            CorruptFileError: a file cannot be decompressed, unless ``ignoreCorruptFiles``.
            StoreError: the store refused or failed.
        """
        builder = builder or self.builder(task, bad_records)
        builder.begin_task(metrics if metrics is not None else RecordMetrics())
        before = builder.metrics.copy()
        if self.options.report.profile or is_requested():
            builder.profile = Profile(builder.metrics.seconds)
        store = _open_store(self.options)
        recorder = self._recorder(task, origin)
        try:
            yield from TaskReader(task, self.form, self.options, store, builder, self.log, recorder).read()
        except GeneratorExit:
            _report(builder, before, report or self.log.report)
            raise
        finally:
            builder.metrics.count_retries(store.retry_counts)
            if builder.profile is not None:
                counted = builder.metrics.since(before)
                _log.warning(
                    "profile of a task of %s, %s: %s",
                    format_count(counted.files, "file"), format_count(counted.records, "record"), describe(counted.seconds),
                )  # fmt: skip
        _report(builder, before, report or self.log.report)

    def builder(self, task: ReadTask, bad_records: BadRecordSink | None = None) -> BatchBuilder:
        """Returns a builder of the batches of a task. Making it takes up to 2 ms, of which most is the decoder of the format.

        Args:
            task: task of a plan.
            bad_records: receiver of the records that do not match; None: the writer of ``badRecordsPath``, if given.
        """
        return BatchBuilder(
            self.form, self.options, self.columns(task.path_columns), task.path_columns, self.predicates,
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


def _report(builder: BatchBuilder, before: RecordMetrics, report: Callable[[TaskReport], object]) -> None:
    counted = builder.metrics.since(before)
    if counted.corrupt or counted.appended:
        report(TaskReport(counted, builder.example, builder.appended_example))


def _normalise_paths(options: ReadOptions) -> ReadOptions:
    paths = tuple(normalise(path) for path in options.plan.paths)
    schemes = sorted({split_scheme(path)[0] for path in paths})
    if len(schemes) > 1:
        names = ", ".join(f"{scheme}://" if scheme else "local files" for scheme in schemes)
        raise OptionError(f"load paths are of different stores ({names}); read each store by itself")
    return replace(options, plan=replace(options.plan, paths=paths))


def _open_store(options: ReadOptions) -> Store:
    return open_store(options.plan.paths[0], options.store)
