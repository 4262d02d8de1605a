"""The public function ``audit``: proves that each byte of each listed file was read once, from the documents of ``auditPath``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import pyarrow as pa

from pyspark_logs.auditing import (
    AuditedFile,
    Finding,
    PlanDocuments,
    PlanRecord,
    SplitReport,
    TaskOrigin,
    compare,
    compare_batches,
    find_plans,
    read_documents,
)
from pyspark_logs.auditing.comparison import COMPLETE_QUERY, UNFINISHED, WRONG
from pyspark_logs.auditing.documents import COMPLETE, UNREAD
from pyspark_logs.auditing.stream_comparison import order_batches
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.options import FORMATS, parse_read_options
from pyspark_logs.rendering.html import html_table
from pyspark_logs.rendering.text_table import table as text_table
from pyspark_logs.rendering.units import format_bytes
from pyspark_logs.store import normalise, open_store

LATEST = "latest"
_SHOWN_FINDINGS = 20

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


@dataclass(frozen=True)
class QueryAudit:
    """The audit of a query, or of all batches of a stream.

    Attributes:
        query: id of the query.
        created_us: time of its first plan, microseconds since the epoch.
        state: ``complete``, ``unfinished`` or ``wrong``.
        batches: number of batches of a stream; 1 for another query.
        files: number of files to read.
        bytes: stored size of these files.
        splits: number of their splits.
        states: number of splits by outcome: ``read``, ``skipped``, ``damaged``, ``stopped``, ``failed`` or ``unread``.
        open_tasks: number of tasks without a complete attempt.
        failed_attempts: number of tasks of which an attempt stopped or failed.
        records: number of records in the splits.
        rows: number of rows returned.
        filtered: number of records excluded by a time range or a filter.
        dropped: number of records dropped by ``mode=DROPMALFORMED``.
        corrupt: number of records that do not match the format.
        reasons: number of corrupt records by reason.
        appended: number of records with fields after the last one of their format.
        findings: contradictions between the listing, the plan and the reports.
    """

    query: str
    created_us: int
    state: str
    batches: int
    files: int
    bytes: int
    splits: int
    states: dict[str, int]
    open_tasks: int
    failed_attempts: int
    records: int
    rows: int
    filtered: int
    dropped: int
    corrupt: int
    reasons: dict[str, int] = field(default_factory=dict)
    appended: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, repr=False)
class AuditReport:
    """The result of an audit. Prints as text, and shows as tables in notebooks.

    Attributes:
        path: directory of the audit.
        queries: queries by their ids, which begin with the time for queries that are no streams.
        table: a row for each split: the outcome of the planned splits, and reports that contradict the plan.
    """

    path: str
    queries: tuple[QueryAudit, ...]
    table: pa.Table

    @property
    def state(self) -> str:
        """``wrong`` if a query is wrong, ``unfinished`` if one is unfinished, else ``complete``."""
        states = {query.state for query in self.queries}
        return next((state for state in (WRONG, UNFINISHED) if state in states), COMPLETE_QUERY)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Contradictions of all queries."""
        return tuple(finding for query in self.queries for finding in query.findings)

    def heading(self) -> str:
        """Returns the result in one line."""
        states = Counter(query.state for query in self.queries)
        counts = ", ".join(f"{states[state]} {state}" for state in (COMPLETE_QUERY, UNFINISHED, WRONG) if states[state])
        proof = "each byte of each listed file is accounted for once" if self.state == COMPLETE_QUERY else ""
        return f"{len(self.queries)} queries: {counts}" + (f"; {proof}" if proof else "")

    def lines(self, width: int = 120) -> list[str]:
        """Returns the report as lines of text.

        Args:
            width: width of the terminal in characters.
        """
        lines = [*text_table(self._rows(), _COLUMNS, width), ""]
        for query in self.queries:
            lines += [f"{query.query}: {finding}" for finding in query.findings[:_SHOWN_FINDINGS]]
            if len(query.findings) > _SHOWN_FINDINGS:
                lines.append(f"{query.query}: and {len(query.findings) - _SHOWN_FINDINGS} more findings")
            if query.state == UNFINISHED:
                lines.append(
                    f"{query.query}: {query.open_tasks} tasks have no report: the query is running, failed, or was stopped, as LIMIT does"
                )
            if query.reasons:
                metrics = RecordMetrics(corrupt=query.corrupt, reasons=query.reasons)
                lines.append(f"{query.query}: {query.corrupt} corrupt records: {metrics.top_reasons()}")
        return [*lines, self.heading()]

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "query": query.query,
                "state": query.state,
                "batches": query.batches,
                "files": query.files,
                "size": format_bytes(query.bytes),
                "splits": query.splits,
                "not read": query.splits - query.states.get("read", 0),
                "records": query.records,
                "rows": query.rows,
                "corrupt": query.corrupt,
            }
            for query in self.queries
        ]

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        findings = [
            {"query": query.query, "kind": finding.kind, "path": finding.path, "finding": finding.detail}
            for query in self.queries
            for finding in query.findings
        ]
        parts = [f"<p>{self.heading()}</p>", html_table(self._rows(), _COLUMNS)]
        if findings:
            parts.append(html_table(findings, ["query", "kind", "path", "finding"]))
        return "".join(parts)


