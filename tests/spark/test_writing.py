"""Writing in a real Spark session: written rows are read back, and failed jobs leave nothing."""

from __future__ import annotations

import datetime as dt
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark")

from pyspark.errors import PySparkException

from pyspark_logs.jobs import job_of
from tests.spark.programs import run
from tests.spark.write_targets import WriteTarget
from tests.support.fault_proxy import FaultProxy
from tests.support.s3_server import S3Bucket
from tests.support.trials import tries

TEMPLATE = "{ts:timestamp} {level?} [{service}] req={request_id} {message}"
LAYOUT = "{team}/{yyyy}/{MM}/{dd}/{HH}"
APP = {"template": TEMPLATE, "layout": LAYOUT}
LINE = {"template": "{n:long} {message}"}


# Other tests of this module write to a local directory, too.
@pytest.fixture(params=[pytest.param("local", marks=pytest.mark.slow), "s3"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> WriteTarget:
    if request.param == "local":
        return WriteTarget.local(tmp_path / "app")
    return WriteTarget.on_s3(request.getfixturevalue("s3"))


@pytest.fixture
def folder(tmp_path: Path) -> WriteTarget:
    return WriteTarget.local(tmp_path / "app")


@pytest.fixture
def zone(session: Any) -> Iterator[str]:
    """Sets the time zone of the session for one test."""
    session.conf.set("spark.sql.session.timeZone", "Asia/Kolkata")
    yield "Asia/Kolkata"
    session.conf.set("spark.sql.session.timeZone", "UTC")


def save(frame: Any, target: WriteTarget, mode: str = "append", **options: str) -> None:
    frame.write.format("logs").options(**target.options, **options).mode(mode).save(target.url)


def load(spark: Any, target: WriteTarget, schema: Any = None, **options: str) -> Any:
    reader = spark.read.format("logs").options(**target.direct_options, mode="FAILFAST", **options)
    return (reader.schema(schema) if schema is not None else reader).load(target.url)


def assert_equal(frame: Any, expected: Any) -> None:
    """Checks that two frames have the same rows with the same counts, in any order."""
    frame = frame.select(*expected.columns)
    assert [kind for _, kind in frame.dtypes] == [kind for _, kind in expected.dtypes]
    assert frame.exceptAll(expected).unionAll(expected.exceptAll(frame)).take(3) == []


def app(spark: Any, rows: int = 600, start: int = 0) -> Any:
    """Rows of two teams over a few hours; all columns but the time are NOT NULL, and one value of seven is null."""
    frame = spark.range(start, start + rows, numPartitions=2).selectExpr(
        "timestamp'2026-11-24T22:30:00.000001Z' + make_interval(0, 0, 0, 0, 0, 0, id * 17.25) ts",
        "if(id % 7 = 0, null, 'INFO') level",
        "if(id % 2 = 0, 'été', 'web\U0001f600') service",
        "cast(id as string) request_id",
        "concat('message ', id, '  \\\\ \" [x] req= ') message",
        "if(id % 3 = 0, 'ops/eu', 'web') team",
    )
    assert not frame.schema["message"].nullable
    return frame


# --- round trips


def test_lines_in_a_layout(spark: Any, target: WriteTarget) -> None:
    frame = app(spark)
    save(frame, target, **APP)
    assert_equal(load(spark, target, **APP), frame)
    assert target.unfinished() == []
    directories = {key.rpartition("/")[0] for key in target.files()}
    hours = ["2026/11/24/22", "2026/11/24/23", "2026/11/25/00", "2026/11/25/01"]
    assert directories == {f"{team}/{hour}" for team in ("ops%2Feu", "web") for hour in hours}
    assert {key.rpartition(".")[0].rpartition(".")[2] + key[-3:] for key in target.files()} == {"log.gz"}
    # The second job appends its files.
    save(app(spark, rows=10, start=600), target, **APP)
    assert load(spark, target, **APP).count() == 610
    where = "team = 'ops/eu' and ts >= '2026-11-25'"
    assert_equal(load(spark, target, **APP, filterPushdown="true").where(where), app(spark, 610).where(where))


def test_json_with_nested_types(spark: Any, folder: WriteTarget) -> None:
    schema = (
        "ts timestamp, wall timestamp_ntz, day date, flag boolean, b tinyint, n bigint, ratio double, price decimal(20, 4),"
        " text string, nested struct<a: int, list: array<struct<x: string>>>, tags map<string, array<int>>, names array<string>"
    )
    row = (
        dt.datetime(2026, 11, 24, 12, 0, 0, 123456, dt.timezone.utc), dt.datetime(2026, 11, 24, 1, 2, 3, 4),
        dt.date(1969, 12, 31), True, -128, 2**63 - 1, 0.1, Decimal("-1234567890123456.7890"), 'a\n"\\\u2028\U0001f600{}',
        (1, [("x",), (None,), None]), {"k": [1, None], "": []}, ["", "a", None],
    )  # fmt: skip
    rows = [row, (None,) * len(row), (*row[:-3], (None, []), {}, []), (*row[:8], "", None, None, None)]
    frame = spark.createDataFrame(rows, schema)
    save(frame, folder, json="true", compression="zstd")
    # exceptAll does not compare maps.
    back = load(spark, folder, schema, json="true").select("*").collect()
    assert Counter(map(repr, back)) == Counter(map(repr, frame.collect()))
    assert len(back) == len(rows)


def test_a_preset(spark: Any, folder: WriteTarget) -> None:
    frame = spark.range(50).selectExpr(
        "concat('10.0.0.', id) remote_host", "cast(null as string) remote_logname", "if(id = 3, null, 'ann') remote_user",
        "timestamp_seconds(1763942400 + id * 60) time", """concat('GET /a?q="', id, '" HTTP/1.1') request""",
        "cast(if(id = 5, null, 200 + id) as int) status", "id * 100000000000 bytes", "if(id % 2 = 0, null, 'http://x/') referer",
        "'Mozilla/5.0 \\\\ (X11)' user_agent",
    )  # fmt: skip
    save(frame, folder, preset="apache_combined", layout="dt={yyyy-MM-dd}")
    assert_equal(load(spark, folder, preset="apache_combined", layout="dt={yyyy-MM-dd}"), frame)


def test_columns_in_any_order_and_case(spark: Any, folder: WriteTarget) -> None:
    frame = app(spark, rows=20)
    save(frame.selectExpr("message MESSAGE", "team", "service", "level", "request_id", "ts Ts"), folder, **APP)
    assert_equal(load(spark, folder, **APP), frame)


def test_types_that_a_line_spells_out(spark: Any, folder: WriteTarget) -> None:
    options = {
        "template": "{day:date} {price:decimal(12,3)?} {big:decimal(38,0)} {flag:boolean?} {ratio:double} {at:epoch(us)}"
        " {text:quoted} {names:list(,)} {tags:map}"
    }
    frame = (
        spark.sql(
            """select * from values
        (date'0001-01-01', 1.500bd, 99999999999999999999999999999999999999bd, true, double('nan'),
         timestamp'1969-12-31T23:59:59.999999Z', 'a "b" \\n', array('a', 'b'), map('k', 'two words')),
        (date'9999-12-31', cast(null as decimal(12, 3)), -1bd, null, 1e-300, timestamp'2026-11-24T00:00:00Z', '', array(), map()),
        (date'2026-02-28', -999999999.999bd, 0bd, false, -0.0, timestamp'2026-11-24T00:00:00.1Z', '-', array('x'), map('a', '='))
        as t(day, price, big, flag, ratio, at, text, names, tags)"""
        )
        .selectExpr("*", "cast(price as decimal(12,3)) p", "cast(big as decimal(38,0)) b")
        .drop("price", "big")
    )
    frame = frame.withColumnsRenamed({"p": "price", "b": "big"})
    save(frame, folder, **options)
    names = frame.columns
    back = load(spark, folder, **options).select(*names)
    assert Counter(map(repr, back.collect())) == Counter(map(repr, frame.collect()))


def test_the_zone_of_the_session_does_not_matter(spark: Any, folder: WriteTarget, zone: str) -> None:
    frame = app(spark, rows=100)
    save(frame, folder, **APP)
    assert_equal(load(spark, folder, **APP), frame)
    # Directories and lines are in UTC, the default of the option timeZone.
    assert min(folder.lines()).startswith("2026-11-24T22:30:00.000001Z ")
    assert {key.split("/", 1)[1].rpartition("/")[0] for key in folder.files()} == {"2026/11/24/22"}


def test_wall_clocks(spark: Any, folder: WriteTarget, zone: str) -> None:
    options = {
        "template": "{ts:timestamp} {message}",
        "layout": "{yyyy}-{MM}-{dd}-{HH}",
        "timeZone": "America/New_York",
    }
    frame = spark.sql(
        "select timestamp_ntz'2026-11-24T22:30:00' + make_interval(0, 0, 0, 0, id) ts, concat('m', id) message from range(4)"
    )
    save(frame, folder, **options)
    assert {key.rpartition("/")[0] for key in folder.files()} == {
        "2026-11-24-22", "2026-11-24-23", "2026-11-25-00", "2026-11-25-01"
    }  # fmt: skip
    assert_equal(load(spark, folder, "ts timestamp_ntz, message string", **options), frame)
    instants = load(spark, folder, **options).selectExpr("cast(unix_seconds(ts) as string) s").collect()
    assert min(row.s for row in instants) == str(
        int(dt.datetime(2026, 11, 25, 3, 30, tzinfo=dt.timezone.utc).timestamp())
    )


@pytest.mark.parametrize("codec", ["none", "gzip", "zstd", "bzip2", "lz4", "xz"])
def test_codecs(spark: Any, folder: WriteTarget, codec: str) -> None:
    frame = spark.range(1000).selectExpr("id n", "concat('été ', id) message")
    save(frame.coalesce(1), folder, **LINE, compression=codec)
    assert_equal(load(spark, folder, **LINE), frame)
    expected = "".join(f"{n} été {n}\n" for n in range(1000))
    (key,) = folder.files()
    if codec in ("none", "gzip", "bzip2"):  # codecs that Spark has without system libraries
        texts = spark.read.text(folder.url).collect()
        assert [row.value for row in texts] == expected.splitlines()
    if codec == "gzip":
        output = subprocess.run(["zcat", f"{folder.url}/{key}"], capture_output=True, check=True)
        assert output.stdout == expected.encode()
    if codec == "none":
        assert folder.files()[key] == expected.encode()


def test_files_are_rolled(spark: Any, folder: WriteTarget) -> None:
    save(spark.range(25).coalesce(1).selectExpr("id n", "'x' message"), folder, **LINE, maxRecordsPerFile="10")
    assert sorted(key[-9:] for key in folder.files()) == ["-0.log.gz", "-1.log.gz", "-2.log.gz"]
    assert load(spark, folder, **LINE).count() == 25


def test_a_frame_without_rows(spark: Any, target: WriteTarget) -> None:
    save(app(spark).where("ts is null"), target, **APP)
    assert target.listing() == []
    save(app(spark, rows=10), target, **APP)
    save(app(spark).where("ts is null"), target, mode="overwrite", **APP)
    assert load(spark, target, **APP).count() == 0
    assert target.files() == {}
    assert target.unfinished() == []


# --- overwrites and transactions


def test_overwriting_all(spark: Any, target: WriteTarget) -> None:
    save(app(spark), target, **APP)
    frame = app(spark, rows=30, start=5000)
    save(frame, target, mode="overwrite", **APP)
    assert_equal(load(spark, target, **APP), frame)
    assert len(target.lines()) == 30  # replaced files are deleted, not only hidden
    assert target.unfinished() == []


def test_overwriting_partitions(spark: Any, folder: WriteTarget) -> None:
    old, new = app(spark), app(spark, rows=40, start=300)
    save(old, folder, **APP)
    save(new.where("team = 'web'"), folder, mode="overwrite", overwriteScope="partitions", **APP)
    hours = {row.h for row in new.where("team = 'web'").selectExpr("date_trunc('hour', ts) h").distinct().collect()}
    kept = old.where(f"team <> 'web' or date_trunc('hour', ts) not in ({', '.join(repr(str(hour)) for hour in hours)})")
    assert 0 < kept.count() < 600
    assert_equal(load(spark, folder, **APP), kept.unionAll(new.where("team = 'web'")))


def test_a_transaction_is_written_once(spark: Any, target: WriteTarget) -> None:
    frame = app(spark, rows=50)
    for _ in range(2):
        save(frame, target, txnId="orders/2026-11-24", **APP)
    assert_equal(load(spark, target, **APP), frame)
    assert target.unfinished() == []
    save(frame, target, txnId="orders/2026-11-25", **APP)
    assert load(spark, target, **APP).count() == 100
    for _ in range(2):
        save(app(spark, rows=7), target, mode="overwrite", txnId="all", **APP)
    save(frame, target, **APP)
    save(app(spark, rows=9), target, mode="overwrite", txnId="all", **APP)
    assert load(spark, target, **APP).count() == 57


def test_a_frame_read_from_the_files_that_it_replaces(spark: Any, target: WriteTarget) -> None:
    save(app(spark), target, **APP)
    rows = load(spark, target, **APP).where("team = 'web'")
    expected = sorted(row.request_id for row in rows.collect())
    save(rows, target, mode="overwrite", **APP)
    assert sorted(row.request_id for row in load(spark, target, **APP).collect()) == expected


# --- errors


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda f: f.drop("message"), APP, "SchemaError: .*'message'"),
        (lambda f: f.drop("team"), APP, "SchemaError: layout .* column 'team' is not in the data"),
        (lambda f: f.withColumn("extra", f.level), APP, "SchemaError: .*'extra' is not in the format; drop it"),
        (
            lambda f: f.withColumn("ts", f.ts.cast("string")),
            APP,
            "OptionError: layout .* has time tokens, but no column is a timestamp",
        ),
        (
            lambda f: f.selectExpr("* except (ts)", "string(ts) ts", "ts at"),
            APP,
            "SchemaError: .*'ts' is string, the format writes timestamp",
        ),
        (lambda f: f, {**APP, "compresion": "gzip"}, "unknown option 'compresion'; did you mean 'compression'"),
        (lambda f: f, {**APP, "layout": "{team}/*/{yyyy}"}, r"layout .*\*"),
        (lambda f: f, {"layout": LAYOUT}, "exactly one of .* must name the line format"),
        (lambda f: f, {**APP, "compressionLevel": "77"}, "compressionLevel.*77|77.*level"),
    ],
    ids=[
        "no column",
        "no partition column",
        "a column too many",
        "no time",
        "wrong type",
        "option",
        "wildcard",
        "no format",
        "level",
    ],
)
def test_what_cannot_work_is_refused_before_any_task(
    spark: Any, folder: WriteTarget, change: Any, options: dict[str, str], message: str
) -> None:
    with pytest.raises(PySparkException, match=message):
        save(change(app(spark)), folder, **options)
    assert not Path(folder.url).exists()


