"""Streams without Spark: what polls find and cost, batches planned from offsets alone, restarts, cleaning."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import logging
import os
import pickle
import random
import shutil
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.errors import CorruptFileError, OptionError, PathNotFoundError, SnapshotChangedError, StoreError
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.offsets import position
from pyspark_logs.options import parse_read_options
from pyspark_logs.store import StoredFile
from pyspark_logs.store.local import LocalStore
from pyspark_logs.store.s3 import S3Store
from pyspark_logs.stream import LogStream, cleaning, listings, log_stream
from pyspark_logs.stream.stream_root import StreamRoot
from tests.support.key_store import KeyStore
from tests.support.s3_server import S3Bucket

TEMPLATE = "{level} {message}"
HOURLY = "{yyyy}/{MM}/{dd}/{HH}"
NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.timezone.utc)


class Clock:
    """What the stream takes for the time; files are given theirs by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return int(self.now.timestamp() * 1000)

    def passes(self, **delta: float) -> None:
        self.now += dt.timedelta(**delta)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(log_stream, "now_ms", clock)
    monkeypatch.setattr(listings, "_now_ms", clock)
    return clock


def put(root: Path, key: str, *levels: str, at: dt.datetime = NOW) -> Path:
    path = root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{level} m\n" for level in levels or (path.stem,)))
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def stream(path: Any, **options: Any) -> LogStream:
    where = "paths" if isinstance(path, list) else "path"
    given = {where: path if isinstance(path, list) else str(path), "template": TEMPLATE, **options}
    return LogStream(parse_read_options(given), "level string")


def poll(one: LogStream, start: dict[str, Any], files: int | None = 1000, size: int | None = None) -> dict[str, Any]:
    """Through JSON, as Spark does it."""
    end = one.latest_offset(start, max_files=files, max_bytes=size)
    return json.loads(json.dumps(end))  # type: ignore[no-any-return]


def levels(one: LogStream, start: dict[str, Any], end: dict[str, Any]) -> list[str]:
    batches = [batch for task in one.plan_batch(start, end) for batch in one.reader.read_task(task)]
    return sorted(level for batch in batches for level in batch["level"].to_pylist())


def drained(one: LogStream, start: dict[str, Any], files: int | None = 1000) -> tuple[list[str], dict[str, Any]]:
    """All that is there now, batch by batch."""
    found: list[str] = []
    while (end := poll(one, start, files)) != start:
        found += levels(one, start, end)
        start = end
    return found, start


def lists(one: LogStream) -> int:
    return one._lists().store.request_counts["LIST"]


def test_each_file_once_as_it_lands(tmp_path: Path, clock: Clock) -> None:
    one = stream(tmp_path)
    put(tmp_path, "a.log", at=NOW - dt.timedelta(days=9))
    found, start = drained(one, one.initial_offset())
    assert found == ["a"]
    assert one.latest_offset(start, max_files=1000, max_bytes=None) is start
    put(tmp_path, "b.log", at=NOW - dt.timedelta(minutes=30))
    put(tmp_path, "sub/c.log", at=NOW)
    clock.passes(seconds=5)
    assert levels(one, start, end := poll(one, start)) == ["b", "c"]
    assert poll(one, end) == end
    assert one.plan_batch(end, end) == ()


def test_the_initial_offset_does_not_move(tmp_path: Path, clock: Clock) -> None:
    put(tmp_path, "a.log")
    one = stream(tmp_path, startingPosition="latest")
    first = one.initial_offset()
    put(tmp_path, "b.log", at=NOW + dt.timedelta(seconds=1))
    assert one.initial_offset() is first
    clock.passes(seconds=5)
    assert drained(one, first)[0] == ["b"]


def test_paths_of_unpadded_times_are_not_in_the_order_of_times(tmp_path: Path, clock: Clock) -> None:
    clock.now = dt.datetime(2026, 9, 30, 7, 30, tzinfo=dt.timezone.utc)
    one = stream(tmp_path, layout="year={yyyy}/month={MM}/day={dd}/hour={HH}", fullListingInterval="off")
    start, found = one.initial_offset(), []
    for number in range(40):  # hours 9 and 10, days 30 and 1, months 9 and 10
        hour = f"year={clock.now.year}/month={clock.now.month}/day={clock.now.day}/hour={clock.now.hour}"
        put(tmp_path, f"{hour}/{number:02}.log", at=clock.now)
        clock.passes(minutes=31)
        one = pickle.loads(pickle.dumps(one)) if number % 5 == 0 else one
        more, start = drained(one, start)
        found += more
    assert found == [f"{number:02}" for number in range(40)]


