"""Values between separators: what lines mean, which header they are under, and that what is written reads back."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import date, datetime, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyspark_logs
from pyspark_logs.errors import FormatError, OptionError, RecordError, SchemaError
from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.delimited.engine import DelimitedEngine
from pyspark_logs.formats.delimited.format import delimited_format
from pyspark_logs.formats.delimited.line_parser import DelimitedLineParser, DelimitedRules, DelimitedSource
from pyspark_logs.formats.delimited.spec import DelimitedField, DelimitedSpec
from pyspark_logs.formats.delimited.splitter import ValueSplitter
from pyspark_logs.formats.encoder import compile_encoder
from pyspark_logs.formats.registry import compile_decoder
from pyspark_logs.formats.requested_column import Projection, RequestedColumn
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.temporal import Date, Timestamp
from pyspark_logs.options import FormatOptions, parse_read_options
from pyspark_logs.records import HeaderRule, Lines, assign_headers, find_lines, read_lines, sanitise
from tests.conformance.suite import FormatConformance
from tests.conformance.test_engines import DAY, INSTANT, STRING, WALL, rows_of
from tests.reference.delimited import reference_delimited
from tests.reference.templates import same
from tests.support import strategies

thorough = settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)


def scan(path: Path, **options: Any) -> list[dict[str, Any]]:
    return pyspark_logs.scan(str(path), **options).read_all().to_pylist()


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[arg-type, misc]


# ---------------------------------------------------------------------------------------------- the suite of all

ROWS = [
    {"ts": at(2026, 11, 22, 1), "name": 'say "hi", bob', "n": 17, "cost": Decimal("3.50"), "ok": True, "on": date(2026, 11, 22)},
    {"ts": None, "name": None, "n": None, "cost": None, "ok": None, "on": None},
    {"ts": at(2026, 11, 22, 0, 0, 0, 500000), "name": "", "n": -3, "cost": Decimal("0.00"), "ok": False, "on": None},
    {"ts": None, "name": "-", "n": 0, "cost": None, "ok": None, "on": None},
]  # fmt: skip
SCHEMA = "ts timestamp, name string, n int, cost decimal(9,2), ok boolean, on date"
LINES = [
    '2026-11-22T01:00:00Z,"say ""hi"", bob",17,3.50,true,2026-11-22',
    "-,-,,-,,",
    '2026-11-22 01:00:00.5+01:00,"",-3,0,0,""',
    '-,"-",000,-,-,-',
]
HEAD = "ts,name,n,cost,ok,on\n"


class TestFirst(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"delimited": ",", "header": "first", "schema": SCHEMA}
    head: ClassVar[str] = HEAD
    lines: ClassVar[list[str]] = LINES
    rows: ClassVar[list[dict[str, Any]]] = ROWS

    def decoder(self, schema: pa.Schema, *, judge_whole: bool = True) -> Decoder:
        return super().decoder(schema, judge_whole=judge_whole).for_header(self.head.strip())


class TestNone(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"delimited": ",", "schema": SCHEMA}
    lines: ClassVar[list[str]] = LINES
    rows: ClassVar[list[dict[str, Any]]] = ROWS

    def test_each_column_alone_is_what_it_is_among_all(self, tmp_path: Path) -> None:
        """Here the schema is the format: one column is a line of one value."""
        assert self.read(tmp_path, "a\n-\n", schema="x string") == [{"x": "a"}, {"x": None}]

    def test_columns_in_the_other_order(self, tmp_path: Path) -> None:
        assert self.read(tmp_path, "a,b\n", schema="b string, a string") == [{"b": "a", "a": "b"}]


class TestFields(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"delimited": "\\t", "header": "fields", "quote": "", "schema": "time timestamp, cs_user_agent string, sc_bytes bigint"}  # fmt: skip
    head: ClassVar[str] = "#Version: 1.0\n#Fields: time cs(User-Agent) sc-bytes\n"
    lines: ClassVar[list[str]] = ["2026-11-22T01:00:00Z\tMozilla/5.0 (X11)\t12", "-\t-\t-", '2026-11-22T00:00\t"\t0']
    rows: ClassVar[list[dict[str, Any]]] = [
        {"time": at(2026, 11, 22, 1), "cs_user_agent": "Mozilla/5.0 (X11)", "sc_bytes": 12},
        {"time": None, "cs_user_agent": None, "sc_bytes": None},
        {"time": at(2026, 11, 22), "cs_user_agent": '"', "sc_bytes": 0},
    ]

    def decoder(self, schema: pa.Schema, *, judge_whole: bool = True) -> Decoder:
        return super().decoder(schema, judge_whole=judge_whole).for_header("time cs(User-Agent) sc-bytes")


# ------------------------------------------------------------------------------------- the engines and the letter

TYPES = [
    STRING,
    STRING,
    STRING,
    pa.int32(),
    pa.int64(),
    pa.int8(),
    pa.float64(),
    pa.bool_(),
    DAY,
    INSTANT,
    WALL,
    pa.decimal128(5, 2),
]
PLAIN = [
    "",
    "-",
    "--",
    "a",
    "a b",
    "é→",
    "0",
    "-1",
    "12",
    "300",
    "1.5",
    "1e3",
    "true",
    "2026-11-22",
    "2026-11-22T10:00:00Z",
    "x" * 30,
]


class Query(NamedTuple):
    lines: list[bytes]
    names: list[str]
    schema: pa.Schema
    options: dict[str, Any]
    judge_whole: bool
    zone: str
    block_bytes: int


@st.composite
def cells(draw: st.DrawFn, separator: str, quote: str | None) -> str:
    text = draw(st.sampled_from(PLAIN) | st.text('a" \t,|é', max_size=4))
    if quote is None or draw(st.integers(0, 2)):
        return text if draw(st.integers(0, 9)) == 0 else text.replace(separator, "_")
    inside = draw(st.sampled_from([text, text + separator, separator, quote, ""]))
    return quote + inside.replace(quote, 2 * quote) + quote


@st.composite
def queries(draw: st.DrawFn) -> Query:
    separator = draw(st.sampled_from([",", ",", "\t", "|", " ", "||", "ab", "é", "-", "1"]))
    quote = draw(st.sampled_from(['"', '"', '"', None, "'", "«"]))
    count = draw(st.integers(1, 5))
    names = [f"c{place}" for place in range(count)]
    rows = draw(st.lists(st.lists(cells(separator, quote), min_size=count, max_size=count), min_size=1, max_size=12))
    lines = []
    for row in rows:
        extra = draw(st.sampled_from([0, 0, 0, 0, 0, 1, -1]))
        line = separator.join([*row, "x"] if extra > 0 else row[:-1] if extra < 0 else row).encode()
        for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1]))):
            line = draw(strategies.broken(line, [(quote or '"').encode(), separator.encode(), b"\r"]))
        line = line.replace(b"\n", b"?").rstrip(b"\r")
        if line and not line.startswith(strategies.BOM):
            lines.append(line)
    wanted = draw(st.lists(st.sampled_from([*names, "missing"]), min_size=1, max_size=4, unique=True))
    schema = pa.schema([pa.field(name, draw(st.sampled_from(TYPES))) for name in wanted])
    options = {"separator": separator, "quote": quote, "null_value": draw(st.sampled_from(["-", "-", "", "a", "NULL"])), "allow_trailing": draw(st.booleans())}  # fmt: skip
    return Query(lines, names, schema, options, draw(st.booleans()), draw(st.sampled_from(["UTC", "Europe/Berlin"])), draw(st.sampled_from([1, 60, 10_000])))  # fmt: skip


def decoder_of(query: Query) -> Decoder:
    options = FormatOptions(
        "delimited", query.options["separator"], query.options["null_value"], quote=query.options["quote"],
        allow_trailing=query.options["allow_trailing"], header="fields",
    )  # fmt: skip
    return compile_decoder(options, query.schema, judge_whole=query.judge_whole).for_header(" ".join(query.names))


@thorough
@given(queries())
def test_the_engines_give_what_the_reference_gives(query: Query) -> None:
    found = map(sanitise, read_lines(iter([b"\n".join(query.lines)]), block_bytes=query.block_bytes))
    rows, corrupt = rows_of(decoder_of(query), found, TimestampContext(query.zone))
    assert len(rows) == len(query.lines)
    for line, row, bad in zip(query.lines, rows, corrupt, strict=True):
        values, expected = reference_delimited(
            line, query.names, query.schema, judge_whole=query.judge_whole, zone=query.zone, **query.options
        )
        assert all(map(same, row, values.values())), (line, row, values)
        assert bad == expected, line


def several(records: list[bytes]) -> Lines:
    """Records that may have line ends within them, as those that are joined of several lines."""
    ends = np.cumsum([len(record) + 1 for record in records]).astype(np.int32) - np.int32(1)
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int32)
    return Lines(b"\n".join(records) + b"\n", starts, ends, 0)


@thorough
@given(st.lists(st.text('a",\n', min_size=1, max_size=8), min_size=1, max_size=8))
def test_records_of_several_lines(records: list[str]) -> None:
    lines = [record.encode() for record in records]
    schema = pa.schema([("a", STRING), ("b", STRING)])
    decoder = compile_decoder(FormatOptions("delimited", ","), schema, judge_whole=True)
    rows, corrupt = rows_of(decoder, iter([several(lines)]), TimestampContext())
    for line, row, bad in zip(lines, rows, corrupt, strict=True):
        values, expected = reference_delimited(line, ["a", "b"], schema, separator=",", quote='"', judge_whole=True)
        assert (row, bad) == (list(values.values()), expected), line


@thorough
@given(st.lists(st.lists(st.text("ab\", '-é", max_size=6), min_size=3, max_size=3), min_size=1, max_size=8))
def test_what_the_standard_library_writes(rows: list[list[str]]) -> None:
    """Another writer of RFC 4180. Its empty texts stand without quotes, so they are null here."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    decoder = compile_decoder(FormatOptions("delimited", ","), pa.schema([(name, STRING) for name in "abc"]))
    found, corrupt = rows_of(decoder, read_lines(iter([text.getvalue().encode()])), TimestampContext())
    assert not any(corrupt)
    assert found == [[None if value in ("", "-") else value for value in row] for row in rows]


