"""Standard output and standard error that are closed, or that encode fewer characters than logs have."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from pyspark_logs.cli import main

TEXT = "é € 😀 \x1b[31m"
FORMAT = ["--template", "{ts:timestamp} {level} {message}"]


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "a.log"
    path.write_text(f"2026-11-22T01:00:11Z INFO {TEXT}\n", encoding="utf-8")
    return str(path)


def run_with_encoding(arguments: list[str], encoding: str, monkeypatch: pytest.MonkeyPatch) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    main(arguments)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_characters_that_the_output_cannot_encode(log: str, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = json.loads(run_with_encoding(["preview", log, *FORMAT, "--json"], encoding, monkeypatch))
    assert row["message"] == TEXT
    euro = "€" if encoding in ("cp1252", "utf-8") else r"\u20ac"
    face = "😀" if encoding == "utf-8" else r"\ud83d\ude00"
    for kind in ("table", "csv"):
        assert f"{euro} {face}" in run_with_encoding(["preview", log, *FORMAT, "--format", kind], encoding, monkeypatch)
    for command in ("check", "plan", "detect"):
        assert run_with_encoding([command, log, *([] if command == "detect" else FORMAT)], encoding, monkeypatch)
    assert run_with_encoding(["tail", log, *FORMAT, "--once", "--json"], encoding, monkeypatch)


def test_closed_streams(log: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.json"
    for arguments in (
        ["preview", log, *FORMAT],
        ["preview", log],
        ["check", log, *FORMAT],
        ["plan", log, *FORMAT],
        ["presets"],
        ["convert", log, *FORMAT, "--to", str(target)],
    ):
        monkeypatch.setattr(sys, "stdout", None)
        monkeypatch.setattr(sys, "stderr", None)
        assert main(arguments) == 0
        assert sys.stdout is not None
        assert sys.stderr is not None
        sys.stdout.close()
        sys.stderr.close()
    assert json.loads(target.read_text(encoding="utf-8"))["message"] == TEXT
