"""Streams with ``ignoreMissingFiles``: files that are deleted, changed or overwritten while their batch is planned and read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.errors import SnapshotChangedError
from pyspark_logs.options import parse_read_options
from pyspark_logs.stream import LogStream, log_stream, missing_files

TEMPLATE = "{level} {message}"
ROWS = 9
FILES = 3


def open_stream(root: Path, **options: Any) -> LogStream:
    given = {"path": str(root), "template": TEMPLATE, "ignoreMissingFiles": "true", "maxPartitionBytes": "1", **options}
    return LogStream(parse_read_options(given), "level string")


def poll(stream: LogStream, start: dict[str, Any]) -> dict[str, Any]:
    """Returns the next offset as a checkpoint would."""
    return json.loads(json.dumps(stream.latest_offset(start, max_files=1000, max_bytes=None)))  # type: ignore[no-any-return]


def read_tasks(stream: LogStream, start: dict[str, Any], end: dict[str, Any]) -> Iterator[list[str]]:
    """Plans a batch, and returns an iterator over the rows of its tasks, which reads them one after another."""
    tasks = stream.plan_batch(start, end)
    return (
        [level for batch in stream.reader.read_task(task) for level in batch["level"].to_pylist()] for task in tasks
    )


def read_batch(stream: LogStream, start: dict[str, Any], end: dict[str, Any]) -> list[str]:
    return sorted(level for rows in read_tasks(stream, start, end) for level in rows)


def write_job(root: Path, name: str, mode: str = "append") -> list[Path]:
    """Writes a job of three files; returns them."""
    before = set(root.rglob("part-*"))
    levels = [f"{name}{number}" for number in range(ROWS)]
    rows = {"level": levels, "message": levels, "team": [f"t{number % FILES}" for number in range(ROWS)]}
    pyspark_logs.write(pa.table(rows), str(root), template=TEMPLATE, layout="{team}", mode=mode)
    return sorted(set(root.rglob("part-*")) - before)


def rows_of(name: str) -> list[str]:
    return [f"{name}{number}" for number in range(ROWS)]


# Changes of a job after its batch was planned, by the files of the job.
CHANGES: dict[str, Callable[[Path, list[Path]], Any]] = {
    "overwritten": lambda root, _: write_job(root, "new", mode="overwrite"),
    "deleted": lambda _, files: [file.unlink() for file in files],
    "one file deleted": lambda _, files: files[FILES // 2].unlink(),
    "first file deleted": lambda _, files: files[0].unlink(),
    "last file deleted": lambda _, files: files[-1].unlink(),
    "one file changed": lambda _, files: files[FILES // 2].write_text("x y\n"),
}


@pytest.mark.parametrize("position", range(FILES + 1))
@pytest.mark.parametrize("change", CHANGES)
def test_a_job_that_changes_between_two_tasks_is_in_the_batch_as_a_whole_or_not_at_all(
    tmp_path: Path, change: str, position: int
) -> None:
    files = write_job(tmp_path, "old")
    assert len(files) == FILES
    stream = open_stream(tmp_path, layout="{team}")
    start = stream.initial_offset()
    end = poll(stream, start)
    rows: list[str] = []
    tasks = read_tasks(stream, start, end)
    fails = False
    for number in range(FILES):
        if number == position:
            CHANGES[change](tmp_path, files)
        try:
            rows += next(tasks)
        except SnapshotChangedError:
            fails = True
            break
    # A change after the last task is none of this batch. Other changes may be after the task of their file.
    assert fails or sorted(rows) == rows_of("old")
    if position == 0:
        assert fails
    if position == FILES:
        CHANGES[change](tmp_path, files)
    # A query that restarts, in another process, has the same offsets and decides again.
    again = open_stream(tmp_path, layout="{team}")
    assert read_batch(again, start, end) == []
    if change == "overwritten":
        assert read_batch(again, end, poll(again, end)) == rows_of("new")


def test_a_job_that_changes_while_the_decision_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision looks at one file after another, so it may find the first files of a job and miss the last."""
    files = write_job(tmp_path, "old")
    stream = open_stream(tmp_path, layout="{team}", ignoreMissingFiles="false")
    start = stream.initial_offset()
    tasks = stream.plan_batch(start, poll(stream, start))
    store = stream._store()
    head, asked = store.head, []

    def delete_after_the_first(path: str) -> Any:
        found = head(path)
        asked.append(path)
        if len(asked) == 1:
            [file.unlink() for file in files]
        return found

    monkeypatch.setattr(store, "head", delete_after_the_first)
    decided = missing_files.skip_missing_files(store, tasks, threads=1)
    assert sorted(asked) == [str(file) for file in files]
    assert [list(task.remaining_splits()) for task in decided] == [[]] * FILES


