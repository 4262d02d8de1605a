"""Small plain files: their lines are those that the reader of all files finds."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from pyspark_logs import ScanSummary, scan, small_files, split_reader

TEXTS = {
    "lines": b"INFO one\nWARN two\n",
    "no line end": b"INFO one\nWARN two",
    "windows": b"INFO one\r\n\r\nWARN two\r\n",
    "carriage returns": b"INFO one\rWARN two\r",
    "padding": b"\0\0INFO one\n\0\0\0\nWARN two\n\0\0\0",
    "blank": b"\n \n\t\n",
    "comments": b"#Version: 1\nINFO one\n#Fields: a\nWARN two\n",
    "invalid": b"INFO \xff\xfe\n",
    "mark": b"\xef\xbb\xbfINFO one\n",
    "utf-16": "INFO one\n".encode("utf-16"),
    "compressed": gzip.compress(b"INFO one\n"),
    "long": b"INFO " + b"x" * 300 + b"\nINFO y\n",
    "json": b'{"a": 1}\n{"a": 2}\n',
    "document": b'{\n  "a": 1\n}\n',
    "array": b'[{"a": 1},\n{"a": 2}]',
    "values": b'{"a": 1}{"a": 2}',
    "one line": (b'{"a": "' + b"x" * 100 + b'"}') * 700,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "template": {"template": "{level} {message}"},
    "comments": {"template": "{level} {message}", "commentPrefix": "#"},
    "blanks": {"template": "{level} {message}", "maxRecordBytes": "100"},
    "compression": {"template": "{level} {message}", "compression": "none"},
    "joined": {"template": "{level} {message}", "multiLine": "^INFO"},
    "latin-1": {"template": "{level} {message}", "encoding": "latin-1"},
    "csv": {"delimited": " ", "schema": "level string, message string"},
    "json": {"json": True, "schema": "a string"},
    "documents": {"json": True, "schema": "a string", "recordsPath": "Records"},
}


def _rows(folder: Path, options: dict[str, Any]) -> tuple[list[dict[str, Any]], ScanSummary]:
    summary = ScanSummary()
    return scan(str(folder), threads=1, summary=summary, **options).read_all().to_pylist(), summary


@pytest.mark.parametrize("name", OPTIONS)
def test_lines_are_those_of_all_other_files(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, text in enumerate(TEXTS.values()):
        (tmp_path / f"{number:02}.log").write_bytes(text)
        (tmp_path / f"{number:02}.log.gz").write_bytes(text)  # the name of another kind of file
    options = OPTIONS[name] if "compression" in OPTIONS[name] else {**OPTIONS[name], "ignoreCorruptFiles": True}
    found = _rows(tmp_path, options)
    monkeypatch.setattr(split_reader, "is_small", lambda _: False)
    assert found == _rows(tmp_path, options)


def test_plain_files_take_the_short_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        (tmp_path / f"{number}.log").write_bytes(TEXTS["lines"])
    taken = []

    def read(*arguments: Any) -> Any:
        taken.append(small_files.read_plain_lines(*arguments))
        return taken[-1]

    monkeypatch.setattr(split_reader, "read_plain_lines", read)
    rows, _ = _rows(tmp_path, OPTIONS["template"])
    assert [row["level"] for row in rows] == ["INFO", "WARN"] * 3
    assert [len(lines) for lines in taken] == [2, 2, 2]
