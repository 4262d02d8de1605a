"""The streaming sink: each row of the source exactly once, whenever a process dies."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark")

from pyspark.errors import PySparkException, StreamingQueryException

import pyspark_logs
from tests.spark.programs import Program, run
from tests.spark.s3_requests import CLAIM, COMPLETE, CREATE, INTENT, LOST, OTHER, PART, RECORD, Hold, at
from tests.spark.write_targets import WriteTarget
from tests.support.fault_proxy import FaultProxy
from tests.support.s3_server import S3Bucket

FORMAT = {"template": "{n:long} {message}"}
KINDS = [CREATE, PART, INTENT, CLAIM, COMPLETE, RECORD, OTHER]
ROWS = 25  # per file of the source


class Source:
    """A growing directory of text files; each line begins with a unique number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = 0
        folder.mkdir()

    def add(self, files: int = 1) -> None:
        for _ in range(files):
            text = "".join(f"{n} line {n}\n" for n in range(self.rows, self.rows + ROWS))
            hidden = self.folder / ".hidden"
            hidden.write_text(text)
            hidden.rename(self.folder / f"{self.rows:08d}.txt")
            self.rows += ROWS


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "source")


def numbers(target: WriteTarget, **options: str) -> Counter[int]:
    """Returns the numbers that a reader finds, with their counts."""
    table = pyspark_logs.scan(target.url, mode="FAILFAST", **target.direct_options, **FORMAT, **options).read_all()
    return Counter(table["n"].to_pylist())


# --- a query that is killed repeatedly