def test_clean_lines_never_reach_the_exact_parser() -> None:
    """Quoted or not, and lines around one that is broken."""
    slots = [
        RequestedColumn("a", Integer(32), DelimitedSource((0,))),
        RequestedColumn("c", Timestamp(), DelimitedSource((2,))),
    ]
    rules = DelimitedRules(3)
    lines = [
        b'1,"x, ""y""",2026-11-22T10:00:00Z',
        b'2,"a"b,2026-11-22T10:00:00Z',
        b'"3",z,"2026-11-22T10:00:00Z"',
        b'4,"open,-',
    ]
    block = find_lines(b"\n".join(lines * 50), 0)
    sure = DelimitedEngine(ValueSplitter(",", '"'), slots, rules).parse(
        block.block, block.starts, block.ends, TimestampContext()
    )
    assert sure is not None
    assert sure.rows is not None
    assert sure.rows.tolist() == [row for row in range(200) if row % 4 in (0, 2)]
    assert sure.columns[0].to_pylist() == [1, 3] * 50


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('a,"b', "a quote is not closed, at byte 2"),
        ('é,"b"c,d', "there is text after a closing quote, at byte 6"),
        ("a,b", "it has 2 of 3 values"),
        ("a,b,1,d", "it has more than 3 values"),
        ("a,b,x", "column 'n': 'x': not a whole number"),
    ],
)
def test_why_a_line_is_corrupt(line: str, reason: str) -> None:
    slots = [RequestedColumn("n", Integer(32), DelimitedSource((2,)))]
    assert (
        DelimitedLineParser(ValueSplitter(",", '"'), slots, DelimitedRules(3)).parse(line, TimestampContext()).reason
        == reason
    )


