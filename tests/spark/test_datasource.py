"""The format in a real Spark session: reading, filters, schemas, errors."""

from __future__ import annotations

import datetime as dt
import gc
import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark")

from pyspark.errors import PySparkException
from pyspark.sql.datasource import DataSource, DataSourceReader
from pyspark.sql.functions import col, expr, lit

import pyspark_logs

PUSHDOWN = "spark.sql.python.filterPushdown.enabled"
TEMPLATE = "{ts:timestamp?} {level?} {service} {n:int?} {flag:boolean?} {day:date?} {ratio:double?} {message}"
LINES = """\
2026-11-22T06:59:59.999999Z INFO web 0 true 2026-11-21 0.5 plain
2026-11-22T07:00:00Z ERROR web 1 false 2026-11-22 - timed out after 5 ms
2026-11-22T07:00:00.000001Z ERROR worker -1 - - NaN a%b_c
2026-11-22T07:30:00Z WARN web 127 true 2026-11-23 -0.0 été \U0001f600
2026-11-22T08:00:00Z - ops - - - 1e300 error
- error web 2147483647 false 1969-12-31 0 Error: timed out
2026-11-22T09:00:00Z \uffff web 5 true 2026-11-22 2 x\\y
2026-11-22T09:00:00Z \U0001f600 web 5 true 2026-11-22 2 z
"""

# Predicates, whose results are compared with Spark's own, and True if Spark need not evaluate them again (None: not checked).
PREDICATES = [
    ("level = 'ERROR'", True),
    ("level <> 'ERROR'", True),
    ("not (level = 'ERROR')", True),
    ("level <=> 'ERROR'", True),
    ("level <=> null", True),
    ("level = null", None),
    ("not (level <=> 'ERROR')", True),
    ("level in ('ERROR', 'WARN')", True),
    ("level in ('ERROR', null)", True),
    ("level not in ('ERROR', 'WARN')", True),
    ("level not in ('ERROR', null)", None),
    ("level is null", True),
    ("level is not null", True),
    ("level < 'F'", True),
    ("level >= 'WARN'", True),
    ("level > '\U0001f600'", True),
    ("level >= '\uffff'", True),
    ("level = ''", True),
    ("level in ('', 'ERROR', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j')", None),
    ("level like 'E%'", True),
    ("level like '%R'", True),
    ("level like '%RR%'", True),
    ("level like 'E%R'", None),
    ("level like '%'", None),
    ("level like ''", None),
    ("level not like 'E%'", True),
    ("level like 'ERROR'", True),
    ("message like '%\\\\%b%'", None),
    ("message like '%timed out%'", True),
    ("contains(message, 'timed out')", True),
    ("startswith(message, 'é')", True),
    ("endswith(message, '\U0001f600')", True),
    ("contains(message, '')", None),
    ("message = 'x\\\\\\\\y'", True),
    ("level rlike 'E.*R'", False),
    ("level ilike 'error'", False),
    ("lower(level) = 'error'", False),
    ("level = 'ERROR' or n = 5", False),
    ("level = 'ERROR' and n = 1", True),
    ("level = 'ERROR' and (n = 1 or n = -1)", False),
    ("level = service", False),
    ("level collate UTF8_LCASE = 'error'", False),
    ("level = 'error' collate UTF8_LCASE", False),
    ("n = 5", True),
    ("n <> 5", True),
    ("n < 0", True),
    ("n >= 2147483647", True),
    ("n > 2147483647", None),
    ("n = 99999999999", None),
    ("n in (1, 5, null)", True),
    ("n not in (1, 5)", True),
    ("n = 5.0", None),
    ("n = '5'", None),
    ("n is null", True),
    ("flag", True),
    ("not flag", True),
    ("flag = false", True),
    ("flag is null", True),
    ("flag <=> true", True),
    ("day = date'2026-11-22'", True),
    ("day < date'1970-01-01'", True),
    ("day in (date'2026-11-21', date'2026-11-23')", True),
    ("ratio = 0.0", None),
    ("ratio > 1.5", None),
    ("isnan(ratio)", False),
    ("ratio is null", None),
    ("ts >= timestamp'2026-11-22T07:00:00Z'", True),
    ("ts > timestamp'2026-11-22T07:00:00Z'", True),
    ("ts < timestamp'2026-11-22T07:00:00Z'", True),
    ("ts = timestamp'2026-11-22T07:00:00.000001Z'", True),
    ("ts between timestamp'2026-11-22T07:00:00Z' and timestamp'2026-11-22T08:00:00Z'", True),
    ("ts not between timestamp'2026-11-22T07:00:00Z' and timestamp'2026-11-22T08:00:00Z'", False),
    ("ts is null", True),
    ("ts <=> null", True),
    ("date(ts) = date'2026-11-22'", None),
    ("hour(ts) = 7", False),
    ("ts in (timestamp'2026-11-22T07:00:00Z', timestamp'2026-11-22T09:00:00Z')", True),
    ("true", None),
    ("false", None),
]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("logs")
    (folder / "app.log").write_text(LINES, encoding="utf-8")
    return str(folder)