def test_a_start_by_time(tmp_path: Path, clock: Clock) -> None:
    put(tmp_path, "old.log", at=NOW - dt.timedelta(hours=2))
    put(tmp_path, "new.log", at=NOW - dt.timedelta(hours=1))
    one = stream(tmp_path, startingPosition="2026-11-22T11:00:00Z")
    assert drained(one, one.initial_offset())[0] == ["new"]


def test_limits_and_a_backlog_that_is_listed_once(tmp_path: Path, clock: Clock) -> None:
    for number in range(20):
        put(tmp_path, f"2026/11/22/{number % 10:02}/{number:02}.log", at=NOW - dt.timedelta(minutes=60 - number))
    one = stream(tmp_path, layout=HOURLY)
    start = one.initial_offset()
    end = poll(one, start, files=3)
    assert levels(one, start, end) == ["00", "01", "02"]
    before, found = lists(one), []
    for _ in range(5):  # filled by what is left of the first listing
        start, end = end, poll(one, end, files=3)
        found += levels(one, start, end)
    assert lists(one) == before
    found += drained(one, end, files=3)[0]
    assert found == [f"{number:02}" for number in range(3, 20)]
    assert one.newest() == {
        "ts": int((NOW - dt.timedelta(minutes=41)).timestamp() * 1000),
        "key": "2026/11/22/09/19.log",
        "waiting": 0,
        "files": 0,
        "bytes": 0,
        "oldest": 0,
        "age": 0,
    }


def test_bytes_are_a_soft_limit(tmp_path: Path, clock: Clock) -> None:
    for number in range(3):
        put(tmp_path, f"{number}.log", *["x"] * 10, at=NOW - dt.timedelta(minutes=9 - number))
    one = stream(tmp_path)
    start = one.initial_offset()
    assert len(levels(one, start, poll(one, start, size=1))) == 10
    assert len(levels(one, start, poll(one, start, size=80))) == 20


def test_another_process_goes_on_where_the_offset_says(tmp_path: Path, clock: Clock) -> None:
    for number in range(6):
        put(tmp_path, f"{number}.log", at=NOW - dt.timedelta(minutes=9 - number))
    one = stream(tmp_path)
    start = one.initial_offset()
    middle = poll(one, start, files=2)
    other = stream(tmp_path)
    # The batch that was planned before the crash comes again, the same files.
    assert levels(other, start, middle) == levels(one, start, middle) == ["0", "1"]
    assert drained(other, middle, files=3)[0] == ["2", "3", "4", "5"]


def test_planning_a_batch_asks_no_store(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "web/2026/11/22/10/a.log", "x", "y")
    one = stream(tmp_path, layout="{team}/" + HOURLY, maxPartitionBytes="4")
    one.reader.schema_ddl = "level string, team string"
    start = one.initial_offset()
    end = poll(one, start)
    other = pickle.loads(pickle.dumps(one))
    monkeypatch.setattr(log_stream, "open_store", None)
    tasks = other.plan_batch(start, end)
    assert len(tasks) == 2  # a file larger than a partition is cut
    monkeypatch.undo()
    rows = [row for task in tasks for batch in other.reader.read_task(task) for row in batch.to_pylist()]
    assert rows == [{"level": "x", "team": "web"}, {"level": "y", "team": "web"}]


def test_what_is_gone_or_changed_before_it_is_read(tmp_path: Path, clock: Clock) -> None:
    path = put(tmp_path, "a.log")
    one, lenient = stream(tmp_path), stream(tmp_path, ignoreMissingFiles="true")
    start = one.initial_offset()
    end = poll(one, start)
    path.write_text("other text\n")
    with pytest.raises(
        SnapshotChangedError,
        match=r"changed after its batch was planned, .* restart the query with ignoreMissingFiles=true, which passes over it",
    ):
        levels(one, start, end)
    path.unlink()
    with pytest.raises(SnapshotChangedError, match="was deleted"):
        levels(one, start, end)
    assert levels(lenient, start, end) == []


def test_polls_list_only_what_can_still_receive_files(tmp_path: Path, clock: Clock) -> None:
    for hours in range(200):
        at = NOW - dt.timedelta(hours=hours)
        put(tmp_path, f"{at:%Y/%m/%d/%H}/{hours}.log", at=at)
    one = stream(tmp_path, layout=HOURLY)
    start = drained(one, one.initial_offset())[1]
    counts = []
    for minute in range(3):
        clock.passes(minutes=1)
        put(tmp_path, f"2026/11/22/12/new{minute}.log", at=clock.now)
        before = lists(one)
        found, start = drained(one, start)
        assert found == [f"new{minute}"]
        counts.append(lists(one) - before)
    assert max(counts) - min(counts) <= 1
    assert max(counts) <= 2 * (4 + 5)  # two polls: four looks, and the hours around now


