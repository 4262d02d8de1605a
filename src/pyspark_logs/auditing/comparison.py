"""The comparison of a plan with the reports of its tasks: each byte of each listed file exactly once. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyspark_logs.auditing.documents import (
    COMPLETE,
    SKIPPED,
    AuditedFile,
    PlannedSplit,
    PlanRecord,
    SplitReport,
    TaskRecord,
)
from pyspark_logs.terminal_text import format_count

COMPLETE_QUERY, UNFINISHED, WRONG = "complete", "unfinished", "wrong"

# Kinds of findings. The plan itself: bytes of a file in no split (GAP) or in several (OVERLAP), a split of a file that was not
# listed (UNLISTED), counts that do not add up (COUNTS). The reports: a planned split that its complete task does not report
# (MISSING), one that is reported more than once (DOUBLED), a range that was not planned (UNPLANNED), another version or size of
# the file (VERSION), and records that do not add up (RECORDS). A stream: batches that do not follow one another (CHAIN).
GAP, OVERLAP, UNLISTED, COUNTS = "gap", "overlap", "unlisted", "counts"
MISSING, DOUBLED, UNPLANNED, VERSION, RECORDS = "missing", "doubled", "unplanned", "version", "records"
CHAIN = "chain"

_Range = tuple[str, int, int]  # path, start, length


@dataclass(frozen=True)
class Finding:
    """A contradiction between the listing, the plan and the reports.

    Attributes:
        kind: kind of the contradiction.
        path: path of the file; empty if the finding is not about a file.
        detail: description, with byte ranges as ``[start, end)``.
    """

    kind: str
    path: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.path + ': ' if self.path else ''}{self.detail}"


@dataclass(frozen=True)
class PlanComparison:
    """The result of a comparison.

    Attributes:
        findings: contradictions.
        open_tasks: number of tasks without the report of a complete attempt.
        failed_attempts: number of tasks that have the report of an attempt that stopped or failed.
    """

    findings: tuple[Finding, ...]
    open_tasks: int = 0
    failed_attempts: int = 0

    @property
    def state(self) -> str:
        """``WRONG`` with findings, ``UNFINISHED`` with open tasks, else ``COMPLETE_QUERY``."""
        return WRONG if self.findings else UNFINISHED if self.open_tasks else COMPLETE_QUERY


def compare(plan: PlanRecord, files: Sequence[AuditedFile], tasks: Sequence[TaskRecord]) -> PlanComparison:
    """Compares a plan with the reports of its tasks.

    Args:
        plan: the plan.
        files: its files with their splits.
        tasks: reports of the attempts at its tasks, those of unfinished attempts included.

    Returns:
        The contradictions. A split whose task has no complete attempt is not one of them: the query still runs, failed, or was
        stopped, as ``LIMIT`` does.

    >>> plan = PlanRecord("q", "read", "p", 0, ("/logs",), "", None, tasks=1, files=1, bytes=10, parts=1)
    >>> file = AuditedFile("/logs/a", "v", 10, 0, (PlannedSplit(0, 10, 0),))
    >>> report = SplitReport("/logs/a", "v", 10, 0, 10, "read")
    >>> compare(plan, [file], [TaskRecord(0, "complete", (report,))]).state, compare(plan, [file], []).state
    ('complete', 'unfinished')
    >>> [str(finding) for finding in compare(plan, [file], [TaskRecord(0, "complete", (report, report))]).findings]
    ['doubled: /logs/a: bytes [0, 10) were reported 2 times']
    """
    complete = [task for task in tasks if task.state == COMPLETE]
    done = {task.number for task in complete}
    planned = {file.path: file for file in files}
    reports = [report for task in complete for report in task.splits]
    findings = [
        *_check_counts(plan, files),
        *(finding for file in files for finding in _check_file(file)),
        *_check_reports(planned, reports, done),
    ]
    given_up = {task.number for task in tasks if task.state != COMPLETE}
    return PlanComparison(tuple(findings), plan.tasks - len(done & set(range(plan.tasks))), len(given_up))


def _check_counts(plan: PlanRecord, files: Sequence[AuditedFile]) -> Iterator[Finding]:
    listed = [file for file in files if file.listed]
    size = sum(file.size for file in listed)
    if (len(listed), size) != (plan.files, plan.bytes):
        yield Finding(
            COUNTS,
            "",
            f"the plan names {format_count(len(listed), 'file')} of {format_count(size, 'byte')}, and was written for {plan.files} of {plan.bytes}",
        )
    repeated = [path for path, count in Counter(file.path for file in files).items() if count > 1]
    yield from (Finding(DOUBLED, path, "was listed more than once") for path in repeated)
    wrong = sorted({split.task for file in files for split in file.splits} - set(range(plan.tasks)))
    if wrong:
        yield Finding(
            COUNTS, "", f"splits belong to task {wrong[0]}, and the plan has {format_count(plan.tasks, 'task')}"
        )
    counts = plan.listing
    if counts:
        excluded = sum(count for name, count in counts.items() if name in _EXCLUSIONS)
        if counts["files_listed"] != plan.files + excluded:
            yield Finding(
                COUNTS, "",
                f"{format_count(counts['files_listed'], 'file was', 'files were')} listed: {plan.files} to read, {excluded} excluded",
            )  # fmt: skip


# Counts of a PlanReport that, together with the files to read, are the listed files.
_EXCLUSIONS = frozenset(
    {
        "skipped_empty", "skipped_hidden", "skipped_by_layout", "skipped_uncommitted", "skipped_unwanted", "pruned_by_time",
        "pruned_by_partition", "pruned_by_glob", "pruned_by_modified", "duplicates",
    }
)  # fmt: skip


def _check_file(file: AuditedFile) -> Iterator[Finding]:
    """Yields the contradictions between a file and its splits, which must cover ``[0, size)`` without overlap."""
    if not file.listed:
        yield Finding(UNLISTED, file.path, f"{format_count(len(file.splits), 'split')} of a file that was not listed")
        return
    position = 0
    for start, length, _ in sorted(file.splits):
        if start > position:
            yield Finding(GAP, file.path, f"bytes {_range(position, start)} are in no split")
        elif start < position:
            yield Finding(
                OVERLAP, file.path, f"bytes {_range(start, min(position, start + length))} are in several splits"
            )
        if length <= 0:
            yield Finding(COUNTS, file.path, f"a split at byte {start} has {format_count(length, 'byte')}")
        position = max(position, start + length)
    if position < file.size:
        yield Finding(GAP, file.path, f"bytes {_range(position, file.size)} are in no split")
    elif position > file.size:
        yield Finding(
            COUNTS, file.path, f"the splits end at byte {position}, and the file has {format_count(file.size, 'byte')}"
        )


def _check_reports(
    planned: Mapping[str, AuditedFile], reports: Sequence[SplitReport], done: set[int]
) -> Iterator[Finding]:
    counts: Counter[_Range] = Counter((report.path, report.start, report.length) for report in reports)
    for file in planned.values():
        for (start, length), task in {(split.start, split.length): split.task for split in file.splits}.items():
            count = counts.pop((file.path, start, length), 0)
            span = _range(start, start + length)
            if count > 1:
                yield Finding(DOUBLED, file.path, f"bytes {span} were reported {count} times")
            elif not count and task in done:
                yield Finding(
                    MISSING, file.path, f"bytes {span} are not in the report of task {task}, which is complete"
                )
    for path, start, length in counts:
        yield _unplanned(planned.get(path), path, start, start + length)
    for report in reports:
        yield from _check_report(planned.get(report.path), report)


def _check_report(file: AuditedFile | None, report: SplitReport) -> Iterator[Finding]:
    if file is not None and (report.version, report.size) != (file.version, file.size):
        yield Finding(
            VERSION, report.path,
            f"version {report.version!r} of {format_count(report.size, 'byte')} was read, and {file.version!r} of {file.size} was listed",
        )  # fmt: skip
    counted = report.rows + report.filtered + report.dropped
    if report.state != SKIPPED and report.records != counted:
        yield Finding(
            RECORDS, report.path,
            f"bytes {_range(report.start, report.start + report.length)} have {format_count(report.records, 'record')}, of which {counted} are rows,"
            " filtered or dropped",
        )  # fmt: skip


def _unplanned(file: AuditedFile | None, path: str, start: int, end: int) -> Finding:
    """Returns the finding for a report of bytes that are not a split of the plan."""
    if file is None:
        return Finding(UNPLANNED, path, f"bytes {_range(start, end)} were reported, and the file is not in the plan")
    shared = [split for split in file.splits if split.start < end and start < split.start + split.length]
    if not shared:
        return Finding(UNPLANNED, path, f"bytes {_range(start, end)} were reported, and are in no split")
    return Finding(OVERLAP, path, f"bytes {_range(start, end)} were reported, and the plan has {_describe(shared)}")


def _describe(splits: Iterable[PlannedSplit]) -> str:
    return ", ".join(_range(split.start, split.start + split.length) for split in splits)


def _range(start: int, end: int) -> str:
    return f"[{start}, {end})"