def load(spark: Any, path: str | list[str], **options: str) -> Any:
    schema = options.pop("schema", None)
    reader = spark.read.format("logs").options(**{"template": TEMPLATE, **options})
    return (reader.schema(schema) if schema else reader).load(path)


def messages(frame: Any) -> list[str]:
    return sorted(row.message for row in frame.select("message").collect())


def filters_in_spark(frame: Any) -> bool:
    """Returns True if Spark filters the rows of the scan."""
    return re.search(r"\bFilter\b", frame._jdf.queryExecution().executedPlan().toString()) is not None


def can_push() -> bool:
    return hasattr(DataSourceReader, "pushFilters")


# --- finding the format


def test_every_column_arrives_with_its_type(spark: Any, logs: str) -> None:
    frame = load(spark, logs)
    assert frame.dtypes == [
        ("ts", "timestamp"),
        ("level", "string"),
        ("service", "string"),
        ("n", "int"),
        ("flag", "boolean"),
        ("day", "date"),
        ("ratio", "double"),
        ("message", "string"),
    ]
    first = frame.orderBy("ts").where("ts is not null").select(col("ts").cast("string").alias("t"), "*").first()
    assert first.t == "2026-11-22 06:59:59.999999"
    assert first[2:] == ("INFO", "web", 0, True, dt.date(2026, 11, 21), 0.5, "plain")


@pytest.mark.parametrize("pushdown", ["true", "false"])
def test_without_register(session: Any, logs: str, pushdown: str) -> None:
    # A new session has only sources that Spark found by itself.
    fresh = session.newSession()
    fresh.conf.set(PUSHDOWN, pushdown)
    frame = load(fresh, logs)
    assert frame.count() == 8
    assert messages(frame.where("level = 'WARN'")) == ["été \U0001f600"]


def test_register_twice_and_then_pushdown_off(session: Any, logs: str) -> None:
    import pyspark_logs

    fresh = session.newSession()
    pyspark_logs.register(fresh)
    pyspark_logs.register(fresh)
    assert fresh.conf.get(PUSHDOWN) == "true"
    fresh.conf.set(PUSHDOWN, "false")
    frame = load(fresh, logs).where("level = 'WARN'")
    assert filters_in_spark(frame)
    assert messages(frame) == ["été \U0001f600"]


@contextmanager
def warnings_of_spark(session: Any, file: Path) -> Iterator[None]:
    """Writes the log of the JVM at level WARN to a file."""
    log4j = session._jvm.org.apache.logging.log4j
    context = log4j.LogManager.getContext(False)
    configuration = context.getConfiguration()
    appender = log4j.core.appender.FileAppender.newBuilder().setName("test").withFileName(str(file)).build()
    appender.start()
    session.sparkContext.setLogLevel("WARN")
    configuration.getRootLogger().addAppender(appender, log4j.Level.WARN, None)
    # As in a new JVM: other tests have registered the source.
    configuration.removeLogger("org.apache.spark.sql.execution.datasources.DataSourceManager")
    context.updateLoggers()
    try:
        yield
    finally:
        configuration.getRootLogger().removeAppender("test")
        session.sparkContext.setLogLevel("ERROR")


