"""Headers: the names of the values of a file, of each split and of each part of a file."""

from __future__ import annotations

import gzip
from datetime import date
from functools import partial
from pathlib import Path

import pytest

import pyspark_logs
from pyspark_logs.errors import FormatError, OptionError, RecordError, SchemaError
from pyspark_logs.records import HeaderRule, assign_headers, read_lines
from tests.support.records import scan_rows


def test_names_of_a_first_line_are_kept_and_those_of_fields_lines_become_identifiers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(' Name ,"took (ms)",,name,"",x-y\n')
    first = pyspark_logs.scan(str(tmp_path), delimited=",", header="first").schema.names
    assert first == ["Name", "took (ms)", "_c2", "_c3", "_c4", "x-y"]
    (tmp_path / "a.csv").write_text("#Software: x\n#Fields: date  cs(User-Agent)\tx-edge-location sc-bytes() date\n")
    fields = pyspark_logs.scan(str(tmp_path), delimited=",", header="fields").schema.names
    assert fields == ["date", "cs_user_agent", "x_edge_location", "sc_bytes", "_c4"]


def test_columns_match_names_without_case_and_punctuation(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("X-Edge-Location,cs(User-Agent),Bytes\nFRA,curl,12\n")
    found = scan_rows(
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
    found = scan_rows(tmp_path, schema="id int, name string, extra string", mode="FAILFAST", **options)
    assert sorted(found, key=lambda row: row["id"]) == [
        {"id": 1, "name": "ann", "extra": None},
        {"id": 2, "name": "bob", "extra": "x"},
    ]


@pytest.mark.parametrize("start", ["", "\n\r\n\n", "# made by x\n\n", "\ufeff"])
def test_every_split_uses_the_first_line_of_its_file(tmp_path: Path, start: str) -> None:
    rows = [{"n": n, "name": f"name {n}"} for n in range(60)]
    text = start + "n,name\n" + "".join(f"{row['n']},{row['name']}\n" for row in rows)
    (tmp_path / "a.csv").write_text(text)
    options = {"delimited": ",", "header": "first", "commentPrefix": "#", "schema": "name string, n int, at bigint"}
    for size in (1, 5, 64, 200):
        found = scan_rows(tmp_path, maxPartitionBytes=size, openCostInBytes=1, mode="FAILFAST", **options)
        assert found == [{"name": row["name"], "n": row["n"], "at": None} for row in rows]


def test_a_record_equal_to_the_header_is_a_record(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\na,b\n" * 2)
    for size in (1, 4, 100):
        found = scan_rows(tmp_path, delimited=",", header="first", maxPartitionBytes=size, openCostInBytes=1)
        assert found == [{"a": "a", "b": "b"}] * 3


def test_a_fields_line_applies_to_the_lines_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
        assert scan_rows(tmp_path, schema=schema, maxPartitionBytes=10, **options) == expected
    assert pyspark_logs.scan(str(tmp_path), **options).schema.names == ["date", "cs_method", "sc_status"]


def test_lines_without_a_fields_line_before_them_are_corrupt(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("1 2\n#Fields: a b\n3 4\n")
    options = {"delimited": " ", "header": "fields"}
    found = scan_rows(tmp_path, schema="b int, _corrupt_record string", **options)
    assert found == [{"b": None, "_corrupt_record": "1 2"}, {"b": 4, "_corrupt_record": None}]
    with pytest.raises(RecordError, match=r"a\.log: record at byte 0 .* there is no #Fields: line before it"):
        scan_rows(tmp_path, schema="b int", mode="FAILFAST", **options)
    (tmp_path / "a.log").write_text("1 2\n")
    with pytest.raises(OptionError, match="no file of the sample has a #Fields: line"):
        pyspark_logs.scan(str(tmp_path), **options)


def test_a_header_that_is_too_long_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a," + "b" * 100 + "\n1,2\n")
    options = {"delimited": ",", "maxRecordBytes": 50, "schema": "a int"}
    with pytest.raises(
        FormatError, match=r"a\.csv: the header in the first line has 102 bytes, more than maxRecordBytes"
    ):
        scan_rows(tmp_path, header="first", **options)
    (tmp_path / "a.csv").write_text("#Fields: a " + "b" * 100 + "\n1,2\n")
    with pytest.raises(FormatError, match=r"a\.csv: a #Fields: line has 111 bytes, more than maxRecordBytes"):
        scan_rows(tmp_path, header="fields", **options)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le"])
def test_headers_are_in_the_encoding_of_the_file(tmp_path: Path, encoding: str) -> None:
    options = {"delimited": ",", "encoding": encoding, "mode": "FAILFAST"}
    (tmp_path / "a.csv").write_bytes("größe,n\nÄ,1\n".encode(encoding))
    for size in (3, 1000):
        assert scan_rows(
            tmp_path, header="first", schema="GRÖSSE string, `größe` string", maxPartitionBytes=size, **options
        ) == [{"GRÖSSE": None, "größe": "Ä"}]
    (tmp_path / "a.csv").write_bytes("#Fields: größe n\nÄ,1\n".encode(encoding))
    assert scan_rows(tmp_path, header="fields", **options) == [{"größe": "Ä", "n": "1"}]


def test_columns_without_names_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a,"b,c",\n1,2,3\n')
    assert scan_rows(tmp_path, delimited=",") == [
        {"_c0": "a", "_c1": "b,c", "_c2": None},
        {"_c0": "1", "_c1": "2", "_c2": "3"},
    ]


def test_partition_columns_are_not_read_from_lines(tmp_path: Path) -> None:
    folder = tmp_path / "day=1"
    folder.mkdir()
    (folder / "a.csv").write_text("1,2\n")
    assert scan_rows(
        tmp_path, delimited=",", schema="a int, day string, b int, _corrupt_record string", mode="FAILFAST"
    ) == [{"a": 1, "day": "1", "b": 2, "_corrupt_record": None}]


def test_the_time_column_is_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("ts,n\n2026-11-22T00:00:00Z,1\n2026-11-22T01:00:00Z,2\n")
    options = {"delimited": ",", "startTime": "2026-11-22T00:30:00Z"}
    assert scan_rows(tmp_path, header="first", timeColumn="ts", schema="n int", **options) == [{"n": 2}]
    with pytest.raises(
        SchemaError, match="column 'ts' is not in the schema, which names the values of a line if header=none"
    ):
        scan_rows(tmp_path, timeColumn="ts", schema="n int", **options)


def test_a_repeated_header_does_not_divide_a_block() -> None:
    text = b"#Fields: a b\n1 2\n#Fields: a b\n#x\n3 4\n#Fields: a b\n" * 3 + b"#Fields: b\n"
    found = list(assign_headers(read_lines(iter([text])), HeaderRule(True), path="x"))
    assert [(one.header, [one.record(row) for row in range(len(one))]) for one in found] == [
        (" a b", [b"1 2", b"3 4"] * 3),
        (" b", []),
    ]


def test_a_file_with_only_a_header_has_no_records() -> None:
    found = list(assign_headers(read_lines(iter([b"#Fields: a b\n"])), HeaderRule(True), path="x"))
    assert [(one.header, len(one)) for one in found] == [(" a b", 0)]
