"""The comparison of the batches of a stream: each follows the one before it, and each file is in one of them. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pyspark_logs.auditing.comparison import CHAIN, DOUBLED, Finding
from pyspark_logs.auditing.documents import AuditedFile, PlanRecord


def order_batches(plans: Sequence[PlanRecord]) -> list[PlanRecord]:
    """Returns the batches of a stream in the order of their offsets: each chain from its first batch on, the oldest first."""
    followers: dict[str, list[PlanRecord]] = {}
    for plan in plans:
        followers.setdefault(plan.start, []).append(plan)
    ends = {plan.end for plan in plans}
    pending = sorted((plan for plan in plans if plan.start not in ends), key=_created, reverse=True)
    ordered: dict[str, PlanRecord] = {}
    while pending:
        plan = pending.pop()
        if plan.batch not in ordered:
            ordered[plan.batch] = plan
            pending += sorted(followers.get(plan.end, ()), key=_created, reverse=True)
    # Offsets that form a cycle have no first batch.
    return [*ordered.values(), *(plan for plan in plans if plan.batch not in ordered)]


def compare_batches(
    plans: Sequence[PlanRecord], files: Iterable[tuple[PlanRecord, Sequence[AuditedFile]]], runs: Iterable[str] = ()
) -> Iterator[Finding]:
    """Yields the contradictions between the batches of a stream.

    Args:
        plans: plan of each batch.
        files: files of each batch.
        runs: ids of the streaming queries that reported batches.

    >>> def batch(start, end):
    ...     return PlanRecord("q", end, "p", 0, (), "", None, 0, 0, 0, 0, start=start, end=end)
    >>> list(compare_batches([batch("a", "b"), batch("b", "c")], []))
    []
    >>> [finding.kind for finding in compare_batches([batch("a", "b"), batch("c", "d")], [])]
    ['chain']
    """
    ends = {plan.end for plan in plans}
    heads = [plan for plan in order_batches(plans) if plan.start not in ends]
    for head in heads[1:]:
        yield Finding(
            CHAIN,
            "",
            f"batch {head.batch} follows no other batch: the batches before it have no audit, or another query wrote it",
        )
    if plans and not heads:
        yield Finding(CHAIN, "", "the batches follow one another in a circle")
    followers: dict[str, str] = {}
    for plan in plans:
        other = followers.setdefault(plan.start, plan.batch)
        if other != plan.batch:
            yield Finding(
                CHAIN,
                "",
                f"batches {other} and {plan.batch} begin at the same offset: two queries, or one whose checkpoint was lost",
            )
    distinct = sorted(set(runs))
    if len(distinct) > 1:
        yield Finding(
            CHAIN, "", f"{len(distinct)} streaming queries wrote here: {', '.join(distinct)}; give each a directory"
        )
    yield from _repeated_files(files)


def _repeated_files(files: Iterable[tuple[PlanRecord, Sequence[AuditedFile]]]) -> Iterator[Finding]:
    """Yields the versions of files that are in more than one batch."""
    batches: dict[tuple[str, str, int, int], str] = {}
    for plan, listed in files:
        for file in listed:
            version = (file.path, file.version, file.size, file.modified_ms)
            other = batches.setdefault(version, plan.batch)
            if other != plan.batch:
                yield Finding(DOUBLED, file.path, f"is in the batches {other} and {plan.batch}")


def _created(plan: PlanRecord) -> tuple[int, str]:
    return plan.created_ms, plan.batch