def test_a_line_is_judged_up_to_the_last_value_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a,b,c\n1,2\n3,4,5,6\n7,8,"\n9,0,"x"y\n')
    options = {"delimited": ",", "header": "first"}
    assert scan(tmp_path, schema="a int", **options) == [{"a": value} for value in (1, 3, 7, 9)]
    assert [row["b"] for row in scan(tmp_path, schema="b int", **options)] == [None, 4, 8, 0], (
        "what ends it must be there"
    )
    judged = scan(tmp_path, schema="a int, _corrupt_record string", **options)
    assert [row["_corrupt_record"] for row in judged] == ["1,2", "3,4,5,6", '7,8,"', '9,0,"x"y']


def test_further_values_are_fine_where_they_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2,3\n1,2\n")
    found = scan(tmp_path, delimited=",", schema="a int, b int", allowTrailing=True, mode="FAILFAST")
    assert found == [{"a": 1, "b": 2}] * 2


# ----------------------------------------------------------------------------------------------------- headers


def test_names_as_they_stand_or_as_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(' Name ,"took (ms)",,name,"",x-y\n')
    first = pyspark_logs.scan(str(tmp_path), delimited=",", header="first").schema.names
    assert first == ["Name", "took (ms)", "_c2", "_c3", "_c4", "x-y"]
    (tmp_path / "a.csv").write_text("#Software: x\n#Fields: date  cs(User-Agent)\tx-edge-location sc-bytes() date\n")
    fields = pyspark_logs.scan(str(tmp_path), delimited=",", header="fields").schema.names
    assert fields == ["date", "cs_user_agent", "x_edge_location", "sc_bytes", "_c4"]