def test_spark_logs_no_warning_about_the_registration(session: Any, tmp_path: Path) -> None:
    """Neither at once, nor for a streaming query, which copies the session; but for other sources."""

    class OtherSource(DataSource):
        @classmethod
        def name(cls) -> str:
            return "logs_of_another_source"

    pyspark_logs.register(session)
    file = tmp_path / "spark.log"
    with warnings_of_spark(session, file):
        session._jsparkSession.cloneSession()
        assert "The data source logs replaced" in file.read_text()
        file.write_text("")
        for _ in range(2):
            pyspark_logs.register(session)
            session._jsparkSession.cloneSession()
            session.dataSource.register(OtherSource)
        assert "The data source logs_of_another_source replaced" in file.read_text()
        assert "The data source logs replaced" not in file.read_text()


def test_a_temporary_view(spark: Any, logs: str) -> None:
    spark.sql(f"CREATE TEMPORARY VIEW logs_view USING logs OPTIONS (path '{logs}', template '{TEMPLATE}')")
    assert spark.sql("SELECT count(*) FROM logs_view WHERE level = 'ERROR'").first()[0] == 2


# --- filters


@pytest.fixture(scope="module")
def wanted(session: Any, logs: str) -> list[list[str]]:
    """Results of Spark without pushdown: for each predicate, the messages of the rows for which it is true."""
    fresh = session.newSession()
    asked = [expr(predicate).cast("boolean").alias(f"p{i}") for i, (predicate, _) in enumerate(PREDICATES)]
    rows = load(fresh, logs).select("message", *asked).collect()
    return [sorted(row.message for row in rows if row[f"p{i}"]) for i in range(len(PREDICATES))]


@pytest.fixture(scope="module")
def pushed(session: Any, logs: str) -> Any:
    """Frame of all predicates with pushdown; a separate query for each would take half a second."""
    import pyspark_logs

    fresh = session.newSession()
    pyspark_logs.register(fresh)
    # Each predicate has its own load; see test_one_frame_many_times.
    frames = [
        load(fresh, logs, filterPushdown="true").where(predicate).select(lit(i).alias("i"), "message")
        for i, (predicate, _) in enumerate(PREDICATES)
    ]
    return reduce(lambda left, right: left.union(right), frames)


@pytest.fixture(scope="module")
def kept(pushed: Any) -> list[list[str]]:
    rows = pushed.collect()
    return [sorted(row.message for row in rows if row.i == i) for i in range(len(PREDICATES))]


@pytest.fixture(scope="module")
def left_to_spark(pushed: Any) -> dict[int, bool]:
    """True for predicates with which Spark filters the rows of the scan."""
    children = pushed._jdf.queryExecution().optimizedPlan().children()
    plans = [children.apply(i).toString() for i in range(children.size())]
    return {int(re.search(r"\b(\d+) AS i#", plan)[1]): "Filter " in plan for plan in plans}


@pytest.mark.parametrize("i", range(len(PREDICATES)), ids=[predicate for predicate, _ in PREDICATES])
def test_filters_keep_what_spark_keeps(
    wanted: list[list[str]], kept: list[list[str]], left_to_spark: dict[int, bool], i: int
) -> None:
    assert kept[i] == wanted[i]
    taken = PREDICATES[i][1]
    if taken is not None:
        assert left_to_spark[i] == (not (taken and can_push()))


