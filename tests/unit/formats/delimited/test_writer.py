"""Written lines of separated values read back."""

from __future__ import annotations

import gzip
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyspark_logs
from pyspark_logs.errors import FormatError, RecordError, SchemaError
from pyspark_logs.formats.delimited.format import delimited
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import join_quoted, read_lines
from tests.conformance.test_engines import DAY, INSTANT, STRING
from tests.reference.delimited import reference_delimited
from tests.reference.templates import same
from tests.support.effort import examples
from tests.support.formats import compile_encoder
from tests.support.records import scan_rows

thorough = settings(max_examples=examples(150), suppress_health_check=list(HealthCheck), deadline=None)


class Table(NamedTuple):
    rows: pa.RecordBatch
    options: FormatOptions
    on_unwritable: str


texts = st.text("a\"'-,| \té#N\ufeff\\", max_size=5) | st.sampled_from(
    ["", "-", "a||", "a|", "NULL", "#x", "a\nb", "\r\n", '\\"\n']
)
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
    names = [f"c{index}" for index in range(len(columns))]
    options = FormatOptions(
        "delimited", draw(st.sampled_from([",", "\t", "|", "||", " ", "-", "1", "a"])), draw(st.sampled_from(["-", "", "NULL", "a,b"])),
        encoding=draw(st.sampled_from(["utf-8", "utf-8", "latin-1", "utf-16-le"])), comment_prefix=draw(st.sampled_from([None, "#", "a"])),
        quote=(quote := draw(st.sampled_from(['"', '"', '"', "'", None]))), header=draw(st.sampled_from(["none", "first"])),
        escape="none" if quote is None else draw(st.sampled_from(["none", "backslash"])),
    )  # fmt: skip
    return Table(pa.RecordBatch.from_arrays(arrays, names), options, draw(st.sampled_from(["fail", "null", "space"])))


@thorough
@given(tables())
def test_written_lines_read_back(table: Table) -> None:
    rows, options = table.rows, table.options
    try:
        encoder = compile_encoder(options, rows.schema, on_unwritable=table.on_unwritable)
        text = encoder.head + bytes(encoder.to_bytes(encoder.encode(rows)))
    except (RecordError, SchemaError):
        return
    plain = text.decode(options.encoding)
    rule = delimited(options).quote_rule()
    found = read_lines(iter([plain.encode()]), all_blocks=True)
    found = found if rule is None else join_quoted(found, rule)
    lines = [lines.record(row).decode() for lines in found for row in range(len(lines))]
    assert len(lines) == rows.num_rows + (options.header == "first"), "no value makes or breaks a record"
    names = list(rows.schema.names)
    for line, row in zip(lines[options.header == "first" :], rows.to_pylist(), strict=True):
        assert line
        assert not line.startswith(("\ufeff", options.comment_prefix or "\n"))
        values, corrupt = reference_delimited(
            line.encode(), names, rows.schema, separator=options.spec, quote=options.quote, null_value=options.null_value,
            judge_whole=True, escapes=options.escape == "backslash",
        )  # fmt: skip
        assert not corrupt
        if table.on_unwritable == "fail":
            assert all(map(same, values.values(), row.values())), (line, row)


def test_all_characters_can_be_written(tmp_path: Path) -> None:
    rows = pa.table({"a": ["x,y", 'q"', None, "-", "", "#z", " b ", "\ufeffx"], "b": [1, -2, None, 4, 5, 6, 7, 8]})
    ends = pa.table({"a": ["x\ny", "x\r\n#y", '\\"\n\n', "\r"], "b": [1, 2, 3, 4]})
    for escape in ("none", "backslash"):
        pyspark_logs.write(ends, str(tmp_path / f"escape {escape}"), delimited=",", header="first", escape=escape)
        assert (
            scan_rows(
                tmp_path / f"escape {escape}",
                delimited=",",
                header="first",
                escape=escape,
                schema=ends.schema,
                mode="FAILFAST",
            )
            == ends.to_pylist()
        )
    for header in ("none", "first", "fields"):
        folder = tmp_path / header
        result = pyspark_logs.write(rows, str(folder), delimited=",", header=header, maxRecordsPerFile=3)
        assert result.rows == 8
        assert sorted(result.files)[0].endswith({"fields": ".log.gz"}.get(header, ".csv.gz"))
        assert scan_rows(folder, delimited=",", header=header, schema=rows.schema, mode="FAILFAST") == rows.to_pylist()
        per_file = [gzip.decompress(path.read_bytes()).decode() for path in folder.glob("*.gz")]
        forbidden_prefixes = {"none": "", "first": "a,b\n", "fields": "#Version: 1.0\n#Fields: a b\n"}[header]
        assert all(text.startswith(forbidden_prefixes) for text in per_file)
        assert sorted(text.removeprefix(forbidden_prefixes).count("\n") for text in per_file) == [2, 3, 3], (
            "a header is not a record"
        )
    with pytest.raises(RecordError, match=r"row 1 .*column 'a': 'x\\ny' holds a line end"):
        pyspark_logs.write(pa.table({"a": ["z", "x\ny"]}), str(tmp_path / "no"), delimited=",", quote="")
    with pytest.raises(RecordError, match=r"row 1 .*column 'a': .* has a zero byte at the beginning of a line"):
        pyspark_logs.write(pa.table({"a": ["z", "x\n\0y"]}), str(tmp_path / "no"), delimited=",")
    pyspark_logs.write(
        pa.table({"a": ["x\ny"], "b": [1]}), str(tmp_path / "s"), delimited=",", quote="", onUnwritable="space"
    )
    assert scan_rows(tmp_path / "s", delimited=",") == [{"_c0": "x y", "_c1": "1"}]


def test_columns_that_cannot_be_written_are_refused_before_writing(tmp_path: Path) -> None:
    def write(table: pa.Table, **options: Any) -> None:
        pyspark_logs.write(table, str(tmp_path / "x"), **{"delimited": ",", **options})

    with pytest.raises(SchemaError, match=r"'l' is array<string>, which is more than one value"):
        write(pa.table({"l": [["a"]]}))
    with pytest.raises(SchemaError, match="'a b' is not a single word"):
        write(pa.table({"a b": ["x"]}), header="fields")
    with pytest.raises(SchemaError, match="'a_b' is there twice"):
        write(pa.table({"a-b": ["x"], "a_b": ["x"]}), header="fields")
    with pytest.raises(SchemaError, match="the header 'a,b' does not read back as these names"):
        write(pa.table({"a,b": ["x"]}), header="first", quote="")
    with pytest.raises(FormatError, match="the quote '\"' is in the separator"):
        write(pa.table({"a": ["x"]}), delimited='","')
    with pytest.raises(FormatError, match="header=fields skips lines that begin with '#'; remove commentPrefix"):
        write(pa.table({"a": ["x"]}), header="fields", commentPrefix="//")
    assert not (tmp_path / "x").exists()


def test_values_that_need_quotes_are_refused_without_quotes(tmp_path: Path) -> None:
    for value in ("a|b", "-", ""):
        with pytest.raises(RecordError, match="there are no quotes"):
            pyspark_logs.write(pa.table({"a": [value], "b": [1]}), str(tmp_path), delimited="|", quote="")
