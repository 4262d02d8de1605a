"""The comparison of plans with reports: whatever the order, each change of one split is found."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyspark_logs.auditing import (
    AuditedFile,
    PlannedSplit,
    PlanRecord,
    SplitReport,
    TaskRecord,
    compare,
    compare_batches,
)
from pyspark_logs.auditing.comparison import (
    CHAIN,
    COUNTS,
    DOUBLED,
    GAP,
    MISSING,
    OVERLAP,
    RECORDS,
    UNLISTED,
    UNPLANNED,
    VERSION,
)
from pyspark_logs.auditing.stream_comparison import order_batches
from tests.support.effort import examples

Files = tuple[AuditedFile, ...]


def plan_of(files: Files, tasks: int) -> PlanRecord:
    listed = [file for file in files if file.listed]
    size = sum(file.size for file in listed)
    return PlanRecord("q", "read", "p", 0, ("/logs",), "a string", None, tasks, len(listed), size, 1)


def report_of(file: AuditedFile, split: PlannedSplit) -> SplitReport:
    return SplitReport(file.path, file.version, file.size, split.start, split.length, "read", 5, 3, 1, 1, 2, {"no": 2})


def complete(files: Files) -> list[TaskRecord]:
    tasks: dict[int, list[SplitReport]] = {}
    for file in files:
        for split in file.splits:
            tasks.setdefault(split.task, []).append(report_of(file, split))
    return [TaskRecord(number, "complete", tuple(splits)) for number, splits in sorted(tasks.items())]


@st.composite
def queries(draw: st.DrawFn) -> tuple[PlanRecord, Files]:
    step, tasks = draw(st.integers(20, 90)), draw(st.integers(1, 4))
    files = []
    for number, size in enumerate(draw(st.lists(st.integers(1, 200), min_size=1, max_size=4))):
        cuts = range(0, size, step)
        splits = tuple(PlannedSplit(start, min(step, size - start), (start + number) % tasks) for start in cuts)
        files.append(AuditedFile(f"/logs/{number}", "v", size, 0, splits))
    return plan_of(tuple(files), tasks), tuple(files)


def shuffled(tasks: list[TaskRecord], seed: int) -> list[TaskRecord]:
    mixed = random.Random(seed)
    tasks = [replace(task, splits=tuple(mixed.sample(task.splits, len(task.splits)))) for task in tasks]
    mixed.shuffle(tasks)
    return tasks


@settings(max_examples=examples(30))
@given(queries(), st.integers(0, 99), st.data())
def test_each_change_of_one_report_is_found(query: tuple[PlanRecord, Files], seed: int, data: st.DataObject) -> None:
    plan, files = query
    plan = replace(plan, tasks=len({split.task for file in files for split in file.splits}))
    numbers = sorted({split.task for file in files for split in file.splits})
    files = tuple(
        replace(file, splits=tuple(split._replace(task=numbers.index(split.task)) for split in file.splits))
        for file in files
    )
    exact = shuffled(complete(files), seed)
    assert (compare(plan, files, exact).state, compare(plan, files, exact).findings) == ("complete", ())
    # Without one of the tasks, the query is unfinished and not wrong.
    assert compare(plan, files, exact[1:]).state == "unfinished"
    task = data.draw(st.sampled_from(exact))
    report = data.draw(st.sampled_from(task.splits))
    others = [one for one in task.splits if one is not report]
    shift = data.draw(st.integers(-300, 300).filter(bool))
    for changed, kinds in (
        ([], {MISSING}),
        ([report, report], {DOUBLED}),
        ([replace(report, start=report.start + shift)], {MISSING, UNPLANNED, OVERLAP, DOUBLED}),
        ([replace(report, length=report.length + abs(shift))], {MISSING, OVERLAP}),
        ([replace(report, version="w")], {VERSION}),
        ([replace(report, size=report.size + 1)], {VERSION}),
        ([replace(report, records=4)], {RECORDS}),
        ([report, replace(report, path="/logs/other")], {UNPLANNED}),
    ):
        tasks = [replace(task, splits=(*others, *changed)) if one is task else one for one in exact]
        found = compare(plan, files, tasks)
        assert found.state == "wrong"
        assert {finding.kind for finding in found.findings} <= kinds
        assert MISSING in {finding.kind for finding in found.findings} or changed


@settings(max_examples=examples(30))
@given(queries(), st.data())
def test_each_change_of_one_planned_split_is_found(query: tuple[PlanRecord, Files], data: st.DataObject) -> None:
    plan, files = query
    file = data.draw(st.sampled_from(files))
    split = data.draw(st.sampled_from(file.splits))
    others = [one for one in file.splits if one is not split]
    shift = data.draw(st.integers(-300, 300).filter(bool))
    for splits, kinds in (
        (others, {GAP}),
        ([*others, split, split._replace(task=0)], {OVERLAP}),
        ([*others, split._replace(start=split.start + shift)], {GAP, OVERLAP, COUNTS}),
        ([*others, split._replace(length=split.length + abs(shift))], {OVERLAP, COUNTS}),
        ([*others, split._replace(length=0)], {GAP, COUNTS}),
    ):
        changed = tuple(replace(file, splits=tuple(splits)) if one is file else one for one in files)
        found = {finding.kind for finding in compare(plan, changed, complete(changed)).findings}
        assert found
        # Ranges that two tasks read are doubled, too.
        assert found <= kinds | {DOUBLED}


FILE = AuditedFile("/logs/a", "v", 10, 0, (PlannedSplit(0, 10, 0),))


@pytest.mark.parametrize(
    ("plan", "files", "kind"),
    [
        (plan_of((FILE,), 1), (), COUNTS),  # a file of the plan is missing
        (plan_of((FILE,), 1), (FILE, FILE), DOUBLED),
        (plan_of((FILE,), 1), (FILE, replace(FILE, path="/logs/b", listed=False)), UNLISTED),
        (plan_of((FILE,), 0), (FILE,), COUNTS),
        (replace(plan_of((FILE,), 1), listing={"files_listed": 2, "pruned_by_time": 0}), (FILE,), COUNTS),
    ],
)
def test_a_plan_that_contradicts_itself(plan: PlanRecord, files: Files, kind: str) -> None:
    assert kind in {finding.kind for finding in compare(plan, files, complete((FILE,))).findings}


def test_the_listed_files_are_those_that_are_read_or_excluded() -> None:
    listing = {"files_listed": 7, "pruned_by_time": 4, "skipped_hidden": 2, "list_calls": 9, "skipped_links": 3}
    assert compare(replace(plan_of((FILE,), 1), listing=listing), (FILE,), complete((FILE,))).state == "complete"


def test_attempts_that_did_not_complete_count_for_nothing() -> None:
    (done,) = complete((FILE,))
    stopped = replace(done, state="stopped", splits=(replace(done.splits[0], state="stopped", records=99),))
    found = compare(plan_of((FILE,), 1), (FILE,), [stopped, done])
    assert (found.state, found.failed_attempts) == ("complete", 1)
    assert compare(plan_of((FILE,), 1), (FILE,), [stopped]).state == "unfinished"


def test_a_skipped_split_is_accounted_for() -> None:
    (done,) = complete((FILE,))
    skipped = replace(done, splits=(replace(done.splits[0], state="skipped", records=0, rows=0),))
    assert compare(plan_of((FILE,), 1), (FILE,), [skipped]).state == "complete"


# --- streams


def batches(*ends: str) -> list[PlanRecord]:
    empty = plan_of((), 0)
    return [
        replace(empty, batch=end, start=start, end=end, created_ms=number)
        for number, (start, end) in enumerate(itertools.pairwise(ends))
    ]


def test_batches_that_follow_one_another_in_any_order() -> None:
    chain = batches(*"abcdef")
    for seed in range(5):
        mixed = random.Random(seed).sample(chain, len(chain))
        assert order_batches(mixed) == chain
        assert list(compare_batches(mixed, [(plan, ()) for plan in mixed], ["run", "run"])) == []


@pytest.mark.parametrize(
    "plans",
    [
        [plan for plan in batches(*"abcdef") if plan.batch != "d"],  # a batch without audit
        [*batches(*"abcd"), *batches("b", "x")],  # two batches begin at one offset
        [*batches(*"abcd"), *batches(*"xyz")],  # two streams
        batches(*"abca"),
    ],
)
def test_batches_that_do_not_follow_one_another(plans: list[PlanRecord]) -> None:
    for seed in range(3):
        mixed = random.Random(seed).sample(plans, len(plans))
        assert {finding.kind for finding in compare_batches(mixed, [])} == {CHAIN}
        assert sorted(order_batches(mixed), key=id) == sorted(plans, key=id)


def test_a_file_in_two_batches() -> None:
    first, second = batches(*"abc")
    again = replace(FILE, version="w")  # another version is another file
    assert list(compare_batches([first, second], [(first, [FILE]), (second, [again])])) == []
    (found,) = compare_batches([first, second], [(first, [FILE]), (second, [again, FILE])])
    assert str(found) == "doubled: /logs/a: is in the batches b and c"


def test_two_queries_in_one_directory() -> None:
    (found,) = compare_batches(batches(*"abc"), [], ["one", "two"])
    assert "2 streaming queries wrote here: one, two" in str(found)
