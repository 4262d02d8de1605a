"""Small files that are decoded together: the rows and counts are those of the files by themselves."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

import pyspark_logs
from pyspark_logs import RecordError, ScanSummary, scan
from pyspark_logs.block_files import runs_of
from pyspark_logs.planning import FileSplit
from pyspark_logs.small_files import MAX_FILE_BYTES

APP = {"template": "{ts:timestamp?} {level} {n:int?} {message}"}
FILES: dict[str, bytes] = {
    "a.log": b"2026-11-22T00:00:00Z INFO 1 one\n2026-11-22T00:00:01Z INFO 2 two\n",
    "b.log": b"2026-11-22T00:00:02Z INFO x bad value\n",
    "c.log": b"",
    "d.log": b"\xef\xbb\xbf2026-11-22T00:00:03Z INFO 3 marked, no line end",
    "e.log": b"2026-11-22T00:00:04Z INFO 4 \xff invalid\r\n\r\n- INFO 5 no time\r\n",
    "f.log.gz": gzip.compress("2026-11-22T00:00:05Z INFO 6 ünïcode\n".encode()),
    "g.log": b"broken\n",
    "h.log": "2026-11-22T00:00:06Z INFO 7 utf-16\n".encode("utf-16"),
    "i.log": b"2026-11-22T00:00:07Z INFO 8 last\n",
}
# Records without a time, of which a search leaves less than half of the text.
UNTIMED = {f"{n}.log": b"- INFO - many xxxxxxxxxxxxxxxxxxxx\n- INFO %d few\n" % n for n in range(8)}
FORMATS: dict[str, tuple[dict[str, Any], dict[str, bytes]]] = {
    "template": (APP, FILES),
    "time range": ({**APP, "startTime": "2026-11-22T00:00:01Z", "endTime": "2026-11-22T00:00:06Z"}, FILES),
    "condition": ({**APP, "where": "n > 1"}, FILES),
    "literals and times of files": ({**APP, "startTime": "2026-11-21T22:26:44Z", "where": "message = 'few'"}, UNTIMED),
    "late columns and times of files": ({**APP, "startTime": "2026-11-21T22:26:44Z", "where": "n > 2"}, UNTIMED),
    "values of a line and times of files": ({"json": True, "schema": "ts timestamp, a int, b string, c string", "where": "a < 0",
            "startTime": "2026-11-21T22:26:44Z"}, {f"{n}.json": b'{"a": 1}{"a": -%d}{"b": "xxxxxxxx"}\n{"a": 2}\n' % n for n in range(8)}),
    "dropped": ({**APP, "mode": "DROPMALFORMED"}, FILES),
    "corrupt column": ({**APP, "schema": "n int, _corrupt_record string"}, FILES),
    "joined lines": ({**APP, "multiLine": r"^\S+ INFO"}, {**FILES, "b2.log": b"- INFO 9 trace\n  at x\n"}),
    "longest record": ({**APP, "maxRecordBytes": "40"}, FILES),
    "json": ({"json": True, "schema": "a int, b string"}, {f"{n}.json": b'{"a": %d, "b": "x"}\n{"a": "y"}' % n for n in range(5)}),
    "csv": ({"delimited": ",", "header": "first", "schema": "a int, b string"},
            {f"{n}.csv": (b"a,b\n%d,x\n" if n % 2 else b"b,a\nx,%d\n") % n for n in range(6)}),
    "one header": ({"delimited": ",", "header": "first", "schema": "a int"}, {f"{n}.csv": b"a,b\n%d,x\n" % n for n in range(6)}),
}  # fmt: skip


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for number, (name, content) in enumerate(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (1_795_300_000 + number, 1_795_300_000 + number))
    return folder


def rows_of(path: Path | str, options: dict[str, Any]) -> tuple[list[dict[str, Any]], ScanSummary, int]:
    summary = ScanSummary()
    batches = list(scan(str(path), threads=1, summary=summary, **options))
    return [row for batch in batches for row in batch.to_pylist()], summary, len(batches)


@pytest.mark.parametrize("most", [None, 1, 2])
@pytest.mark.parametrize("name", FORMATS)
def test_rows_are_those_of_each_file(
    name: str, most: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows do not depend on the number of records that are joined, nor on the number that are decoded at once."""
    options, files = FORMATS[name]
    folder = write(tmp_path, files)
    expected: list[dict[str, Any]] = []
    total = ScanSummary()
    for file in sorted(files):
        rows, summary, _ = rows_of(folder / file, options)
        expected += rows
        total.add(summary)
    if most is not None:
        monkeypatch.setattr("pyspark_logs.block_files.MAX_LINES", most)
        monkeypatch.setattr("pyspark_logs.batch_builder._MAX_VALUES", 1)
        monkeypatch.setattr("pyspark_logs.batch_builder._MIN_ROWS", most)
    rows, summary, batches = rows_of(folder, options)
    assert rows == expected
    assert summary == total
    assert (summary.files, summary.reasons, summary.joined) == (total.files, total.reasons, total.joined)
    assert batches <= 1


