"""The delimited format: the conformance suite, documented formats and options."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest

from pyspark_logs.errors import FormatError, OptionError, SchemaError
from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.decoding.requested_column import Projection, RequestedColumn
from pyspark_logs.formats.delimited.format import delimited, delimited_format
from pyspark_logs.formats.delimited.line_parser import DelimitedLineParser, DelimitedRules, DelimitedSource
from pyspark_logs.formats.delimited.spec import DelimitedField, DelimitedSpec
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.temporal import Date, Timestamp
from pyspark_logs.options import FormatOptions, parse_read_options
from pyspark_logs.records import assign_headers, read_lines
from tests.conformance.suite import FormatConformance
from tests.conformance.test_engines import DAY, INSTANT, STRING, rows_of
from tests.support.records import scan_rows, utc

ROWS = [
    {"ts": utc(2026, 11, 22, 1), "name": 'say "hi", bob', "n": 17, "cost": Decimal("3.50"), "ok": True, "on": date(2026, 11, 22)},
    {"ts": None, "name": None, "n": None, "cost": None, "ok": None, "on": None},
    {"ts": utc(2026, 11, 22, 0, 0, 0, 500000), "name": "", "n": -3, "cost": Decimal("0.00"), "ok": False, "on": None},
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
        {"time": utc(2026, 11, 22, 1), "cs_user_agent": "Mozilla/5.0 (X11)", "sc_bytes": 12},
        {"time": None, "cs_user_agent": None, "sc_bytes": None},
        {"time": utc(2026, 11, 22), "cs_user_agent": '"', "sc_bytes": 0},
    ]

    def decoder(self, schema: pa.Schema, *, judge_whole: bool = True) -> Decoder:
        return super().decoder(schema, judge_whole=judge_whole).for_header("time cs(User-Agent) sc-bytes")


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


def test_a_first_line_is_a_header_only_if_it_contains_known_names() -> None:
    assert documented("2 123 10\n2 - 11\n") == [[2, "123", None, 10], [2, None, None, 11]]
    assert documented("bytes version\n10 2\n") == [[2, None, None, 10]]


def test_a_column_combined_from_several_values() -> None:
    rows = documented("clock date account-id\n10:00:00 2026-11-22 1\n- 2026-11-22 2\n10:00:00.25 2026-11-22 3\n")
    assert [row[2] for row in rows] == [utc(2026, 11, 22, 10), None, utc(2026, 11, 22, 10, 0, 0, 250000)]
    columns = [RequestedColumn("time", Timestamp(), DelimitedSource((1, 0), "Z"))]
    assert DelimitedLineParser(SPEC.splitter, columns, DelimitedRules(2)).parse(
        "10:00 2026-11-22", TimestampContext()
    ).values == [1_795_341_600_000_000]
    reason = DelimitedLineParser(SPEC.splitter, columns, DelimitedRules(2)).parse("10:00 x", TimestampContext()).reason
    assert reason.startswith("column 'time': 'x 10:00Z': ")


def test_a_documented_format_is_written_with_the_names_of_its_header() -> None:
    schema = pa.schema([("time", INSTANT), ("bytes", pa.int64())])
    written = DOCUMENTED.writer(schema, zone="UTC", unencodable=None, forbidden_prefixes=())
    assert written.head == "date clock bytes\n"
    times = pa.array([1_795_341_600_000_000, 1_795_341_600_250_000, None], INSTANT)
    lines, found = written.line_writer.render_lines([times, pa.array([1, 2, None], pa.int64())])
    assert not found
    assert "".join(lines.to_pylist()) == "2026-11-22 10:00:00 1\n2026-11-22 10:00:00.250000 2\n- - -\n"
    assert [row[2:] for row in documented(written.head + "".join(lines.to_pylist()))] == [
        list(row) for row in zip(times.to_pylist(), [1, 2, None], strict=True)
    ]
    with pytest.raises(SchemaError, match="'other' is not in the format"):
        DOCUMENTED.writer(pa.schema([("other", STRING)]), zone="UTC", unencodable=None, forbidden_prefixes=())


def test_a_combined_column_may_not_contradict_its_values() -> None:
    """A time, its date and its clock may be written together if they agree."""
    clock = (DelimitedField("date", Date()), DelimitedField("clock"))
    spec = DelimitedSpec(" ", header="first", fields=(*SPEC.fields, *clock))
    described = delimited_format(spec, FormatOptions("preset", "flows"), "preset 'flows'")
    schema = pa.schema([("time", INSTANT), ("date", DAY), ("clock", STRING)])
    writer = described.writer(schema, zone="UTC", unencodable=None, forbidden_prefixes=()).line_writer
    ten, day = 1_795_341_600_000_000, date(2026, 11, 22)
    times = pa.array([ten, None, None, ten, None, ten + 1, ten], INSTANT)
    days = pa.array([day, None, day, day, day, day, None], DAY)
    clocks = pa.array(["10:00:00", None, None, "10:00", "10:00:00", "10:00:00", "10:00:00"])
    lines, found = writer.render_lines([times, days, clocks])
    assert lines.to_pylist()[:4] == ["2026-11-22 10:00:00\n", "- -\n", "2026-11-22 -\n", "2026-11-22 10:00\n"]
    assert [(one.column, np.flatnonzero(one.rows).tolist(), one.why) for one in found] == [
        (0, [4, 5, 6], "differs from 'date' and 'clock'")
    ]
    _, found = writer.render_lines([times[:1], days[:1], pa.array(["late"])])
    assert [one.rows.tolist() for one in found] == [[True]]
    part = described.writer(
        pa.schema([("date", DAY), ("time", INSTANT)]), zone="UTC", unencodable=None, forbidden_prefixes=()
    )
    lines, found = part.line_writer.render_lines([days[:1], times[:1]])
    assert (part.head, lines.to_pylist(), found) == ("date clock\n", ["2026-11-22 10:00:00\n"], [])


def test_ineffective_options_are_refused() -> None:
    with pytest.raises(OptionError, match="'escape' belongs to template, preset, delimited"):
        parse_read_options({"path": "x", "json": True, "escape": "backslash"})
    with pytest.raises(FormatError, match="'escape' belongs to quoted values, and quote='' says that there are none"):
        delimited(FormatOptions("delimited", ",", quote=None, escape="backslash"))
    with pytest.raises(FormatError, match="multiLine=true puts the lines that do not match into the last field"):
        delimited(FormatOptions("delimited", ",", quote=None, multi_line="true")).check_records()
    assert parse_read_options({"path": "x", "delimited": "\\t"}).format.spec == "\t"


def test_a_filter_finds_values_with_doubled_quotes(tmp_path: Path) -> None:
    """Filters search raw lines first, in which a quote within a value is doubled."""
    from pyspark_logs.predicates import In
    from pyspark_logs.reader import LogReader

    (tmp_path / "a.csv").write_text('a,b\n"say ""hi""",1\nplain,2\n' + "x,3\n" * 500)
    options = parse_read_options({"path": str(tmp_path), "delimited": ",", "header": "first"})
    for value, expected in (('say "hi"', ["1"]), ("plain", ["2"]), ("gone", [])):
        reader = LogReader(options, "a string, b string", [In("a", (value,))])
        rows = [row for task in reader.plan().tasks for batch in reader.read_task(task) for row in batch.to_pylist()]
        assert [row["b"] for row in rows] == expected


