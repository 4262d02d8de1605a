"""Headers: the names of the values of a file, of each split and of each part of a file."""

from __future__ import annotations

import gzip
import logging
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.errors import FormatError, OptionError, RecordError, SchemaError
from pyspark_logs.records import HeaderRule, assign_headers, read_lines
from tests.support.log_files import CODECS
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


def test_a_record_equal_to_the_header_but_for_quotes_is_a_record(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a,b\na,"b"\n' * 2 + '"a",b\n')
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
        monkeypatch.setattr("pyspark_logs.text_lines.read_lines", partial(read_lines, block_bytes=size))
        assert scan_rows(tmp_path, schema=schema, maxPartitionBytes=10, **options) == expected
    assert pyspark_logs.scan(str(tmp_path), **options).schema.names == ["date", "cs_method", "sc_status"]


def test_lines_without_a_fields_line_before_them_are_corrupt(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("1 2\n#Fields: a b\n3 4\n")
    options = {"delimited": " ", "header": "fields"}
    found = scan_rows(tmp_path, schema="b int, _corrupt_record string", **options)
    assert found == [{"b": None, "_corrupt_record": "1 2"}, {"b": 4, "_corrupt_record": None}]
    with pytest.raises(RecordError, match=r"a\.log: record at byte 0 .* there is no #Fields: line before it"):
        scan_rows(tmp_path, schema="b int", mode="FAILFAST", **options)
    (tmp_path / "a.log").write_text("#Fields:\n1 2\n#Fields: a b\n3 4\n#Fields: \n5 6\n")
    found = scan_rows(tmp_path, schema="b int, _corrupt_record string", **options)
    assert [(row["b"], row["_corrupt_record"]) for row in found] == [(None, "1 2"), (4, None), (None, "5 6")]
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


ZEEK = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2026-11-22-01-00-00\n"
    "#fields\tts\tuid\tid.orig_h\tagent\n#types\ttime\tstring\taddr\tstring\n"
)


def test_a_header_of_zeek_names_values_without_quotes(tmp_path: Path) -> None:
    lines = '1795309211.452687\tC1\t192.0.2.7\t"x\n1795309212.0\tC2\t-\ty"\n'
    (tmp_path / "conn.log").write_text(f"{ZEEK}{lines}#close\t2026-11-22-02-00-00\n{ZEEK}1.5\tC3\t::1\tz\n")
    options = {
        "delimited": "\\t",
        "header": "fields",
        "schema": "ts double, uid string, id_orig_h string, agent string",
    }
    found = scan_rows(tmp_path, mode="FAILFAST", **options)
    assert [tuple(row.values()) for row in found] == [
        (1795309211.452687, "C1", "192.0.2.7", '"x'),
        (1795309212.0, "C2", None, 'y"'),
        (1.5, "C3", "::1", "z"),
    ]
    assert pyspark_logs.detect(str(tmp_path))[0].options == {"delimited": "\t", "header": "fields"}


@pytest.mark.parametrize("fields", ["#Fields:", "#fields:", "#FIELDS:"])
def test_a_preset_with_headers_has_the_columns_that_only_the_file_names(tmp_path: Path, fields: str) -> None:
    text = f"{fields} date time cs-uri-stem OriginalIP cost\n2026-11-22 01:00:11 /x 192.0.2.5 7\n"
    (tmp_path / "a.log").write_text(text)
    found = scan_rows(tmp_path, preset="w3c_iis", schema="cs_uri_stem string, originalip string, cost int, gone string")
    assert found == [{"cs_uri_stem": "/x", "originalip": "192.0.2.5", "cost": 7, "gone": None}]
    assert scan_rows(tmp_path, preset="w3c_iis", schema="cs_uri_stem string", where="originalip = 'x'") == []
    assert "originalip" not in pyspark_logs.scan(str(tmp_path), preset="w3c_iis").schema.names
    with pytest.raises(OptionError, match="'originalip' is not a timestamp of the format"):
        pyspark_logs.scan(str(tmp_path), preset="w3c_iis", timeColumn="originalip", startTime="2026-11-22")


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({}, "id,n\n1,2\nid,n\n3,4\n", [("1", "2"), ("3", "4")]),
        ({}, "id,n\r\n1,2\r\nid,n\r\n3,4\r\nn,id\r\n", [("1", "2"), ("3", "4"), ("n", "id")]),
        ({}, "\ufeffid,n\n1,2\n\ufeffid,n\n3,4\n", [("1", "2"), ("3", "4")]),
        ({}, '"id","n"\n1,2\n"id","n"\n3,4\n', [("1", "2"), ("3", "4")]),
        ({}, 'id,n\n"id",n\nid,N\n', [("id", "n"), ("id", "N")]),
        ({"quote": "", "maxPartitionBytes": 4}, "id,n\n1,2\nid,n\nn,id\n3,4\n", [("1", "2"), ("n", "id"), ("3", "4")]),
        ({"schema": "id string"}, "id\n1\nid\n", [("1",), ("id",)]),
    ],
)
def test_a_header_that_a_concatenated_file_repeats_is_no_record(
    tmp_path: Path, options: dict[str, Any], text: str, expected: list[tuple[str, ...]]
) -> None:
    (tmp_path / "a.csv").write_text(text, newline="")
    found = scan_rows(tmp_path, **{"delimited": ",", "header": "first", "schema": "id string, n string", **options})
    assert [tuple(row.values()) for row in found] == expected


