"""Messages that the tasks of a query log about files and records."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.options import ReadOptions
from pyspark_logs.terminal_text import format_count, get_logger

_log = get_logger("pyspark_logs.reader")


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


class TaskLog:
    """Logs the messages of the tasks that one reader runs; with the option ``quiet``, at level DEBUG.

    Args:
        options: options of the reader.
    """

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self._notices: dict[str, str] = {}

    def warn(self, message: str, *arguments: Any, **options: Any) -> None:
        """Logs a warning, as ``Logger.warning``."""
        self._write(logging.WARNING, message, *arguments, **options)

    def notice(self, kind: str, message: str, level: int = logging.WARNING) -> None:
        """Logs a notice about a file; further notices of the same kind are not logged."""
        if self._notices.setdefault(kind, message) is message:  # atomic: several threads fetch files
            self._write(level, "%s", message)

    def report(self, report: TaskReport) -> None:
        """Logs the number of records that do not match, and of those with fields after the last one of the format."""
        counted = report.metrics
        if report.appended is not None and counted.appended:
            is_kept = self._options.format.rescued_column is not None
            self._write(
                logging.INFO if is_kept else logging.WARNING,
                "%d of %s fields after the last one of the format%s. The first of them: %s at byte %d",
                counted.appended, _agreed(counted.appended, counted.records, "has", "have"),
                "" if is_kept else ", which are not read; rescuedDataColumn=NAME keeps them by their positions",
                *report.appended,
            )  # fmt: skip
        if report.corrupt is not None and counted.corrupt:
            outcome = "dropped" if self._options.records.mode == "DROPMALFORMED" else "kept, with nulls"
            self.warn(
                "%d of %s not match the format and %s %s: %s. The first of them: %s at byte %d",
                counted.corrupt, _agreed(counted.corrupt, counted.records, "does", "do"),
                "is" if counted.corrupt == 1 else "are", outcome, counted.top_reasons(), *report.corrupt,
            )  # fmt: skip

    def _write(self, level: int, message: str, *arguments: Any, **options: Any) -> None:
        _log.log(logging.DEBUG if self._options.report.quiet else level, message, *arguments, **options)


def _agreed(count: int, total: int, singular: str, plural: str) -> str:
    """Returns the total, and the verb for a count of it.

    >>> _agreed(1, 3, "does", "do"), _agreed(2, 3, "does", "do")
    ('3 records does', '3 records do')
    """
    return f"{format_count(total, 'record')} {singular if count == 1 else plural}"