def test_a_schema_finds_its_columns_whatever_their_case_and_punctuation(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("X-Edge-Location,cs(User-Agent),Bytes\nFRA,curl,12\n")
    found = scan(
        tmp_path,
        delimited=",",
        header="first",
        schema="bytes int, cs_user_agent string, x_edge_location string, gone int",
    )
    assert found == [{"bytes": 12, "cs_user_agent": "curl", "x_edge_location": "FRA", "gone": None}]


@pytest.mark.parametrize("name", ["b.csv", "b.csv.gz"])
def test_each_file_is_read_by_its_own_header(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text("id,name\n1,ann\n")
    new = b"name,extra,id\nbob,x,2\n"
    (tmp_path / name).write_bytes(gzip.compress(new) if name.endswith("gz") else new)
    (tmp_path / "c.csv").write_text("\n\n")
    (tmp_path / "d.csv").write_text("id,name\n")
    options = {"delimited": ",", "header": "first"}
    assert pyspark_logs.scan(str(tmp_path), **options).schema.names == ["id", "name"], "of the first file by key"
    found = scan(tmp_path, schema="id int, name string, extra string", mode="FAILFAST", **options)
    assert sorted(found, key=lambda row: row["id"]) == [
        {"id": 1, "name": "ann", "extra": None},
        {"id": 2, "name": "bob", "extra": "x"},
    ]


@pytest.mark.parametrize("start", ["", "\n\r\n\n", "# made by x\n\n", "\ufeff"])
def test_splits_know_the_first_line(tmp_path: Path, start: str) -> None:
    rows = [{"n": n, "name": f"name {n}"} for n in range(60)]
    text = start + "n,name\n" + "".join(f"{row['n']},{row['name']}\n" for row in rows)
    (tmp_path / "a.csv").write_text(text)
    options = {"delimited": ",", "header": "first", "commentPrefix": "#", "schema": "name string, n int, at bigint"}
    for size in (1, 5, 64, 200):
        found = scan(tmp_path, maxPartitionBytes=size, openCostInBytes=1, mode="FAILFAST", **options)
        assert found == [{"name": row["name"], "n": row["n"], "at": None} for row in rows]


def test_a_record_like_the_header_is_a_record(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\na,b\n" * 2)
    for size in (1, 4, 100):
        found = scan(tmp_path, delimited=",", header="first", maxPartitionBytes=size, openCostInBytes=1)
        assert found == [{"a": "a", "b": "b"}] * 3


def test_a_fields_line_in_mid_file_is_for_what_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "#Software: Microsoft Internet Information Services 10.0\n#Fields: date cs-method sc-status\n"
        "2026-11-22 GET 200\n2026-11-22 POST 500\n#Version: 1.0\n#Fields: sc-status date\n404 2026-11-23\n"
        "#Fields: cs-method\n#Fields: date sc-status cs-method\n2026-11-24 301 PUT\n#end\n"
    )  # fmt: skip
    (tmp_path / "u_ex.log").write_text(text)
    options = {"delimited": " ", "header": "fields", "mode": "FAILFAST"}
    expected = [
        {"sc_status": 200, "cs_method": "GET", "date": date(2026, 11, 22)},
        {"sc_status": 500, "cs_method": "POST", "date": date(2026, 11, 22)},
        {"sc_status": 404, "cs_method": None, "date": date(2026, 11, 23)},
        {"sc_status": 301, "cs_method": "PUT", "date": date(2026, 11, 24)},
    ]
    schema = "sc_status int, cs_method string, date date"
    for size in (1, 20, 10_000):
        monkeypatch.setattr("pyspark_logs.split_reader.read_lines", partial(read_lines, block_bytes=size))
        assert scan(tmp_path, schema=schema, maxPartitionBytes=10, **options) == expected
    assert pyspark_logs.scan(str(tmp_path), **options).schema.names == ["date", "cs_method", "sc_status"]


def test_lines_without_a_fields_line_before_them_are_corrupt(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("1 2\n#Fields: a b\n3 4\n")
    options = {"delimited": " ", "header": "fields"}
    found = scan(tmp_path, schema="b int, _corrupt_record string", **options)
    assert found == [{"b": None, "_corrupt_record": "1 2"}, {"b": 4, "_corrupt_record": None}]
    with pytest.raises(RecordError, match=r"a\.log: record at byte 0 .* there is no #Fields: line before it"):
        scan(tmp_path, schema="b int", mode="FAILFAST", **options)
    (tmp_path / "a.log").write_text("1 2\n")
    with pytest.raises(OptionError, match="no file of the sample has a #Fields: line"):
        pyspark_logs.scan(str(tmp_path), **options)


def test_a_header_that_is_too_long_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a," + "b" * 100 + "\n1,2\n")
    options = {"delimited": ",", "maxRecordBytes": 50, "schema": "a int"}
    with pytest.raises(
        FormatError, match=r"a\.csv: the header in the first line has 102 bytes, more than maxRecordBytes"
    ):
        scan(tmp_path, header="first", **options)
    (tmp_path / "a.csv").write_text("#Fields: a " + "b" * 100 + "\n1,2\n")
    with pytest.raises(FormatError, match=r"a\.csv: a #Fields: line has 111 bytes, more than maxRecordBytes"):
        scan(tmp_path, header="fields", **options)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le"])
def test_headers_are_in_the_encoding_of_the_file(tmp_path: Path, encoding: str) -> None:
    options = {"delimited": ",", "encoding": encoding, "mode": "FAILFAST"}
    (tmp_path / "a.csv").write_bytes("größe,n\nÄ,1\n".encode(encoding))
    for size in (3, 1000):
        assert scan(
            tmp_path, header="first", schema="GRÖSSE string, `größe` string", maxPartitionBytes=size, **options
        ) == [{"GRÖSSE": None, "größe": "Ä"}]
    (tmp_path / "a.csv").write_bytes("#Fields: größe n\nÄ,1\n".encode(encoding))
    assert scan(tmp_path, header="fields", **options) == [{"größe": "Ä", "n": "1"}]


def test_without_names_there_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a,"b,c",\n1,2,3\n')
    assert scan(tmp_path, delimited=",") == [
        {"_c0": "a", "_c1": "b,c", "_c2": None},
        {"_c0": "1", "_c1": "2", "_c2": "3"},
    ]


def test_partition_columns_are_no_values_of_a_line(tmp_path: Path) -> None:
    folder = tmp_path / "day=1"
    folder.mkdir()
    (folder / "a.csv").write_text("1,2\n")
    assert scan(
        tmp_path, delimited=",", schema="a int, day string, b int, _corrupt_record string", mode="FAILFAST"
    ) == [{"a": 1, "day": "1", "b": 2, "_corrupt_record": None}]


def test_times_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("ts,n\n2026-11-22T00:00:00Z,1\n2026-11-22T01:00:00Z,2\n")
    options = {"delimited": ",", "startTime": "2026-11-22T00:30:00Z"}
    assert scan(tmp_path, header="first", timeColumn="ts", schema="n int", **options) == [{"n": 2}]
    with pytest.raises(SchemaError, match="column 'ts' is not in the schema, which says what the values of a line are"):
        scan(tmp_path, timeColumn="ts", schema="n int", **options)


def test_a_header_that_comes_again_cuts_nothing() -> None:
    text = b"#Fields: a b\n1 2\n#Fields: a b\n#x\n3 4\n#Fields: a b\n" * 3 + b"#Fields: b\n"
    found = list(assign_headers(read_lines(iter([text])), HeaderRule(True), path="x"))
    assert [(one.header, [one.record(row) for row in range(len(one))]) for one in found] == [
        (" a b", [b"1 2", b"3 4"] * 3),
        (" b", []),
    ]


def test_empty_lines_of_a_file_with_a_header_only() -> None:
    found = list(assign_headers(read_lines(iter([b"#Fields: a b\n"])), HeaderRule(True), path="x"))
    assert [(one.header, len(one)) for one in found] == [(" a b", 0)]


# ------------------------------------------------------------------------------- formats that document their fields

SPEC = DelimitedSpec(
    " ",
    header="first",
    fields=(
        DelimitedField("version", Integer(32)),
        DelimitedField("account_id", values=("account-id",)),
        DelimitedField("time", Timestamp(), values=("date", "clock"), suffix="Z"),
        DelimitedField("bytes", Integer(64)),
    ),
    headerless_names=("version", "account-id", "bytes"),
    known_names_only=True,
)
DOCUMENTED = delimited_format(SPEC, FormatOptions("preset", "flows"), "preset 'flows'")


def documented(text: str) -> list[list[Any]]:
    rule = SPEC.header_rule()
    assert rule is not None
    decoder = DOCUMENTED.decoder(Projection(DOCUMENTED.schema()))
    found, corrupt = [], []
    for lines in assign_headers(read_lines(iter([text.encode()])), rule, path="x"):
        rows, bad = rows_of(decoder.for_header(lines.header), iter([lines]), TimestampContext("Europe/Berlin"))
        found += rows
        corrupt += bad
    assert not any(corrupt)
    return found


def test_a_first_line_is_a_header_only_if_it_holds_known_names() -> None:
    assert documented("2 123 10\n2 - 11\n") == [[2, "123", None, 10], [2, None, None, 11]]
    assert documented("bytes version\n10 2\n") == [[2, None, None, 10]]


def test_a_column_of_several_values() -> None:
    rows = documented("clock date account-id\n10:00:00 2026-11-22 1\n- 2026-11-22 2\n10:00:00.25 2026-11-22 3\n")
    assert [row[2] for row in rows] == [at(2026, 11, 22, 10), None, at(2026, 11, 22, 10, 0, 0, 250000)]
    slots = [RequestedColumn("time", Timestamp(), DelimitedSource((1, 0), "Z"))]
    assert DelimitedLineParser(SPEC.splitter, slots, DelimitedRules(2)).parse(
        "10:00 2026-11-22", TimestampContext()
    ).values == [1_795_341_600_000_000]
    reason = DelimitedLineParser(SPEC.splitter, slots, DelimitedRules(2)).parse("10:00 x", TimestampContext()).reason
    assert reason.startswith("column 'time': 'x 10:00Z': ")


def test_a_documented_format_is_written_with_its_own_names() -> None:
    schema = pa.schema([("time", INSTANT), ("bytes", pa.int64())])
    written = DOCUMENTED.writer(schema, zone="UTC", unencodable=None, forbidden_prefixes=())
    assert written.head == "date clock bytes\n"
    times = pa.array([1_795_341_600_000_000, 1_795_341_600_250_000, None], INSTANT)
    lines, found = written.writer.lines([times, pa.array([1, 2, None], pa.int64())])
    assert not found
    assert "".join(lines.to_pylist()) == "2026-11-22 10:00:00 1\n2026-11-22 10:00:00.250000 2\n- - -\n"
    assert [row[2:] for row in documented(written.head + "".join(lines.to_pylist()))] == [
        list(row) for row in zip(times.to_pylist(), [1, 2, None], strict=True)
    ]
    with pytest.raises(SchemaError, match="'other' is not in the format"):
        DOCUMENTED.writer(pa.schema([("other", STRING)]), zone="UTC", unencodable=None, forbidden_prefixes=())


def test_a_time_and_the_date_and_clock_that_it_is_made_of() -> None:
    """All three may be written, as they are read: if they say the same."""
    clock = (DelimitedField("date", Date()), DelimitedField("clock"))
    spec = DelimitedSpec(" ", header="first", fields=(*SPEC.fields, *clock))
    described = delimited_format(spec, FormatOptions("preset", "flows"), "preset 'flows'")
    schema = pa.schema([("time", INSTANT), ("date", DAY), ("clock", STRING)])
    writer = described.writer(schema, zone="UTC", unencodable=None, forbidden_prefixes=()).writer
    ten, day = 1_795_341_600_000_000, date(2026, 11, 22)
    times = pa.array([ten, None, None, ten, None, ten + 1, ten], INSTANT)
    days = pa.array([day, None, day, day, day, day, None], DAY)
    clocks = pa.array(["10:00:00", None, None, "10:00", "10:00:00", "10:00:00", "10:00:00"])
    lines, found = writer.lines([times, days, clocks])
    assert lines.to_pylist()[:4] == ["2026-11-22 10:00:00\n", "- -\n", "2026-11-22 -\n", "2026-11-22 10:00\n"]
    assert [(one.column, np.flatnonzero(one.rows).tolist(), one.why) for one in found] == [
        (0, [4, 5, 6], "is not what 'date' and 'clock' say")
    ]
    _, found = writer.lines([times[:1], days[:1], pa.array(["late"])])
    assert [one.rows.tolist() for one in found] == [[True]]
    part = described.writer(
        pa.schema([("date", DAY), ("time", INSTANT)]), zone="UTC", unencodable=None, forbidden_prefixes=()
    )
    lines, found = part.writer.lines([days[:1], times[:1]])
    assert (part.head, lines.to_pylist(), found) == ("date clock\n", ["2026-11-22 10:00:00\n"], [])


# ------------------------------------------------------------------------------------------------------- writing


class Table(NamedTuple):
    rows: pa.RecordBatch
    options: FormatOptions
    on_unwritable: str


texts = st.text("a\"'-,| \té#N\ufeff", max_size=5) | st.sampled_from(["", "-", "a||", "a|", "NULL", "#x"])
COLUMNS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (STRING, texts), (STRING, texts), (pa.int32(), st.integers(-(2**31), 2**31 - 1)), (pa.float64(), st.floats(allow_nan=False)),
    (pa.bool_(), st.booleans()), (DAY, st.dates()), (INSTANT, st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(timezone.utc))),
    (pa.decimal128(9, 2), st.decimals(-999, 999, places=2)),
]  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> Table:
    columns = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4))
    count = draw(st.integers(1, 6))
    arrays = [
        pa.array(draw(st.lists(st.none() | values, min_size=count, max_size=count)), dtype) for dtype, values in columns
    ]
    names = [f"c{place}" for place in range(len(columns))]
    options = FormatOptions(
        "delimited", draw(st.sampled_from([",", "\t", "|", "||", " ", "-", "1", "a"])), draw(st.sampled_from(["-", "", "NULL", "a,b"])),
        encoding=draw(st.sampled_from(["utf-8", "utf-8", "latin-1", "utf-16-le"])), comment_prefix=draw(st.sampled_from([None, "#", "a"])),
        quote=draw(st.sampled_from(['"', '"', '"', "'", None])), header=draw(st.sampled_from(["none", "first"])),
    )  # fmt: skip
    return Table(pa.RecordBatch.from_arrays(arrays, names), options, draw(st.sampled_from(["fail", "null", "space"])))