def test_a_file_under_an_old_layout_time_is_found_by_the_next_full_listing(tmp_path: Path, clock: Clock) -> None:
    put(tmp_path, "2026/11/22/12/a.log")
    one = stream(tmp_path, layout=HOURLY)
    start = drained(one, one.initial_offset())[1]
    clock.passes(minutes=1)
    put(tmp_path, "2026/01/01/00/late.log", at=clock.now)
    found: list[str] = []
    for _ in range(60):
        clock.passes(minutes=1)
        more, start = drained(one, start)
        found += more
        for thread in threading.enumerate():
            if thread.name == "pyspark-logs-full-listing":
                thread.join()
    assert found == ["late"]


def test_where_polls_are_rare_the_full_listing_is_part_of_them(tmp_path: Path, clock: Clock) -> None:
    put(tmp_path, "2026/11/22/12/a.log")
    one = stream(tmp_path, layout=HOURLY)
    start = drained(one, one.initial_offset())[1]
    put(tmp_path, "2026/01/01/00/late.log", at=clock.now)
    clock.passes(hours=3)
    assert drained(one, start)[0] == ["late"]


def test_without_full_listings_times_to_come_are_listed(tmp_path: Path, clock: Clock) -> None:
    put(tmp_path, "2026/11/22/12/a.log")
    one = stream(tmp_path, layout=HOURLY, fullListingInterval="off")
    start = drained(one, one.initial_offset())[1]
    clock.passes(minutes=1)
    put(tmp_path, "2027/01/01/00/ahead.log", at=clock.now)
    put(tmp_path, "2026/01/01/00/late.log", at=clock.now)
    clock.passes(hours=2)
    assert drained(one, start)[0] == ["ahead"]


def test_an_error_of_the_listing_beside_comes_out_of_the_next_poll(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "2026/11/22/12/a.log")
    one = stream(tmp_path, layout=HOURLY)
    start = drained(one, one.initial_offset())[1]
    clock.passes(minutes=44)
    assert poll(one, start) == start

    def failing(*_: Any, **__: Any) -> Any:
        raise StoreError("cannot list: no")

    with monkeypatch.context() as patch:
        patch.setattr(listings.Listings, "list_everything", failing)
        clock.passes(minutes=2)
        with pytest.raises(StoreError, match="cannot list: no"):
            [poll(one, start) for _ in range(500)]  # the one that finds the thread at its end
    put(tmp_path, "2026/01/01/00/late.log", at=clock.now)
    assert drained(one, start)[0] == ["late"]  # it looks everywhere again


def test_available_now_reads_what_is_there_now(tmp_path: Path, clock: Clock) -> None:
    for number in range(5):
        put(tmp_path, f"{number}.log", at=NOW - dt.timedelta(minutes=9 - number))
    one = stream(tmp_path)
    start = one.initial_offset()
    one.freeze()
    assert poll(one, start, files=2) != start
    put(tmp_path, "later.log")
    at_ms = [int((NOW - dt.timedelta(minutes=9 - number)).timestamp() * 1000) for number in range(5)]
    assert one.newest() == {
        "ts": at_ms[4],
        "key": "4.log",
        "waiting": 5,
        "files": 3,  # after the batch of two
        "bytes": 3 * len("0 m\n"),
        "oldest": at_ms[2],
        "age": 7 * 60_000,
    }
    found, end = drained(one, start, files=2)
    assert found == ["0", "1", "2", "3", "4"]
    assert poll(one, end) == end
    assert (one.newest() or {})["waiting"] == 0


def test_settle_leaves_young_files_for_later(tmp_path: Path, clock: Clock) -> None:
    put(tmp_path, "a.log")
    one = stream(tmp_path, settle="30s")
    start = one.initial_offset()
    assert poll(one, start) == start
    clock.passes(seconds=31)
    assert drained(one, start)[0] == ["a"]


def test_a_file_overwritten_in_place(tmp_path: Path, clock: Clock) -> None:
    put(tmp_path, "a.log")
    by_key, by_version = stream(tmp_path), stream(tmp_path, allowOverwrites="true")
    starts = [drained(one, one.initial_offset())[1] for one in (by_key, by_version)]
    clock.passes(minutes=10)
    put(tmp_path, "a.log", "again", at=clock.now)
    assert drained(by_key, starts[0])[0] == []
    assert drained(by_version, starts[1])[0] == ["again"]
    with pytest.raises(OptionError):
        by_version.latest_offset(starts[0], max_files=1, max_bytes=None)
    with pytest.raises(OptionError):
        stream(tmp_path / "elsewhere").plan_batch({}, starts[0])