@pytest.mark.parametrize("conf", ["true", "false"])
@pytest.mark.parametrize("option", ["true", "false"])
def test_one_frame_many_times(spark: Any, logs: str, conf: str, option: str, request: pytest.FixtureRequest) -> None:
    """Spark 4.1 to 4.3 store pushed filters with the loaded frame, not with its uses; pushdown is therefore off by default."""
    if conf == option == "true" and can_push() and not hasattr(DataSourceReader, "pushLimit"):
        request.applymarker(pytest.mark.xfail(reason="Spark shares what was pushed among all uses of one load"))
    spark.conf.set(PUSHDOWN, conf)
    frame = load(spark, logs, filterPushdown=option)
    errors, warnings = frame.where("level = 'ERROR'"), frame.where("level = 'WARN'")
    assert (errors.count(), frame.count(), warnings.count(), frame.count()) == (2, 8, 1, 8)
    assert messages(errors.union(warnings)) == ["a%b_c", "timed out after 5 ms", "été \U0001f600"]
    assert frame.union(errors).count() == 10


def test_one_folder_loaded_twice_in_a_query(spark: Any, logs: str) -> None:
    errors = load(spark, logs, filterPushdown="true").where("level = 'ERROR'")
    warnings = load(spark, logs, filterPushdown="true").where("level = 'WARN'")
    assert messages(errors.union(warnings)) == ["a%b_c", "timed out after 5 ms", "été \U0001f600"]
    assert load(spark, logs).union(errors).count() == 10


def test_filters_on_a_narrow_schema(spark: Any, logs: str) -> None:
    # The filtered column is read although the query does not select it.
    frame = load(spark, logs, schema="message string, LEVEL string")
    assert messages(frame.where("level = 'ERROR'").select("message")) == ["a%b_c", "timed out after 5 ms"]


def test_collated_columns_are_filtered_by_spark(spark: Any, logs: str) -> None:
    frame = load(spark, logs, schema="level string collate UTF8_LCASE, message string").where("level = 'error'")
    assert filters_in_spark(frame)
    assert messages(frame) == ["Error: timed out", "a%b_c", "timed out after 5 ms"]


def test_wall_clock_timestamps(spark: Any, logs: str) -> None:
    frame = load(spark, logs, schema="ts timestamp_ntz, message string", timeZone="Asia/Kolkata")
    where = "ts >= timestamp_ntz'2026-11-22T13:30:00'"
    kept = [row.t for row in frame.where(where).select(col("ts").cast("string").alias("t")).orderBy("t").collect()]
    assert kept == ["2026-11-22 13:30:00", "2026-11-22 14:30:00", "2026-11-22 14:30:00"]


# --- schemas


def test_a_user_schema_selects_reorders_and_widens(spark: Any, logs: str) -> None:
    frame = load(spark, logs, schema="n bigint, `LEVEL` string, ts string")
    assert frame.dtypes == [("n", "bigint"), ("LEVEL", "string"), ("ts", "string")]
    assert frame.where("n = 127").collect()[0][:2] == (127, "WARN")


def test_a_column_that_the_format_lacks(spark: Any, logs: str) -> None:
    with pytest.raises(PySparkException, match="nosuch"):
        load(spark, logs, schema="level string, nosuch int").collect()


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("level string not null", "column 'level' is NOT NULL"),
        ("level interval day", "column 'level' has the unsupported type interval"),
        ("level variant", "column 'level' has the unsupported type variant"),
    ],
)
def test_user_schemas_that_are_refused(spark: Any, logs: str, schema: str, message: str) -> None:
    with pytest.raises(PySparkException, match=message):
        load(spark, logs, schema=schema).collect()


def test_arrow_types_are_those_of_spark(spark: Any) -> None:
    from pyspark.sql.types import _parse_datatype_string

    from pyspark_logs.datasource.schemas import to_ddl, to_spark_schema
    from pyspark_logs.schema import parse_ddl
    from tests.unit.test_schema import TYPES, spark_arrow_schema

    del spark  # the fixture starts the JVM, in which Spark parses DDL
    ddl = ", ".join(
        f"`c-{i}` {data_type}" for i, (data_type, _, _) in enumerate(TYPES) if "char" not in data_type.lower()
    )
    parsed = _parse_datatype_string(ddl)
    expected = spark_arrow_schema(parsed)
    assert parse_ddl(ddl).equals(expected)
    assert parse_ddl(to_ddl(parsed)).equals(expected)
    assert to_spark_schema(expected) == parsed


