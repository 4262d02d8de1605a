"""Logs that are renamed or compressed after they were read: their rows are read again, with one warning."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyspark_logs.options import parse_read_options
from pyspark_logs.stream import LogStream

NOW_S = int(time.time())
WARNING = "which a log rotation renamed or compressed after it was read"


def put(path: Path, text: str, age_s: int = 0, *, compress: bool = False) -> Path:
    data = text.encode()
    path.write_bytes(gzip.compress(data) if compress else data)
    os.utime(path, (NOW_S - age_s, NOW_S - age_s))
    return path


def compress(path: Path, name: str) -> None:
    """Does what gzip does: the compressed file has the modification time of the original, which is removed."""
    put(path.with_name(name), path.read_text(), NOW_S - int(path.stat().st_mtime), compress=True)
    path.unlink()


def rename(path: Path, name: str) -> None:
    path.rename(path.with_name(name))


class Query:
    """A stream of a directory that is read batch by batch."""

    def __init__(self, root: Path, **options: Any) -> None:
        given = {"path": str(root), "template": "{level} {message}", **options}
        self.stream = LogStream(parse_read_options(given), "level string")
        self.offset = self.stream.initial_offset()

    def read(self) -> list[str]:
        rows: list[str] = []
        while (end := self.stream.latest_offset(self.offset, max_files=1000, max_bytes=None)) != self.offset:
            for task in self.stream.plan_batch(self.offset, end):
                rows += [level for batch in self.stream.reader.read_task(task) for level in batch["level"].to_pylist()]
            self.offset = json.loads(json.dumps(end))
        return rows


@pytest.mark.parametrize("is_live", [False, True], ids=["no new file", "a new file of the old name"])
@pytest.mark.parametrize(
    ("rotate", "name"),
    [
        (compress, "app.log.gz"),
        (compress, "app.log.1.gz"),
        (compress, "app.log-20261122.gz"),
        (rename, "app.log.1"),
        (rename, "app.log-20261122"),
        (rename, "app.log-20261122-1795327200"),
    ],
)
def test_a_file_that_is_rotated_after_it_was_read_is_read_again_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, rotate: Callable[[Path, str], None], name: str, is_live: bool
) -> None:
    path = put(tmp_path / "app.log", "a m\n", age_s=60)
    query = Query(tmp_path)
    assert query.read() == ["a"]
    assert WARNING not in caplog.text
    rotate(path, name)
    if is_live:
        put(path, "b m\n")
    # The new file of the old name was modified within lateness of the old one, so it counts as the same file.
    assert query.read() == ["a"]
    assert f"{tmp_path / name} seems to be {path}, {WARNING}" in caplog.text
    assert caplog.text.count(WARNING) == 1


def test_a_copy_in_the_same_batch(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path / "app.log", "a m\n")
    put(tmp_path / "app.log.gz", "a m\n", compress=True)
    assert Query(tmp_path).read() == ["a", "a"]
    assert WARNING in caplog.text


def test_a_file_that_is_compressed_after_the_window_is_not_read_again(tmp_path: Path) -> None:
    path = put(tmp_path / "app.log", "a m\n", age_s=7200)
    put(tmp_path / "other.log", "b m\n")
    query = Query(tmp_path, lateness="1h")
    assert query.read() == ["a", "b"]
    compress(path, "app.log.1.gz")
    assert query.read() == []


def test_a_query_that_reads_only_last_names_reads_each_file_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = put(tmp_path / "app.log", "a m\n", age_s=60)
    query = Query(tmp_path, pathGlobFilter="*.gz")
    assert query.read() == []
    compress(path, "app.log-20261122.gz")
    put(path, "b m\n", age_s=30)
    assert query.read() == ["a"]
    compress(path, "app.log-20261123.gz")
    assert query.read() == ["b"]
    assert WARNING not in caplog.text


@pytest.mark.parametrize(
    ("first", "second", "age_s"),
    [
        ("app.log", "app.log.1", 30),  # other times
        ("app.log.1", "app.log.2", 60),
        ("a.gz", "b.gz", 60),
        ("part-1.log", "part-2.log", 60),
        ("app/1", "app/2", 60),
    ],
)
def test_other_files_are_not_taken_for_copies(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, first: str, second: str, age_s: int
) -> None:
    (tmp_path / "app").mkdir()
    put(tmp_path / first, "a m\n", age_s=60, compress=first.endswith(".gz"))
    query = Query(tmp_path)
    assert query.read() == ["a"]
    put(tmp_path / second, "b m\n", age_s=age_s, compress=second.endswith(".gz"))
    assert query.read() == ["b"]
    assert WARNING not in caplog.text