@thorough
@given(tables())
def test_what_is_written_reads_back(table: Table) -> None:
    rows, options = table.rows, table.options
    try:
        encoder = compile_encoder(options, rows.schema, on_unwritable=table.on_unwritable)
        text = encoder.head + bytes(encoder.to_bytes(encoder.encode(rows)))
    except (RecordError, SchemaError):
        return
    plain = text.decode(options.encoding)
    lines = plain.split("\n")[:-1]
    assert len(lines) == rows.num_rows + (options.header == "first"), "no value makes or breaks a record"
    names = list(rows.schema.names)
    for line, row in zip(lines[options.header == "first" :], rows.to_pylist(), strict=True):
        assert line
        assert not line.startswith(("\ufeff", options.comment_prefix or "\n"))
        values, corrupt = reference_delimited(
            line.encode(), names, rows.schema, separator=options.spec, quote=options.quote, null_value=options.null_value,
            judge_whole=True,
        )  # fmt: skip
        assert not corrupt
        if table.on_unwritable == "fail":
            assert all(map(same, values.values(), row.values())), (line, row)


def test_all_but_line_ends_is_writable(tmp_path: Path) -> None:
    rows = pa.table({"a": ["x,y", 'q"', None, "-", "", "#z", " b ", "\ufeffx"], "b": [1, -2, None, 4, 5, 6, 7, 8]})
    for header in ("none", "first", "fields"):
        folder = tmp_path / header
        result = pyspark_logs.write(rows, str(folder), delimited=",", header=header, maxRecordsPerFile=3)
        assert result.rows == 8
        assert sorted(result.files)[0].endswith({"fields": ".log.gz"}.get(header, ".csv.gz"))
        assert scan(folder, delimited=",", header=header, schema=rows.schema, mode="FAILFAST") == rows.to_pylist()
        per_file = [gzip.decompress(path.read_bytes()).decode() for path in folder.glob("*.gz")]
        forbidden_prefixes = {"none": "", "first": "a,b\n", "fields": "#Version: 1.0\n#Fields: a b\n"}[header]
        assert all(text.startswith(forbidden_prefixes) for text in per_file)
        assert sorted(text.removeprefix(forbidden_prefixes).count("\n") for text in per_file) == [2, 3, 3], (
            "a header is no record"
        )
    with pytest.raises(RecordError, match=r"row 1 .*column 'a': 'x\\ny' holds a line end"):
        pyspark_logs.write(pa.table({"a": ["-", "x\ny"]}), str(tmp_path / "no"), delimited=",")
    pyspark_logs.write(pa.table({"a": ["x\ny"], "b": [1]}), str(tmp_path / "s"), delimited=",", onUnwritable="space")
    assert scan(tmp_path / "s", delimited=",") == [{"_c0": "x y", "_c1": "1"}]


