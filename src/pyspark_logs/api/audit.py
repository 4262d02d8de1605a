"""The public function ``audit``: proves that each byte of each listed file was read once, from the documents of ``auditPath``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import pyarrow as pa

from pyspark_logs.api.audit_report import AuditReport, QueryAudit
from pyspark_logs.arrow_values import from_values
from pyspark_logs.auditing import (
    AuditedFile,
    Finding,
    PlanDocuments,
    PlanRecord,
    SplitReport,
    TaskOrigin,
    compare,
    compare_batches,
    compare_checkpoint,
    find_plans,
    read_checkpoint,
    read_documents,
)
from pyspark_logs.auditing.checkpoint import CheckpointBatch
from pyspark_logs.auditing.comparison import COMPLETE_QUERY, UNFINISHED, WRONG
from pyspark_logs.auditing.documents import COMPLETE, UNREAD
from pyspark_logs.auditing.stream_comparison import order_batches
from pyspark_logs.errors import PathNotFoundError
from pyspark_logs.options import FORMATS, parse_read_options
from pyspark_logs.store import normalise, open_store

LATEST = "latest"

SCHEMA = pa.schema(
    {
        "query": pa.string(),
        "batch": pa.int64(),
        "task": pa.int64(),
        "path": pa.string(),
        "version": pa.string(),
        "size": pa.int64(),
        "start": pa.int64(),
        "length": pa.int64(),
        "state": pa.string(),
        "records": pa.int64(),
        "rows": pa.int64(),
        "filtered": pa.int64(),
        "dropped": pa.int64(),
        "corrupt": pa.int64(),
        "reasons": pa.map_(pa.string(), pa.int64()),
        "appended": pa.int64(),
        "seconds": pa.float64(),
        "problem": pa.string(),
    }
)


def audit(
    path: str | os.PathLike[str],
    *,
    query: str | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    **options: Any,
) -> AuditReport:
    r"""Compares the files that queries listed with the bytes that their tasks read, from the documents below ``auditPath``.

    Args:
        path: directory of the option ``auditPath``.
        query: id of a query, or ``latest`` for the one that was planned last; None for all queries.
        checkpoint: ``checkpointLocation`` of a streaming query, each of whose complete batches must have an audit; None to compare
            the batches with one another only.
        **options: options of the store (``endpoint``, ``accessKey``...).

    Raises:
        CorruptFileError: a document is missing or damaged.
        OptionError: a bad option.
        PathNotFoundError: no query has written there, or not the one of the checkpoint.
        StoreError: the store refused or failed.

    >>> import pathlib, tempfile
    >>> from pyspark_logs import scan
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> (folder / "logs").mkdir()
    >>> _ = (folder / "logs" / "app.log").write_text("INFO started\nWARN slow\n")
    >>> rows = scan(folder / "logs", template="{level} {message}", auditPath=folder / "audit").read_all()
    >>> report = audit(folder / "audit")
    >>> report.state, report.queries[0].records, report.table.select(["start", "length", "state"]).to_pylist()
    ('complete', 2, [{'start': 0, 'length': 23, 'state': 'read'}])
    """
    formats = {name.lower() for name in FORMATS}
    has_format = any(name.lower() in formats for name in options)
    parsed = parse_read_options({**({} if has_format else {"json": "true"}), **options, "path": path})
    directory = normalise(parsed.plan.paths[0])
    store = open_store(directory, parsed.store)
    plans = find_plans(store, directory, None if query == LATEST else query)
    if query == LATEST:
        last = max(plans, key=lambda plan: plan.created_ms).query
        plans = [plan for plan in plans if plan.query == last]
    batches = []
    if checkpoint is not None:
        location = normalise(os.fspath(checkpoint))
        batches = read_checkpoint(open_store(location, parsed.store), location)
        unknown = {batch.query for batch in batches} - {plan.query for plan in plans}
        if unknown:
            raise PathNotFoundError(
                f"{directory} has no audit of query {', '.join(sorted(unknown))}, to which the checkpoint {location} belongs. Give the"
                " auditPath of that query"
            )
    queries, tables = [], []
    for name, group in groupby(plans, key=lambda plan: plan.query):
        counter = _QueryCounter([batch for batch in batches if batch.query == name])
        for plan in order_batches(list(group)):
            counter.add(read_documents(store, directory, plan))
        queries.append(counter.result())
        tables += counter.tables
    return AuditReport(directory, tuple(queries), pa.concat_tables(tables))


_Outcome = tuple[int, SplitReport, TaskOrigin]  # number of the task, outcome of a split, ids of the batch
_FROM_PLAN = ("query", "batch", "task")


class _QueryCounter:
    """Counts the batches of a query, and compares each with its plan."""

    def __init__(self, checkpoint: Sequence[CheckpointBatch]) -> None:
        self.tables: list[pa.Table] = []
        self._checkpoint = checkpoint
        self._plans: list[PlanRecord] = []
        self._files: list[tuple[PlanRecord, Sequence[AuditedFile]]] = []
        self._runs: set[str] = set()
        self._findings: list[Finding] = []
        self._states: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()

    def add(self, documents: PlanDocuments) -> None:
        """Adds a batch of the query."""
        plan = documents.plan
        compared = compare(plan, documents.files, documents.tasks)
        self._findings += compared.findings
        self._counts.update(open_tasks=compared.open_tasks, failed_attempts=compared.failed_attempts)
        self._plans.append(plan)
        if plan.is_stream:
            self._files.append((plan, documents.files))
        self._runs |= {task.origin.run for task in documents.tasks if task.origin.run is not None}
        outcomes = list(_outcomes(documents))
        reports = [report for _, report, _ in outcomes]
        self._states.update(report.state for report in reports)
        self._counts.update({name: sum(getattr(report, name) for report in reports) for name in _SUMMED})
        for report in reports:
            if report.reasons:
                self._reasons.update(report.reasons)
        self.tables.append(_table(plan, outcomes))

    def result(self) -> QueryAudit:
        """Returns the audit of the query."""
        findings, counts = list(self._findings), self._counts
        if self._files:
            findings += compare_batches(self._plans, self._files, self._runs)
            findings += compare_checkpoint(self._checkpoint, self._plans)
        return QueryAudit(
            query=self._plans[0].query,
            created_us=min(plan.created_ms for plan in self._plans) * 1000,
            state=WRONG if findings else UNFINISHED if counts["open_tasks"] else COMPLETE_QUERY,
            batches=len(self._plans),
            files=sum(plan.files for plan in self._plans),
            bytes=sum(plan.bytes for plan in self._plans),
            splits=sum(self._states.values()),
            states=dict(self._states),
            open_tasks=counts["open_tasks"],
            failed_attempts=counts["failed_attempts"],
            **{name: counts[name] for name in _SUMMED},
            reasons=dict(self._reasons),
            findings=tuple(findings),
        )


_SUMMED = ("records", "rows", "filtered", "dropped", "corrupt", "appended")


def _outcomes(documents: PlanDocuments) -> Iterator[_Outcome]:
    """Yields task, outcome and origin of each planned split in the order of the plan, then reports of other ranges.

    Reports of complete attempts count; of a split without one, the report of another attempt.
    """
    reports: dict[tuple[str, int, int], list[_Outcome]] = {}
    for task in sorted(documents.tasks, key=lambda task: task.state != COMPLETE):
        for report in task.splits:
            known = reports.setdefault((report.path, report.start, report.length), [])
            if task.state == COMPLETE or not known:
                known.append((task.number, report, task.origin))
    for file in documents.files:
        for start, length, number in file.splits:
            unread = SplitReport(file.path, file.version, file.size, start, length, UNREAD)
            yield from reports.pop((file.path, start, length), [(number, unread, TaskOrigin())])
    for found in reports.values():
        yield from found


def _table(plan: PlanRecord, outcomes: Sequence[_Outcome]) -> pa.Table:
    """Returns outcomes as rows; column by column, because a plan may have millions of splits."""
    columns: dict[str, list[Any]] = {
        name: [getattr(report, name) for _, report, _ in outcomes] for name in SCHEMA.names if name not in _FROM_PLAN
    }
    columns["reasons"] = [list(reasons.items()) for reasons in columns["reasons"]]
    columns["query"] = [plan.query] * len(outcomes)
    columns["batch"] = [origin.batch for _, _, origin in outcomes]
    columns["task"] = [task for task, _, _ in outcomes]
    return pa.table({field.name: from_values(columns[field.name], field.type) for field in SCHEMA}, SCHEMA)
