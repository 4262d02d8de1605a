"""A smoke test with each older version of Spark; all other tests run with the version of the environment, the newest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.install_spark import RELEASES, InstallationError, install
from tests.support.spark_session import python_path

_TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("release", RELEASES)
def test_reads_writes_and_streams(release: str, tmp_path: Path) -> None:
    try:
        home = install(release)
    except InstallationError as error:
        pytest.fail(str(error), pytrace=False)
    environment = {name: value for name, value in os.environ.items() if name != "SPARK_HOME"}
    environment["PYTHONPATH"] = python_path(home)
    environment["SPARK_LOCAL_IP"] = "127.0.0.1"
    done = subprocess.run(
        [sys.executable, str(_TESTS / "versions" / "smoke.py"), "brief"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"passed with Spark {release}" in done.stdout
