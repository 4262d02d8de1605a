"""The result of an audit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from pyspark_logs.auditing import Finding
from pyspark_logs.auditing.comparison import COMPLETE_QUERY, UNFINISHED, WRONG
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.rendering.html import html_table
from pyspark_logs.rendering.report_output import PlainOutput, ReportOutput
from pyspark_logs.rendering.units import format_bytes
from pyspark_logs.terminal_text import format_count

_SHOWN_FINDINGS = 20


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
        failed_attempts: number of tasks with an attempt that stopped or failed.
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
        queries: results of the queries, ordered by query id; the id of a batch query begins with the time of its plan.
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
        return f"{format_count(len(self.queries), 'query', 'queries')}: {counts}" + (f"; {proof}" if proof else "")

    def write_to(self, output: ReportOutput) -> None:
        """Writes the report to an output."""
        output.table(self._rows(), _COLUMNS, whole=["query"])
        output.line()
        for query in self.queries:
            for finding in query.findings[:_SHOWN_FINDINGS]:
                output.line(f"{query.query}: {finding}")
            if len(query.findings) > _SHOWN_FINDINGS:
                others = format_count(len(query.findings) - _SHOWN_FINDINGS, "more finding")
                output.line(f"{query.query}: and {others}")
            if query.state == UNFINISHED:
                tasks = format_count(query.open_tasks, "task has", "tasks have")
                output.line(
                    f"{query.query}: {tasks} no report: the query is running, failed, or was stopped, as LIMIT does"
                )
            if query.reasons:
                metrics = RecordMetrics(corrupt=query.corrupt, reasons=query.reasons)
                corrupt = format_count(query.corrupt, "corrupt record")
                output.line(f"{query.query}: {corrupt}: {metrics.top_reasons()}")
        output.line(self.heading())

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
        output = PlainOutput(120)
        self.write_to(output)
        return "\n".join(output.lines)

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
    "query", "state", "files", "splits", "not read", "records", "rows", "corrupt", "batches", "size",
]  # fmt: skip
