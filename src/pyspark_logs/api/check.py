"""The public function ``check``: reads a load as a whole, and reports the records that do not match, by reason and time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.api.check_report import CheckReport, CorruptSample, FileCheck
from pyspark_logs.api.loads import resolve_load
from pyspark_logs.api.read_progress import ReadProgress, check_progress
from pyspark_logs.api.scan import ScanSummary
from pyspark_logs.api.time_counts import NO_TIME, TimeCounts
from pyspark_logs.arrow_values import as_bool, as_numbers, from_numpy
from pyspark_logs.bad_records import BadRecords
from pyspark_logs.planning import FileSplit
from pyspark_logs.reader import LogReader
from pyspark_logs.schema import parse_ddl, to_ddl
from pyspark_logs.task_reader import ReadTask

_MAX_SAMPLE = 200


def check(
    path: str | os.PathLike[str] | list[str], *, progress: Callable[[ReadProgress], None] | None = None, **options: Any
) -> CheckReport:
    r"""Reads and parses all columns of log files, and reports the records that do not match.

    Args:
        path: directory, file or glob, or a list of them.
        progress: function that is called after each batch of rows.
        **options: options of :func:`pyspark_logs.scan`. ``mode`` is PERMISSIVE.

    Raises:
        LogSourceError: as :func:`pyspark_logs.scan`.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "app.log")
    >>> _ = file.write_text("7 started\nx slow\n")
    >>> report = check(file, template="{n:int} {message}")
    >>> report.summary.records, [(sample.reason, sample.text) for sample in report.samples]
    (2, [("field 'n': not a whole number", 'x slow')])
    """
    check_progress(progress)
    reader = _whole_reader(path, options)
    plan = reader.plan()
    counter = _Counter(reader, plan.path_columns)
    total, started = sum(split.length for task in plan.tasks for split in task.splits), time.monotonic()
    for task in plan.tasks:
        for _ in counter.read(task):
            if progress is not None:
                counts, seconds = counter.summary, time.monotonic() - started
                progress(ReadProgress(counter.done, total, counts.records, counts.corrupt, seconds))
    histogram, earlier, later = counter.times.histogram()
    return CheckReport(
        counter.summary,
        counter.samples(),
        histogram,
        tuple(counter.files[name] for name in sorted(counter.files)),
        time.monotonic() - started,
        earlier,
        later,
        counter.times.untimed,
    )


def _whole_reader(path: str | os.PathLike[str] | list[str], options: dict[str, Any]) -> LogReader:
    """Returns a reader of all columns, and of the text of corrupt records, by which they are counted over time."""
    given = {
        name: value for name, value in options.items() if name.lower() not in ("mode", "badrecordspath", "auditpath")
    }
    parsed, ddl = resolve_load(path, given)
    schema = parse_ddl(ddl)
    corrupt = parsed.records.corrupt_column
    if corrupt.lower() not in (name.lower() for name in schema.names):
        schema = schema.append(pa.field(corrupt, pa.string()))
    return LogReader(parsed, to_ddl(schema))


@dataclass
class _Counter:
    """Counts the records of a check by reason, by time and by file; a receiver of bad records, and so of splits.

    Attributes:
        reader: reader of the records.
        path_columns: partition columns of the layout.
        summary: numbers of records.
        files: numbers of each file by its path.
        done: stored bytes of the splits that are complete.
        firsts: path, offset and text of the first record of each reason.
        times: numbers of records over time.
    """

    reader: LogReader
    path_columns: tuple[str, ...]
    summary: ScanSummary = field(default_factory=ScanSummary)
    files: dict[str, FileCheck] = field(default_factory=dict)
    done: int = 0
    firsts: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    times: TimeCounts = field(default_factory=TimeCounts)
    _split_rows: list[int] = field(
        default_factory=list
    )  # of each split of the task that has begun, the number of its first row
    _split_times: list[int] = field(default_factory=list)
    _begun: tuple[FileSplit, int, int, float] = field(init=False)

    def read(self, task: ReadTask) -> Iterator[None]:
        """Yields after each batch of a task that was read and counted."""
        names = [name.lower() for name in self.reader.target().names]
        time_name = self.reader.columns(self.path_columns).shown_time
        corrupt_index = names.index(self.reader.options.records.corrupt_column.lower())
        time_index = None if time_name is None else names.index(time_name.lower())
        first_row = self.summary.rows
        self._split_rows, self._split_times = [], []
        for batch in self.reader.read_task(task, self.summary, report=lambda _: None, bad_records=self):
            corrupt = as_bool(batch.column(corrupt_index).is_valid())
            times = self._path_times(first_row, batch.num_rows)
            if time_index is not None:
                times = as_numbers(pc.coalesce(batch.column(time_index).cast(pa.int64()), from_numpy(times)))
            self.times.add(times, corrupt)
            first_row += batch.num_rows
            yield

    def _path_times(self, first_row: int, rows: int) -> Any:
        """Returns the time in the path of each row of a batch, which may have rows of several splits."""
        splits = np.searchsorted(self._split_rows, np.arange(first_row, first_row + rows), side="right") - 1
        return np.array(self._split_times, np.int64)[splits]

    # --- receiver of bad records ------------------------------------------------------------------------------

    def begin(self, split: FileSplit) -> None:
        """Notes the time in the path of the file, and the counts and the clock before its records."""
        self._split_rows.append(self.summary.rows)
        start_us = split.layout_start_us
        self._split_times.append(NO_TIME if start_us is None else start_us)
        self._begun = split, self.summary.records, self.summary.corrupt, time.monotonic()

    def add(self, records: BadRecords) -> None:
        """Keeps the first record of each reason."""
        for category, _, first in records.reasons.counts():
            if category not in self.firsts and category in self.summary.reasons:
                text = records.texts[first].as_py()[:_MAX_SAMPLE]
                self.firsts[category] = (records.path, int(records.offsets[first]), text)

    def finish(self) -> None:
        """Adds the counts of the split to its file."""
        split, records, corrupt, started = self._begun
        known = self.files.get(split.path, FileCheck(split.path, split.size, 0, 0, 0.0))
        self.files[split.path] = FileCheck(
            split.path,
            split.size,
            known.records + self.summary.records - records,
            known.corrupt + self.summary.corrupt - corrupt,
            known.seconds + time.monotonic() - started,
        )
        self.done += split.length

    # --- results ----------------------------------------------------------------------------------------------

    def samples(self) -> tuple[CorruptSample, ...]:
        """Returns a sample of each counted reason, the most frequent first."""
        ranked = sorted(self.summary.reasons.items(), key=lambda item: (-item[1], item[0]))
        return tuple(CorruptSample(reason, count, *self.firsts.get(reason, ("", 0, ""))) for reason, count in ranked)
