"""The option ``anyOf``: members, columns, corrupt lines, filters and times."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.errors import FormatError, LogSourceError, OptionError, RecordError, SchemaError

ACCESS = '127.0.0.1 - bob [22/Nov/2026:01:00:0{} +0000] "GET /a HTTP/1.1" 200 12 "-" "curl"'
APP = {"template": "{ts:timestamp} {level} [{service}] {message}", "name": "app"}
MEMBERS: list[dict[str, Any]] = [{"preset": "nginx_combined"}, APP, {"json": True}]
LINES = [
    ACCESS.format(0),
    "2026-11-22T01:00:03Z INFO [cart] order accepted",
    '{"ts": "2026-11-22T01:00:06Z", "level": "WARN", "status": 500, "user": {"id": 7}}',
    "neither",
    ACCESS.format(9),
]


def read(folder: Path, lines: list[str], anyof: Any = None, **options: Any) -> list[dict[str, Any]]:
    (folder / "a.log").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    options = {"anyOf": MEMBERS if anyof is None else anyof, "formatColumn": "format", **options}
    with pyspark_logs.scan(str(folder / "a.log"), **options) as reader:
        return reader.read_all().to_pylist()


def names(rows: list[dict[str, Any]]) -> list[str | None]:
    return [row["format"] for row in rows]


@pytest.mark.parametrize("members", [MEMBERS, tuple(MEMBERS), json.dumps(MEMBERS)], ids=["list", "tuple", "text"])
def test_each_line_has_its_format_and_the_columns_of_all(tmp_path: Path, members: Any) -> None:
    rows = read(tmp_path, LINES, members, columnNameOfCorruptRecord="bad")
    assert names(rows) == ["nginx_combined", "app", "json", None, "nginx_combined"]
    assert [row["bad"] for row in rows] == [None, None, None, "neither", None]
    assert rows[2]["status"] == 500
    assert rows[2]["user"] == {"id": 7}
    assert rows[1]["message"] == "order accepted"
    assert list(rows[0])[-2:] == ["format", "bad"]
    assert {key: value for key, value in rows[3].items() if value is not None} == {"bad": "neither"}


def test_the_format_of_a_line_does_not_depend_on_the_requested_columns(tmp_path: Path) -> None:
    """The first member matches the beginning of the lines of the second, and all of it if a number is read as a string."""
    members = [
        {"template": "{level} {n:long} {rest:long}", "name": "numbers"},
        {"template": "{level} {n} {message}", "name": "words"},
    ]
    lines = ["INFO 1 2", "INFO 1 x", "INFO y 2"]
    for schema in ("format string", "level string, format string", "level string, n string, format string"):
        assert names(read(tmp_path, lines, members, schema=schema)) == ["numbers", "words", "words"], schema


def test_a_value_that_is_not_of_the_requested_type_keeps_the_format(tmp_path: Path) -> None:
    members = [{"template": "{a} {n:long}", "name": "first"}, {"json": True}]
    lines = ["x 5000000000", "x 5", '{"n": "y", "a": "z"}']
    rows = read(
        tmp_path, lines, members, schema="a string, n int, format string, bad string", columnNameOfCorruptRecord="bad"
    )
    assert names(rows) == ["first", "first", "json"]
    assert [row["a"] for row in rows] == ["x", "x", "z"]
    assert [row["n"] for row in rows] == [None, 5, None]
    assert [row["bad"] for row in rows] == [lines[0], None, lines[2]]


def test_the_reason_is_that_of_each_member(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"nginx_combined: no .*; app: no .*; json: not a line of JSON"):
        read(tmp_path, ["neither - or"], mode="FAILFAST", schema="level string")
    bad = tmp_path / "bad"
    read(tmp_path, LINES, badRecordsPath=str(bad), schema="level string, format string")
    [record] = [json.loads(line) for file in bad.rglob("*.json*") for line in file.read_text().splitlines()]
    assert record["record"] == "neither"
    assert record["reason"].startswith("it matches no format of anyOf: nginx_combined: ")
    assert len(read(tmp_path, LINES, mode="DROPMALFORMED")) == 4


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("format = 'app'", ["app"]),
        ("level = 'INFO'", ["app"]),
        ("level IN ('WARN', 'INFO')", ["app", "json"]),
        ("request LIKE '%/a%'", ["nginx_combined"] * 2),
        ("level IS NULL AND request IS NULL", [None]),
        ("status >= 500", ["json"]),
    ],
)
def test_conditions(tmp_path: Path, where: str, expected: list[str | None]) -> None:
    """Literals are searched for in the lines of the members that have the column, and not for names of formats."""
    assert names(read(tmp_path, LINES * 30, where=where)) == expected * 30


def test_times_of_members_with_other_columns(tmp_path: Path) -> None:
    second = dt.datetime(2026, 11, 22, 1, 0, 1, tzinfo=dt.timezone.utc)
    for schema in ("format string", "time_local timestamp, ts timestamp, format string"):
        rows = read(tmp_path, LINES[:3] + LINES[4:], schema=schema, startTime=second, endTime=second.replace(second=6))
        assert names(rows) == ["app"]
    rows = read(tmp_path, LINES[:3] + LINES[4:], schema="format string", startTime=second, timeColumn="ts")
    assert names(rows) == ["app", "json", "nginx_combined"]


@pytest.mark.parametrize(
    ("left", "right", "merged"),
    [
        ("int", "long", "int64"),
        ("long", "double", "double"),
        ("int", "double", "double"),
        ("string", "string", "string"),
    ],
)
def test_types_are_widened(tmp_path: Path, left: str, right: str, merged: str) -> None:
    members = [{"template": f"a {{x:{left}}}", "name": "a"}, {"template": f"b {{X:{right}}}", "name": "b"}]
    (tmp_path / "a.log").write_text("a 1\nb 2\n")
    table = pyspark_logs.scan(str(tmp_path / "a.log"), anyOf=members).read_all()
    assert str(table.schema) == f"x: {merged}"
    assert [str(value) for value in table["x"].cast(pa.float64()).fill_null(-1).to_pylist()] == [
        "1.0",
        "2.0",
    ] or left == "string"


def test_types_without_a_common_one_need_a_schema(tmp_path: Path) -> None:
    members = [{"template": "a {x:timestamp}", "name": "a"}, {"template": "b {x:long}", "name": "b"}]
    with pytest.raises(SchemaError, match=r"'x' is timestamp in member 0 \(a\) and bigint in member 1 \(b\).*schema"):
        read(tmp_path, ["a 2026-11-22", "b 7"], members)
    rows = read(tmp_path, ["a 2026-11-22T00:00:00Z", "b 7"], members, schema="x string, format string")
    assert [row["x"] for row in rows] == ["2026-11-22T00:00:00Z", "7"]
    with pytest.raises(SchemaError, match=r"'ts' is timestamp in member 1 \(app\) and bigint in member 2 \(json\)"):
        read(tmp_path, [LINES[1], '{"ts": 1}'])


def test_inferred_columns_take_the_types_of_documented_ones(tmp_path: Path) -> None:
    rows = read(tmp_path, [LINES[1], '{"ts": null, "message": {"a": 1}, "service": 7, "x": 1}', '{"x": 2.5}'])
    assert [row["x"] for row in rows] == [None, 1.0, 2.5]
    assert rows[1]["message"] == '{"a":1}'
    assert rows[1]["service"] == "7"
    members = [{"json": True}, {"logfmt": True}]
    rows = read(tmp_path, ['{"a": 1, "b": 1}', "a=x b=2"], members)
    assert rows == [{"a": "1", "b": 1, "format": "json"}, {"a": "x", "b": 2, "format": "logfmt"}]


def test_rescued_data_is_that_of_open_members(tmp_path: Path) -> None:
    rows = read(tmp_path, LINES[1:3], schema="level string, rest string", rescuedDataColumn="rest")
    assert [json.loads(row["rest"] or "{}") for row in rows] == [
        {},
        {"ts": "2026-11-22T01:00:06Z", "status": 500, "user": {"id": 7}},
    ]


def test_records_of_several_lines(tmp_path: Path) -> None:
    lines = [LINES[1], "java.lang.Error", "  at x", LINES[0], LINES[1], "  at y", LINES[2], "  at z"]
    rows = read(
        tmp_path,
        lines,
        multiLine=True,
        schema="format string, message string, bad string",
        columnNameOfCorruptRecord="bad",
    )
    assert names(rows) == ["app", "nginx_combined", "app", None]
    assert rows[0]["message"] == "order accepted\njava.lang.Error\n  at x"
    assert rows[3]["bad"] == LINES[2] + "\n  at z"
    with pytest.raises(FormatError, match="no member of anyOf can take further lines"):
        read(tmp_path, lines, [{"json": True}, {"logfmt": True}], multiLine=True, schema="a string")
    rows = read(tmp_path, ["a", "b", "a"], [{"template": "{x}", "name": "t"}], multiLine="^a", schema="x string")
    assert [row["x"] for row in rows] == ["a\nb", "a"]


def test_parts_of_a_member_are_joined(tmp_path: Path) -> None:
    cri = "2026-11-22T01:00:00.1Z stdout {} {}"
    lines = [cri.format("P", "one "), LINES[1], cri.format("F", "two")]
    members = [{"preset": "cri"}, APP]
    rows = read(tmp_path, lines, members)
    assert {row["format"]: row["log"] or row["message"] for row in rows} == {"cri": "one two", "app": "order accepted"}
    assert len(read(tmp_path, lines, members, joinParts=False)) == 3
    with pytest.raises(FormatError, match=r"member 0 \(cri\) and member 1 \(docker_json\) have different ones"):
        read(tmp_path, lines, [{"preset": "cri"}, {"preset": "docker_json"}])


def test_comments_and_delimited_members(tmp_path: Path) -> None:
    members = [{"delimited": "|", "schema": "ts timestamp, n int", "commentPrefix": "#"}, APP]
    rows = read(tmp_path, ["# x", "2026-11-22T00:00:00Z|7", "2026-11-22T00:00:00Z|x", LINES[1]], members)
    assert names(rows) == ["delimited", None, "app"]
    assert [row["n"] for row in rows] == [7, None, None]


@pytest.mark.parametrize(
    ("members", "options", "message"),
    [
        ([], {}, "is not a list of formats"),
        ("{", {}, "is not a JSON list of objects"),
        ('[{"json": true, "json": false}]', {}, "a key of json is there twice"),
        (["json"], {}, "member 0: 'json' is not an object of options"),
        ([{"preset": "klog"}, {"encoding": "x", "json": True}], {}, "member 1: option 'encoding': .* give it beside anyOf"),
        ([{"json": True, "multiLine": True}], {}, "member 0: option 'multiLine': .* give it beside anyOf"),
        ([{"json": True, "nulValue": "-"}], {}, "member 0: unknown key 'nulValue'; did you mean 'nullValue'"),
        ([{"json": True, "JSON": True}], {}, "member 0: 'json' is given twice"),
        ([{"name": "x"}], {}, "member 0: exactly one of .* none is given"),
        ([{"json": True, "nullValue": "x"}], {}, "member 0: option 'nullValue' belongs to"),
        ([{"anyOf": []}], {}, "member 0: option 'anyOf': lists of formats cannot be nested"),
        ([{"formatClass": "a:B"}], {}, "member 0: option 'formatClass': a class decodes whole files"),
        ([{"delimited": ",", "header": "first"}], {}, "member 0: option 'header': the columns"),
        ([{"delimited": ","}], {}, "member 0: delimited lines do not name their values; give the member a 'schema'"),
        ([{"json": True, "schema": "a int"}], {}, "member 0: 'schema' belongs to delimited"),
        ([{"preset": "w3c_iis"}], {}, r"member 0 \(w3c_iis\): the columns of its lines depend on a header"),
        ([{"preset": "aws_cloudtrail"}], {}, r"member 0 \(aws_cloudtrail\): its files are JSON documents"),
        ([{"preset": "klog"}, {"template": "{a}{b}"}], {}, r"member 1 \(template\): "),
        ([{"template": "{a}"}, {"template": "b {a}"}], {}, "members 0 and 1 are both named 'template'"),
        ([{"template": "{format}"}], {}, "'formatColumn': a member has a column 'format', too"),
        ([{"template": "{a}"}], {"nullValue": "x"}, "'nullValue' .* put it into the members of anyOf"),
        ([{"template": "{a}"}], {"rescuedDataColumn": "x"}, "anyOf has no such member"),
        ([{"template": "{a}"}], {"schema": "b string"}, "column 'b' is not there"),
        ([{"template": "{a}"}], {"schema": "format int"}, "'format' .* declare it a string"),
        ([{"template": "{a:map}", "name": "m"}], {"schema": "a date"}, r"member 0 \(m\) of anyOf: column 'a'"),
    ],
)  # fmt: skip
def test_errors_name_the_member(tmp_path: Path, members: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(LogSourceError, match=message):
        read(tmp_path, ["x"], members, **options)


def test_the_format_column_belongs_to_any_of(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="'formatColumn' belongs to anyOf"):
        pyspark_logs.scan(str(tmp_path), json=True, formatColumn="x")


def test_a_path_column_and_a_column_of_a_member(tmp_path: Path) -> None:
    """A column of a documented member comes from the line; a key of JSON gives way to the path."""
    directory = tmp_path / "cart" / "eu"
    directory.mkdir(parents=True)
    (directory / "a.log").write_text(LINES[1] + '\n{"region": "us", "n": 1}\n')
    with pyspark_logs.scan(str(tmp_path), anyOf=[APP, {"json": True}], layout="{service}/{region}") as reader:
        rows = reader.read_all().to_pylist()
    assert [row["service"] for row in rows] == ["cart", None]
    assert [row["region"] for row in rows] == ["eu", "eu"]
    assert [row["n"] for row in rows] == [None, 1]
