"""Reads the splits of one task on an executor: prefetches files, decodes them, and returns their rows in order of the files."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import pyarrow as pa

from pyspark_logs.auditing import AuditTask, TaskRecorder
from pyspark_logs.batch_builder import BatchBuilder
from pyspark_logs.batch_sizes import resize
from pyspark_logs.block_files import join_blocks, runs_of
from pyspark_logs.codecs import NONE, codec_for
from pyspark_logs.errors import SchemaError
from pyspark_logs.formats.interface import Format
from pyspark_logs.options import ReadOptions
from pyspark_logs.path_columns import path_value, typed_path_columns
from pyspark_logs.planning import FileSplit
from pyspark_logs.prefetch import Prefetcher
from pyspark_logs.records import BLOCK_BYTES, Lines
from pyspark_logs.schema import type_name
from pyspark_logs.split_reader import SplitObserver, SplitReader
from pyspark_logs.split_spans import record_counts, traced
from pyspark_logs.store import Store
from pyspark_logs.task_log import TaskLog
from pyspark_logs.telemetry import Span, start_span

_OPEN_SPLITS = 64  # splits of a task that wait for the threads that fetch, or were fetched
_SHOWN_COLUMNS, _SHOWN_CHARACTERS = 10, 200  # of a header, in messages
_FETCH_THREADS = 8  # files that are fetched at the same time by default


@dataclass(frozen=True)
class ReadTask:
    """The work of one executor task.

    Attributes:
        splits: byte ranges of files.
        path_columns: names of the splits' ``partition_values``.
        slack_us: the longest time by which records are later than the time of their path.
        in_stream: True for a task of a streaming batch.
        skipped: path of each file of the splits that the batch passes over, with the reason; empty without
            ``ignoreMissingFiles``. The driver decides, for all tasks of the batch at once.
        audit: identity of the task below ``auditPath``; None without the option.
        trace: identity of the span of the planning; empty if it is not recorded.
        has_free_processor: False if a task runs on each processor that this process may use; None: that is unknown, as it is
            in Spark, which usually runs as many tasks.
    """

    splits: Sequence[FileSplit]
    path_columns: tuple[str, ...] = ()
    slack_us: int = 0
    in_stream: bool = False
    skipped: tuple[tuple[str, str], ...] = ()
    audit: AuditTask | None = None
    trace: str = ""
    has_free_processor: bool | None = None

    def remaining_splits(self) -> Sequence[FileSplit]:
        """Returns the splits without those of the files that the batch passes over."""
        skipped = {path for path, _ in self.skipped}
        return [split for split in self.splits if split.path not in skipped] if skipped else self.splits


@dataclass(frozen=True)
class _TaskObserver(SplitObserver):
    """Counts, logs and records the events of reading the files of a task."""

    builder: BatchBuilder
    log: TaskLog
    recorder: TaskRecorder | None

    def warn(self, message: str, *arguments: Any, **options: Any) -> None:
        self.log.warn(message, *arguments, **options)

    def notice(self, kind: str, message: str) -> None:
        self.log.notice(kind, message)

    def record_skip(self, path: str, problem: str) -> None:
        super().record_skip(path, problem)
        if self.recorder is not None:
            self.recorder.record_skip(path, problem)

    def record_damage(self, path: str, offset: int, reason: str) -> None:
        super().record_damage(path, offset, reason)
        self.builder.record_damage(path, offset, reason)

    def record_join(self, path: str, count: int, offset: int) -> None:
        self.builder.metrics.joined += count
        # Stack traces are expected, so this is not a warning.
        message = f"{path}: the line at byte {offset}, and perhaps others, belongs to the record before it"
        self.log.notice("joined", message, logging.INFO)


@dataclass(frozen=True)
class TaskReader:
    """Reads one task.

    Attributes:
        task: the task.
        form: format of the files.
        options: options of the reader.
        store: store of the files.
        builder: builder of the batches; its metrics count the records.
        log: log of the reader.
        recorder: recorder of the outcome of each split, for ``auditPath``; None: there is none.
    """

    task: ReadTask
    form: Format
    options: ReadOptions
    store: Store
    builder: BatchBuilder
    log: TaskLog
    recorder: TaskRecorder | None = None

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows of the task, in batches of the output schema of the query.

        Raises:
            RecordError: ``mode=FAILFAST`` and a record does not match.
            SchemaError: a batch has another schema, which is a fault of this package.
            SnapshotChangedError: a file changed or went away since planning.
            CorruptFileError: a file cannot be decompressed, unless ``ignoreCorruptFiles``.
            StoreError: the store refused or failed.
        """
        output = self.builder.columns.output
        before = self.builder.metrics.copy()
        splits = self.task.remaining_splits()
        if self.recorder is not None:
            self._record_skipped(self.recorder)
        span = start_span("pyspark_logs.read_task", {"pyspark_logs.splits": len(splits)}, parent=self.task.trace)
        reading = closing(self._read_splits(splits, span))
        with span, self.recorder or nullcontext(), reading as batches:
            for batch in resize(batches, output):
                # Spark checks the first batch only; a later batch of another schema could crash the JVM's reader.
                if batch.schema != output:
                    raise SchemaError(f"a batch has the schema {batch.schema}, not {output}; please report this")
                yield batch
            span.set(record_counts(self.builder.metrics.since(before)))

    def _record_skipped(self, recorder: TaskRecorder) -> None:
        """Records the splits of the files that the batch passes over."""
        reasons = dict(self.task.skipped)
        for split in self.task.splits if reasons else ():
            if split.path in reasons:
                recorder.add_skipped(split, reasons[split.path])

    def _read_splits(self, splits: Sequence[FileSplit], span: Span) -> Generator[pa.RecordBatch, None, None]:
        """Yields the batches of splits in their order, while the files of the next ones are fetched and decompressed."""
        fetch = self.options.fetch
        prefetcher = Prefetcher(
            threads=fetch.threads or _FETCH_THREADS, max_bytes=fetch.max_bytes, item_bytes=BLOCK_BYTES
        )
        # Files are not joined where the rows of each are observed, or with FAILFAST, which returns the rows of the files
        # before the one with an error.
        is_observed = self.recorder is not None or span.is_recording
        runs = runs_of(splits, joins=self._is_joinable() and not is_observed)
        # Closed here: an error's traceback would keep the threads waiting.
        with closing(prefetcher):
            opened: deque[tuple[Sequence[FileSplit], Any]] = deque()
            while True:
                following = islice(runs, _OPEN_SPLITS - len(opened))
                opened.extend((run, self._open_run(run, self._ahead(run, prefetcher))) for run in following)
                if not opened:
                    return
                run, blocks = opened.popleft()
                with closing(blocks):
                    yield from self._batches_of(run, blocks, span)

    def _ahead(self, run: Sequence[FileSplit], prefetcher: Prefetcher) -> Prefetcher | None:
        """Returns the prefetcher if its threads should read a run of splits.

        A thread that reads local files takes the time of a processor. If that is the one that parses, nothing is gained, and
        the blocks leave its cache before they are parsed.
        """
        if not self.store.is_local or self.options.fetch.threads is not None:
            return prefetcher
        has_free = self.task.has_free_processor
        if has_free is None:
            # Threads still pay where they decompress, or wait for a disk or a network.
            has_free = not all(self._is_in_memory(split) for split in {run[0], run[-1]})
        return prefetcher if has_free else None

    def _is_in_memory(self, split: FileSplit) -> bool:
        """True if reading a split takes no more than copying it from memory."""
        if codec_for(split.path, self.options.plan.compression) is not NONE:
            return False
        return self.store.is_cached(split.path, split.start + split.length - 1)

    def _is_joinable(self) -> bool:
        """True if the records of several small files may be decoded together."""
        # A request of an object store takes longer than decoding, so several of them should run at the same time.
        may_fail = self.options.records.mode == "FAILFAST"
        return self.store.is_local and self.form.reads_lines and self.builder.joins_files and not may_fail

    def _open_run(self, run: Sequence[FileSplit], prefetcher: Prefetcher | None) -> Any:
        """Returns the blocks of a run of splits; threads of the prefetcher read them, if there is one."""
        if len(run) == 1:
            return self._open_split(run[0], prefetcher)

        def find_lines() -> Iterator[tuple[FileSplit, Lines]]:
            for split in run:
                with closing(self._open_split(split, None)) as blocks:
                    for lines in blocks:
                        yield split, lines

        joined = join_blocks(find_lines())
        return joined if prefetcher is None else prefetcher.add(joined, lambda item: len(item[1].block))

    def _open_split(self, split: FileSplit, prefetcher: Prefetcher | None) -> Generator[Any, None, None]:
        builder = self.builder
        self._check_path_values(split)
        blocks = SplitReader(
            self.form, self.options, self.store, split, builder.context(split), prefetcher,
            in_stream=self.task.in_stream, observer=_TaskObserver(builder, self.log, self.recorder),
            profile=builder.profile,
        ).blocks()  # fmt: skip
        return self._check_headers(split, blocks) if self.form.has_headers else blocks

    @cached_property
    def _checked_path_values(self) -> set[tuple[int, str]]:
        """Indices and texts of partition values that were checked: thousands of files have the same few."""
        return set()

    @cached_property
    def _typed_path_columns(self) -> list[tuple[pa.Field, int]]:
        """Partition columns of other types than string, and the indices of their values in ``partition_values``."""
        return [
            (field, self.builder.path_columns[field.name.lower()]) for field in typed_path_columns(self.builder.columns)
        ]

    def _check_path_values(self, split: FileSplit) -> None:
        """Logs a partition value that is not of the type of its column, and therefore null."""
        for field, index in self._typed_path_columns:
            text = split.partition_values[index]
            if text is None or (index, text) in self._checked_path_values:
                continue
            self._checked_path_values.add((index, text))
            if not path_value(text, field.type, self.options.time.zone).is_valid:
                self.log.notice(
                    f"partition {field.name}",
                    f"{split.path}: the partition value {field.name}={text!r} is not of type {type_name(field.type)}, which the"
                    " schema gives the column, and is null in the rows of such files. Declare the column a string",
                )

    def _check_headers(self, split: FileSplit, blocks: Generator[Any, None, None]) -> Generator[Any, None, None]:
        """Yields the blocks of a file, and logs a header that names none of the columns: a wrong separator has no other sign."""
        rescued = self.options.format.rescued_column
        columns = [name for name in self.builder.columns.record_columns.names if name != rescued]
        checked: str | None = None
        with closing(blocks):
            for lines in blocks:
                if len(lines) and lines.header is not None and lines.header != checked:
                    checked = lines.header
                    if self.form.unnamed_by(checked, columns):
                        self.log.notice("header", _unnamed(split.path, checked, columns))
                yield lines

    def _batches_of(self, run: Sequence[FileSplit], blocks: Iterator[Any], span: Span) -> Iterator[pa.RecordBatch]:
        builder = self.builder
        if len(run) > 1:
            return builder.batches_of_run(run, blocks)
        batches = builder.batches(run[0], blocks)
        if self.recorder is not None:
            batches = self.recorder.observe(run[0], batches, builder.metrics)
        return traced(span, run[0], batches, builder.metrics)


def _unnamed(path: str, header: str, columns: Sequence[str]) -> str:
    """Returns the message about a header that names none of the requested columns."""
    shown = ", ".join(columns[:_SHOWN_COLUMNS]) + (", ..." if len(columns) > _SHOWN_COLUMNS else "")
    return (
        f"{path}: the header {header[:_SHOWN_CHARACTERS]!r} names none of the columns {shown}, which are null in its rows."
        " Check the separator, and the names in the schema"
    )