_COLUMNS = [
    "query", "state", "batches", "files", "size", "splits", "not read", "records", "rows", "corrupt",
]  # fmt: skip


def audit(path: str | os.PathLike[str], *, query: str | None = None, **options: Any) -> AuditReport:
    r"""Compares what queries listed with what their tasks read, from the documents that ``auditPath`` made them write.

    Args:
        path: directory of the option ``auditPath``.
        query: id of a query, or ``latest`` for the one that was planned last; None for all queries.
        **options: options of the store (``endpoint``, ``accessKey``...).

    Raises:
        CorruptFileError: a document is missing or damaged.
        OptionError: a bad option.
        PathNotFoundError: no query has written there.
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
    queries, tables = [], []
    for _, group in groupby(plans, key=lambda plan: plan.query):
        counter = _QueryCounter()
        for plan in order_batches(list(group)):
            counter.add(read_documents(store, directory, plan))
        queries.append(counter.result())
        tables += counter.tables
    return AuditReport(directory, tuple(queries), pa.concat_tables(tables))


class _QueryCounter:
    """Counts the batches of a query, and compares each with its plan."""

    def __init__(self) -> None:
        self.tables: list[pa.Table] = []
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
        rows = [_row(plan, *values) for values in _outcomes(documents)]
        self._states.update(row["state"] for row in rows)
        for row in rows:
            self._counts.update({name: row[name] for name in _SUMMED})
            self._reasons.update(row["reasons"])
        self.tables.append(
            pa.Table.from_pylist([{**row, "reasons": list(row["reasons"].items())} for row in rows], SCHEMA)
        )

    def result(self) -> QueryAudit:
        """Returns the audit of the query."""
        findings, counts = list(self._findings), self._counts
        if self._files:
            findings += compare_batches(self._plans, self._files, self._runs)
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


def _outcomes(documents: PlanDocuments) -> Iterator[tuple[int, SplitReport, TaskOrigin]]:
    """Yields task, outcome and origin of each planned split in the order of the plan, then reports of other ranges.

    Reports of complete attempts count; of a split without one, the report of another attempt.
    """
    reports: dict[tuple[str, int, int], list[tuple[int, SplitReport, TaskOrigin]]] = {}
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


def _row(plan: PlanRecord, task: int, report: SplitReport, origin: TaskOrigin) -> dict[str, Any]:
    names = (name for name in SCHEMA.names if name not in ("query", "batch", "task"))
    return {"query": plan.query, "batch": origin.batch, "task": task, **{name: getattr(report, name) for name in names}}
