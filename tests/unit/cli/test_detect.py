"""The command ``detect``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pyspark_logs.cli import main

LINES = [
    "2026-11-22 01:00:11,045 [main] user=17 INFO acme.Cart: order 1399 accepted",
    "2026-11-22 01:00:12,145 [worker-2] user=3 WARN acme.Cart: slow: 307 ms",
    "2026-11-22 01:00:13,245 [main] user=17 ERROR acme.billing.Invoice: no such order",
]
TEMPLATE = "{ts:timestamp} [{thread}] user={user:long} {level} {logger}: {message}"


def test_candidates_and_a_preview_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.log").write_text("\n".join(LINES))
    assert main(["detect", str(tmp_path / "a.log"), "--rows", "2"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f" 100.0%  template {TEMPLATE}  (3 of 3 records, 6 columns)"
    assert out[-3].split() == ["ts", "thread", "user", "level", "logger", "message"]
    assert out[-2].split()[2:6] == ["main", "17", "INFO", "acme.Cart"]
    assert len(out[-1]) <= 120


def test_json_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.log").write_text("\n".join(LINES))
    assert main(["detect", str(tmp_path / "a.log"), "--json", "-o", "timeZone=UTC"]) == 0
    best = json.loads(capsys.readouterr().out)["candidates"][0]
    assert (best["options"], best["share"], best["records"]) == ({"template": TEMPLATE}, 1.0, 3)


def test_no_candidate_and_no_file_set_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.log").write_text("")
    assert main(["detect", str(tmp_path / "a.log")]) == 1
    assert "no known format matches" in capsys.readouterr().out
    assert main(["detect", str(tmp_path / "b.log")]) == 2
    assert "b.log" in capsys.readouterr().err


def test_keys_cannot_control_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.log").write_text('{"a\\u001b[31m\\nb\\u202e":"c\\u001b[0m"}\n')
    assert main(["detect", str(tmp_path / "a.log")]) == 0
    out = capsys.readouterr().out
    assert "a\\x1b[31m\\nb\\u202e" in out
    assert all(char.isprintable() for char in out.replace("\n", ""))
