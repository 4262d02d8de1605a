"""Audits of queries in Spark: plans in the process that plans, reports in those that read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark")

from pyspark_logs import audit
from tests.support.log_files import write

TEMPLATE = "{level} {n:int}"


@pytest.fixture
def logs(tmp_path: Path) -> str:
    return write(tmp_path / "logs", {f"{n}.log": f"INFO {n}\nWARN many\n" * 20 for n in range(3)})


def test_batch_reads(spark: Any, logs: str, tmp_path: Path) -> None:
    options = {"template": TEMPLATE, "auditPath": str(tmp_path / "audit"), "maxPartitionBytes": "200", "quiet": "true"}
    frame = spark.read.format("logs").options(**options).load(logs)
    for _ in range(2):  # Spark plans each of these actions, so that each is a query
        assert frame.where("n IS NULL").count() == 60
    queries = audit(tmp_path / "audit").queries
    assert len(queries) == 2
    for query in queries:
        assert (query.state, query.files, query.records, query.rows, query.corrupt) == ("complete", 3, 120, 120, 60)
        assert query.splits > 3
        assert query.states == {"read": query.splits}


@pytest.mark.slow
def test_a_stream_with_a_replayed_batch(spark: Any, logs: str, tmp_path: Path) -> None:
    options = {"template": TEMPLATE, "auditPath": str(tmp_path / "audit"), "maxPartitionBytes": "200", "quiet": "true"}
    stream = spark.readStream.format("logs").options(**options, maxFilesPerTrigger="1").load(logs)
    written = stream.writeStream.foreachBatch(lambda frame, _: frame.count()).trigger(availableNow=True)
    written = written.option("checkpointLocation", str(tmp_path / "checkpoint"))
    for _ in range(2):  # the batch whose commit is lost is replayed
        query = written.start()
        assert query.awaitTermination(120)
        commits = tmp_path / "checkpoint" / "commits"
        for path in (commits / "2", commits / ".2.crc"):
            path.unlink(missing_ok=True)
    report = audit(tmp_path / "audit", checkpoint=tmp_path / "checkpoint")
    assert (report.state, report.findings) == ("complete", ())
    assert (report.queries[0].batches, report.queries[0].records) == (3, 120)
    assert {row["batch"] for row in report.table.to_pylist()} == {0, 1, 2}
    runs = {row.run for row in _tasks(spark, tmp_path / "audit")}
    assert runs == {str(query.id)}


def _tasks(spark: Any, folder: Path) -> list[Any]:
    """Returns the reports of all tasks, as Spark's own JSON reader sees them."""
    return spark.read.json(str(folder / "tasks")).select("run", "state", "query").distinct().collect()
