"""Audits of queries in Spark: plans in the process that plans, reports in those that read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark")

from pyspark_logs import audit
from tests.support.log_files import write

TEMPLATE = "{level} {n:int}"


def test_a_batch_read_and_a_stream(spark: Any, tmp_path: Path) -> None:
    logs = write(tmp_path / "logs", {f"{n}.log": f"INFO {n}\nWARN many\n" * 20 for n in range(3)})
    options = {"template": TEMPLATE, "auditPath": str(tmp_path / "batch"), "maxPartitionBytes": "200", "quiet": "true"}
    frame = spark.read.format("logs").options(**options).load(logs)
    for _ in range(2):  # the second action reads the same plan again
        assert frame.where("n IS NULL").count() == 60
    (query,) = audit(tmp_path / "batch").queries
    assert (query.state, query.files, query.records, query.rows, query.corrupt) == ("complete", 3, 120, 120, 60)
    assert query.splits > 3
    assert query.states == {"read": query.splits}

    options["auditPath"] = str(tmp_path / "stream")
    stream = spark.readStream.format("logs").options(**options, maxFilesPerTrigger="1").load(logs)
    written = stream.writeStream.foreachBatch(lambda frame, _: frame.count()).trigger(availableNow=True)
    written = written.option("checkpointLocation", str(tmp_path / "checkpoint"))
    for _ in range(2):  # the batch whose commit is lost is replayed
        query = written.start()
        assert query.awaitTermination(120)
        commits = tmp_path / "checkpoint" / "commits"
        for path in (commits / "2", commits / ".2.crc"):
            path.unlink(missing_ok=True)
    report = audit(tmp_path / "stream", checkpoint=tmp_path / "checkpoint")
    assert (report.state, report.findings) == ("complete", ())
    assert (report.queries[0].batches, report.queries[0].records) == (3, 120)
    assert {row["batch"] for row in report.table.to_pylist()} == {0, 1, 2}
    runs = {row.run for row in _tasks(spark, tmp_path / "stream")}
    assert runs == {str(query.id)}


def _tasks(spark: Any, folder: Path) -> list[Any]:
    """Returns the reports of all tasks, as Spark's own JSON reader sees them."""
    return spark.read.json(str(folder / "tasks")).select("run", "state", "query").distinct().collect()
