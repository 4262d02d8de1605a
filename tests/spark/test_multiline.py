"""Records of several lines and bad records, in a real Spark session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark")

TEMPLATE = "{ts:timestamp} {level} {n:int} {message}"
TRACE = "java.lang.IllegalStateException: no such card\n\tat com.acme.Pay.charge(Pay.java:17)\n\n\t... 2 more"


def records(count: int) -> list[str]:
    """Returns numbered records, every third with a stack trace."""
    forbidden_prefixes = [f"2026-11-22T00:00:00Z ERROR {n} failed" for n in range(count)]
    return [head if n % 3 else f"{head}\n{TRACE}" for n, head in enumerate(forbidden_prefixes)]


def test_splits_of_a_file_never_cut_a_record(spark: Any, tmp_path: Path) -> None:
    text = "\n".join(records(60)) + "\n"
    (tmp_path / "a.log").write_text(text)
    load = spark.read.format("logs").option("template", TEMPLATE).option("multiLine", "true").option("mode", "FAILFAST")
    df = load.option("maxPartitionBytes", "397").load(str(tmp_path))
    assert df.rdd.getNumPartitions() == -(-len(text.encode()) // 397)
    rows = df.select("n", "message").orderBy("n").collect()
    assert [(row.n, row.message) for row in rows] == [
        (n, record.split(f" {n} ", 1)[1]) for n, record in enumerate(records(60))
    ]


def test_a_task_that_is_tried_again_writes_its_rejects_over(spark: Any, tmp_path: Path) -> None:
    logs, bad = tmp_path / "logs", tmp_path / "bad"
    logs.mkdir()
    (logs / "a.log").write_text("2026-11-22T00:00:00Z INFO 1 ok\nbroken\n2026-11-22T00:00:00Z INFO x bad\n" * 50)
    options = {"template": TEMPLATE, "badRecordsPath": str(bad)}
    counts = []
    for action in range(2):
        marker = tmp_path / f"failed-{action}"

        def fails_once(batches: Any, marker: Path = marker) -> Any:
            yield from batches
            if not marker.exists():
                marker.touch()
                raise RuntimeError("the first attempt fails")

        frame = spark.read.format("logs").options(**options).load(str(logs)).select("level")
        counts.append(frame.mapInArrow(fails_once, "level string").count())
    assert counts == [150, 150]
    # The first attempts have written all their files, and the second ones have overwritten them.
    assert len(list(tmp_path.glob("failed-*"))) == 2
    (file,) = bad.iterdir()
    rejects = [json.loads(line) for line in file.read_text().splitlines()]
    assert [reject["record"] for reject in rejects] == ["broken", "2026-11-22T00:00:00Z INFO x bad"] * 50
    back = spark.read.format("logs").option("json", "true").load(str(bad))
    assert sorted(back.columns) == ["offset", "path", "reason", "record"]
    assert {row["count"] for row in back.groupBy("record").count().collect()} == {50}