def test_timestamps_do_not_follow_the_session(spark: Any, logs: str) -> None:
    spark.conf.set("spark.sql.timestampType", "TIMESTAMP_NTZ")
    try:
        frame = load(spark, logs)
        assert frame.dtypes[0] == ("ts", "timestamp")
        assert frame.where("ts is not null").count() == 7
    finally:
        spark.conf.unset("spark.sql.timestampType")


# --- broken lines


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("broken")
    (folder / "a.log").write_text("1 good\nno number\n3 also good\nshort\n")
    return str(folder)


def test_permissive(spark: Any, broken: str) -> None:
    frame = load(spark, broken, template="{n:int} {message}", columnNameOfCorruptRecord="raw")
    rows = {tuple(row) for row in frame.collect()}
    # A field of a wrong type is null; in a line of another structure all fields are null.
    bad = {(None, "number", "no number"), (None, None, "short")}
    assert rows == {(1, "good", None), (3, "also good", None)} | bad
    assert {row.raw for row in frame.where("raw is not null").collect()} == {"no number", "short"}
    assert frame.where("raw = 'short'").count() == 1
    assert frame.where("n is null").count() == 2
    assert frame.where("message = 'number'").count() == 1


def test_dropmalformed(spark: Any, broken: str) -> None:
    frame = load(spark, broken, template="{n:int} {message}", mode="DROPMALFORMED")
    assert messages(frame) == ["also good", "good"]


def test_failfast(spark: Any, broken: str) -> None:
    frame = load(spark, broken, template="{n:int} {message}", mode="FAILFAST")
    with pytest.raises(PySparkException, match=r"a\.log.*7(.|\n)*no number"):
        frame.collect()