def test_a_value_that_would_not_read_back(spark: Any, target: WriteTarget) -> None:
    frame = app(spark).selectExpr("* except (message)", "if(request_id = '599', 'a\\nforged line', message) message")
    with pytest.raises(
        PySparkException, match=r"RecordError: task \d+: row \d+ .from 0., column 'message': 'a\\nforged line'"
    ):
        save(frame, target, **APP)
    assert target.files() == {}
    assert target.left_by_tasks() == []
    assert target.listing() == []
    save(frame, target, onUnwritable="space", **APP)
    assert load(spark, target, **APP).where("message = 'a forged line'").count() == 1
    assert load(spark, target, **APP).count() == 600


def test_a_column_that_holds_none(spark: Any, folder: WriteTarget) -> None:
    with pytest.raises(PySparkException, match=r"RecordError: .*column 'request_id': None"):
        save(app(spark).selectExpr("* except (request_id)", "nullif(request_id, '77') request_id"), folder, **APP)
    assert folder.files() == {}


@pytest.mark.parametrize("mode", ["error", "errorifexists", "ignore"])
def test_modes_that_spark_refuses(spark: Any, folder: WriteTarget, mode: str) -> None:
    with pytest.raises(PySparkException, match=r"(?i)UNSUPPORTED_DATA_SOURCE_SAVE_MODE.*append"):
        save(app(spark), folder, mode=mode, **APP)
    assert not Path(folder.url).exists()