def check_kills(target: WriteTarget, proxy: FaultProxy, source: Source, folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    given = {
        "source": str(source.folder),
        "url": target.url,
        "checkpoint": str(folder / "checkpoint"),
        "options": {**target.options, **FORMAT, "layout": "{part}"},
    }
    died_at: Counter[str] = Counter()
    source.add(4)
    for _ in range(kills):
        kind, number = chance.choice(KINDS), chance.randint(1, 4)
        here = at(kind, number * (10 if kind == OTHER else 1))
        hold = Hold(proxy, here, chance.choice([LOST, None]))
        program = Program.start("stream_program.py", folder, finish=False, **given)
        end = time.monotonic() + 120
        while not hold.reached.wait(0.4):
            assert program.process.poll() is None, program.log.read_text()[-8000:]
            assert time.monotonic() < end, (hold.kinds, program.log.read_text()[-8000:])
            source.add()
        context = kind
        if chance.random() < 0.3:
            # Some time after a request: while Spark writes its checkpoint, or between batches.
            hold.then = None
            hold.go_on()
            time.sleep(chance.uniform(0.0, 0.8))
            context = "later"
        died_at[context] += 1
        program.kill()
        hold.go_on()
        found = numbers(target, layout="{part}")
        assert set(found.values()) <= {1}
        # Batches are complete: each has as many files as Spark gave it, and no partial file.
        assert sum(found.values()) % ROWS == 0
    proxy.choose = lambda method: None
    proxy.requests.clear()
    source.add(3)
    assert run("stream_program.py", folder, finish=True, **given) == "finished"
    everything = Counter(range(source.rows))
    assert numbers(target, layout="{part}") == everything
    recovered = pyspark_logs.recover(target.url, "0s", **target.direct_options)
    vacuumed = pyspark_logs.vacuum(target.url, "0s", **target.direct_options)
    assert numbers(target, layout="{part}") == everything
    assert target.unfinished() == []
    assert sorted(int(line.split(" ")[0]) for line in target.lines()) == sorted(everything)
    claims = [key.rpartition("/")[2] for key in target.listing() if key.startswith("_claims/query-")]
    again = sum(not claim.endswith(".1") for claim in claims)
    batches = {claim.partition(".")[0] for claim in claims}
    print(  # noqa: T201
        f"\n{kills} kills at {dict(died_at)}: {source.rows} rows in, {sum(everything.values())} out; {len(batches)} batches, "
        f"{again} claimed again; {len(recovered.rolled_back)} rolled back, {len(recovered.rolled_forward)} finished by recover, "
        f"{len(vacuumed.uploads)} uploads by vacuum"
    )


@pytest.mark.slow  # test_stream_crashes.py kills a query with this sink in `make test`, too
def test_one_kill(s3: S3Bucket, proxy: FaultProxy, source: Source, tmp_path: Path) -> None:
    check_kills(WriteTarget.on_s3(s3, proxy.endpoint), proxy, source, tmp_path, kills=1, seed=26)


@pytest.mark.slow
def test_twenty_kills(s3: S3Bucket, proxy: FaultProxy, source: Source, tmp_path: Path) -> None:
    check_kills(WriteTarget.on_s3(s3, proxy.endpoint), proxy, source, tmp_path, kills=20, seed=20)


# --- in one session


@pytest.fixture
def target(request: pytest.FixtureRequest, s3: S3Bucket) -> WriteTarget:
    return WriteTarget.on_s3(s3)


def stream(spark: Any, source: Source, target: WriteTarget, folder: Path, mode: str = "append", **options: str) -> Any:
    """Runs a query until it has processed all files."""
    lines = spark.readStream.text(str(source.folder))
    frame = lines.selectExpr("try_cast(split(value, ' ')[0] as long) n", "split(value, ' ', 2)[1] message")
    if mode != "append":
        frame = frame.groupBy("n", "message").count().drop("count")
    written = frame.writeStream.format("logs").options(**target.options, **FORMAT, **options).outputMode(mode)
    query = (
        written.option("checkpointLocation", str(folder / "checkpoint")).trigger(availableNow=True).start(target.url)
    )
    query.awaitTermination(120)
    return query


def batches_done(query: Any) -> list[tuple[int, int]]:
    return [(progress["batchId"], progress["numInputRows"]) for progress in query.recentProgress]


def forget_newest_commit(folder: Path) -> int:
    """Removes the mark of the newest batch, as if the driver died after the commit of the sink."""
    commits = folder / "checkpoint" / "commits"
    newest = max(int(path.name) for path in commits.iterdir() if path.name.isdigit())
    for path in (commits / str(newest), commits / f".{newest}.crc"):
        path.unlink(missing_ok=True)
    return newest


def test_a_batch_that_is_replayed_does_nothing(spark: Any, source: Source, target: WriteTarget, tmp_path: Path) -> None:
    source.add(2)
    stream(spark, source, target, tmp_path)
    source.add(1)
    stream(spark, source, target, tmp_path)
    assert numbers(target) == Counter(range(3 * ROWS))
    before = target.files()
    for _ in range(2):
        newest = forget_newest_commit(tmp_path)
        assert newest == 1
        assert batches_done(stream(spark, source, target, tmp_path)) == [(1, ROWS)]
        assert target.files() == before
        assert target.unfinished() == []
    source.add(1)
    assert batches_done(stream(spark, source, target, tmp_path)) == [(2, ROWS)]
    assert numbers(target) == Counter(range(4 * ROWS))


def test_two_drivers_of_one_checkpoint(spark: Any, source: Source, target: WriteTarget, tmp_path: Path) -> None:
    """A batch that is older than the newest claimed one comes from a driver that another driver has replaced."""
    for _ in range(2):
        source.add(1)
        stream(spark, source, target, tmp_path)
    forget_newest_commit(tmp_path)
    forget_newest_commit(tmp_path)
    for path in (tmp_path / "checkpoint" / "offsets").glob("*1*"):
        path.unlink()
    with pytest.raises(
        StreamingQueryException, match=r"CommitConflictError: .*batch 1 was claimed by job .*, and this is batch 0"
    ):
        stream(spark, source, target, tmp_path)
    assert numbers(target) == Counter(range(2 * ROWS))
    assert target.left_by_tasks() == []


def test_update_mode_is_refused_by_spark(spark: Any, source: Source, target: WriteTarget, tmp_path: Path) -> None:
    """Spark refuses updates for Python sources; foreachBatch with a txnId writes them."""
    source.add(1)
    with pytest.raises(StreamingQueryException, match="logs does not support Update mode"):
        stream(spark, source, target, tmp_path, "update")
    assert target.listing() == []


def test_foreach_batch_with_a_transaction(spark: Any, source: Source, target: WriteTarget, tmp_path: Path) -> None:
    def save(frame: Any, batch: int) -> None:
        options = {**target.options, **FORMAT, "txnId": f"counts-{batch}"}
        frame.write.format("logs").options(**options).mode("append").save(target.url)

    def run_query() -> None:
        lines = spark.readStream.text(str(source.folder)).selectExpr("cast(split(value, ' ')[0] as long) % 5 n")
        counts = lines.groupBy("n").count().selectExpr("n", "cast(count as string) message")
        written = counts.writeStream.foreachBatch(save).outputMode("update").trigger(availableNow=True)
        written.option("checkpointLocation", str(tmp_path / "checkpoint")).start().awaitTermination(120)

    for count in (1, 2):
        source.add(1)
        run_query()
        assert numbers(target) == Counter(dict.fromkeys(range(5), count))
    forget_newest_commit(tmp_path)
    run_query()
    assert sorted(target.lines()) == sorted([f"{n} {5 * count}" for n in range(5) for count in (1, 2)])


def test_complete_mode_is_refused(spark: Any, source: Source, target: WriteTarget, tmp_path: Path) -> None:
    source.add(1)
    with pytest.raises(
        PySparkException, match=r"OptionError: outputMode 'complete' would replace everything with each batch"
    ):
        stream(spark, source, target, tmp_path, "complete")
    assert target.listing() == []


def test_wrong_options_end_the_query(spark: Any, source: Source, target: WriteTarget, tmp_path: Path) -> None:
    source.add(1)
    with pytest.raises(PySparkException, match="unknown option 'compresion'; did you mean 'compression'"):
        stream(spark, source, target, tmp_path, compresion="gzip")
    assert target.listing() == []


def test_a_batch_without_rows(spark: Any, source: Source, target: WriteTarget, tmp_path: Path) -> None:
    (source.folder / "empty.txt").write_text("")
    query = stream(spark, source, target, tmp_path)
    assert query.exception() is None
    assert target.listing() == []
    source.add(1)
    stream(spark, source, target, tmp_path)
    assert numbers(target) == Counter(range(ROWS))


def test_a_query_on_local_files(spark: Any, source: Source, tmp_path: Path) -> None:
    target = WriteTarget.local(tmp_path / "app")
    source.add(2)
    stream(spark, source, target, tmp_path)
    source.add(1)
    stream(spark, source, target, tmp_path)
    forget_newest_commit(tmp_path)
    stream(spark, source, target, tmp_path)
    assert numbers(target) == Counter(range(3 * ROWS))
    assert target.unfinished() == []


def test_a_batch_that_fails_is_written_by_the_next_run(
    spark: Any, source: Source, target: WriteTarget, tmp_path: Path
) -> None:
    source.add(1)
    (source.folder / "bad.txt").write_text("none is a number\n")
    with pytest.raises(StreamingQueryException, match=r"RecordError: task \d+: row \d+ .from 0., column 'n': None"):
        stream(spark, source, target, tmp_path)
    assert target.files() == {}
    assert target.left_by_tasks() == []
    (source.folder / "bad.txt").write_text("1000000 good\n")
    stream(spark, source, target, tmp_path)
    assert numbers(target) == Counter([*range(ROWS), 1_000_000])


def test_a_query_that_would_read_its_own_output_is_refused(spark: Any, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").write_text("1 first\n")
    options = {"template": "{n:long} {message}"}
    frame = spark.readStream.format("logs").options(**options).schema("n long, message string").load(str(logs))
    writer = frame.writeStream.format("logs").options(**options, checkpointLocation=str(tmp_path / "checkpoint"))
    query = writer.trigger(availableNow=True).start(str(logs))
    with pytest.raises(StreamingQueryException, match=r"OptionError: the stream reads .*logs and writes to .*logs"):
        query.awaitTermination(120)
    assert pyspark_logs.scan(str(logs), **options).read_all().to_pylist() == [{"n": 1, "message": "first"}]
