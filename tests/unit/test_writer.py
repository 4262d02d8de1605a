"""The writer, and the doors without Spark: what is refused before a task, what comes back, upkeep, the command."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.errors import OptionError, RecordError, SchemaError, StoreError
from pyspark_logs.options import parse_write_options
from pyspark_logs.store.local import LocalStore
from pyspark_logs.writer import LogWriter
from tests.support.s3_server import S3Bucket

APP = "{ts:timestamp} {level} n={n:long?} {message}"
HOURLY = {"template": APP, "layout": "{team}/{yyyy}/{MM}/{dd}/{HH}"}
START = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.timezone.utc)


def rows(count: int = 100) -> pa.Table:
    return pa.table(
        {
            "ts": [START + dt.timedelta(minutes=n) for n in range(count)],
            "level": ["INFO", "WARN"] * (count // 2),
            "n": [None if n % 7 == 0 else n for n in range(count)],
            "message": [f"message {n} ä" for n in range(count)],
            "team": ["web", "a/b"] * (count // 2),
        },
        schema=pa.schema(
            [("ts", pa.timestamp("us", "UTC")), ("level", pa.string()), ("n", pa.int64()), ("message", pa.string()),
             ("team", pa.string())]
        ),
    )  # fmt: skip


def back(path: Any, **options: Any) -> pa.Table:
    return pyspark_logs.scan(path, **options).read_all().sort_by("ts")


def writer(path: Path | str, schema: str, **options: Any) -> LogWriter:
    return LogWriter(parse_write_options({"path": str(path), "template": APP, **options}), schema)


def options_of(s3: S3Bucket) -> dict[str, Any]:
    keys = s3.options
    return {
        "endpoint": keys.endpoint, "region": keys.region, "accessKey": keys.access_key, "secretKey": keys.secret_key,
    }  # fmt: skip


SCHEMA = "ts timestamp, level string, n bigint, message string"


@pytest.mark.parametrize("place", ["local", "s3"])
def test_what_is_written_reads_back(place: str, tmp_path: Path, s3: S3Bucket) -> None:
    where, options = (str(tmp_path), {}) if place == "local" else (f"{s3.url}/app", options_of(s3))
    done = pyspark_logs.write(rows(), where, **HOURLY, **options)
    assert (done.committed, done.rows) == (True, 100)
    assert back(where, **HOURLY, **options).select(rows().schema.names).equals(rows())
    assert sorted({key.rpartition("/")[0] for key in done.files}) == [
        f"{team}/2026/11/22/{hour}" for team in ("a%2Fb", "web") for hour in (10, 11, 12)
    ]
    assert done.bytes > 0


def test_all_kinds_of_batches(tmp_path: Path) -> None:
    table = rows(10)
    (batch,) = table.to_batches()
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    for given in (table, batch, reader, iter([batch]), [batch]):
        assert pyspark_logs.write(given, tmp_path, **HOURLY).rows == 10
    assert back(tmp_path, **HOURLY).num_rows == 50
    assert pyspark_logs.write([], tmp_path, schema=table.schema, **HOURLY).files == ()
    with pytest.raises(OptionError, match="there is no batch to take the schema from"):
        pyspark_logs.write([], tmp_path, **HOURLY)
    with pytest.raises(OptionError, match=r"batches are pyarrow.RecordBatch, not dict"):
        pyspark_logs.write([{"level": "INFO"}], tmp_path, **HOURLY)  # type: ignore[list-item]
    with pytest.raises(OptionError, match=r"an iterable of pyarrow\.RecordBatch, not NoneType"):
        pyspark_logs.write(None, tmp_path, **HOURLY)  # type: ignore[arg-type]


def test_a_stream_of_arrow_is_written(tmp_path: Path) -> None:
    class Frame:
        """A DataFrame of another library."""

        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return rows(10).__arrow_c_stream__(requested_schema)

    assert pyspark_logs.write(Frame(), tmp_path, **HOURLY).rows == 10


def test_overwrite_and_transactions(tmp_path: Path) -> None:
    pyspark_logs.write(rows(10), tmp_path, txnId="monday", **HOURLY)
    again = pyspark_logs.write(rows(10), tmp_path, txnId="monday", **HOURLY)
    assert (again.committed, again.files, again.rows) == (False, (), 0)
    assert back(tmp_path, **HOURLY).num_rows == 10
    pyspark_logs.write(rows(4), tmp_path, mode="overwrite", **HOURLY)
    assert back(tmp_path, **HOURLY).num_rows == 4
    with pytest.raises(OptionError, match="'replace' is not 'append' or 'overwrite'"):
        pyspark_logs.write(rows(4), tmp_path, mode="replace", **HOURLY)


def test_an_overwrite_leaves_files_that_do_not_fit_the_layout(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("not a log\n")
    pyspark_logs.write(rows(10), tmp_path, **HOURLY)
    pyspark_logs.write(rows(2), tmp_path, mode="overwrite", **HOURLY)
    assert (tmp_path / "README.txt").exists()
    assert back(tmp_path, **HOURLY).num_rows == 2


def test_a_commit_that_fails_is_rolled_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: LocalStore, *_: Any, **__: Any) -> bool:
        raise StoreError("cannot complete: the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "complete_upload", failing)
        with pytest.raises(StoreError, match="the disk is full"):
            pyspark_logs.write(rows(10), tmp_path, **HOURLY)
    assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path.is_file()} <= {"_commits"}
    assert not list(tmp_path.glob("_commits/*~intent.json"))


def test_an_error_in_the_rows_leaves_nothing(tmp_path: Path) -> None:
    def failing() -> Iterator[pa.RecordBatch]:
        yield from rows(10).to_batches()
        raise ValueError("the source failed")

    with pytest.raises(ValueError, match="the source failed"):
        pyspark_logs.write(failing(), tmp_path, **HOURLY)
    broken = rows(10).set_column(1, "level", pa.array(["INFO"] * 7 + ["x n=1"] + ["INFO"] * 2))
    with pytest.raises(RecordError, match=r"row 7 .*'level': 'x n=1'"):
        pyspark_logs.write(broken, tmp_path, **HOURLY)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_row_of_an_error_is_counted_through_all_batches(tmp_path: Path) -> None:
    table = pa.table({"level": ["a"] * 70_000 + ["b c"], "message": ["m"] * 70_001})
    with pytest.raises(RecordError, match="row 70000 "):
        pyspark_logs.write(table, tmp_path, template="{level} {message}")


def test_time_comes_from_the_column_that_a_reader_takes_it_from(tmp_path: Path) -> None:
    # The rows have another timestamp first; with the same options the reader prunes by the template's first.
    table = pa.table({"sent": [START], "ts": [START + dt.timedelta(hours=5)], "m": ["x"]})
    options = {"template": "{ts:timestamp} {sent:timestamp} {m}", "layout": "{yyyy}/{MM}/{dd}/{HH}"}
    assert pyspark_logs.write(table, tmp_path, **options).files[0].startswith("2026/11/22/15/")
    wanted = {"startTime": "2026-11-22T15:00:00Z", "endTime": "2026-11-22T16:00:00Z", "layoutSlack": "0s"}
    assert back(tmp_path, **options, **wanted).num_rows == 1
    assert pyspark_logs.write(table, tmp_path, timeColumn="sent", **options).files[0].startswith("2026/11/22/10/")


def test_types_that_convert_without_loss_are_converted(tmp_path: Path) -> None:
    table = pa.table(
        {
            "ts": pa.array([START], pa.timestamp("ms", "Europe/Berlin")), "level": pa.array(["INFO"], pa.large_string()),
            "n": pa.array([7], pa.int16()), "message": pa.array(["x"]).dictionary_encode(),
        }
    )  # fmt: skip
    pyspark_logs.write(table, tmp_path, template=APP)
    (row,) = back(tmp_path, template=APP).to_pylist()
    assert row == {"ts": START, "level": "INFO", "n": 7, "message": "x"}


@pytest.mark.parametrize(
    ("schema", "options", "error", "text"),
    [
        ("ts timestamp, level string, message string, extra string", {}, SchemaError, "extra"),
        ("ts timestamp, message string", {}, SchemaError, "level"),
        ("ts string, level string, n bigint, message string", {}, SchemaError, "ts"),
        (SCHEMA, {"layout": "*/{yyyy}"}, OptionError, r"\*"),
        (SCHEMA, {"layout": "{team}"}, SchemaError, "team"),
        (SCHEMA, {"compressionLevel": "99"}, OptionError, "compressionLevel"),
    ],
)
def test_what_cannot_work_is_refused_before_any_task(
    tmp_path: Path, schema: str, options: dict[str, str], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        writer(tmp_path, schema, **options).check()
    assert list(tmp_path.iterdir()) == []


def test_a_line_must_hold_something(tmp_path: Path) -> None:
    options = parse_write_options({"path": str(tmp_path), "json": "true", "layout": "{team}"})
    with pytest.raises(SchemaError, match="nothing is left to write into a line"):
        LogWriter(options, "team string").check()


def test_json_columns_that_a_reader_fills_itself_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="'_corrupt_record': a reader of JSON fills this column itself"):
        pyspark_logs.write(pa.table({"_corrupt_record": ["v"]}), tmp_path, json=True)


def test_a_schema_may_be_ddl(tmp_path: Path) -> None:
    assert pyspark_logs.write([], tmp_path, schema="a string", json=True).rows == 0


def test_ids_of_transactions_are_taken_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="txnId"):
        pyspark_logs.write(pa.table({"a": ["x"]}), tmp_path, json=True, txnId=" A")


def test_small_parts_are_refused_for_s3() -> None:
    with pytest.raises(OptionError, match="partSize"):
        writer("s3://b/app", SCHEMA, partSize="1m").check()


def test_a_read_only_store_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalStore, "writable", False)
    with pytest.raises(StoreError, match="is read-only here"):
        writer(tmp_path, SCHEMA).check()


def test_a_writer_travels_and_its_copies_agree_on_the_job(tmp_path: Path) -> None:
    one = writer(tmp_path, SCHEMA)
    other = pickle.loads(pickle.dumps(one))
    assert one.job() == other.job()
    assert one.job(query_id="q", batch=3) == other.job(query_id="q", batch=3)
    assert one.job(query_id="q", batch=3) != one.job(query_id="q", batch=4)
    assert writer(tmp_path, SCHEMA).job().id != one.job().id
    assert len({len(job.id) for job in (one.job(), one.job(query_id="q", batch=3))}) == 1


def test_what_was_staged_for_another_job_is_not_committed(tmp_path: Path) -> None:
    table = rows(4).drop_columns(["team"])
    one, other = writer(tmp_path, SCHEMA), writer(tmp_path, SCHEMA)
    output = one.write_task(table.to_batches(), one.job())
    with pytest.raises(OptionError, match="of different runs"):
        other.commit_job(other.job(), [output])
    one.abort_job(one.job(), [output])
    one.abort_job(one.job(), [output])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_batches_of_another_schema_are_refused(tmp_path: Path) -> None:
    one = writer(tmp_path, SCHEMA)
    with pytest.raises(SchemaError, match="a batch has the columns ts, level, n, message, team, not ts, level"):
        one.write_task(rows(4).to_batches(), one.job())
    bad = rows(4).drop_columns(["team"]).set_column(2, "n", pa.array(["x"] * 4))
    with pytest.raises(SchemaError, match="does not fit"):
        one.write_task(bad.to_batches(), one.job())


def test_names_end_as_the_codec_says(tmp_path: Path) -> None:
    table = pa.table({"a": ["x"]})
    for compression, suffix in (("gzip", ".json.gz"), ("zstd", ".json.zst"), ("none", ".json")):
        (name,) = pyspark_logs.write(table, tmp_path / compression, json=True, compression=compression).files
        assert name.endswith(suffix)
    (path,) = tmp_path.glob("gzip/*.gz")
    assert json.loads(gzip.decompress(path.read_bytes())) == {"a": "x"}


# --- upkeep ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["append", "overwrite"])
@pytest.mark.parametrize("directory", ["_commits", "_commits/", "_claims/overwrite"])
def test_nothing_is_written_among_the_documents_of_jobs(tmp_path: Path, mode: str, directory: str):
    rows = pa.table({"a": [1]})
    pyspark_logs.write(rows, tmp_path, json=True)
    with pytest.raises(OptionError, match=r"/ holds the documents of the jobs that wrote to the directory above it"):
        pyspark_logs.write(rows, f"{tmp_path}/{directory}", mode=mode, json=True)
    assert len(list((tmp_path / "_commits").iterdir())) == 1
