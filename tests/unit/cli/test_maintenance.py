"""The commands ``recover`` and ``vacuum``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pyspark_logs.cli import main
from pyspark_logs.cli.output import FAILED, REFUSED
from tests.support.dead_jobs import write_dead_jobs


@pytest.fixture
def dead_job(tmp_path: Path) -> str:
    """The id of a job that died while it published its files into ``tmp_path``."""
    return write_dead_jobs(tmp_path)


def test_recover_and_vacuum(tmp_path: Path, dead_job: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(tmp_path)
    assert main(["recover", root]) == 0
    assert f"left alone, young {dead_job}" in capsys.readouterr().out
    assert main(["recover", root, "--older-than", "0s", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert f"would be rolled back      {dead_job}" in out
    files = [str(path) for path in tmp_path.rglob(f"part-*{dead_job}*")]
    assert files
    assert sorted(line.removeprefix("would be removed ") for line in out.splitlines() if "removed" in line) == sorted(
        files
    )
    assert main(["recover", root, "--job", dead_job, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["rolled_back"] == [dead_job]
    assert set(report["files"]) >= set(files)
    assert not any(tmp_path.rglob(f"part-*{dead_job}*"))
    assert main(["vacuum", root, "--older-than", "0s", "-o", "commitThreads=2"]) == 0
    assert "removed upload" in capsys.readouterr().out
    assert main(["vacuum", root, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == {"uploads": [], "records": [], "claims": [], "failed": [], "temporary": []}


def test_bad_options_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vacuum", str(tmp_path), "-o", "nothing"]) == REFUSED
    assert "'nothing' is not of the form name=value" in capsys.readouterr().err
    assert main(["recover", str(tmp_path), "-o", "nonsense=1"]) == REFUSED
    assert "unknown option 'nonsense'" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["recover", "vacuum"])
def test_a_missing_directory_sets_the_exit_code(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, f"{tmp_path}/mispelt"]) == REFUSED
    assert f"there is nothing at {tmp_path}/mispelt/" in capsys.readouterr().err
    assert main([command, str(tmp_path)]) == 0


def test_a_job_that_cannot_be_recovered_is_reported_and_sets_the_exit_code(
    tmp_path: Path, dead_job: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "_commits" / f"{dead_job}~intent.json").write_text("nonsense")
    assert main(["recover", str(tmp_path), "--older-than", "0s"]) == FAILED
    assert f"failed           {dead_job}: " in capsys.readouterr().out


def test_a_claim_that_cannot_be_read_is_reported_and_sets_the_exit_code(
    tmp_path: Path, dead_job: str, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = tmp_path / "_claims" / "txn-x" / "1"
    claim.parent.mkdir(parents=True)
    claim.write_text("nonsense")
    assert main(["vacuum", str(tmp_path), "--older-than", "0s"]) == FAILED
    assert f"the records it may need are kept: {claim} is not a document" in capsys.readouterr().out
    assert main(["vacuum", str(tmp_path), "--json"]) == FAILED
    ((path, reason),) = json.loads(capsys.readouterr().out)["failed"]
    assert path == str(claim)
    assert str(claim) in reason
