"""The option ``where`` of ``scan`` and of streams: columns, pruning, corrupt records, metrics."""

from __future__ import annotations

import itertools
import json
from operator import eq, ge, gt, le, lt, ne
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyspark_logs import ScanSummary, scan
from pyspark_logs.conditions import parse_condition
from pyspark_logs.errors import OptionError, RecordError, SchemaError
from pyspark_logs.options import parse_read_options
from pyspark_logs.reader import LogReader
from pyspark_logs.schema_inference import infer_schema
from pyspark_logs.stream import LogStream
from tests.support.effort import examples
from tests.support.log_files import write

TEMPLATE = "{ts:timestamp} {level} {n:int} {message}"
FILES = {
    "web/2026/01/01/a.log": "2026-01-01T05:00:00Z ERROR 5 failed\n2026-01-01T06:00:00Z INFO 7 ok\nbroken\n",
    "web/2026/01/09/a.log": "2026-01-09T05:00:00Z ERROR 9 failed\n",
    "db/2026/01/01/a.log": "2026-01-01T05:00:00Z error - -\n2026-01-01T07:00:00Z WARN 8 failed\\ again\n",
}
OPTIONS = {"template": TEMPLATE, "layout": "{team}/{yyyy}/{MM}/{dd}"}


def read(path: Path, where: str, **options: Any) -> tuple[list[dict[str, Any]], ScanSummary]:
    summary = ScanSummary()
    rows = scan(path, where=where, summary=summary, **{**OPTIONS, **options}).read_all().to_pylist()
    return sorted(rows, key=str), summary


def planned(path: Path, where: str, **options: Any) -> list[str]:
    """Returns the directories of the planned files."""
    parsed = parse_read_options({"path": str(path), "where": where, **OPTIONS, **options})
    tasks = LogReader(parsed, infer_schema(parsed)).plan().tasks
    return sorted(split.path.removeprefix(f"{path}/").rpartition("/")[0] for task in tasks for split in task.splits)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    write(tmp_path, FILES)
    return tmp_path


def test_columns_of_the_condition_are_not_returned(logs: Path) -> None:
    where = "level = 'ERROR' AND team = 'web' AND _metadata.file_name LIKE 'a.%' AND _corrupt_record IS NULL"
    assert read(logs, where, schema="n int")[0] == [{"n": 5}, {"n": 9}]
    rows, summary = read(logs, where, schema="level string")
    assert rows == [{"level": "ERROR"}] * 2
    assert (summary.records, summary.rows, summary.filtered) == (4, 2, 2)


def test_a_condition_without_any_requested_column_counts(logs: Path) -> None:
    import pyarrow as pa

    assert scan(logs, where="n >= 7", schema=pa.schema([]), **OPTIONS).read_all().num_rows == 3


@pytest.mark.parametrize(
    ("where", "directories"),
    [
        ("team = 'db'", ["db/2026/01/01"]),
        ("team LIKE 'w%' AND ts < TIMESTAMP '2026-01-02'", ["web/2026/01/01"]),
        ("(team = 'db' AND n = 8) OR (team = 'web' AND ts >= '2026-01-09')", ["db/2026/01/01", "web/2026/01/01", "web/2026/01/09"]),
        ("(team = 'db' OR team = 'x') AND NOT ts >= DATE '2026-01-03'", ["db/2026/01/01"]),
        ("ts BETWEEN '2026-01-08' AND '2026-01-10'", ["web/2026/01/09"]),
        ("'2026-01-08' <= ts", ["web/2026/01/09"]),
        ("team IS NULL", []),
        ("team IN ('db', 'x') AND n IS NOT NULL", ["db/2026/01/01"]),
    ],
)  # fmt: skip
def test_partitions_and_times_choose_directories(where: str, directories: list[str], logs: Path) -> None:
    assert planned(logs, where) == directories
    everything = scan(logs, **OPTIONS).read_all().num_rows
    _, summary = read(logs, where)
    assert summary.rows + summary.filtered <= everything


def test_a_partition_column_of_a_number_type(logs: Path) -> None:
    write(logs / "hive", {"day=1/a.log": "INFO a\n", "day=02/a.log": "INFO b\n", "day=x/a.log": "INFO c\n"})
    options = {"template": "{level} {message}", "where": "day >= 2 OR day IS NULL", "schema": "message string, day int"}
    assert sorted(scan(logs / "hive", **options).read_all()["message"].to_pylist()) == ["b", "c"]