def test_a_year_depends_on_the_file(tmp_path: Path) -> None:
    folder = write(tmp_path, {f"{n}.log": b"Nov 22 00:00:00 x\n" for n in range(4)})
    for n in range(4):
        os.utime(folder / f"{n}.log", (1_600_000_000 + n * 31_557_600,) * 2)
    rows, summary, _ = rows_of(folder, {"template": "{ts:timestamp(%b %d %H:%M:%S)} {message}"})
    assert [row["ts"].year for row in rows] == [2019, 2020, 2021, 2022]
    assert summary.records == 4


def test_columns_of_the_path(tmp_path: Path) -> None:
    line = b"2026-11-22T00:00:00Z INFO 1 one\n"
    folder = write(tmp_path, {f"team={team}/{n}.log": line for team in "ab" for n in range(3)})
    rows, _, batches = rows_of(folder, {**APP, "schema": "n int, team string"})
    assert [row["team"] for row in rows] == ["a", "a", "a", "b", "b", "b"]
    assert batches == 1
    rows, _, _ = rows_of(folder, {**APP, "schema": "n int, _metadata struct<file_name string>"})
    assert [row["_metadata"]["file_name"] for row in rows] == ["0.log", "1.log", "2.log"] * 2


def test_messages_name_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write(tmp_path, FILES)
    rows_of(folder, APP)
    assert f"The first of them: {folder}/b.log at byte 0" in caplog.text
    caplog.clear()
    rows_of(folder, {**APP, "where": "level = 'INFO' AND n IS NULL"})
    assert f"The first of them: {folder}/b.log at byte 0" in caplog.text
    with pytest.raises(RecordError, match=r"g\.log: record at byte 0 ") as caught:
        rows_of(folder, {**APP, "mode": "FAILFAST", "schema": "level string"})
    assert caught.value.path == f"{folder}/g.log"


def test_a_file_that_goes_away_is_an_error(tmp_path: Path) -> None:
    folder = write(tmp_path, FILES)
    reader = scan(str(folder), threads=1, **APP)
    (folder / "d.log").unlink()
    with pytest.raises(pyspark_logs.SnapshotChangedError, match=r"d\.log"):
        reader.read_all()


def test_runs_are_small_files_of_one_directory() -> None:
    def split(name: str, size: int, start: int = 0, value: str = "x", length: int | None = None) -> FileSplit:
        return FileSplit(name, start, size if length is None else length, size, 0, "", None, None, (value,))

    splits = [
        split("a", 10), split("b", 10), split("c", MAX_FILE_BYTES + 1), split("d", 10), split("e", 10, value="y"),
        split("f", 10, length=5, value="y"), split("f", 10, start=5, length=5, value="y"), split("g", 0), split("h", 10),
    ]  # fmt: skip
    runs = ["".join(one.path for one in run) for run in runs_of(splits, joins=True)]
    assert runs == ["ab", "c", "d", "e", "f", "f", "gh"]
    assert [len(run) for run in runs_of(splits, joins=False)] == [1] * len(splits)
    many = [len(run) for run in runs_of([split(str(n), MAX_FILE_BYTES) for n in range(100)], joins=True)]
    assert many == [48, 48, 4]
