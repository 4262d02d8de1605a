"""The engine and the line parser of separated values decode lines as the reference does."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.delimited.engine import DelimitedEngine
from pyspark_logs.formats.delimited.line_parser import DelimitedLineParser, DelimitedRules, DelimitedSource
from pyspark_logs.formats.delimited.splitter import ValueSplitter
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.temporal import Timestamp
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import find_lines, read_lines, sanitise
from tests.conformance.test_engines import STRING, rows_of
from tests.reference.delimited import reference_delimited
from tests.reference.templates import same
from tests.support import strategies
from tests.support.effort import examples
from tests.support.formats import compile_decoder
from tests.support.records import multiline_records, scan_rows

thorough = settings(max_examples=examples(150), suppress_health_check=list(HealthCheck), deadline=None)


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
    names = [f"c{index}" for index in range(count)]
    rows = draw(st.lists(st.lists(cells(separator, quote), min_size=count, max_size=count), min_size=1, max_size=12))
    lines = []
    for row in rows:
        extra = draw(st.sampled_from([0, 0, 0, 0, 0, 1, -1]))
        line = separator.join([*row, "x"] if extra > 0 else row[:-1] if extra < 0 else row).encode()
        for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1]))):
            line = draw(strategies.broken(line, [(quote or '"').encode(), separator.encode(), b"\r"]))
        line = line.replace(b"\n", b"?").rstrip(b"\r\0")
        if line and not line.startswith((strategies.BOM, b"\0")):
            lines.append(line)
    wanted = draw(st.lists(st.sampled_from([*names, "missing"]), min_size=1, max_size=4, unique=True))
    schema = pa.schema([pa.field(name, draw(strategies.arrow_types)) for name in wanted])
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
def test_lines_are_decoded_as_by_the_reference(query: Query) -> None:
    found = map(sanitise, read_lines(iter([b"\n".join(query.lines)]), block_bytes=query.block_bytes))
    rows, corrupt = rows_of(decoder_of(query), found, TimestampContext(query.zone))
    assert len(rows) == len(query.lines)
    for line, row, bad in zip(query.lines, rows, corrupt, strict=True):
        values, expected = reference_delimited(
            line, query.names, query.schema, judge_whole=query.judge_whole, zone=query.zone, **query.options
        )
        assert all(map(same, row, values.values())), (line, row, values)
        assert bad == expected, line


@thorough
@given(st.lists(st.text('a",\n\\', min_size=1, max_size=8), min_size=1, max_size=8), st.booleans())
def test_records_of_several_lines(records: list[str], escapes: bool) -> None:
    lines = [record.encode() for record in records]
    schema = pa.schema([("a", STRING), ("b", STRING)])
    options = FormatOptions("delimited", ",", escape="backslash" if escapes else "none")
    decoder = compile_decoder(options, schema, judge_whole=True)
    rows, corrupt = rows_of(decoder, iter([multiline_records(lines)]), TimestampContext())
    for line, row, bad in zip(lines, rows, corrupt, strict=True):
        values, expected = reference_delimited(
            line, ["a", "b"], schema, separator=",", quote='"', judge_whole=True, escapes=escapes
        )
        assert (row, bad) == (list(values.values()), expected), line


@thorough
@given(st.lists(st.lists(st.text("ab\", '-é", max_size=6), min_size=3, max_size=3), min_size=1, max_size=8))
def test_lines_written_by_the_standard_library(rows: list[list[str]]) -> None:
    """The csv module writes empty strings without quotes, so that they are read as null."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    decoder = compile_decoder(FormatOptions("delimited", ","), pa.schema([(name, STRING) for name in "abc"]))
    found, corrupt = rows_of(decoder, read_lines(iter([text.getvalue().encode()])), TimestampContext())
    assert not any(corrupt)
    assert found == [[None if value in ("", "-") else value for value in row] for row in rows]


def test_the_engine_decodes_all_valid_lines() -> None:
    """Quoted values are decoded, and so are the lines next to a corrupt line."""
    columns = [
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
    decoded = DelimitedEngine(ValueSplitter(",", '"'), columns, rules).parse(
        block.block, block.starts, block.ends, TimestampContext()
    )
    assert decoded is not None
    assert decoded.rows is not None
    assert decoded.rows.tolist() == [row for row in range(200) if row % 4 in (0, 2)]
    assert decoded.columns[0].to_pylist() == [1, 3] * 50


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
def test_reasons_for_corrupt_lines(line: str, reason: str) -> None:
    columns = [RequestedColumn("n", Integer(32), DelimitedSource((2,)))]
    assert (
        DelimitedLineParser(ValueSplitter(",", '"'), columns, DelimitedRules(3)).parse(line, TimestampContext()).reason
        == reason
    )


def test_a_line_is_validated_up_to_the_last_requested_value(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a,b,c\n1,2\n3,4,5,6\n7,8,"\n9,0,"x"y\n')
    options = {"delimited": ",", "header": "first"}
    assert scan_rows(tmp_path, schema="a int", **options) == [{"a": value} for value in (1, 3, 7, 9)]
    assert [row["b"] for row in scan_rows(tmp_path, schema="b int", **options)] == [None, 4, 8, 0], (
        "what ends it must be there"
    )
    judged = scan_rows(tmp_path, schema="a int, _corrupt_record string", **options)
    assert [row["_corrupt_record"] for row in judged] == ["1,2", "3,4,5,6", '7,8,"', '9,0,"x"y']


def test_allow_trailing_accepts_further_values(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2,3\n1,2\n")
    found = scan_rows(tmp_path, delimited=",", schema="a int, b int", allowTrailing=True, mode="FAILFAST")
    assert found == [{"a": 1, "b": 2}] * 2