def test_what_cannot_be_written_is_said_before_anything_is(tmp_path: Path) -> None:
    def write(table: pa.Table, **options: Any) -> None:
        pyspark_logs.write(table, str(tmp_path / "x"), **{"delimited": ",", **options})

    with pytest.raises(SchemaError, match=r"'l' is list<.*>, which is more than one value"):
        write(pa.table({"l": [["a"]]}))
    with pytest.raises(SchemaError, match="'a b' is no name of one word"):
        write(pa.table({"a b": ["x"]}), header="fields")
    with pytest.raises(SchemaError, match="'a_b' is there twice"):
        write(pa.table({"a-b": ["x"], "a_b": ["x"]}), header="fields")
    with pytest.raises(SchemaError, match="the header 'a,b' would be read otherwise"):
        write(pa.table({"a,b": ["x"]}), header="first", quote="")
    with pytest.raises(FormatError, match="the quote '\"' is in the separator"):
        write(pa.table({"a": ["x"]}), delimited='","')
    with pytest.raises(FormatError, match="header=fields takes lines that begin with '#' for no records"):
        write(pa.table({"a": ["x"]}), header="fields", commentPrefix="//")
    assert not (tmp_path / "x").exists()


def test_without_quotes_what_would_be_cut_or_null_is_refused(tmp_path: Path) -> None:
    for value in ("a|b", "-", ""):
        with pytest.raises(RecordError, match="there are no quotes"):
            pyspark_logs.write(pa.table({"a": [value], "b": [1]}), str(tmp_path), delimited="|", quote="")


