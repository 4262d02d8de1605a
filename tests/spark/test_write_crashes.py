"""Jobs whose driver is killed, and concurrent jobs: readers see all files of a job or none."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark")

import pyarrow as pa
from pyspark.errors import PySparkException

import pyspark_logs
from pyspark_logs.errors import CommitConflictError, SnapshotChangedError
from tests.spark.programs import Program, end
from tests.spark.s3_requests import CLAIM, COMPLETE, INTENT, LOST, PART, RECORD, Hold, after, at
from tests.spark.write_targets import WriteTarget
from tests.support.fault_proxy import Fault, FaultProxy
from tests.support.s3_server import S3Bucket
from tests.support.trials import tries

FORMAT = {"template": "{n:long} {message}", "layout": "{part}"}
OLD, NEW = {"old": 300}, {"new": 1200}


def rows(message: str, count: int) -> pa.Table:
    return pa.table({"n": range(count), "message": [message] * count, "part": [f"p{n % 12}" for n in range(count)]})


def write(target: WriteTarget, message: str, count: int, mode: str = "append", **options: str) -> None:
    pyspark_logs.write(rows(message, count), target.url, mode=mode, **target.direct_options, **FORMAT, **options)


def scanned(target: WriteTarget) -> dict[str, int]:
    """Returns the number of rows that a reader finds of each job, and checks that no row is duplicated."""
    table = pyspark_logs.scan(target.url, mode="FAILFAST", **target.direct_options, **FORMAT).read_all()
    found = list(zip(table["message"].to_pylist(), table["n"].to_pylist(), strict=True))
    assert len(found) == len(set(found))
    return dict(Counter(message for message, _ in found))


def read_by_spark(spark: Any, target: WriteTarget) -> dict[str, int]:
    frame = spark.read.format("logs").options(**target.direct_options, **FORMAT).load(target.url)
    return {
        row.message: row.rows for row in frame.groupBy("message").agg({"*": "count"}).toDF("message", "rows").collect()
    }


# --- a driver that is killed

HALF_WAY = at(COMPLETE, 6)
BEFORE = {
    "staging": at(PART, 5),
    "intent": at(INTENT, 1),
    "claim": at(CLAIM, 1),
    "publish": at(COMPLETE, 1),
    "half-way": HALF_WAY,
    "record": at(RECORD, 1),
}


def kill_at(
    target: WriteTarget,
    proxy: FaultProxy,
    folder: Path,
    mode: str,
    here: Callable[[list[str]], bool],
    then: Fault | None,
    **more: str,
) -> Hold:
    """Kills a driver at a request; ``then`` is the fault of the request in flight, None to serve it."""
    hold = Hold(proxy, here, then)
    options = {**target.options, **FORMAT, **more}
    program = Program.start("write_program.py", folder, url=target.url, options=options, mode=mode)
    assert hold.reached.wait(120), program.log.read_text()[-4000:]
    program.kill()
    hold.go_on()
    return hold


def settle(spark: Any, target: WriteTarget, expected: dict[str, int]) -> None:
    """Checks that readers see the expected rows before and after recover and vacuum, and that these leave nothing."""
    assert scanned(target) == read_by_spark(spark, target) == expected
    target.lines()  # other programs see only complete files
    pyspark_logs.recover(target.url, "0s", **target.direct_options)
    assert scanned(target) == expected
    pyspark_logs.vacuum(target.url, "0s", **target.direct_options)
    assert scanned(target) == expected
    assert target.unfinished() == []
    assert len(target.lines()) == sum(expected.values())
    # The next job succeeds.
    write(target, "next", 24, "overwrite")
    assert scanned(target) == {"next": 24}
    assert target.unfinished() == []


@tries("a driver that is killed half way through publishing", "no row of the job; `recover` and `vacuum` leave nothing")
@pytest.mark.parametrize("mode", ["append", pytest.param("overwrite", marks=pytest.mark.slow)])
def test_killed_half_way_through_publishing(
    spark: Any, s3: S3Bucket, proxy: FaultProxy, tmp_path: Path, mode: str
) -> None:
    target = WriteTarget.on_s3(s3, proxy.endpoint)
    write(target, "old", 300)
    hold = kill_at(target, proxy, tmp_path, mode, HALF_WAY, LOST)
    assert hold.kinds.count(COMPLETE) == 6
    assert RECORD not in hold.kinds
    published = Counter(line.split(" ")[1] for line in target.lines())
    assert 0 < published["new"] < 1200  # other programs see some files of the job, readers none
    settle(spark, target, OLD)


@tries("a driver that is killed right after the decision", "all rows of the job; `recover` and `vacuum` leave nothing")
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["overwrite", "append"])
def test_killed_right_after_the_decision(
    spark: Any, s3: S3Bucket, proxy: FaultProxy, tmp_path: Path, mode: str
) -> None:
    target = WriteTarget.on_s3(s3, proxy.endpoint)
    write(target, "old", 300)
    kill_at(target, proxy, tmp_path, mode, after(RECORD), LOST)
    assert len(target.lines()) == 1500
    assert target.unfinished() != []
    settle(spark, target, {**OLD, **NEW} if mode == "append" else NEW)


@tries(
    "a driver that is killed while it stages files, writes the intent, publishes or decides",
    "all rows of the job if the decision was written, else none; `recover` and `vacuum` leave nothing",
)
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["append", "overwrite"])
@pytest.mark.parametrize("arrives", [True, False], ids=["what was sent arrives", "what was sent is lost"])
@pytest.mark.parametrize("where", ["staging", "intent", "publish", "record"])
def test_killed_anywhere(
    spark: Any, s3: S3Bucket, proxy: FaultProxy, tmp_path: Path, where: str, arrives: bool, mode: str
) -> None:
    target = WriteTarget.on_s3(s3, proxy.endpoint)
    write(target, "old", 300)
    kill_at(target, proxy, tmp_path, mode, BEFORE[where], None if arrives else LOST)
    assert target.unfinished() != []
    committed = {**OLD, **NEW} if mode == "append" else NEW
    settle(spark, target, committed if where == "record" and arrives else OLD)


@dataclass(frozen=True)
class Claiming:
    """A job that claims, and the claim at which its driver is killed.

    Attributes:
        mode: mode of the job.
        number: number of the claim. An overwrite with a transaction claims the transaction, then its turn as an overwrite.
        options: options of the job.
        next_rows: rows that are visible after the next attempt at the job.
    """

    mode: str
    number: int
    options: dict[str, str] = field(default_factory=dict)
    next_rows: dict[str, int] = field(default_factory=lambda: {"next": 240})


TXN = {"txnId": "once"}
CLAIMING = {
    "append of a transaction": Claiming("append", 1, TXN, {**OLD, "next": 240}),
    "overwrite": Claiming("overwrite", 1),
    "overwrite of partitions": Claiming("overwrite", 1, {"overwriteScope": "partitions"}),
    "transaction of an overwrite": Claiming("overwrite", 1, TXN),
    "overwrite of a transaction": Claiming("overwrite", 2, TXN),
}


def kill_at_claim(target: WriteTarget, proxy: FaultProxy, folder: Path, job: Claiming, arrives: bool) -> None:
    """Kills a driver while it claims, and checks that nothing but its intent and its claims is written."""
    write(target, "old", 300)
    hold = kill_at(target, proxy, folder, job.mode, at(CLAIM, job.number), None if arrives else LOST, **job.options)
    assert Counter(hold.kinds)[INTENT] == 1
    assert not {COMPLETE, RECORD} & set(hold.kinds)
    wait_for_claims(target, job.number - (not arrives))
    assert len(target.lines()) == 300


def wait_for_claims(target: WriteTarget, count: int) -> None:
    """Waits for the request that was in flight when its driver died."""
    end = time.monotonic() + 10
    while (found := sum(key.startswith("_claims/") for key in target.listing())) < count and time.monotonic() < end:
        time.sleep(0.05)
    assert found == count


@tries(
    "a driver that is killed while it claims its transaction, or its turn as an overwrite",
    "no row of the job; `recover` and `vacuum` leave nothing",
)
@pytest.mark.slow
@pytest.mark.parametrize("arrives", [True, False], ids=["the claim arrives", "the claim is lost"])
@pytest.mark.parametrize("job", CLAIMING.values(), ids=CLAIMING)
def test_killed_while_it_claims(
    spark: Any, s3: S3Bucket, proxy: FaultProxy, tmp_path: Path, job: Claiming, arrives: bool
) -> None:
    target = WriteTarget.on_s3(s3, proxy.endpoint)
    kill_at_claim(target, proxy, tmp_path, job, arrives)
    settle(spark, target, OLD)


@tries(
    "the next attempt at a job whose driver was killed while it claimed",
    "all rows of the next attempt, none of the first one; `recover` and `vacuum` leave nothing",
)
@pytest.mark.parametrize(
    "arrives", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["the claim arrives", "the claim is lost"]
)
@pytest.mark.parametrize(
    "job",
    [pytest.param(job, marks=[pytest.mark.slow] * (job.number == 1)) for job in CLAIMING.values()],
    ids=CLAIMING,
)
def test_the_next_attempt_after_a_claim(
    spark: Any, s3: S3Bucket, proxy: FaultProxy, tmp_path: Path, job: Claiming, arrives: bool
) -> None:
    target = WriteTarget.on_s3(s3, proxy.endpoint)
    kill_at_claim(target, proxy, tmp_path, job, arrives)
    write(target, "next", 240, job.mode, **job.options)
    assert scanned(target) == job.next_rows
    if job.options == TXN:  # the transaction is committed, so a further attempt writes nothing
        write(target, "again", 12, job.mode, **job.options)
    settle(spark, target, job.next_rows)


@tries(
    "a commit that goes on after its driver died and was recovered",
    "no row of the job; `recover` and `vacuum` leave nothing",
)
@pytest.mark.slow
@pytest.mark.parametrize("where", ["claim", "publish", "half-way", "record"])
def test_a_commit_that_goes_on_after_its_driver_died_and_was_recovered(
    spark: Any, s3: S3Bucket, proxy: FaultProxy, tmp_path: Path, where: str
) -> None:
    target = WriteTarget.on_s3(s3, proxy.endpoint)
    write(target, "old", 300)
    hold = Hold(proxy, BEFORE[where])
    options = {**target.options, **FORMAT}
    program = Program.start("write_program.py", tmp_path, url=target.url, options=options, mode="overwrite")
    assert hold.reached.wait(120), program.log.read_text()[-4000:]
    workers = program.kill_driver()
    assert workers
    report = pyspark_logs.recover(target.url, "0s", **target.direct_options)
    assert len(report.rolled_back) == 1
    hold.go_on()
    end(workers, after_s=20)
    settle(spark, target, OLD)


# --- two jobs at once


def at_once(*writes: Callable[[], None]) -> list[Exception | None]:
    """Runs writes concurrently; returns their exceptions, None for writes that succeeded."""
    ended: list[Exception | None] = [None] * len(writes)
    line = threading.Barrier(len(writes))

    def one(number: int) -> None:
        line.wait()
        try:
            writes[number]()
        except Exception as error:  # noqa: BLE001 (looked at by the test)
            ended[number] = error

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(writes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


def allowed(modes: tuple[str, str], ended: list[Exception | None]) -> list[dict[str, int]]:
    """Returns the allowed results, given which of the jobs A and B succeeded."""
    won = [name for name, error in zip(("A", "B"), ended, strict=True) if error is None]
    a, b = ({name: count} if name in won else {} for name, count in (("A", 120), ("B", 240)))
    if modes == ("append", "append"):
        return [{**OLD, **a, **b}]
    if modes == ("append", "overwrite"):
        return [b, {**a, **b}]
    return [state for state in (a, b) if state]


# `make test` runs the pair of jobs with the most outcomes.
MODES = [
    pytest.param((first, second), id=f"{first}+{second}", marks=[] if first != second else [pytest.mark.slow])
    for first, second in (("append", "append"), ("append", "overwrite"), ("overwrite", "overwrite"))
]


@pytest.mark.parametrize("modes", MODES)
def test_two_jobs_at_once(s3: S3Bucket, modes: tuple[str, str]) -> None:
    states = []
    for number in range(3):
        target = WriteTarget.on_s3(s3)
        target = WriteTarget(f"{target.url}-{number}", target.store_options, target.options)
        write(target, "old", 300)
        done, seen = threading.Event(), []

        def read(target: WriteTarget = target, done: threading.Event = done, seen: list[Any] = seen) -> None:
            while not done.is_set():
                try:
                    seen.append(scanned(target))
                except SnapshotChangedError:
                    seen.append("changed")

        reader = threading.Thread(target=read)
        reader.start()
        ended = at_once(
            lambda target=target: write(target, "A", 120, modes[0]),
            lambda target=target: write(target, "B", 240, modes[1]),
        )
        done.set()
        reader.join()
        assert all(error is None or isinstance(error, CommitConflictError) for error in ended), ended
        assert None in ended
        assert ended[0] is None or modes[0] == "overwrite"
        states.append(scanned(target))
        assert states[-1] in allowed(modes, ended)
        between = [OLD, {**OLD, "A": 120}, {**OLD, "B": 240}, {"A": 120}, *allowed(modes, ended)]
        assert [state for state in seen if state not in (*between, "changed")] == []
        pyspark_logs.recover(target.url, "0s", **target.direct_options)
        assert scanned(target) == states[-1]
        assert target.unfinished() == []
    print(modes, Counter(map(str, states)))  # noqa: T201


@tries(
    "two jobs of Spark that append or overwrite at once",
    "each is visible as a whole or refused; `vacuum` leaves nothing",
)
@pytest.mark.parametrize("modes", MODES)
def test_two_jobs_of_spark_at_once(spark: Any, s3: S3Bucket, modes: tuple[str, str]) -> None:
    target = WriteTarget.on_s3(s3)
    write(target, "old", 300)

    def save(message: str, count: int, mode: str) -> None:
        # Spark looks for Python sources in the active session of the thread; a new thread has none before this call.
        spark.createDataFrame([], "n long")
        frame = spark.range(count).selectExpr("id n", f"'{message}' message", "concat('p', id % 4) part")
        frame.write.format("logs").options(**target.options, **FORMAT).mode(mode).save(target.url)

    ended = at_once(lambda: save("A", 120, modes[0]), lambda: save("B", 240, modes[1]))
    assert all(error is None or isinstance(error, PySparkException) for error in ended), list(map(str, ended))
    assert all(error is None or "CommitConflictError" in str(error) for error in ended), ended
    assert None in ended
    assert ended[0] is None or modes[0] == "overwrite"
    assert read_by_spark(spark, target) in allowed(modes, ended)
    assert scanned(target) == read_by_spark(spark, target)
    assert target.left_by_tasks() == []