# --- paths


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Logs of two teams and two hours; reading a file of the second hour is an error."""
    folder = tmp_path_factory.mktemp("tree")
    for team in ("ops", "web"):
        hours = [folder / team / f"2026/11/22/{hour}" for hour in ("07", "22")]
        for hour in hours:
            hour.mkdir(parents=True)
        lines = [f"2026-11-22T07:{i}0:00Z {team}{i}\n" for i in range(3)]
        (hours[0] / "app.log").write_text("".join(lines))
        (hours[1] / "app.log.gz").write_bytes(gzip.compress(b"truncated")[:-4])
    return str(folder)


def teams(spark: Any, tree: str, **options: str) -> Any:
    layout = "{team}/{yyyy}/{MM}/{dd}/{HH}"
    return load(spark, tree, template="{ts:timestamp} {message}", layout=layout, **options)


def test_partition_columns_and_pruning_by_time(spark: Any, tree: str) -> None:
    def early() -> Any:
        return teams(spark, tree, filterPushdown="true").where("ts < timestamp'2026-11-22T09:00:00Z'")

    if can_push():
        assert sorted({row.team for row in early().collect()}) == ["ops", "web"]
        assert messages(early().where("team = 'web'")) == ["web0", "web1", "web2"]
        assert messages(early().where("team like 'o%' and ts > timestamp'2026-11-22T07:10:00Z'")) == ["ops2"]
    with pytest.raises(PySparkException, match="gzip"):
        teams(spark, tree).where("hour(ts) < 9").collect()
    assert teams(spark, tree, endTime="2026-11-22T09:00:00Z").count() == 6


def test_metadata(spark: Any, tree: str) -> None:
    frame = teams(spark, tree, metadata="true", endTime="2026-11-22T09:00:00Z")
    assert frame.schema["_metadata"].dataType.names[:2] == ["file_path", "file_name"]
    row = frame.where("message = 'web2'").select("_metadata.*").first()
    assert row.file_name == "app.log"
    assert row.file_path.endswith("/web/2026/11/22/07/app.log")
    assert row.record_offset == 2 * len("2026-11-22T07:00:00Z web0\n")
    assert frame.where("_metadata.file_size > 1000000").count() == 0
    assert frame.where("_metadata.record_offset = 0").count() == 2


def test_several_paths(spark: Any, logs: str, broken: str) -> None:
    frame = load(spark, [logs, broken], template="{message}")
    assert frame.count() == 12


def test_no_file_in_the_folder(spark: Any, tmp_path: Path) -> None:
    (tmp_path / "_hidden.log").write_text("x\n")
    frame = load(spark, str(tmp_path), template="{message}")
    assert frame.collect() == []
    assert frame.count() == 0


def test_no_row_is_left(spark: Any, logs: str) -> None:
    assert load(spark, logs).where("level = 'nothing'").collect() == []
    assert load(spark, logs, startTime="2030-01-01").where("level = 'ERROR'").count() == 0


# --- errors that reach the user


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tmplate": "{a}"}, "unknown option 'tmplate'; did you mean 'template'"),
        ({"json": "true"}, "exactly one of .* must name the line format"),
        ({"schema_": "a int"}, "unknown option 'schema_'"),
        ({"template": "{a}{b}"}, "template"),
        ({"mode": "STRICT"}, "option 'mode': 'STRICT' is not one of PERMISSIVE"),
        ({"startTime": "2026", "endTime": "2025"}, "option 'startTime': '2026' is not a time"),
    ],
)
def test_option_errors_reach_the_user(spark: Any, logs: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(PySparkException, match=message):
        spark.read.format("logs").options(**{"template": TEMPLATE, **options}).load(logs)


def test_a_schema_option_is_for_scan(spark: Any, logs: str) -> None:
    with pytest.raises(PySparkException, match=r"spark\.read\.schema"):
        spark.read.format("logs").options(template=TEMPLATE, schema="level string").load(logs)


def test_no_path(spark: Any) -> None:
    with pytest.raises(PySparkException, match=r"no path: give load\(path\)"):
        spark.read.format("logs").option("template", TEMPLATE).load()


def test_a_path_that_does_not_exist(spark: Any, tmp_path: Path) -> None:
    with pytest.raises(PySparkException, match="missing"):
        load(spark, str(tmp_path / "missing")).collect()


def test_tasks_that_share_a_file_know_its_header(spark: Any, tmp_path: Path) -> None:
    rows = [(n, f"name {n}") for n in range(2000)]
    (tmp_path / "a.csv").write_text("name,n\n" + "".join(f'"{name}",{n}\n' for n, name in rows))
    reader = spark.read.format("logs").options(
        delimited=",", header="first", maxPartitionBytes="4k", openCostInBytes="1"
    )
    frame = reader.schema("n int, name string").load(str(tmp_path))
    assert frame.rdd.getNumPartitions() > 4
    assert sorted((row.n, row.name) for row in frame.collect()) == rows
    target = tmp_path / "written"
    frame.repartition(3).write.format("logs").options(delimited=",", header="fields").mode("append").save(str(target))
    again = spark.read.format("logs").options(delimited=",", header="fields").load(str(target))
    assert again.columns == ["n", "name"]
    assert sorted((int(row.n), row.name) for row in again.collect()) == rows


def test_a_load_is_divided_among_the_processors_of_the_session(spark: Any, tmp_path: Path) -> None:
    line = "INFO " + "x" * 1018 + "\n"
    (tmp_path / "app.log").write_text(line * 9216)
    reader = spark.read.format("logs").options(template="{level:word} {message}").schema("level string")
    frame = reader.load(str(tmp_path))
    assert frame.rdd.getNumPartitions() == spark.sparkContext.defaultParallelism == 2
    assert frame.count() == 9216
    assert reader.option("minPartitions", 5).load(str(tmp_path)).rdd.getNumPartitions() == 5
    assert reader.option("maxPartitionBytes", "128m").load(str(tmp_path)).rdd.getNumPartitions() == 5


def test_workers_exclude_modules_from_collections(spark: Any, logs: str) -> None:
    """Spark collects garbage after each task, which takes as long as reading some megabytes if it visits all modules."""
    assert spark.read.format("logs").options(template=TEMPLATE).load(logs).count() > 0
    frozen = spark.sparkContext.parallelize(range(2), 2).map(lambda _: gc.get_freeze_count()).collect()
    assert max(frozen) > 10_000