def test_corrupt_records_are_filtered_as_rows_of_nulls(logs: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows, summary = read(logs, "level = 'INFO' OR n > 100")
    assert [row["message"] for row in rows] == ["ok"]
    assert (summary.records, summary.filtered, summary.corrupt) == (6, 5, 0)
    assert read(logs, "n <> 5", mode="FAILFAST", schema="n int")[1].filtered == 3
    assert not caplog.records
    rows, summary = read(logs, "n IS NULL", columnNameOfCorruptRecord="bad", schema="bad string")
    assert rows == [{"bad": "2026-01-01T05:00:00Z error - -"}, {"bad": "broken"}]
    assert (summary.corrupt, summary.filtered) == (2, 4)
    with pytest.raises(RecordError):
        read(logs, "level IS NULL", mode="FAILFAST")
    assert read(logs, "_corrupt_record RLIKE '^bro'", schema="n int")[0] == [{"n": None}]


def test_json_columns_that_the_schema_lacks(tmp_path: Path) -> None:
    values = [{"a": 1, "s": "x", "r": {"i": 2}}, {"a": 2.5, "s": "y"}, {"s": "x"}, {"a": "z", "s": "x"}]
    write(tmp_path, {"a.log": "".join(json.dumps(value) + "\n" for value in values)})

    def found(where: str, schema: str | None = "s string") -> list[Any]:
        return scan(tmp_path, json=True, schema=schema, where=where).read_all()["s"].to_pylist()

    assert found("a > 0.5") == ["x", "y"]
    assert found("a IS NULL AND s = 'x'") == ["x"]
    assert found("r.i = 2", schema=None) == ["x"]
    with pytest.raises(OptionError, match="name the column in the schema"):
        found("r.i = 2")


@pytest.mark.parametrize("form", ["json", "logfmt"])
def test_numbers_that_the_schema_lacks_are_compared_exactly(form: str, tmp_path: Path) -> None:
    values = [99.5, 100, 100.5, 101, -100.5, -100, 1e300, (1 << 53) - 1, 1 << 53, (1 << 53) + 1]
    lines = [json.dumps({"s": str(v), "n": v}) if form == "json" else f"s={v} n={v}" for v in values]
    write(tmp_path, {"a.log": "\n".join(lines)})

    def found(where: str) -> list[str]:
        return scan(tmp_path, where=where, schema="s string", **{form: True}).read_all()["s"].to_pylist()

    for op, test in (("=", eq), ("<>", ne), ("<", lt), ("<=", le), (">", gt), (">=", ge)):
        for number in (100, -100, (1 << 53) - 1):
            assert found(f"n {op} {number}") == [str(v) for v in values if test(v, number)], (op, number)
    assert found("n BETWEEN 100 AND 100.5") == ["100", "100.5"]
    # As bigint, in which fractions are null.
    assert found(f"n >= {(1 << 53) + 1}") == [str((1 << 53) + 1)]
    with pytest.raises(OptionError, match="name the column in the schema"):
        found(f"n > 0.5 AND n < {1 << 53}")


def test_columns_are_inferred_from_the_selected_directories(tmp_path: Path) -> None:
    write(tmp_path, {
        "web/2026/01/01/a": '{"a": 1, "ts": "2026-01-01T05:00:00Z"}\n',
        "web/2026/01/09/b": '{"b": 1, "ts": "2026-01-09T05:00:00Z", "r": {"i": 1}}\n',
        "db/2026/01/09/c": '{"c": 1, "ts": "2026-01-09T05:00:00Z"}\n',
    })  # fmt: skip
    options = {"json": True, "layout": OPTIONS["layout"]}
    where = "team = 'web' AND ts >= TIMESTAMP '2026-01-08'"
    assert scan(tmp_path, where=where, **options).schema.names == ["b", "ts", "r", "team"]
    assert scan(tmp_path, where=where, **options).read_all().num_rows == 1
    assert set(scan(tmp_path, where="r.i = 1", **options).schema.names) == {"a", "b", "c", "ts", "r", "team"}
    # Not the time of the paths: the sample is that of a load without a condition.
    later = scan(tmp_path, where="until >= TIMESTAMP '2027-01-01'", **options)
    assert "a" in later.schema.names
    assert later.read_all().num_rows == 0


def test_literals_are_searched_before_lines_are_parsed(logs: Path) -> None:
    parsed = parse_read_options({"path": str(logs), "where": "level = 'ERROR' OR message LIKE '%again%'", **OPTIONS})
    reader = LogReader(parsed, infer_schema(parsed))
    task = reader.plan().tasks[0]
    builder = reader.builder(task)
    assert builder.search.literals == ((b"ERROR", b"again"),)


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("n >= 7", ["n"]),
        ("n >= 7 AND level = 'ERROR' AND team = 'web' AND _corrupt_record IS NULL", ["n"]),
        ("n >= 7 AND ts > '2026-01-01'", ["ts", "n"]),
        ("n >= 7 OR message RLIKE 'a'", ["n", "message"]),
        ("n >= 7 AND ts > '2026-01-01' AND message RLIKE 'a'", None),  # too many of the four columns
        ("n IS NULL", None),  # also true of lines that are corrupt by other columns
        ("level = 'ERROR'", None),  # searched for
        ("n >= 7 OR team = 'web'", None),
    ],
)
def test_columns_of_the_condition_are_decoded_first(where: str, names: list[str] | None, logs: Path) -> None:
    parsed = parse_read_options({"path": str(logs), "where": where, **OPTIONS})
    reader = LogReader(parsed, infer_schema(parsed))
    task = reader.plan().tasks[0]
    builder = reader.builder(task)
    assert (None if builder.late is None else builder.late.names) == names