def test_names_in_another_order_are_a_header_from_there_on(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id,n,x\n1,2,3\n\ufeffx,id,n\n6,4,5\nx,x,n\nx,id,"n"\nid,n,x\n7,8,9\n')
    options = {"delimited": ",", "header": "first", "mode": "FAILFAST"}
    found = scan_rows(tmp_path, **options)
    assert ["".join(row.values()) for row in found] == ["123", "456", "xnx", "idnx", "789"]
    with pytest.raises(
        FormatError, match=r"a\.csv: the line at byte 13 has the names of .* in another order: 'x,id,n'"
    ):
        scan_rows(tmp_path, maxPartitionBytes=30, openCostInBytes=1, schema="id string", **options)
    rows = pa.table({"a": ["c"], "b": ["a"], "c": ["b"]})
    pyspark_logs.write(rows, str(tmp_path / "b"), delimited=",", header="first")
    assert scan_rows(tmp_path / "b", **options) == rows.to_pylist()


@pytest.mark.parametrize(
    ("options", "text", "rows"),
    [
        (
            {"delimited": ",", "header": "first"},
            ' \na,b\n   \n1,"x\n \ny"\n\t\r\n,\n',
            [("1", "x\n \ny"), (None, None)],
        ),
        ({"delimited": ",", "schema": "a string"}, 'x\n  \n"  "\n', [("x",), ("  ",)]),
        ({"delimited": "\\t", "schema": "a string, b string"}, "  \nx\ty\n\t\n", [("x", "y"), (None, None)]),
        ({"preset": "w3c_iis", "schema": "date string"}, "#Fields: date time c-ip\n1 2 3\n  \n\t\n", [("1",)]),
        ({"preset": "aws_cloudfront", "schema": "c_ip string"}, "#Fields: date c-ip\n1\tx\n\t\n  \n", [("x",)]),
    ],
)
def test_lines_of_blanks_are_no_records(
    tmp_path: Path, options: dict[str, str], text: str, rows: list[tuple[str | None, ...]]
) -> None:
    (tmp_path / "a.csv").write_text(text, newline="")
    assert [tuple(row.values()) for row in scan_rows(tmp_path, mode="FAILFAST", **options)] == rows


def test_a_row_of_blanks_is_written_in_quotes(tmp_path: Path) -> None:
    rows = pa.table({"a": ["  ", "", "x", "\t"]})
    pyspark_logs.write(rows, str(tmp_path / "a"), delimited=",", header="first")
    assert scan_rows(tmp_path / "a", delimited=",", header="first", mode="FAILFAST") == rows.to_pylist()


def test_a_row_like_the_header_is_written_in_quotes(tmp_path: Path) -> None:
    rows = pa.table({"id": ["id", "n", "1"], "n": ["n", "id", "2"]})
    options = {"delimited": ",", "header": "first"}
    pyspark_logs.write(rows, str(tmp_path / "a"), **options)
    assert scan_rows(tmp_path / "a", mode="FAILFAST", **options) == rows.to_pylist()
    with pytest.raises(RecordError, match="makes a line of names, which is a header"):
        pyspark_logs.write(rows, str(tmp_path / "b"), quote="", **options)


class TestConcatenatedFiles:
    CSV = (b"id,n\n1,2\n", b"n,id\n3,4\n", b"\xef\xbb\xbfID,n\n5,6\n7,8\n", b"n,x,id\n0,9,9\n", b"10,11\n")
    EXPECTED = (("1", "2"), ("4", "3"), ("5", "6"), ("7", "8"), ("9", "0"))

    @pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
    @pytest.mark.parametrize("ended", [True, False])
    def test_the_first_line_of_a_member_of_names_is_a_header(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, ended: bool
    ) -> None:
        compress = next(make for end, make in CODECS.values() if end == suffix)
        members = [part if ended else part.removesuffix(b"\n") for part in self.CSV[:4]]
        (tmp_path / f"a.csv{suffix}").write_bytes(b"".join(map(compress, members)))
        offsets = [b"".join(members).index(row) for row in (b"1,2", b"3,4", b"5,6", b"7,8", b"0,9,9")]
        options = {"delimited": ",", "header": "first", "commentPrefix": "#"}
        options["schema"] = "id string, n string, _metadata struct<record_offset: bigint>"
        for size in (1, 9, 1000):
            monkeypatch.setattr("pyspark_logs.text_lines.read_lines", partial(read_lines, block_bytes=size))
            found = scan_rows(tmp_path, mode="FAILFAST", **options)
            assert [(row["id"], row["n"]) for row in found] == list(self.EXPECTED)
            assert [row["_metadata"]["record_offset"] for row in found] == offsets

    @pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
    def test_a_member_without_a_last_line_end_between_other_records(self, tmp_path: Path, encoding: str) -> None:
        members = ["ä,ö\n1,ü\n2,ü", "ö,ä\n3,ü\n\n4,ü", "", "ö,ß,ä\nü,5,ü\n"]
        (tmp_path / "a.csv.gz").write_bytes(b"".join(gzip.compress(part.encode(encoding)) for part in members))
        options = {"delimited": ",", "header": "first", "mode": "FAILFAST", "encoding": encoding}
        found = scan_rows(tmp_path, schema="`ä` string, `ö` string", **options)
        assert [(row["ä"], row["ö"]) for row in found] == [("1", "ü"), ("2", "ü"), ("ü", "3"), ("ü", "4"), ("ü", "ü")]

    def test_a_header_resembles_the_header_before_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        members = [b"id,n\n1,2\n", b"id,n,x,y\n3,4,5,6\n", b"x,y,z\n7,8,9\n"]
        (tmp_path / "a.csv.gz").write_bytes(b"".join(map(gzip.compress, members)))
        for size in (1, 1000):
            monkeypatch.setattr("pyspark_logs.text_lines.read_lines", partial(read_lines, block_bytes=size))
            found = scan_rows(tmp_path, delimited=",", header="first", schema="id int, y int", mode="FAILFAST")
            assert [(row["id"], row["y"]) for row in found] == [(1, None), (3, 6), (None, 8)]

    def test_members_that_begin_anywhere_lose_no_row(self, tmp_path: Path) -> None:
        """As block-wise compressors and appending writers make them."""
        text = b"id,n\n" + b"".join(b"%d,name %d\n" % (n, n) for n in range(200))
        (tmp_path / "a.csv.gz").write_bytes(b"".join(gzip.compress(text[at : at + 7]) for at in range(0, len(text), 7)))
        found = scan_rows(tmp_path, delimited=",", header="first", mode="FAILFAST")
        assert [(row["id"], row["n"]) for row in found] == [(str(n), f"name {n}") for n in range(200)]
        text = b"id\npaid\nid\n1\n"
        for at in range(text.index(b"aid"), text.index(b"d\nid")):
            (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text[:at]) + gzip.compress(text[at:]))
            found = scan_rows(tmp_path, delimited=",", header="first", mode="FAILFAST")
            assert [row["id"] for row in found] == ["paid", "id", "1"], at
        (tmp_path / "a.csv.gz").write_bytes(
            gzip.compress(b"id,n\n1,2\n") + gzip.compress(b"id,3\n") + gzip.compress(b"4,5")
        )
        assert [row["id"] for row in scan_rows(tmp_path, delimited=",", header="first")] == ["1", "id", "4"]

    @pytest.mark.parametrize("name", ["a.log", "a.log.gz"])
    def test_documented_names_are_a_header_anywhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        parts = [
            "2 123 eni-1 10.0.0.1 10.0.0.2 1 22 6 20 4249 1795309211 1795309270 ACCEPT OK",
            "version account-id srcaddr dstaddr",
            "2 123 10.0.0.3 10.0.0.4",
            "dstaddr srcaddr",
            "srcaddr dstaddr",
            "10.0.0.5 10.0.0.6",
            "dstaddr srcaddr version",
            "10.0.0.8 10.0.0.7 2",
        ]
        text = "".join(part + "\n" for part in parts).encode()
        (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
        for size in (1, 100, 10_000):
            monkeypatch.setattr("pyspark_logs.text_lines.read_lines", partial(read_lines, block_bytes=size))
            found = scan_rows(
                tmp_path, preset="aws_vpc_flow", schema="srcaddr string, dstaddr string", mode="FAILFAST",
                maxPartitionBytes=10, openCostInBytes=1,
            )  # fmt: skip
            assert found == [{"srcaddr": f"10.0.0.{n}", "dstaddr": f"10.0.0.{n + 1}"} for n in (1, 3, 5, 7)]

    @pytest.mark.parametrize("end", ["\n", ""])
    @pytest.mark.parametrize("start", ["\ufeff", "", "#Software: x\n"])
    def test_w3c_files(self, tmp_path: Path, end: str, start: str) -> None:
        one = f"#Software: x\n#Fields: date cs-method\n2026-11-22 GET{end}"
        other = f"{start}#Fields: cs-method date\nPUT 2026-11-23\n"
        (tmp_path / "a.log.gz").write_bytes(gzip.compress(one.encode()) + gzip.compress(other.encode()))
        found = scan_rows(
            tmp_path, delimited=" ", header="fields", schema="date date, cs_method string", mode="FAILFAST"
        )
        assert [row["cs_method"] for row in found] == ["GET", "PUT"]

    def test_a_row_that_would_be_a_header_is_not_written(self, tmp_path: Path) -> None:
        rows = pa.table({"action": ["type", "ACCEPT"], "log_status": ["bytes", "OK"]})
        with pytest.raises(RecordError, match="makes a line of names, which is a header"):
            pyspark_logs.write(rows, str(tmp_path / "out"), preset="aws_vpc_flow")
        written = pyspark_logs.write(rows.slice(1), str(tmp_path / "out"), preset="aws_vpc_flow")
        assert written.rows == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_a_header_that_names_none_of_the_columns_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, threads: int
) -> None:
    for name in ("a.csv", "b.csv"):  # small files are decoded together
        (tmp_path / name).write_text("name;n\nx;1\ny;2\n")

    def messages(**options: Any) -> list[str]:
        caplog.clear()
        load = {"delimited": ",", "header": "first", "schema": "name string, n int", **options}
        with caplog.at_level(logging.WARNING):
            pyspark_logs.scan(tmp_path, threads=threads, **load).read_all()
        return [record.getMessage() for record in caplog.records]

    (message,) = messages()
    assert message.startswith(
        f"{tmp_path}/a.csv: the header 'name;n' names none of the columns name, n, which are null"
    )
    assert messages(quiet=True) == []
    assert messages(delimited=";") == []
    assert messages(delimited=";", schema="x string, N int") == []
    (message,) = messages(delimited=";", schema="x string, rest map<string,string>", rescuedDataColumn="rest")
    assert "names none of the columns x, which" in message
    (message,) = messages(delimited=";", schema=", ".join(f"x{index} int" for index in range(11)))
    assert "the columns x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, ..., which" in message


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", "sep=\t", "\ufeffsep=;"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_that_tells_excel_the_separator_is_not_the_header(tmp_path: Path, first: str, end: str) -> None:
    separator = first[-1]
    rows = [{"name": f"n{index}", "n": str(index)} for index in range(20)]
    lines = [first, f"name{separator}n", *(separator.join(row.values()) for row in rows)]
    (tmp_path / "a.csv").write_text(end.join(lines) + end, newline="")
    load = {"delimited": "\\t" if separator == "\t" else separator, "header": "first"}
    assert scan_rows(tmp_path, **load) == rows
    for quote in ('"', ""):
        for size in (1, 5, 7, 20, 40):
            assert scan_rows(tmp_path, maxPartitionBytes=size, quote=quote, **load) == rows
    (tmp_path / "a.csv").write_bytes(gzip.compress((end.join(lines) + end).encode()) * 2)
    assert scan_rows(tmp_path, **load) == rows + rows
    (tmp_path / "a.csv").write_text(first)
    assert scan_rows(tmp_path, schema="name string", quiet=True, **load) == []
