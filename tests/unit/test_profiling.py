"""The option ``profileTasks``: seconds by phase in the metrics, and a line in the log."""

from __future__ import annotations

import gzip
import logging
from pathlib import Path

import pytest

from pyspark_logs import ScanSummary, scan
from pyspark_logs.profiling import FETCH, LINES, PARSE, PHASES, VARIABLE, Profile, phase

TEMPLATE = "{ts:timestamp} {level} {n:int} {message}"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    text = "2026-11-22T00:00:00Z INFO 1 ok\n" * 500
    (tmp_path / "a.log").write_text(text)
    (tmp_path / "b.log.gz").write_bytes(gzip.compress(text.encode()))
    return tmp_path


def profiled_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.message.startswith("profile of a task")]


@pytest.mark.parametrize("threads", [1, 2])
def test_seconds_of_all_phases(logs: Path, caplog: pytest.LogCaptureFixture, threads: int) -> None:
    summary = ScanSummary()
    scan(logs, template=TEMPLATE, profileTasks=True, summary=summary, threads=threads).read_all()
    assert set(summary.seconds) <= set(PHASES)
    assert min(summary.seconds[name] for name in (FETCH, LINES, PARSE)) > 0
    (line,) = profiled_lines(caplog)
    assert line.startswith("profile of a task of 2 files, 1000 records: fetch 0.")


def test_the_environment_asks_for_it(
    logs: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    scan(logs, template=TEMPLATE, threads=1).read_all()
    assert len(profiled_lines(caplog)) == 1


def test_nothing_is_measured_by_default(logs: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    summary = ScanSummary()
    scan(logs, template=TEMPLATE, threads=1, summary=summary).read_all()
    assert summary.seconds == {}
    assert profiled_lines(caplog) == []


def test_a_phase_excludes_those_within_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 4.0, 10.0])
    monkeypatch.setattr("pyspark_logs.profiling.time.perf_counter", lambda: next(clock))
    profile = Profile({})
    with profile.phase(PARSE), phase(LINES):
        pass
    assert (profile.seconds[PARSE], profile.seconds[LINES]) == (7.0, 3.0)
    with phase(LINES):
        pass  # outside of a profile nothing is measured: the clock has no further time


def test_items_are_timed_and_closed() -> None:
    closed = []

    def items():  # type: ignore[no-untyped-def]
        try:
            yield from range(3)
        finally:
            closed.append(True)

    timed = Profile({}).timed(items(), FETCH)
    assert next(timed) == 0
    timed.close()
    assert closed == [True]