def test_partition_by_is_refused(spark: Any, folder: WriteTarget) -> None:
    with pytest.raises(PySparkException, match=r"(?i)partition"):
        app(spark).write.format("logs").options(**APP).partitionBy("team").mode("append").save(folder.url)
    assert not Path(folder.url).exists()


def test_a_store_that_is_read_only(spark: Any) -> None:
    with pytest.raises(PySparkException, match=r"read-only here; write to s3://"):
        save(app(spark), WriteTarget("http://127.0.0.1:9/app", None, {}), **APP)


# --- failed and repeated tasks


def uploads_started(proxy: FaultProxy) -> int:
    return sum(method == "POST" and path.endswith("?uploads") for method, path, _ in proxy.requests)


@tries(
    "tasks that fail and are run again, tasks that fail in each attempt",
    "each row once, no row; `vacuum` leaves nothing",
)
def test_tasks_that_fail_and_are_run_again(spark: Any, s3: S3Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    """The first attempts of a job fail after they staged files, then all attempts of another job."""
    target = WriteTarget.on_s3(s3, proxy.endpoint)

    def fails(batches: Any, every_time: bool = False) -> Any:
        from pyspark import TaskContext

        marker = tmp_path / f"failed-{every_time}-{TaskContext.get().partitionId()}"
        for number, batch in enumerate(batches):
            yield batch
            if number == 6 and (every_time or not marker.exists()):
                time.sleep(0.5)  # time to stage files
                marker.touch()
                raise RuntimeError("every attempt fails" if every_time else "the first attempt fails")

    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "1000")
    try:
        frame = spark.range(0, 20_000, 1, 2).selectExpr("id n", "repeat('x', 50) message")
        save(frame.mapInArrow(fails, frame.schema), target, **LINE, maxRecordsPerFile="2000")
        failing = frame.mapInArrow(lambda batches: fails(batches, every_time=True), frame.schema)
        with pytest.raises(PySparkException, match="every attempt fails"):
            save(failing, target, **LINE, maxRecordsPerFile="2000")
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    assert len(list(tmp_path.glob("failed-False-*"))) == 2
    assert uploads_started(proxy) > len(target.files()) + 4  # attempts staged files before they failed
    lines = Counter(line.split(" ")[0] for line in target.lines())
    assert lines == Counter(str(n) for n in range(20_000))
    assert len({job_of(key) for key in target.files()}) == 1
    assert target.left_by_tasks() == []
    assert {key.split("/")[0] for key in target.listing()} == {"_commits", *target.files()}


@tries("a task that runs twice, by speculation", "each row once; nothing is left")
@pytest.mark.slow
def test_a_speculative_copy_of_a_task(s3: S3Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    target = WriteTarget.on_s3(s3, proxy.endpoint)
    options = {**target.options, **LINE}
    told = run("speculation_program.py", tmp_path, url=target.url, options=options, markers=str(tmp_path))
    assert told == {"attempts": 2}
    assert uploads_started(proxy) > len(target.files()) == 40
    lines = [line for data in target.files().values() for line in data.decode().splitlines()]
    assert Counter(line.split(" ")[0] for line in lines) == Counter(str(n) for n in range(400))
    assert target.unfinished() == []


@pytest.mark.slow
def test_spark_connect(s3: S3Bucket, tmp_path: Path) -> None:
    pytest.importorskip("pyspark.sql.connect.session", exc_type=ImportError)
    target = WriteTarget.on_s3(s3)
    told = run("connect_program.py", tmp_path, url=target.url, options=target.options)
    assert (told["equal"], told["rows"]) == (True, 100)
    assert "column 'team' is not in the data" in told["no column"]
    assert "column 'message'" in told["line feed"]
    assert target.unfinished() == []
