"""scan()."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import enumerate as all_threads
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs import scan
from tests.support.log_files import write

TEXT = "2026-11-22T07:00:00Z INFO one\n2026-11-22T08:00:00Z WARN two\n"
TEMPLATE = "{ts:timestamp} {level} {message}"


def test_options_of_the_natural_type(tmp_path: Path) -> None:
    write(tmp_path, {"2026-11-22/a.log": TEXT, "2026-11-23/b.log": TEXT})
    start = datetime(2026, 11, 22, 8, tzinfo=timezone.utc)
    table = scan(
        [tmp_path / "2026-11-22", str(tmp_path / "2026-11-23")], template=TEMPLATE, startTime=start, endTime=start + timedelta(hours=1),
        metadata=False, maxPartitionBytes=10, storageOptions={}, layoutSlack=timedelta(0), maxRetries=0, layout=None,
        schema=pa.schema([("message", pa.string())]),
    ).read_all()  # fmt: skip
    assert table == pa.table({"message": ["two", "two"]})


def test_a_reader_of_batches(tmp_path: Path) -> None:
    reader = scan(write(tmp_path, {"a.log": TEXT}), template=TEMPLATE)
    assert isinstance(reader, pa.RecordBatchReader)
    assert reader.schema == pa.schema(
        [("ts", pa.timestamp("us", "UTC")), ("level", pa.string()), ("message", pa.string())]
    )
    assert [batch.num_rows for batch in reader] == [2]


def test_bad_arguments_raise_before_batches_are_read(tmp_path: Path) -> None:
    with pytest.raises(pyspark_logs.OptionError, match="did you mean 'layout'"):
        scan(tmp_path, template="{m}", layuot="x")
    with pytest.raises(pyspark_logs.PathNotFoundError):
        scan(tmp_path / "nothing", template="{m}")
    with pytest.raises(pyspark_logs.SchemaError):
        scan(tmp_path, template="{m}", schema="n int")


@pytest.mark.parametrize("mode", ["read_all", "iterate"])
def test_errors_while_reading_are_log_source_errors(mode: str, tmp_path: Path) -> None:
    reader = scan(write(tmp_path, {"a.log": "broken\n"}), template=TEMPLATE, mode="FAILFAST")
    with pytest.raises(pyspark_logs.RecordError, match="'broken'") as caught:
        reader.read_all() if mode == "read_all" else list(reader)
    assert caught.value.offset == 0


def test_a_closed_reader_leaves_no_thread(tmp_path: Path) -> None:
    write(tmp_path, {f"{n}.log": TEXT * 100_000 for n in range(2)})
    reader: Any = scan(tmp_path, template=TEMPLATE)
    next(iter(reader))
    reader.close()
    del reader
    assert not [thread for thread in all_threads() if thread.name.startswith("pyspark-logs")]


def test_a_file_beside_hive_directories_leaves_their_columns(tmp_path: Path) -> None:
    write(tmp_path, {"day=1/a.log": "INFO a\n", "day=2/b.log": "INFO b\n", "notes.txt": "WARN c\n"})
    rows = scan(tmp_path, template="{level} {message}", schema="message string, day int").read_all().to_pylist()
    assert sorted(rows, key=str) == [
        {"message": "a", "day": 1}, {"message": "b", "day": 2}, {"message": "c", "day": None},
    ]  # fmt: skip
    assert scan(tmp_path, template="{level} {message}").schema.names == ["level", "message", "day"]