QUOTED = [
    # options, text, rows of strings; a corrupt record is a string
    ({}, 'id,"long\nname"\n1,"a\nb"\n2,c\n', [("1", "a\nb"), ("2", "c")]),
    ({}, '\ufeffid,n\r\n1,"a\r\nb"\r\n2,"c"', [("1", "a\r\nb"), ("2", "c")]),
    ({}, 'id,n\n1,"open\n2,b\n', ['1,"open', ("2", "b")]),
    ({}, 'id,n\n1,"open', ['1,"open']),
    ({}, 'id,n\n1,"a\n""b"""\n2,""\n', [("1", 'a\n"b"'), ("2", "")]),
    ({}, 'id,n\n5" disk,"a\nb"\n6" disk,c\n', [('5" disk', "a\nb"), ('6" disk', "c")]),
    ({}, 'id,n\n"a \\"q\\" b",2\n"c:\\",3\n', [('a "q" b', "2"), ("c:\\", "3")]),
    ({}, 'id,n\n"a \\"x\nq\\"",2\n"\\"",3\n"a\\",b",4\n', [('a "x\nq"', "2"), ('"', "3"), ('a",b', "4")]),
    ({"escape": "backslash"}, 'id,n\n"a\n\\"b\\"",2\n"c:\\\\",\\\\\n', [('a\n"b"', "2"), ("c:\\", "\\\\")]),
    ({"multiLine": r"^\d+,"}, 'id,n\n1,"a\nb"\n2,x\n\tat y\n3,z\n', [("1", "a\nb"), ("2", "x\n\tat y"), ("3", "z")]),
    ({"multiLine": "true"}, 'id,n\n1,"a\nb"\n2,x\n', [("1", "a\nb"), ("2", "x")]),
    ({"multiLine": r"^\d", "quote": ""}, 'id,n\n1,"a\n b"\n2,x\n', [("1", '"a\n b"'), ("2", "x")]),
    ({"quote": ""}, 'id,n\n1,"a\nb",2\n', [("1", '"a'), ('b"', "2")]),
    ({"header": "fields", "multiLine": r"^\d"}, "#Fields: id n\n1,a\n b\n#Date: x\n2,c\n d\n", [("1", "a\n b"), ("2", "c\n d")]),
    ({"encoding": "gbk"}, 'id,n\n1,"\u7684\n\u7c21"\n2,x\n', [("1", "\u7684\n\u7c21"), ("2", "x")]),
    ({"encoding": "utf-16-le"}, 'id,n\n1,"a\nb"\n', [("1", "a\nb")]),
    ({"commentPrefix": "#"}, 'id,n\n# it"s\n1,"a\n#b"\n# "\n2,x\n', [("1", "a\n#b"), ("2", "x")]),
    ({"maxRecordBytes": "7"}, 'id,n\n1,"a\nbcd"\n2,x\n', ['1,"a', 'bcd"', ("2", "x")]),
]  # fmt: skip


@pytest.mark.parametrize(("options", "text", "expected"), QUOTED)
def test_quoted_values_may_contain_line_ends(
    options: dict[str, str], text: str, expected: list[Any], tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_bytes(text.encode(options.get("encoding", "utf-8")))
    given = {"delimited": ",", "header": "first", "columnNameOfCorruptRecord": "raw", "maxPartitionBytes": 4, **options}
    found = [list(row.values()) for row in scan_rows(tmp_path, **given)]
    assert [tuple(row[:-1]) if row[-1] is None else row[-1] for row in found] == expected
