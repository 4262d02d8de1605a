from __future__ import annotations

import logging
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("pyspark")

from pyspark_logs.datasource.worker_python import warn_of_other_python


@dataclass
class Interpreters:
    folder: Path

    def python(self, status: int) -> str:
        """Returns an interpreter that ends with a status, whatever it is asked."""
        path = self.folder / f"python{status}"
        path.write_text(f"#!/bin/sh\nexit {status}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)


@pytest.fixture
def interpreters(tmp_path: Path) -> Interpreters:
    return Interpreters(tmp_path)


def session(command: str, master: str = "local[2]") -> Any:
    return SimpleNamespace(sparkContext=SimpleNamespace(pythonExec=command, master=master))


def warnings(spark: Any, caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="pyspark_logs"):
        warn_of_other_python(spark)
    return [record.getMessage() for record in caplog.records]


def test_workers_without_the_package(interpreters: Interpreters, caplog: pytest.LogCaptureFixture) -> None:
    path = interpreters.python(1)
    (message,) = warnings(session(path), caplog)
    assert f"Spark runs its workers with {path}, which does not have pyspark_logs" in message
    assert "os.environ['PYSPARK_PYTHON'] = sys.executable" in message


@pytest.mark.parametrize("status", [0, 2, 127])
def test_no_warning_unless_the_package_is_surely_missing(
    status: int, interpreters: Interpreters, caplog: pytest.LogCaptureFixture
) -> None:
    assert warnings(session(interpreters.python(status)), caplog) == []


@pytest.mark.parametrize("command", [sys.executable, "no-such-python"])
def test_this_python_and_a_missing_one(command: str, caplog: pytest.LogCaptureFixture) -> None:
    assert warnings(session(command), caplog) == []


@pytest.mark.parametrize("master", ["spark://host:7077", "yarn", "local-cluster[2,1,1024]"])
def test_clusters_are_not_asked(master: str, interpreters: Interpreters, caplog: pytest.LogCaptureFixture) -> None:
    assert warnings(session(interpreters.python(1), master), caplog) == []


def test_notebooks_of_databricks_are_not_judged(
    interpreters: Interpreters, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "18.0")
    assert warnings(session(interpreters.python(1), "local[*, 4]"), caplog) == []


def test_a_session_without_a_context(caplog: pytest.LogCaptureFixture) -> None:
    assert warnings(object(), caplog) == []
