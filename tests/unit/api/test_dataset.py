"""Datasets, previews and checks as Python objects."""

from __future__ import annotations

from pathlib import Path

import pytest

import pyspark_logs
from pyspark_logs import dataset, plan
from pyspark_logs.errors import OptionError, RecordError, SchemaError
from tests.support.fault_proxy import FaultProxy
from tests.support.log_files import write
from tests.support.s3_server import S3Bucket


@pytest.fixture
def logs(tmp_path: Path) -> pyspark_logs.LogDataset:
    for name in ("a", "b"):
        (tmp_path / f"{name}.log").write_text(
            "".join(f"{level} {n}\n" for n, level in enumerate(["INFO", "WARN"] * 50))
        )
    return pyspark_logs.dataset(tmp_path, template="{level} {n:int}")


def test_it_can_be_read_several_times(logs: pyspark_logs.LogDataset) -> None:
    assert logs.to_table().num_rows == logs.count_rows() == sum(batch.num_rows for batch in logs.to_batches()) == 200
    assert logs.count_rows("level = 'WARN' AND n < 3") == 2
    assert logs.schema.names == ["level", "n"]


def test_columns_condition_and_limit(logs: pyspark_logs.LogDataset) -> None:
    found = logs.to_table(columns=["N"], where="level = 'WARN'", limit=3)
    assert found.to_pydict() == {"n": [1, 3, 5]}
    both = pyspark_logs.dataset(logs.path, template="{level} {n:int}", where="n > 3 OR n = 0")
    assert both.head(2, where="level = 'INFO'")["n"].to_pylist() == [0, 4]
    assert logs.head(0).num_rows == 0
    with pytest.raises(OptionError, match=r"columns is the text 'level'; give a list of names"):
        logs.to_table(columns="level")
    for limit in (-1, 1.5, "x"):
        with pytest.raises(OptionError, match=r"option 'rows': .* is not a whole number of zero or more"):
            logs.head(limit)  # type: ignore[arg-type]
    with pytest.raises(SchemaError, match="there are: level, n"):
        logs.to_table(columns=["zzzz"])


@pytest.mark.parametrize(
    "where", ["n > 1.5", "N > 1.5 AND done", "_metadata.record_offset >= 0 AND n IS NOT NULL", "n <> 3"]
)
def test_columns_of_a_condition_have_the_types_of_the_dataset(tmp_path: Path, where: str) -> None:
    """They would be ``double`` by the literal, in which 2.5 is no mismatch."""
    (tmp_path / "a.json").write_text(
        '{"n": 2.5, "s": "a"}\n{"n": 2, "s": "b", "done": true}\n{"n": 3, "s": "c", "done": false}\n'
    )
    logs = dataset(tmp_path, json=True, schema="n bigint, s string, done boolean")
    expected = logs.to_table(where=where).select(["s"])
    assert logs.to_table(columns=["s"], where=where).equals(expected)
    assert logs.count_rows(where) == expected.num_rows
    assert (
        dataset(tmp_path, json=True, schema="n bigint, s string, done boolean", where=where)
        .to_table(columns=["s"])
        .equals(expected)
    )


@pytest.mark.parametrize("where", [None, "level = 'WARN'"])
def test_rows_are_counted_as_they_are_read(tmp_path: Path, where: str | None) -> None:
    (tmp_path / "a.log").write_text("INFO 1\nWARN x\nWARN 3\n")
    for mode in ("PERMISSIVE", "DROPMALFORMED"):
        logs = dataset(tmp_path, template="{level} {n:int}", mode=mode)
        rows = logs.to_table(where=where).num_rows
        assert logs.count_rows(where) == logs.to_table(columns=[], where=where).num_rows == rows
    with pytest.raises(RecordError, match="not a whole number"):
        dataset(tmp_path, template="{level} {n:int}", mode="FAILFAST").count_rows(where)


