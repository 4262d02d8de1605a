"""The streaming source in a real Spark session: each new file once."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import os
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark")

from pyspark.errors import PySparkException, StreamingQueryException
from pyspark.sql.types import StructType

from pyspark_logs.datasource.stream_reader import LogStreamReaderWithoutLimits
from pyspark_logs.offsets import Offset
from pyspark_logs.options import parse_read_options
from tests.spark.programs import run
from tests.spark.write_targets import WriteTarget
from tests.support.s3_server import S3Bucket

LINE = {"template": "{n:long} {message}"}
APP = {"template": "{ts:timestamp} {level?} {message}", "layout": "{team}/{yyyy}/{MM}/{dd}/{HH}"}


# The other tests of this module read a local directory.
@pytest.fixture(params=[pytest.param("local", marks=pytest.mark.slow), "s3"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> WriteTarget:
    if request.param == "local":
        return WriteTarget.local(tmp_path / "app")
    return WriteTarget.on_s3(request.getfixturevalue("s3"))


@pytest.fixture
def folder(tmp_path: Path) -> WriteTarget:
    return WriteTarget.local(tmp_path / "app")


def put(target: WriteTarget, key: str, *lines: str) -> None:
    target.store().put(f"{target.url}/{key}", "".join(f"{line}\n" for line in lines).encode())


def put_numbered(target: WriteTarget, *numbers: int, rows: int = 2, minutes_ago: int = 0) -> None:
    """Writes a file of rows for each number; the modification times of local files are one second apart."""
    for count, number in enumerate(numbers):
        put(target, f"{number:04}.log", *(f"{number} row {row}" for row in range(rows)))
        if not target.options:
            context = time.time() - 60 * minutes_ago - len(numbers) + count
            os.utime(f"{target.url}/{number:04}.log", (context, context))


@dataclass
class Run:
    """Results of a query that has ended.

    Attributes:
        batches: sorted rows by batch.
        progress: progress reports of Spark, one per batch.
    """

    batches: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)
    progress: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        return sorted((row for rows in self.batches.values() for row in rows), key=repr)

    @property
    def numbers(self) -> dict[int, list[int]]:
        """Numbers of the files of each batch."""
        return {batch: sorted({row[0] for row in rows}) for batch, rows in self.batches.items()}

    @property
    def counts(self) -> list[int]:
        """Number of rows of each batch, as Spark reports it."""
        return [progress["numInputRows"] for progress in self.progress if progress["numInputRows"]]


def load(spark: Any, target: WriteTarget, schema: str | None = None, **options: str) -> Any:
    reader = spark.readStream.format("logs").options(**target.options, **options)
    return (reader.schema(schema) if schema else reader).load(target.url)


def stream(
    spark: Any,
    target: WriteTarget,
    folder: Path,
    schema: str | None = None,
    meanwhile: Callable[[int], None] = lambda batch: None,
    trigger: Any = None,
    **options: str,
) -> Run:
    """Runs a query until it has processed all files; ``meanwhile`` is called in each batch with the batch id."""
    done = Run()

    def take(frame: Any, batch: int) -> None:
        rows = sorted((tuple(row) for row in frame.collect()), key=repr)
        meanwhile(batch)
        assert batch not in done.batches
        done.batches[batch] = rows

    written = load(spark, target, schema, **{**LINE, **options}).writeStream.foreachBatch(take)
    written = written.trigger(**(trigger or {"availableNow": True}))
    query = written.option("checkpointLocation", str(folder / "checkpoint")).start()
    try:
        assert query.awaitTermination(120)
        done.progress = [json.loads(progress.json) for progress in query.recentProgress]
    finally:
        query.stop()
    return done


def forget_newest_commit(folder: Path) -> int:
    """Removes the mark of the newest batch, as if the driver died before the end of the batch."""
    commits = folder / "checkpoint" / "commits"
    newest = max(int(path.name) for path in commits.iterdir() if path.name.isdigit())
    for path in (commits / str(newest), commits / f".{newest}.crc"):
        path.unlink(missing_ok=True)
    return newest


# --- rows equal those of a batch read


def put_app(target: WriteTarget, hours: int = 3) -> None:
    for team in ("ops", "web"):
        for hour in range(hours):
            lines = [f"2026-11-22T{hour:02}:{minute}0:00Z INFO {team}{hour}{minute}" for minute in range(3)]
            put(target, f"{team}/2026/11/22/{hour:02}/a.log", *lines, "nothing")


def test_a_stream_has_the_rows_of_a_batch(spark: Any, target: WriteTarget, tmp_path: Path) -> None:
    put_app(target)
    options = {**APP, "columnNameOfCorruptRecord": "raw", "metadata": "true"}
    batch = spark.read.format("logs").options(**target.options, **options).load(target.url)
    streamed = load(spark, target, **options)
    assert streamed.schema == batch.schema
    assert streamed.columns == ["ts", "level", "message", "team", "_metadata", "raw"]
    first = stream(spark, target, tmp_path, **options)
    assert first.rows == sorted((tuple(row) for row in batch.collect()), key=repr)
    assert len(first.rows) == 2 * 3 * 4
    assert [row[5] for row in first.rows if row[0] is None] == ["nothing"] * 6
    # A file under an old layout time is found by the next full listing, which a run within its interval does not make.
    put(target, "ops/2026/11/22/01/b.log", "2026-11-22T01:59:59Z - late")
    assert stream(spark, target, tmp_path, **options).rows == []
    options["fullListingInterval"] = "1 ms"
    ((ts, level, message, team, metadata, raw),) = stream(spark, target, tmp_path, **options).rows
    assert (level, message, team, raw) == (None, "late", "ops", None)
    assert ts.timestamp() == dt.datetime(2026, 11, 22, 1, 59, 59, tzinfo=dt.timezone.utc).timestamp()
    assert (metadata.file_name, metadata.record_offset) == ("b.log", 0)
    assert metadata.file_path.endswith("/app/ops/2026/11/22/01/b.log")


def test_a_range_of_time(spark: Any, folder: WriteTarget, tmp_path: Path) -> None:
    put_app(folder)
    given = {**APP, "startTime": "2026-11-22T00:20:00Z", "endTime": "2026-11-22T01:10:00Z"}
    found = stream(spark, folder, tmp_path, "message string, team string", **given)
    wanted = [(f"{team}{text}", team) for team in ("ops", "web") for text in ("02", "10")]
    assert [row for row in found.rows if row[0] is not None] == wanted


def test_json_with_a_schema(spark: Any, folder: WriteTarget, tmp_path: Path) -> None:
    put(folder, "a.json", '{"n": 1, "user": {"name": "ann"}, "tags": ["x"]}', '{"n": "no"}')
    put(folder, "b.json", '{"n": 2, "user": {"name": null}, "more": 1}')
    schema = "n int, user struct<name: string>, tags array<string>"
    done = Run()
    reader = load(spark, folder, schema, json="true")

    def take(frame: Any, batch: int) -> None:
        done.batches[batch] = [(row.n, row.user and row.user.name, row.tags) for row in frame.collect()]

    written = reader.writeStream.foreachBatch(take).trigger(availableNow=True)
    written.option("checkpointLocation", str(tmp_path / "checkpoint")).start().awaitTermination(60)
    assert done.rows == sorted([(1, "ann", ["x"]), (None, None, None), (2, None, None)], key=repr)


@pytest.mark.slow
def test_through_spark_connect(s3: S3Bucket, tmp_path: Path) -> None:
    source = WriteTarget.on_s3(s3)
    put_numbered(source, *range(5))
    answer = run(
        "connect_stream_program.py",
        tmp_path,
        source=source.url,
        options={**source.options, **LINE},
        url=f"{s3.url}/target",
        checkpoint=str(tmp_path / "checkpoint"),
    )
    assert answer["rows"] == sorted([n, f"row {row}"] for n in range(5) for row in range(2))
    assert answer["counts"] == [4, 4, 2]
    assert "OptionError: unknown option 'latenes'; did you mean 'lateness'" in answer["refused"]


# --- limits and triggers


def test_files_of_a_batch(spark: Any, s3: S3Bucket, tmp_path: Path) -> None:
    target = WriteTarget.on_s3(s3)
    put_numbered(target, *range(5))

    def land(batch: int) -> None:
        if batch == 0:
            put_numbered(target, 7)

    done = stream(spark, target, tmp_path, meanwhile=land, maxFilesPerTrigger="2")
    # A run ends with the files that existed at its start; the next run reads files that were added meanwhile.
    assert done.numbers == {0: [0, 1], 1: [2, 3], 2: [4]}
    assert done.counts == [4, 4, 2]
    behind = [progress["sources"][0]["latestOffset"] for progress in done.progress if progress["numInputRows"]]
    assert [(latest["key"], latest["waiting"]) for latest in behind] == [
        ("0004.log", 5),
        ("0004.log", 3),
        ("0004.log", 1),
    ]
    assert stream(spark, target, tmp_path, maxFilesPerTrigger="2").numbers == {3: [7]}
    assert stream(spark, target, tmp_path).numbers == {}


def test_bytes_of_a_batch(spark: Any, folder: WriteTarget, tmp_path: Path) -> None:
    for number, rows in enumerate([1, 1, 1, 40, 1]):
        put_numbered(folder, number, rows=rows, minutes_ago=10 - number)
    size = Path(folder.url, "0000.log").stat().st_size
    done = stream(spark, folder, tmp_path, maxBytesPerTrigger=str(2 * size))
    assert done.counts == [2, 1, 40, 1]
    # The limit that is reached first applies.
    (tmp_path / "both").mkdir()
    limits = {"maxBytesPerTrigger": str(3 * size), "maxFilesPerTrigger": "2"}
    assert stream(spark, folder, tmp_path / "both", **limits).counts == [2, 1, 40, 1]


def test_a_trigger_without_limits(spark: Any, folder: WriteTarget, tmp_path: Path) -> None:
    put_numbered(folder, *range(5))
    assert stream(spark, folder, tmp_path, trigger={"once": True}, maxFilesPerTrigger="2").counts == [10]


def test_a_query_that_goes_on(spark: Any, s3: S3Bucket, tmp_path: Path) -> None:
    """New files are read, files before the start are not with ``latest``, and the progress reports the lag."""
    target = WriteTarget.on_s3(s3)
    put_numbered(target, 0, 1)
    rows: list[int] = []

    def take(frame: Any, batch: int) -> None:
        rows.extend(row.n for row in frame.collect())

    frame = load(spark, target, **LINE, startingPosition="latest", maxFilesPerTrigger="2")
    written = frame.writeStream.foreachBatch(take).option("checkpointLocation", str(tmp_path / "checkpoint"))
    query = written.trigger(processingTime="100 milliseconds").start()
    try:
        query.processAllAvailable()
        assert rows == []
        for number in range(2, 5):
            put_numbered(target, number, rows=1)
            query.processAllAvailable()
            assert rows == list(range(2, number + 1))
        put_numbered(target, 5, 6, 7, rows=1)
        query.processAllAvailable()
        assert sorted(rows) == list(range(2, 8))
        (source,) = json.loads(query.lastProgress.json)["sources"]
        start, end, latest = (
            json.loads(source[name]) if isinstance(source[name], str) else source[name]
            for name in ("startOffset", "endOffset", "latestOffset")
        )
        parts = {"v", "root", "identity", "ts", "floor", "from", "seen", "batch", "full", "took", "layout"}
        assert set(start) == set(end) == parts
        assert latest["key"] == "0007.log"
        assert latest["waiting"] <= 2
        assert start["ts"] <= end["ts"] <= latest["ts"] <= time.time() * 1000
    finally:
        query.stop()
    # The checkpoint contains the position of "latest".
    put_numbered(target, 8, rows=1)
    assert stream(spark, target, tmp_path, startingPosition="latest").rows == [(8, "row 0")]


# --- restarts


def offsets(folder: Path) -> dict[int, dict[str, Any]]:
    """Returns the offsets of a checkpoint by batch."""
    files = [path for path in (folder / "checkpoint" / "offsets").iterdir() if path.name.isdigit()]
    return {int(path.name): json.loads(path.read_text().splitlines()[-1]) for path in files}


def test_other_limits_lateness_and_template_after_a_restart(spark: Any, folder: WriteTarget, tmp_path: Path) -> None:
    put_numbered(folder, *range(4), minutes_ago=90)
    given = {"lateness": "1m", "maxFilesPerTrigger": "3", "fullListingInterval": "off"}
    assert stream(spark, folder, tmp_path, **given).numbers == {0: [0, 1, 2], 1: [3]}
    before = offsets(tmp_path)[1]
    # The file is an hour late, which the new lateness allows, but the floor does not decrease.
    put_numbered(folder, 4, minutes_ago=150)
    put_numbered(folder, 5, minutes_ago=30)
    put_numbered(folder, 6)
    given |= {"lateness": "2h", "maxFilesPerTrigger": "1", "template": "{n:long} {word} {row:int}"}
    last = stream(spark, folder, tmp_path, **given)
    assert last.numbers == {2: [5], 3: [6]}
    assert last.rows[0] == (5, "row", 0)
    after = offsets(tmp_path)[3]
    assert after["ts"] > before["ts"]
    assert after["floor"] >= before["floor"]
    put_numbered(folder, 7, minutes_ago=80)
    assert stream(spark, folder, tmp_path, lateness="2h").numbers == {4: [7]}


def test_what_may_not_change(spark: Any, folder: WriteTarget, tmp_path: Path) -> None:
    put_numbered(folder, 0)
    stream(spark, folder, tmp_path)
    other = WriteTarget.local(tmp_path / "elsewhere")
    put_numbered(other, 1)
    refused = r"OptionError: the checkpoint belongs to a stream over '.*/app', but this query reads '.*/elsewhere'"
    with pytest.raises(StreamingQueryException, match=refused):
        stream(spark, other, tmp_path)
    refused = "OptionError: the checkpoint was written with allowOverwrites=false, but this query has true"
    with pytest.raises(StreamingQueryException, match=refused):
        stream(spark, folder, tmp_path, allowOverwrites="true")
    # With the former options the query continues.
    put_numbered(folder, 2)
    assert stream(spark, folder, tmp_path).numbers == {1: [2]}


def test_a_batch_that_is_replayed_has_the_same_files(spark: Any, s3: S3Bucket, tmp_path: Path) -> None:
    target = WriteTarget.on_s3(s3)
    put_numbered(target, *range(5))
    first = stream(spark, target, tmp_path, maxFilesPerTrigger="2")
    assert first.numbers == {0: [0, 1], 1: [2, 3], 2: [4]}
    assert forget_newest_commit(tmp_path) == 2
    put_numbered(target, *range(5, 8))
    again = stream(spark, target, tmp_path, maxFilesPerTrigger="3")
    assert again.batches[2] == first.batches[2]
    assert again.numbers == {2: [4], 3: [5, 6, 7]}


@pytest.mark.slow
def test_a_first_batch_that_is_replayed(spark: Any, target: WriteTarget, tmp_path: Path) -> None:
    """The first batch has no previous offset."""
    put_numbered(target, *range(8))
    stream(spark, target, tmp_path)
    assert forget_newest_commit(tmp_path) == 0
    put_numbered(target, 8)
    assert stream(spark, target, tmp_path).numbers == {0: list(range(8)), 1: [8]}


def test_a_file_that_vanished_after_it_was_planned(spark: Any, folder: WriteTarget, tmp_path: Path) -> None:
    put_numbered(folder, 0, 1)
    stream(spark, folder, tmp_path)
    forget_newest_commit(tmp_path)
    folder.store().remove(f"{folder.url}/0000.log")
    with pytest.raises(StreamingQueryException, match=r"SnapshotChangedError: .*/app/0000\.log.* was deleted"):
        stream(spark, folder, tmp_path)
    assert stream(spark, folder, tmp_path, ignoreMissingFiles="true").numbers == {0: [1]}


@pytest.mark.slow
def test_a_file_that_changed_after_it_was_planned(spark: Any, folder: WriteTarget, tmp_path: Path) -> None:
    put_numbered(folder, 0)
    stream(spark, folder, tmp_path)
    forget_newest_commit(tmp_path)
    put_numbered(folder, 0, rows=7)
    with pytest.raises(StreamingQueryException, match=r"SnapshotChangedError: .*/app/0000\.log.* changed after"):
        stream(spark, folder, tmp_path)


# --- cleaning


def check_cleaning(spark: Any, target: WriteTarget, done: WriteTarget, folder: Path, **options: str) -> None:
    put_numbered(target, *range(5))
    given = {**options, "maxFilesPerTrigger": "2"}
    assert stream(spark, target, folder, **given).numbers == {0: [0, 1], 1: [2, 3], 2: [4]}
    # Spark does not commit the last batch of a run to the source; the last poll of the run cleans it.
    assert target.listing() == []
    put_numbered(target, 5)
    assert stream(spark, target, folder, **given).numbers == {3: [5]}
    assert target.listing() == []
    archived = [f"{number:04}.log" for number in range(6)] if options["cleanSource"] == "archive" else []
    assert done.listing() == archived
    assert [key for target in (target, done) for key in target.unfinished()] == []
    for key in archived:
        data = done.store().get(f"{done.url}/{key}")
        assert data == f"{int(key[:4])} row 0\n{int(key[:4])} row 1\n".encode()


def test_delete_what_is_done(spark: Any, folder: WriteTarget, tmp_path: Path) -> None:
    check_cleaning(spark, folder, WriteTarget.local(tmp_path / "done"), tmp_path, cleanSource="delete")


def test_archive_what_is_done(spark: Any, s3: S3Bucket, tmp_path: Path) -> None:
    target = WriteTarget.on_s3(s3)
    done = WriteTarget(f"{s3.url}/done", target.store_options, target.options)
    check_cleaning(spark, target, done, tmp_path, cleanSource="archive", sourceArchiveDir=done.url)


# --- errors that reach the user


def test_option_errors_reach_the_user(spark: Any, folder: WriteTarget, tmp_path: Path) -> None:
    put_numbered(folder, 0)
    for options, message in (
        ({"lateness": "soon"}, "option 'lateness'"),
        ({"maxFilesPerTrigger": "0"}, "option 'maxFilesPerTrigger'"),
        ({"cleanSource": "archive"}, "sourceArchiveDir"),
        ({"cleanSource": "archive", "sourceArchiveDir": f"{folder.url}/done"}, "sourceArchiveDir"),
        ({"startingPosition": "newest"}, "option 'startingPosition'"),
        ({"path": "other"}, "path"),
    ):
        with pytest.raises(PySparkException, match=message):
            stream(spark, folder, tmp_path, **options)


def test_a_path_that_does_not_exist(spark: Any, tmp_path: Path) -> None:
    missing = WriteTarget.local(tmp_path / "missing")
    with pytest.raises(StreamingQueryException, match=r"PathNotFoundError: .*missing"):
        stream(spark, missing, tmp_path)
    (tmp_path / "missing").mkdir()
    # Spark always starts with a batch, also without files.
    assert stream(spark, missing, tmp_path).numbers == {0: []}
    put_numbered(missing, 1)
    assert stream(spark, missing, tmp_path).numbers == {1: [1]}


# --- Spark 4.0 and 4.1


class OldSpark:
    """A run of a query on Spark 4.0 or 4.1: makes the calls of these versions to a stream reader, in their order.

    Args:
        log: offset log and commit log, which outlive the run.
    """

    def __init__(self, target: WriteTarget, log: list[tuple[str, bool]], **options: str) -> None:
        given = parse_read_options({**target.options, **LINE, **options, "path": target.url})
        self.reader = LogStreamReaderWithoutLimits(given, StructType().add("n", "long"))
        self.log = log
        if log:
            # setLatestSeenOffset of Spark, which is meant for readers that prefetch.
            assert self._plan(log[-1][0], log[-1][0]) == []
            if not log[-1][1]:
                self.replayed = self._run(len(log) - 1)

    def batch(self) -> list[int] | None:
        """Returns the numbers of the next batch, None if there are no new files."""
        start = self.log[-1][0] if self.log else json.dumps(self.reader.initialOffset())
        end = json.dumps(self.reader.latestOffset())
        if end == start and self.log:
            return None
        self.log.append((end, False))
        if len(self.log) > 1:
            self.reader.commit(json.loads(start))
        return self._run(len(self.log) - 1)

    def _run(self, number: int) -> list[int]:
        end = self.log[number][0]
        start = self.log[number - 1][0] if number else json.dumps(self.reader.initialOffset())
        partitions = self._plan(start, end)
        self.log[number] = (end, True)
        reader = pickle.loads(pickle.dumps(self.reader))
        rows = [n for one in partitions for batch in reader.read(one) for n in batch["n"].to_pylist()]
        return sorted(set(rows))

    def _plan(self, start: str, end: str) -> Any:
        return self.reader.partitions(json.loads(start), json.loads(end))


@pytest.mark.parametrize("starting", ["earliest", "latest"])
def test_the_reader_for_older_sparks(target: WriteTarget, tmp_path: Path, starting: str) -> None:
    log: list[tuple[str, bool]] = []
    put_numbered(target, *range(5))
    options = {"maxFilesPerTrigger": "2", "startingPosition": starting}
    query = OldSpark(target, log, **options)
    found = [query.batch() for _ in range(4)]
    assert found == ([[0, 1], [2, 3], [4], None] if starting == "earliest" else [[], None, None, None])
    put_numbered(target, 5, 6, 7)
    assert query.batch() == [5, 6]
    # The run dies, and the next one continues.
    query = OldSpark(target, log, **options)
    assert (query.batch(), query.batch()) == ([7], None)
    # The run dies before a batch is complete, and more files are added.
    log[-1] = (log[-1][0], False)
    put_numbered(target, 8)
    query = OldSpark(target, log, **options)
    assert query.replayed == [7]
    assert (query.batch(), query.batch()) == ([8], None)
    # The log contains all batches, with each file once.
    ends = [json.loads(end) for end, _ in log]
    keys = [file.key for end in ends for file in Offset.from_dict(end, root=end["root"], identity="key").batch.files]
    wanted = range(0 if starting == "earliest" else 5, 9)
    assert sorted(keys) == [f"{number:04}.log" for number in wanted]


def test_the_reader_for_older_sparks_cleans_and_has_no_limits_to_tell(folder: WriteTarget, tmp_path: Path) -> None:
    put_numbered(folder, 0, 1)
    query = OldSpark(folder, [], maxBytesPerTrigger="1", cleanSource="delete")
    assert (query.batch(), query.batch()) == ([0], [1])
    assert folder.listing() == ["0001.log"]
    assert list(inspect.signature(query.reader.latestOffset).parameters) == []
