"""One message about the records of a batch on the driver, from the reports of its tasks below ``auditPath``."""

from __future__ import annotations

import logging

from pyspark_logs.auditing import PlanRecord, read_plan, read_task_records
from pyspark_logs.auditing.documents import COMPLETE, DAMAGED, SKIPPED
from pyspark_logs.errors import LogSourceError
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.store import Store
from pyspark_logs.terminal_text import format_count, get_logger

_log = get_logger(__name__)


def log_summary(store: Store, directory: str, query: str, batch: str) -> None:
    """Logs the counts of a batch: as a warning if records do not match, or splits were skipped or are damaged.

    A failure is logged at level INFO, because the batch itself is complete.

    Args:
        store: store of the directory.
        directory: normalised ``auditPath``.
        query: id of the stream in the audit.
        batch: id of the batch.
    """
    try:
        plan = read_plan(store, directory, query, batch)
        if plan is not None:
            _log_counts(store, directory, plan)
    except LogSourceError as error:
        _log.info("the audit of the last batch in %s cannot be read: %s", directory, error)


def _log_counts(store: Store, directory: str, plan: PlanRecord) -> None:
    splits = [
        split for task in read_task_records(store, directory, plan) if task.state == COMPLETE for split in task.splits
    ]
    counts = RecordMetrics()
    for split in splits:
        counts.add(
            RecordMetrics(
                split.records, split.rows, split.filtered, split.dropped, split.corrupt, reasons=dict(split.reasons)
            )
        )
    skipped, damaged = (sum(split.state == state for split in splits) for state in (SKIPPED, DAMAGED))
    _log.log(
        logging.WARNING if counts.corrupt or skipped or damaged else logging.INFO,
        "%s: the last batch has %s in %s: %s, %d filtered, %d dropped; %d %s not match the format%s; %s skipped, %d damaged",
        ", ".join(plan.paths), format_count(counts.records, "record"), format_count(plan.files, "file"),
        format_count(counts.rows, "row"), counts.filtered, counts.dropped,
        counts.corrupt, "does" if counts.corrupt == 1 else "do", f": {counts.top_reasons()}" if counts.reasons else "", format_count(skipped, "split"), damaged,
    )  # fmt: skip