def test_reading_stops_at_the_limit(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.log").write_text("x\n" * 40_000)  # too large to be decoded together
    summary = pyspark_logs.ScanSummary()
    assert pyspark_logs.dataset(tmp_path, template="{m}").to_table(limit=1, summary=summary).num_rows == 1
    assert summary.files == 1


def test_results_in_notebooks(logs: pyspark_logs.LogDataset, tmp_path: Path) -> None:
    (tmp_path / "c.log").write_text("<b> x\n")
    options = {"template": "{level} {n:int}", "layout": "{yyyy}"}
    write(tmp_path, {"2026/c.log": "<b> x\n"})
    assert ">&lt;b&gt;</td>" in pyspark_logs.preview(tmp_path / "c.log", template="{level} {n}")._repr_html_()
    report = pyspark_logs.check(tmp_path, **options)
    page = report._repr_html_()
    assert "<svg" in page
    assert "UTC, at most " in page.partition("<figcaption>")[2]
    assert "&lt;b&gt; x" in page
    assert "<b> x" not in page
    assert "files to read" in pyspark_logs.plan(tmp_path, **options)._repr_html_()


def test_progress_of_a_check(tmp_path: Path) -> None:
    write(tmp_path, {"a.log": "INFO 1\n" * 3000, "b.log": "WARN 2\n" * 3000})
    seen: list[tuple[int, int]] = []
    pyspark_logs.check(tmp_path, progress=lambda one: seen.append((one.done, one.records)), template="{level} {n:int}")
    assert [records for _, records in seen] == [3000, 6000]
    assert seen[0][0] == 0 < seen[1][0]


def test_a_check_counts_the_files_of_a_task(tmp_path: Path) -> None:
    """Records without a time count at the time in the path of their file, although small files are in one batch."""
    write(tmp_path, {"2026-11-22/a.log": "1\nx\n", "2026-11-23/b.log": "", "2026-11-24/c.log": "2\n3\nx\nx\n"})
    options = {"template": "{n:int}", "layout": "{yyyy}-{MM}-{dd}"}
    report = pyspark_logs.check(tmp_path, **options)
    assert [(Path(file.path).name, file.records, file.corrupt) for file in report.files] == [
        ("a.log", 2, 1), ("c.log", 4, 2),
    ]  # fmt: skip
    day_us = 86_400_000_000
    found = {
        interval.start_us // day_us: (interval.records, interval.corrupt)
        for interval in report.histogram
        if interval.records
    }
    first = min(found)
    assert found == {first: (2, 1), first + 2: (4, 2)}
    filtered = pyspark_logs.check(tmp_path, **options, where="n > 1")
    assert [(file.records, file.corrupt) for file in filtered.files] == [(2, 0), (4, 0)]


def test_records_without_a_time_are_no_part_of_the_histogram(tmp_path: Path) -> None:
    write(tmp_path, {"a.log": "2020-01-01T05:00:00Z 1\nbroken\n- 3\n2020-01-01T05:10:59Z x\n"})
    report = pyspark_logs.check(tmp_path, template="{ts:timestamp?} {n:int}")
    assert len(report.histogram) == 11
    assert [(one.records, one.corrupt) for one in report.histogram if one.records] == [(1, 0), (1, 1)]
    assert (report.untimed.records, report.untimed.corrupt) == (2, 1)
    line = next(line for line in repr(report).splitlines() if "without a time" in line)
    assert line.split() == ["without", "a", "time", "2", "1"]
    assert "without a time" in report._repr_html_()
    assert "without a time" not in repr(pyspark_logs.check(tmp_path, template="{text}"))


def test_outliers_do_not_stretch_the_histogram(tmp_path: Path) -> None:
    times = [f"2026-11-22T{hour:02}:{minute:02}:00Z" for hour in range(24) for minute in range(0, 60, 5)]
    text = "".join(f"{time} x\n" for time in ["1970-01-01T00:00:00Z", *times, "2038-01-19T03:14:07Z"])
    write(tmp_path, {"a.log": text})
    report = pyspark_logs.check(tmp_path, template="{ts:timestamp} {m}")
    assert [interval.records for interval in report.histogram] == [12] * 24
    assert report.earlier is not None
    assert report.later is not None
    assert (report.earlier.start_us, report.earlier.records, report.later.records) == (0, 1, 1)
    rows = [line.split() for line in repr(report).splitlines() if "outliers" in line]
    assert rows == [["1970-01-01", "00:00", "1", "0", "outliers"], ["2038-01-19", "03:14", "1", "0", "outliers"]]
    assert report._repr_html_().count(">outliers<") == 2


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_first_rows_of_small_objects_take_few_requests(
    s3: S3Bucket, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyspark_logs.api.scan.default_threads", lambda: threads)
    for number in range(120):
        s3.put(f"app/{number:03}.log", b"INFO %d\n" % number)
    proxy = FaultProxy(s3.endpoint)
    proxy.start()

    def requested(rows: int, where: str | None = None) -> int:
        keys = {"region": "us-east-1", "accessKey": "testing", "secretKey": "test-secret"}
        logs = dataset(f"{s3.url}/app", template="{level} {n:int}", endpoint=proxy.endpoint, **keys)
        proxy.requests.clear()
        numbers = logs.head(rows, where=where)["n"].to_pylist()
        assert numbers == ([119] if where else list(range(rows)))
        return sum(".log" in path for method, path, _ in proxy.requests if method == "GET")

    try:
        # A part of eight files for each thread; the thread of the first part may begin with another one.
        assert requested(5) <= 8 * threads + 16
        assert requested(120) == 120
        assert requested(1, "n = 119") == 120
    finally:
        proxy.stop()


def test_the_cost_of_requests_is_that_of_s3(logs: pyspark_logs.LogDataset, s3: S3Bucket) -> None:
    local = plan(logs.path, **logs.options)
    assert local.request_cost_usd is None
    assert "USD" not in repr(local)
    s3.put("app/a.log", b"INFO 1\n")
    options = {"endpoint": s3.endpoint, "region": "us-east-1", "accessKey": "testing", "secretKey": "test-secret"}
    remote = plan(f"{s3.url}/app", template="{level} {n:int}", **options)
    assert remote.request_cost_usd == pytest.approx(remote.report.list_calls * 0.000005 + 0.0000004)
    assert "USD at the prices of S3" in repr(remote)


def test_columns_of_lines_whose_schema_names_the_values_by_position(tmp_path: Path) -> None:
    """All values are parsed, whatever the columns of the query: fewer columns would be lines of fewer values."""
    (tmp_path / "a.csv").write_text("a,1\nb,2\nc,3\n")
    logs = dataset(tmp_path, delimited=",", schema="name string, n int")
    assert logs.to_table(columns=["N"]).to_pydict() == {"n": [1, 2, 3]}
    assert logs.to_table(columns=["n"], where="name >= 'b'", limit=1).to_pydict() == {"n": [2]}
    assert logs.to_table(where="name IS NOT NULL").num_rows == logs.count_rows(where="n > 0") == 3
    assert logs.count_rows() == 3
    assert plan(tmp_path, columns=["n"], delimited=",", schema="name string, n int").columns == ("name", "n")
    with pytest.raises(OptionError, match="no column 'x'; the schema has name, n, one for each value of a line"):
        logs.to_table(where="x = 'a'")