def test_jobs_of_our_own_are_seen_whole_and_from_their_decision_on(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = stream(tmp_path)
    put(tmp_path, "a.log")
    start = drained(one, one.initial_offset())[1]
    table = pa.table({"level": ["j", "j"], "message": ["m", "m"]})
    create = LocalStore.create
    seen: list[Any] = []

    def looking(self: LocalStore, path: str, data: bytes) -> bool:
        if path.endswith(".json") and "~intent" not in path:
            clock.now = dt.datetime.now(dt.timezone.utc)
            seen.append(drained(stream(tmp_path), start)[0])
        return create(self, path, data)

    monkeypatch.setattr(LocalStore, "create", looking)
    done = pyspark_logs.write(table, tmp_path, template=TEMPLATE)
    assert seen == [[]]
    # The data's own time may be long gone by then: what counts is the record.
    (path,) = tmp_path.glob("part-*")
    os.utime(path, (0, 0))
    clock.now = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=2)
    assert drained(one, start)[0] == ["j", "j"]
    assert done.committed


def test_a_long_pause_is_said(tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path, "a.log")
    one = stream(tmp_path)
    start = drained(one, one.initial_offset())[1]
    clock.passes(hours=25)
    with caplog.at_level(logging.WARNING):
        poll(one, start)
    assert "more than recordRetention" in caplog.text


