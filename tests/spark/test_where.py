"""The option ``where``: its truth compared with Spark's, and its use in loads and streams."""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

pytest.importorskip("pyspark")

from pyspark.sql import DataFrame

from pyspark_logs.conditions import parse_condition
from pyspark_logs.datasource.schemas import to_spark_schema
from tests.support.conditions import condition, sql, table
from tests.support.log_files import write

ZONE = "Asia/Beirut"  # where clocks change at midnight

# Conditions beside the generated ones, one for each rule of literals.
MORE = [
    r"s = 'it''s' OR s = 'x\'y' OR s LIKE '%\'%'", r"s LIKE 'a\\\\b' OR s LIKE 'a!%b' ESCAPE '!'", r"s RLIKE r'^\S+\\\S$'",
    'day = "2026-01-01" AND ts >= "2026-01-01 00:00"', "ts = '2026-03-29 00:30'", "day < TIMESTAMP '2026-03-29 01:00:00'",
    "ts > '2026-1-1T0:0:0.0000019' AND ts < '2026-10-25 0:30:0+02:00'", "wall <= '2026-03-29' AND wall <> DATE '2026-01-01'",
    "i = '5' OR l > ' -1 ' OR d = '0.1' OR f = '0.1' OR e = '0.1'", "b = 'YES' OR b IS NOT TRUE", "b IS UNKNOWN OR b <=> NULL",
    "tiny IN (1, 1.5, NULL) OR i IN (5, '0')", "l = 9007199254740992.0D", "l < 9223372036854775808 OR l IS NULL", "f = 0.1F OR f = 0.1D OR f = 0.1",
    "e = 5 OR e > 1e1 OR e < 5.005", "d > 'NaN' OR d >= 'Infinity'", "s BETWEEN 'a' AND 'b' AND NOT t IS NULL", "s IS DISTINCT FROM t",
    "NULL OR b", "NOT (s IN ('a', NULL))", "TRUE AND s = 'a' 'b'", "s = '\\u00e9' OR s = '\\101'", "tiny <= 127S AND i > 5L AND tiny = 1Y",
]  # fmt: skip


def test_the_truth_of_conditions_is_sparks(session: Any) -> None:
    data = table()
    numbered = data.append_column("row", pa.array(range(len(data)), pa.int64()))
    frame = session.createDataFrame(numbered, to_spark_schema(numbered.schema)).cache()
    named = {name: data[name].combine_chunks() for name in data.column_names}
    random = Random(2026)
    conditions = [*MORE, *(sql(condition(random)) for _ in range(300))]
    session.conf.set("spark.sql.session.timeZone", ZONE)
    try:
        for start in range(0, len(conditions), 40):
            part = conditions[start : start + 40]
            columns = [f"({text}) AS c{number}" for number, text in enumerate(part)]
            found = frame.selectExpr("row", *columns).toArrow().sort_by("row")
            for number, text in enumerate(part):
                ours = parse_condition(text, ZONE).bind(data.schema).evaluate(named, len(data))
                assert ours.to_pylist() == found[f"c{number}"].to_pylist(), text
        # A filter is optimized further than a projection. One query for all of them, as each costs a job.
        filtered = [frame.filter(text).selectExpr(f"{number} c", "row") for number, text in enumerate(conditions[::10])]
        kept = sorted((row.c, row.row) for row in reduce(DataFrame.union, filtered).collect())
        for number, text in enumerate(conditions[::10]):
            ours = parse_condition(text, ZONE).bind(data.schema).evaluate(named, len(data))
            rows = [row for c, row in kept if c == number]
            assert rows == [row for row, truth in enumerate(ours.to_pylist()) if truth], text
    finally:
        session.conf.set("spark.sql.session.timeZone", "UTC")
        frame.unpersist()


FILES = {
    "dt=2026-01-01/a.log": "2026-01-01T05:00:00Z ERROR 5 failed\n2026-01-01T06:00:00Z INFO 7 ok\nbroken\n",
    "dt=2026-01-02/a.log": "2026-01-02T05:00:00Z ERROR 9 failed\n",
}
TEMPLATE = "{ts:timestamp} {level} {n:int} {message}"


def test_a_load_keeps_its_condition_in_every_query(spark: Any, tmp_path: Path) -> None:
    reader = spark.read.format("logs").option("template", TEMPLATE).option("where", "level = 'ERROR' AND n > 5")
    frame = reader.schema("message string, dt string").load(write(tmp_path, FILES))
    assert [tuple(row) for row in frame.collect()] == [("failed", "2026-01-02")]
    assert frame.where("dt = '2026-01-01'").count() == 0
    assert frame.count() == 1
    other = (
        spark.read.format("logs").option("template", TEMPLATE).option("where", "dt = '2026-01-01'").load(str(tmp_path))
    )
    assert sorted(row[0] for row in frame.union(other.select("message", "dt")).collect() if row[0]) == [
        "failed",
        "failed",
        "ok",
    ]


def test_a_stream_with_a_condition(spark: Any, tmp_path: Path) -> None:
    write(tmp_path / "in", FILES)
    frame = (
        spark.readStream.format("logs")
        .option("template", TEMPLATE)
        .option("where", "ts >= DATE '2026-01-01' AND n < 9")
    )
    stream = frame.schema("n int").load(str(tmp_path / "in")).writeStream.format("memory").queryName("where_stream")
    query = stream.option("checkpointLocation", str(tmp_path / "c")).trigger(availableNow=True).start()
    try:
        query.awaitTermination()
        assert sorted(row.n for row in spark.table("where_stream").collect()) == [5, 7]
    finally:
        query.stop()
        spark.catalog.dropTempView("where_stream")


def test_errors_name_the_position(spark: Any, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="option 'where': at position 1"):
        spark.read.format("logs").option("template", TEMPLATE).option("where", "n LIKE '5'").load(
            write(tmp_path, FILES)
        )


def test_collated_columns_are_refused(spark: Any, tmp_path: Path) -> None:
    reader = spark.read.format("logs").option("template", TEMPLATE).option("where", "level = 'error'")
    with pytest.raises(Exception, match="collation"):
        reader.schema("level string collate UTF8_LCASE").load(write(tmp_path, FILES)).count()