@pytest.mark.parametrize("problem", ["deleted", "changed"])
def test_a_file_of_several_splits_is_read_as_a_whole_or_not_at_all(
    tmp_path: Path, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, other = tmp_path / "a.log", tmp_path / "b.log"
    path.write_text("".join(f"a{number} m\n" for number in range(ROWS)))
    other.write_text("b m\n")
    stream = open_stream(tmp_path, maxPartitionBytes="20")
    start = stream.initial_offset()
    end = poll(stream, start)
    tasks = read_tasks(stream, start, end)
    assert 0 < len(next(tasks)) < ROWS
    path.write_text("other text\n") if problem == "changed" else path.unlink()
    with pytest.raises(
        SnapshotChangedError, match=r"while its batch was read\. Restart the query: .* then passes over it"
    ):
        list(tasks)
    assert read_batch(stream, start, end) == ["b"]
    reason = "was deleted" if problem == "deleted" else "changed"
    assert f"{path}: {reason} after planning, skipped (ignoreMissingFiles)" in caplog.text


def test_a_file_that_one_task_reads_is_left_to_the_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.log").write_text(f"{name} m\n")
    stream = open_stream(tmp_path, maxPartitionBytes="1g")
    start = stream.initial_offset()
    end = poll(stream, start)
    store = stream._store()
    before = store.request_counts["HEAD"]
    monkeypatch.setattr(log_stream, "open_store", lambda *_: store)
    tasks = read_tasks(stream, start, end)
    (tmp_path / "a.log").unlink()
    assert [row for rows in tasks for row in rows] == ["b"]
    assert store.request_counts["HEAD"] == before


def test_tasks_hold_only_the_files_that_they_pass_over(tmp_path: Path) -> None:
    files = write_job(tmp_path, "old")
    (tmp_path / "t0" / "other.log").write_text("other m\n")
    stream = open_stream(tmp_path, layout="{team}")
    start = stream.initial_offset()
    end = poll(stream, start)
    assert {task.skipped for task in stream.plan_batch(start, end)} == {()}
    files[0].unlink()
    tasks = stream.plan_batch(start, end)
    reason = "a file of its write job was deleted or changed after planning"
    assert sorted(item for task in tasks for item in task.skipped) == [(str(file), reason) for file in files]
    assert all({path for path, _ in task.skipped} <= {split.path for split in task.splits} for task in tasks)


def test_the_audit_of_a_batch_has_the_files_that_were_passed_over(tmp_path: Path) -> None:
    logs, audit = tmp_path / "logs", tmp_path / "audit"
    files = write_job(logs, "old")
    stream = open_stream(logs, layout="{team}", auditPath=str(audit))
    start = stream.initial_offset()
    end = poll(stream, start)
    files[1].unlink()
    assert read_batch(stream, start, end) == []
    report = pyspark_logs.audit(str(audit))
    assert report.state == "complete"
    skipped = [row for row in report.table.to_pylist() if row["state"] == "skipped"]
    assert sorted(row["path"] for row in skipped) == [str(file) for file in files]
    assert {row["problem"] for row in skipped} == {"a file of its write job was deleted or changed after planning"}
