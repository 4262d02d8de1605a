"""The committed sample: equal to the output of its script, with the figures of ``expected.json``."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
import zlib
from collections import Counter
from pathlib import Path

import pytest

import pyspark_logs
from sample_data.make_sample_data import sample_files

FOLDER = Path(__file__).resolve().parents[2] / "sample_data"


@pytest.fixture(scope="module")
def generated() -> dict[str, bytes]:
    return sample_files()


def committed() -> dict[str, bytes]:
    paths = [path for name in ("app", "lb") for path in (FOLDER / name).rglob("*") if path.is_file()]
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in [*paths, FOLDER / "expected.json"]}


def text_of(name: str, data: bytes) -> bytes:
    return gzip.decompress(data) if name.endswith(".gz") else data


def test_the_script_is_deterministic(generated: dict[str, bytes]) -> None:
    assert sample_files() == generated


def test_the_committed_files_equal_the_output_of_the_script(generated: dict[str, bytes]) -> None:
    files = committed()
    assert files.keys() == generated.keys()
    for name, data in generated.items():
        assert text_of(name, files[name]) == text_of(name, data), name
    if "ng" not in zlib.ZLIB_RUNTIME_VERSION:  # zlib-ng compresses the same text to other bytes
        assert files == generated


def test_the_sample_is_small(generated: dict[str, bytes]) -> None:
    assert sum(map(len, generated.values())) < 2 << 20


def test_gzip_headers_have_neither_time_nor_name(generated: dict[str, bytes]) -> None:
    for name, data in generated.items():
        if name.endswith(".gz"):
            assert data[3:8] == bytes(5), name


def test_the_counts_equal_those_of_plain_python(generated: dict[str, bytes]) -> None:
    expected = json.loads(generated["expected.json"])
    app = b"".join(text_of(name, data) for name, data in generated.items() if name.startswith("app/")).decode()
    record = re.compile(r"^\S+Z (\w+) \[\w+\] req=\w+ user=(-|\d+) took=(-|[\d.]+)ms .*$", re.MULTILINE)
    levels = Counter(match[1] for match in record.finditer(app))
    assert levels == expected["app"]["level"]
    others = [line for line in app.splitlines() if line and not record.match(line)]
    assert len(others) == expected["app"]["broken_lines"] + expected["app"]["continuation_lines"]

    lb = b"".join(text_of(name, data) for name, data in generated.items() if name.startswith("lb/")).decode()
    widths = Counter(str(len(re.findall(r'"[^"]*"|\S+', line))) for line in lb.splitlines())
    assert widths == expected["lb"]["fields"]


def test_the_counts_equal_those_of_reading_the_application(generated: dict[str, bytes]) -> None:
    expected = json.loads(generated["expected.json"])["app"]
    options = {"template": expected["template"], "layout": expected["layout"], "columnNameOfCorruptRecord": "raw"}
    rows = pyspark_logs.scan(str(FOLDER / "app"), **options).read_all().to_pylist()
    records = [row for row in rows if row["raw"] is None]
    assert len(records) == expected["records"]
    assert len(rows) - len(records) == expected["broken_lines"] + expected["continuation_lines"]
    for column in ("level", "team"):
        assert Counter(row[column] for row in records) == expected[column]
    assert Counter(f"{row['ts']:%Y-%m-%dT%H}" for row in records) == expected["hour"]
    for column, nulls in expected["nulls"].items():
        assert sum(row[column] is None for row in records) == nulls


def test_the_counts_equal_those_of_reading_hours_of_the_application(generated: dict[str, bytes]) -> None:
    expected = json.loads(generated["expected.json"])["app"]
    options = {"template": expected["template"], "layout": expected["layout"], "mode": "DROPMALFORMED"}
    options["columnNameOfCorruptRecord"] = "raw"  # so that every field is validated
    for hour, records in expected["hour"].items():
        start = dt.datetime.fromisoformat(f"{hour}:00:00+00:00")
        bounds = {"startTime": start, "endTime": start + dt.timedelta(hours=1)}
        found = pyspark_logs.scan(str(FOLDER / "app"), **options, **bounds).read_all()
        assert found.num_rows == records, hour


def test_the_counts_equal_those_of_reading_the_load_balancer(generated: dict[str, bytes]) -> None:
    expected = json.loads(generated["expected.json"])["lb"]
    options = {"preset": expected["preset"], "layout": expected["layout"], "columnNameOfCorruptRecord": "raw"}
    rows = pyspark_logs.scan(str(FOLDER / "lb"), **options).read_all().to_pylist()
    assert [row for row in rows if row["raw"] is not None] == []
    assert len(rows) == expected["records"]
    assert Counter(str(row["elb_status_code"]) for row in rows) == expected["status"]
    assert Counter(f"{row['time']:%Y-%m-%d}" for row in rows) == expected["day"]