# ------------------------------------------------------------------------------------------------------- options


def test_options_that_mean_nothing_here_are_refused() -> None:
    with pytest.raises(OptionError, match="'escape' belongs to template"):
        parse_read_options({"path": "x", "delimited": ",", "escape": "backslash"})
    with pytest.raises(OptionError, match="'rescuedDataColumn'"):
        parse_read_options({"path": "x", "delimited": ",", "rescuedDataColumn": "r"})
    assert parse_read_options({"path": "x", "delimited": "\\t"}).format.spec == "\t"


def test_a_filter_finds_values_that_are_written_otherwise(tmp_path: Path) -> None:
    """Filters search raw lines first; a quote within a value is doubled there."""
    from pyspark_logs.predicates import In
    from pyspark_logs.reader import LogReader

    (tmp_path / "a.csv").write_text('a,b\n"say ""hi""",1\nplain,2\n' + "x,3\n" * 500)
    options = parse_read_options({"path": str(tmp_path), "delimited": ",", "header": "first"})
    for value, expected in (('say "hi"', ["1"]), ("plain", ["2"]), ("gone", [])):
        reader = LogReader(options, "a string, b string", [In("a", (value,))])
        rows = [row for task in reader.plan().tasks for batch in reader.read_task(task) for row in batch.to_pylist()]
        assert [row["b"] for row in rows] == expected
