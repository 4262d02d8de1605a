"""Other kinds of sessions: executors in separate processes, and Spark Connect. One process has one kind of session."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyspark")

SCRIPT = """
import sys
from pyspark.sql import SparkSession
import pyspark_logs

if __name__ == "__main__":
    builder = SparkSession.builder.{builder}.config("spark.ui.enabled", "false")
    spark = builder.config("spark.driver.host", "127.0.0.1").getOrCreate()
    pyspark_logs.register(spark)
    frame = spark.read.format("logs").option("template", "{{ts:timestamp}} {{level}} {{message}}").load(sys.argv[1])
    assert frame.count() == 200, frame.count()
    rows = frame.where("level = 'ERROR' and ts >= timestamp'2026-11-22T07:30:00Z'").orderBy("ts").collect()
    assert [row.message for row in rows] == ["m190"], rows
    try:
        spark.read.format("logs").option("tmplate", "x").load(sys.argv[1]).count()
    except Exception as error:
        assert "did you mean 'template'" in str(error), error
    else:
        raise AssertionError("no error")
    try:
        broken = spark.read.format("logs").options(template="{{n:int}} {{message}}", mode="FAILFAST")
        broken.load(sys.argv[1]).collect()
    except Exception as error:
        assert "app.log" in str(error), error
    else:
        raise AssertionError("no error")
    print("all is well")
    spark.stop()
"""


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    lines = []
    for i in range(200):
        level = "ERROR" if i % 100 == 90 else "INFO"
        lines.append(f"2026-11-22T07:{i * 60 // 200:02d}:00Z {level} m{i}\n")
    (folder / "app.log").write_text("".join(lines))
    return folder


def run(tmp_path: Path, logs: Path, builder: str) -> None:
    script = tmp_path / "query.py"
    script.write_text(SCRIPT.format(builder=builder))
    result = subprocess.run(
        [sys.executable, str(script), str(logs)], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert "all is well" in result.stdout, result.stdout + result.stderr


@pytest.mark.slow
def test_executors_in_processes_of_their_own(tmp_path: Path, logs: Path) -> None:
    run(tmp_path, logs, 'master("local-cluster[2,1,1024]").config("spark.executor.memory", "1g")')


@pytest.mark.slow
def test_connect(tmp_path: Path, logs: Path) -> None:
    # Spark's requirements for Connect: versions of pandas, grpc, zstandard.
    pytest.importorskip("pyspark.sql.connect.session", exc_type=ImportError)
    run(tmp_path, logs, 'remote("local[2]")')
