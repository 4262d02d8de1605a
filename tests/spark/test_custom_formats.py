"""A user-defined binary format whose module Spark ships to the workers."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark")

from tests.support import length_prefixed

CLASS = "shipped_formats:LengthPrefixed"
ROWS = [(dt.datetime(2026, 11, 22, 10, 0, n), f"text {n}\n\x00é") for n in range(50)]


def test_a_binary_format_is_written_and_read(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The directory is not on the path of the workers, which get the module from Spark alone.
    module = tmp_path / "module" / "shipped_formats.py"
    module.parent.mkdir()
    shutil.copy(length_prefixed.__file__, module)
    spark.sparkContext.addPyFile(str(module))
    monkeypatch.delitem(sys.modules, "shipped_formats", raising=False)

    target = str(tmp_path / "data")
    frame = spark.createDataFrame(ROWS, "ts timestamp, message string").repartition(2)
    frame.write.format("logs").option("formatClass", CLASS).option("maxRecordsPerFile", 20).mode("append").save(target)
    assert len(list(Path(target).glob("*.rec.gz"))) >= 4

    loaded = spark.read.format("logs").option("formatClass", CLASS).load(target)
    assert loaded.schema == frame.schema
    assert sorted(map(tuple, loaded.collect())) == ROWS
    chosen = spark.read.format("logs").option("formatClass", CLASS).schema("message string").load(target)
    assert chosen.where("message like 'text 7%'").count() == 1
