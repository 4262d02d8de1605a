"""The command ``jobs``."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.api.maintenance import open_root
from pyspark_logs.cli import main
from pyspark_logs.cli.output import FAILED, REFUSED
from pyspark_logs.jobs import read_commits
from tests.support.dead_jobs import write_dead_jobs


def test_jobs_and_their_states(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(tmp_path)
    assert main(["jobs", root]) == 0
    assert capsys.readouterr().out == "no job has documents here\n"
    dead = write_dead_jobs(tmp_path)
    batch = pa.record_batch({"m": ["a"]})
    pyspark_logs.write([batch], root, json=True, schema=batch.schema)
    assert main(["jobs", root, "--json"]) == 0
    states = {job["job"]: (job["state"], job["mode"]) for job in json.loads(capsys.readouterr().out)["jobs"]}
    assert states.pop(dead) == ("undecided", "append")
    assert ("committed", "append") in states.values()
    assert main(["jobs", root]) == 0
    assert "1 of them undecided\n`pyspark-logs recover" in capsys.readouterr().out
    (tmp_path / "_commits" / f"{dead}~intent.json").write_text("nonsense")
    assert main(["jobs", root]) == FAILED
    assert f"{dead}: {tmp_path}/_commits/{dead}~intent.json is not a document" in capsys.readouterr().out


def test_a_job_that_is_decided_while_jobs_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = write_dead_jobs(tmp_path)
    before = read_commits(*open_root(tmp_path, {})[:2])
    pyspark_logs.recover(tmp_path, "0s")
    monkeypatch.setattr("pyspark_logs.api.job_list.read_commits", lambda *_: before)
    assert [(job.job, job.state, job.files) for job in pyspark_logs.list_jobs(tmp_path)] == [(dead, "aborted", None)]
    for document in (tmp_path / "_commits").glob(f"{dead}*"):
        document.unlink()
    assert pyspark_logs.list_jobs(tmp_path) == []


def test_a_missing_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", f"{tmp_path}/mispelt"]) == REFUSED
    assert f"there is nothing at {tmp_path}/mispelt/" in capsys.readouterr().err


def test_a_wrong_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", str(tmp_path), "--limit", "-1"]) == REFUSED
    assert "'limit': -1 is not a whole number of one or more" in capsys.readouterr().err