def test_a_path_that_is_not_there_is_an_error_and_one_that_was_cleaned_is_not(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    one = stream(tmp_path / "logs")
    start = one.initial_offset()
    with pytest.raises(PathNotFoundError):
        poll(one, start)
    path = put(tmp_path, "logs/a.log")
    found, start = drained(one, start)
    assert found == ["a"]
    path.unlink()
    path.parent.rmdir()
    assert poll(one, start) == start
    # A restart does not search for the reason either: the stream has had its first file.
    clock.passes(hours=2)
    with caplog.at_level(logging.WARNING):
        assert poll(stream(tmp_path / "logs"), start) == start
    assert not caplog.messages


@pytest.mark.parametrize(("archive", "small_bytes"), [(False, 0), (True, 0), (True, 1 << 20)])
def test_files_of_batches_that_are_done_are_cleaned(
    tmp_path: Path,
    clock: Clock,
    archive: bool,
    small_bytes: int,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cleaning, "SMALL_BYTES", small_bytes)
    root, target = tmp_path / "logs", tmp_path / "done"
    options = {"cleanSource": "archive", "sourceArchiveDir": str(target)} if archive else {"cleanSource": "delete"}
    put(root, "2026/a.log")
    put(root, "b.log")
    one = stream(root, cleanSourceRetention="1m", **options)
    start = one.initial_offset()
    end = poll(one, start)
    one.commit_batch(end)
    assert len(list(root.rglob("*.log"))) == 2  # too young
    (root / "b.log").write_text("other\n")
    clock.passes(minutes=2)
    one.commit_batch(start)
    assert [path.name for path in root.rglob("*.log")] == ["b.log"]
    assert ("it changed after" if archive else "was overwritten after it was read") in caplog.text
    assert "stays" in caplog.text
    archived = {path.relative_to(target).as_posix(): path.read_text() for path in target.rglob("*.log")}
    assert archived.get("2026/a.log") == ("a m\n" if archive else None)


@pytest.mark.parametrize("is_large", [False, True])
def test_what_cannot_be_cleaned_stays_and_is_said(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_large: bool
) -> None:
    monkeypatch.setattr(cleaning, "SMALL_BYTES", 0 if is_large else 1 << 20)
    put(tmp_path, "logs/a.log")
    put(tmp_path, "logs/b.log")
    one = stream(tmp_path / "logs", cleanSource="archive", sourceArchiveDir=str(tmp_path / "done"))
    end = poll(one, one.initial_offset())
    (tmp_path / "logs" / "a.log").unlink()

    def failing(self: LocalStore, *_: Any, **__: Any) -> str:
        raise StoreError("cannot write: no")

    monkeypatch.setattr(LocalStore, "upload_part" if is_large else "put", failing)
    one.commit_batch(end)
    assert "cannot be cleaned (cleanSource); it stays" in caplog.text
    assert (tmp_path / "logs" / "b.log").exists()
    assert cleaning._PART_BYTES > 0


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("is_last", [False, True])
def test_files_are_cleaned_at_the_same_time(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, archive: bool, is_last: bool
) -> None:
    """1,000 files take less than 5 s if each request takes 100 ms, also after the last batch of Trigger.AvailableNow."""
    rounds, requests = -(-1000 // cleaning.CLEAN_THREADS), 4 if archive else 2  # on S3-compatible servers
    assert rounds * requests * 0.1 <= 5
    monkeypatch.setattr(cleaning, "CLEAN_THREADS", 12)
    for number in range(24):
        put(tmp_path, f"logs/{number}.log")
    # Each file waits until as many files as there are threads are being deleted.
    barrier = threading.Barrier(12)
    remove = LocalStore.remove

    def counted(self: LocalStore, path: str, *, etag: str = "") -> bool:
        barrier.wait(timeout=60)
        return remove(self, path, etag=etag)

    monkeypatch.setattr(LocalStore, "remove", counted)
    options = (
        {"cleanSource": "archive", "sourceArchiveDir": str(tmp_path / "done")} if archive else {"cleanSource": "delete"}
    )
    one = stream(tmp_path / "logs", **options)
    end = poll(one, one.initial_offset())
    if is_last:
        assert poll(one, end) == end
    else:
        one.commit_batch(end)
    assert list((tmp_path / "logs").rglob("*.log")) == []
    counts = one._cleaner.store.request_counts if one._cleaner else {}
    assert [counts[kind] / 24 for kind in ("HEAD", "GET", "PUT", "DELETE")] == [0, archive, 0, 1]
    assert len(list((tmp_path / "done").rglob("*.log"))) == 24 * archive


def test_nothing_is_cleaned_where_that_is_not_asked_for(tmp_path: Path, clock: Clock) -> None:
    put(tmp_path, "a.log")
    one = stream(tmp_path)
    one.commit_batch(poll(one, one.initial_offset()))
    assert (tmp_path / "a.log").exists()


@pytest.mark.parametrize(
    ("paths", "prefix"),
    [
        (["s3://b/app"], "s3://b/app/"),
        (["s3://b/app/"], "s3://b/app/"),
        (["s3://b/app/*/x"], "s3://b/app/"),
        (["s3://b/a?c/x"], "s3://b/"),
        (["/logs/a", "/logs/b"], ""),
    ],
)
def test_keys_name_paths(paths: list[str], prefix: str) -> None:
    root = StreamRoot.of(paths)
    assert root.prefix == prefix
    for path in ("s3://b/app//x", "s3://b/app/x/y", "/logs/a", "s3://b/app", "s3://b/other"):
        assert root.path_of(root.key_of(path)) == path


def test_several_paths_and_globs(tmp_path: Path, clock: Clock) -> None:
    put(tmp_path, "one/a.log")
    put(tmp_path, "two/b.log")
    put(tmp_path, "three/c.log")
    several = stream([str(tmp_path / "one"), str(tmp_path / "two")])
    assert sorted(drained(several, several.initial_offset())[0]) == ["a", "b"]
    pattern = stream(f"{tmp_path}/t*")
    assert sorted(drained(pattern, pattern.initial_offset())[0]) == ["b", "c"]


def test_a_stream_travels_without_what_it_remembers(tmp_path: Path, clock: Clock) -> None:
    put(tmp_path, "a.log")
    one = stream(tmp_path)
    drained(one, one.initial_offset())
    assert len(pickle.dumps(one)) < 5_000
    other = pickle.loads(pickle.dumps(one))
    assert other._listings is None
    assert other.newest() is None


def test_only_so_many_files_are_kept(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "MAX_PENDING", 4)
    for number in range(10):
        put(tmp_path, f"2026/11/{10 + number}/00/{number}.log", at=NOW - dt.timedelta(minutes=30 - number))
    one = stream(tmp_path, layout=HOURLY)
    found, _ = drained(one, one.initial_offset(), files=2)
    assert found == [str(number) for number in range(10)]


# --- load paths without objects ---


def test_a_load_path_without_objects_does_not_stall_the_others(tmp_path: Path, clock: Clock) -> None:
    put(tmp_path, "a/1.log")
    put(tmp_path, "b/2.log")
    one = stream([str(tmp_path / "a"), str(tmp_path / "b")])
    found, start = drained(one, one.initial_offset())
    assert found == ["1", "2"]
    shutil.rmtree(tmp_path / "a")
    clock.passes(minutes=1)
    put(tmp_path, "b/3.log", at=clock.now)
    for query in (one, stream([str(tmp_path / "a"), str(tmp_path / "b")])):  # also after a restart
        assert drained(query, start)[0] == ["3"]
    clock.passes(minutes=1)
    put(tmp_path, "a/4.log", at=clock.now)
    assert drained(one, start)[0] == ["3", "4"]


def test_an_emptied_load_path_is_empty_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    put(tmp_path, "logs/team=web/1.log")
    one = stream(tmp_path / "logs")
    start = drained(one, one.initial_offset())[1]
    shutil.rmtree(tmp_path / "logs")
    again = stream(tmp_path / "logs")
    again.reader.schema_ddl = "level string, team string"
    assert poll(again, start) == start
    clock.passes(minutes=1)
    put(tmp_path, "logs/team=ops/2.log", at=clock.now)
    end = poll(again, start)
    rows = [
        row
        for task in again.plan_batch(start, end)
        for batch in again.reader.read_task(task)
        for row in batch.to_pylist()
    ]
    assert rows == [{"level": "2", "team": "ops"}]


@pytest.mark.parametrize("paths", [["b"], ["a", "b"], ["b*"]])
def test_a_load_path_that_never_existed_is_an_error_at_the_first_start(
    tmp_path: Path, clock: Clock, paths: list[str]
) -> None:
    put(tmp_path, "a/1.log")
    for starting in ("earliest", "latest"):
        one = stream([str(tmp_path / path) for path in paths], startingPosition=starting)
        with pytest.raises(PathNotFoundError):
            poll(one, one.initial_offset())


# --- listings after a start ---


def hourly_files(root: Path, hours: int) -> None:
    for number in range(hours):
        at = NOW - dt.timedelta(hours=number)
        put(root, f"{at:%Y/%m/%d/%H}/{number}.log", at=at)


def available_now(
    path: Any, start: dict[str, Any] | None = None, **options: Any
) -> tuple[list[str], dict[str, Any], int]:
    """Runs a query as ``Trigger.AvailableNow``: the rows, the last offset, and the number of LIST requests."""
    one = stream(path, layout=HOURLY, **options)
    start = start or one.initial_offset()
    one.freeze()
    found, end = drained(one, start)
    return found, end, lists(one)


@pytest.mark.parametrize("interval", ["1h", "off"])
def test_available_now_lists_what_can_have_changed_whatever_is_stored(
    s3: S3Bucket, monkeypatch: pytest.MonkeyPatch, interval: str
) -> None:
    monkeypatch.setattr(S3Store, "page_size", 10)
    now = dt.datetime.now(dt.timezone.utc)
    options = {
        "endpoint": s3.endpoint, "region": "us-east-1", "accessKey": "testing", "secretKey": "testing",
        "fullListingInterval": interval,
    }  # fmt: skip
    counts = []
    for hours in (24, 240):
        for number in range(hours):
            s3.put(f"{hours}/{now - dt.timedelta(hours=number):%Y/%m/%d/%H}/{number}.log", b"x m\n")
        found, end, first = available_now(f"{s3.url}/{hours}", **options)
        assert len(found) == hours
        s3.put(f"{hours}/{now:%Y/%m/%d/%H}/new.log", b"new m\n")
        found, end, count = available_now(f"{s3.url}/{hours}", end, **options)
        assert found == ["new"]
        counts.append(count)
    assert abs(counts[0] - counts[1]) <= 2
    assert counts[1] < first - 10


@pytest.mark.parametrize("interval", ["1h", "off"])
def test_a_start_costs_the_same_for_any_number_of_prefixes(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, interval: str
) -> None:
    """LISTs of Trigger.AvailableNow, of a running query and of a restart at 240 and at 2,400 hourly prefixes."""
    counts: dict[int, list[int]] = {}
    for hours in (240, 2400):
        found = [
            StoredFile(f"s3://b/logs/{at:%Y/%m/%d/%H}/{n}.log", 1, int(at.timestamp() * 1000), "e")
            for n in range(hours)
            for at in [NOW - dt.timedelta(hours=n)]
        ]
        store = KeyStore(found, page_size=10)
        monkeypatch.setattr(log_stream, "open_store", lambda *_, store=store: store)
        options = {"layout": HOURLY, "fullListingInterval": interval}
        first = stream("s3://b/logs", **options)
        end = first.initial_offset()
        while (after := poll(first, end)) != end:
            end = after
        everything = store.counted["LIST"]
        assert everything >= hours / 10
        for number, is_frozen in enumerate((False, True, True)):
            clock.passes(minutes=1)
            fresh = StoredFile(f"s3://b/logs/2026/11/22/12/new{number}.log", 1, clock(), "e")
            store = KeyStore([*store.files.values(), fresh], page_size=10)
            one = stream("s3://b/logs", **options) if is_frozen else first
            one._lists(one._offset(end)).store = store
            if is_frozen:
                one.freeze()
            after = poll(one, end)
            assert [file.key for file in one._offset(after).batch.files] == [f"2026/11/22/12/new{number}.log"]
            end = after
            assert poll(one, end) == end
            counts.setdefault(number, []).append(store.counted["LIST"])
        clock.now = NOW
    assert all(abs(few - many) <= 2 for few, many in counts.values())
    assert max(map(max, counts.values())) < 60  # two polls


def test_a_listing_keeps_only_files_that_may_be_new(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        put(tmp_path, f"{number}.log", at=NOW - dt.timedelta(minutes=30 * number))
    one = stream(tmp_path)
    start = drained(one, one.initial_offset())[1]
    put(tmp_path, "new.log")
    kept: list[int] = []
    original = listings.list_files

    def counted(*arguments: Any, **named: Any) -> Any:
        listing = original(*arguments, **named)
        kept.append(len(listing.files))
        return listing

    monkeypatch.setattr(listings, "list_files", counted)
    assert drained(stream(tmp_path), start)[0] == ["new"]
    assert kept == [1, 0]


def test_a_start_after_the_interval_lists_everything(tmp_path: Path, clock: Clock) -> None:
    hourly_files(tmp_path, 3)
    _, end, _ = available_now(tmp_path)
    clock.passes(minutes=30)
    put(tmp_path, "2026/01/01/00/late.log", at=clock.now)
    assert available_now(tmp_path, end)[0] == []
    clock.passes(minutes=20)
    assert available_now(tmp_path, end)[0] == ["late"]


def test_the_listing_of_the_initial_offset_counts_only_for_that_offset(tmp_path: Path, clock: Clock) -> None:
    # Spark asks for the initial offset again after a restart if batch 0 was planned and not committed.
    put(tmp_path, "2026/11/22/12/old.log")
    first = stream(tmp_path, layout=HOURLY, startingPosition="latest")
    start = first.initial_offset()
    clock.passes(minutes=1)
    put(tmp_path, "2026/11/22/12/a.log", at=clock.now)
    end = poll(first, start)
    clock.passes(hours=2)
    put(tmp_path, "2026/01/01/00/b.log", at=clock.now)
    again = stream(tmp_path, layout=HOURLY, startingPosition="latest")
    assert again.initial_offset() != start
    assert levels(again, start, end) == ["a"]
    assert drained(again, end)[0] == ["b"]


def test_a_day_receives_files_until_it_ends_without_a_time_column(tmp_path: Path, clock: Clock) -> None:
    day = "{yyyy}/{MM}/{dd}"
    put(tmp_path, "2026/11/22/a.log", at=NOW)
    one = stream(tmp_path, layout=day, lateness="10m", layoutSlack="1h", fullListingInterval="off")
    start = drained(one, one.initial_offset())[1]
    for hour in range(1, 12):
        clock.passes(hours=1)
        put(tmp_path, f"2026/11/22/{hour}.log", at=clock.now)
        found, start = drained(one, start)
        assert found == [str(hour)]


def test_a_gap_before_a_restart_is_warned_of(tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path, "a.log")
    one = stream(tmp_path)
    start = drained(one, one.initial_offset())[1]
    clock.passes(hours=20)
    poll(stream(tmp_path), start)
    assert "recordRetention" not in caplog.text
    clock.passes(hours=20)
    poll(stream(tmp_path), start)
    assert "s passed since the last poll that is known, more than recordRetention (86400 s)" in caplog.text


def test_a_backlog_is_processed_in_linear_time(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = 0
    original = position.identity_hash

    def counted(*arguments: Any) -> int:
        nonlocal hashed
        hashed += 1
        return original(*arguments)

    monkeypatch.setattr(position, "identity_hash", counted)
    for number in range(300):
        put(tmp_path, f"{number:03}.log", at=NOW - dt.timedelta(seconds=400 - number))
    one = stream(tmp_path)
    one.freeze()
    found, _ = drained(one, one.initial_offset(), files=3)
    assert found == [f"{number:03}" for number in range(300)]
    assert hashed < 300 * 20


@pytest.mark.parametrize("restarts", [False, True])
def test_the_last_batch_is_cleaned_by_the_next_poll(tmp_path: Path, clock: Clock, restarts: bool) -> None:
    for number in range(40):
        put(tmp_path, f"{number}.log")
    one = stream(tmp_path, cleanSource="delete")
    _, end = drained(one, one.initial_offset()) if not restarts else ([], poll(one, one.initial_offset()))
    if restarts:
        assert len(list(tmp_path.rglob("*.log"))) == 40  # the batch may not have been processed
        assert poll(stream(tmp_path, cleanSource="delete"), end) == end
    assert list(tmp_path.rglob("*.log")) == []


# --- batches whose files are missing, changed or damaged ---


def write_job(root: Path, rows: int) -> list[Path]:
    """Writes a job of several files; returns them."""
    before = set(root.rglob("part-*"))
    levels_of_rows = [f"r{number}" for number in range(rows)]
    table = pa.table({"level": levels_of_rows, "message": levels_of_rows, "team": [f"t{n % 3}" for n in range(rows)]})
    pyspark_logs.write(table, str(root), template=TEMPLATE, layout="{team}")
    return sorted(set(root.rglob("part-*")) - before)


@pytest.mark.parametrize("problem", ["deleted", "changed"])
def test_a_stream_passes_over_a_file_that_is_gone_or_changed(
    tmp_path: Path, clock: Clock, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = put(tmp_path, "a.log")
    put(tmp_path, "b.log")
    strict, lenient = stream(tmp_path), stream(tmp_path, ignoreMissingFiles=True)
    start = strict.initial_offset()
    end = poll(strict, start)
    path.write_text("other text\n") if problem == "changed" else path.unlink()
    with pytest.raises(
        SnapshotChangedError, match="restart the query with ignoreMissingFiles=true, which passes over it"
    ):
        levels(strict, start, end)
    assert levels(lenient, start, end) == ["b"]
    assert f"a.log: {'changed' if problem == 'changed' else 'was deleted'} after planning, skipped" in caplog.text


@pytest.mark.parametrize("problem", ["deleted", "changed"])
def test_a_stream_passes_over_all_files_of_a_job_or_none(
    tmp_path: Path, clock: Clock, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    files = write_job(tmp_path, 9)
    assert len(files) == 3
    put(tmp_path, "t0/other.log")
    clock.passes(days=365 * 10)  # later than the decision on the job, which is of the real clock
    options = {"layout": "{team}", "maxPartitionBytes": "1"}
    strict, lenient = stream(tmp_path, **options), stream(tmp_path, ignoreMissingFiles=True, **options)
    start = strict.initial_offset()
    end = poll(strict, start)
    assert len(levels(strict, start, end)) == 10
    assert levels(lenient, start, end) == levels(strict, start, end)
    files[1].write_text("x y\n") if problem == "changed" else files[1].unlink()
    with pytest.raises(SnapshotChangedError, match="passes over all files of its job in this batch"):
        levels(strict, start, end)
    assert levels(lenient, start, end) == ["other"]
    assert f"after it was planned, {files[1]} {'changed' if problem == 'changed' else 'was deleted'}" in caplog.text


def test_a_batch_query_does_not_pass_over_changed_files(tmp_path: Path) -> None:
    path = put(tmp_path, "a.log")
    one = stream(tmp_path, ignoreMissingFiles=True)
    (task,) = one.reader.plan().tasks
    path.write_text("other text\n")
    with pytest.raises(SnapshotChangedError, match="changed after the query was planned"):
        list(one.reader.read_task(task))


@pytest.mark.parametrize("multi_line", [False, True])
def test_a_damaged_file_is_read_up_to_the_damage_which_is_a_bad_record(
    tmp_path: Path, clock: Clock, multi_line: bool
) -> None:
    text = "".join(f"l{number} {random.Random(number).random()}\n" for number in range(20_000)).encode()
    logs, bad = tmp_path / "logs", tmp_path / "bad"
    path = put(logs, "a.log.gz")
    path.write_bytes(gzip.compress(text)[:-60_000])
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    options = {"badRecordsPath": str(bad), **({"multiLine": r"^l"} if multi_line else {})}
    strict, lenient = stream(logs, **options), stream(logs, ignoreCorruptFiles=True, **options)
    start = strict.initial_offset()
    end = poll(strict, start)
    with pytest.raises(CorruptFileError, match="the file is truncated"):
        levels(strict, start, end)
    metrics = RecordMetrics()
    tasks = lenient.plan_batch(start, end)
    rows = sum(batch.num_rows for task in tasks for batch in lenient.reader.read_task(task, metrics))
    assert 0 < rows < 20_000
    assert (metrics.damaged, metrics.files) == (1, 1)
    written = [json.loads(line) for file in bad.rglob("*.json") for line in file.read_text().splitlines()]
    assert [row["path"] for row in written] == [str(path)]
    assert "the file is truncated" in written[0]["reason"]
    assert 0 < written[0]["offset"] <= len(text)


def test_more_files_than_an_offset_holds(tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(9):
        put(tmp_path, f"{number}.log", at=NOW - dt.timedelta(minutes=number))
    one = stream(tmp_path, maxTrackedFiles="5", lateness="30m")
    found, offset = drained(one, one.initial_offset())
    assert found == ["4", "5", "6", "7", "8"]
    assert "raise maxTrackedFiles (5)" in caplog.text
    clock.passes(minutes=80)  # twice lateness and 15 minutes: each listing without a layout is a full one
    assert sorted(drained(one, offset)[0]) == ["0", "1", "2", "3"]
    caplog.clear()
    clock.now = NOW
    latest = stream(tmp_path, maxTrackedFiles="5", startingPosition="latest")
    offset = latest.initial_offset()
    assert "before 2026-11-22T11:58:00+00:00, are not read" in caplog.text
    put(tmp_path, "new.log", at=NOW)
    assert drained(latest, offset)[0] == ["new"]