@pytest.mark.parametrize("where", ["nothing = 'x'", "n LIKE 'x'", "n ="])
def test_errors_are_raised_before_a_file_is_read(where: str, logs: Path) -> None:
    with pytest.raises((OptionError, SchemaError)):
        scan(logs, where=where, **OPTIONS)
    with pytest.raises((OptionError, SchemaError)):
        infer_schema(parse_read_options({"path": str(logs), "where": where, **OPTIONS}))


@pytest.mark.parametrize(
    ("where", "hint"), [("levle = 'x'", "did you mean 'level'\\?"), ("level = WARN", "text is quoted: 'WARN'\\.")]
)
def test_a_name_that_is_no_column_is_explained(where: str, hint: str, logs: Path) -> None:
    with pytest.raises(SchemaError, match=f"option 'where': column .* is not there; .*{hint} The condition is:"):
        scan(logs, where=where, **OPTIONS)


def test_a_stream_lists_what_the_condition_allows(logs: Path) -> None:
    where = "team = 'web' AND ts >= '2026-01-08' AND level = 'ERROR'"
    stream = LogStream(parse_read_options({"path": str(logs), "where": where, **OPTIONS}), "n int")
    start = stream.initial_offset()
    end = stream.latest_offset(start, max_files=None, max_bytes=None)
    tasks = stream.plan_batch(start, end)
    assert [split.path.removeprefix(f"{logs}/") for task in tasks for split in task.splits] == ["web/2026/01/09/a.log"]
    assert [row for task in tasks for batch in stream.reader.read_task(task) for row in batch.to_pylist()] == [{"n": 9}]
    assert stream._lists().store.request_counts["LIST"] < 8


LEVELS = ["ERROR", "INFO", "a'b", "ERR", None]
TEAMS = ["web", "db", "w%b"]
TIMES = ["2026-01-01T05:00:00Z", "2026-01-01T23:59:59Z", "2026-01-02T00:00:00Z", "2026-01-31T12:00:00Z", None]
TESTS = [
    "level = 'ERROR'", "level LIKE 'ERR%'", "level LIKE '%R_R%'", "level IN ('INFO', 'a''b')", "level IS NULL", "level <=> NULL",
    "team = 'web'", "team LIKE 'w%'", "team IN ('db', 'x')", "team > 'd' AND team < 'w'", "team <> 'web'", "n > 1.5", "n IN (1, 2)",
    "ts >= '2026-01-02'", "ts < DATE '2026-01-02'", "ts = TIMESTAMP '2026-01-01 05:00:00'", "ts BETWEEN '2026-01-01 12:00' AND '2026-01-15'",
    "ts IS NULL", "level RLIKE 'R$'", "n IS NULL", "team = level", "NULL", "ts > '2027-01-01'",
]  # fmt: skip


@st.composite
def conditions(draw: st.DrawFn, depth: int = 3) -> str:
    shape = draw(st.sampled_from(["test", "and", "or", "not"])) if depth else "test"
    if shape == "test":
        return draw(st.sampled_from(TESTS))
    if shape == "not":
        return f"NOT ({draw(conditions(depth - 1))})"
    children = draw(st.lists(conditions(depth - 1), min_size=2, max_size=3))
    return f" {shape} ".join(f"({child})" for child in children)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files: dict[str, str] = {}
    numbers = itertools.count()
    for team, level, time in itertools.product(TEAMS, LEVELS, TIMES):
        number = next(numbers) % 4
        day = (time or "2026-01-05")[:10].replace("-", "/")
        line = f"{time or '-'} {level or '-'} {number or '-'} {team}\n"
        key = f"{team.replace('%', '%25')}/{day}/a.log"
        # Lines that no decoder accepts, and lines that are corrupt only where the column of the wrong value is requested.
        corrupt = f"broken\n{time or '-'} {level or '-'} x {team}\nnever {level or '-'} {number} {team}\n"
        files[key] = files.get(key, "") + line + (corrupt if number == 3 else "")
    path = tmp_path_factory.mktemp("many")
    write(path, files)
    return path


@settings(max_examples=examples(30))  # each reads all files twice
@given(conditions())
def test_pruning_and_searching_lose_no_row(many: Path, where: str) -> None:
    options = {"template": "{ts:timestamp?} {level?} {n:int?} {message}", "layout": "{team}/{yyyy}/{MM}/{dd}"}
    everything = scan(many, **options).read_all().combine_chunks()
    columns = {name: everything[name].combine_chunks() for name in everything.column_names}
    truth = parse_condition(where, "UTC").bind(everything.schema).evaluate(columns, len(everything))
    expected = everything.filter(truth).to_pylist()
    summary = ScanSummary()
    found = scan(many, where=where, summary=summary, **options).read_all().to_pylist()
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert summary.records == summary.rows + summary.filtered
