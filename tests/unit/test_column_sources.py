"""The schema asked for: what it may select, reorder, widen, narrow and cast, and what it may not."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.errors import FormatError, OptionError, SchemaError
from pyspark_logs.options import parse_read_options
from pyspark_logs.schema_inference import infer_schema
from tests.support.log_files import read, write

TEMPLATE = "{ts:timestamp} {n:int} {big:long} {d:double} {tags:list(,)} {kv:map}"
LINE = "2026-11-22T23:30:00Z 7 5000000000 1.5 a,b k=v\n"
INSTANT = datetime(2026, 11, 22, 23, 30, tzinfo=timezone.utc)


class TestFullSchema:
    def test_format_then_partitions_then_metadata_then_the_corrupt_column(self) -> None:
        options = parse_read_options({
            "path": "/x", "template": "{a} {b:int}", "layout": "{team}/{yyyy}", "metadata": "true", "columnNameOfCorruptRecord": "raw",
        })  # fmt: skip
        schema = infer_schema(options)
        assert schema.startswith("a string, b int, team string, _metadata struct<file_path:string,")
        assert schema.endswith(",record_offset:bigint>, raw string")

    @pytest.mark.parametrize(
        "options",
        [
            {"template": "{raw}", "columnNameOfCorruptRecord": "RAW"}, {"template": "{_metadata}", "metadata": True},
            {"template": "{a}", "layout": "{raw}", "columnNameOfCorruptRecord": "raw"},
        ],
    )  # fmt: skip
    def test_no_column_twice(self, options: dict[str, Any], tmp_path: Path) -> None:
        with pytest.raises(OptionError, match="would appear twice"):
            read(tmp_path, **options)


class TestOwnSchema:
    @pytest.mark.parametrize(
        ("schema", "values"),
        [
            ("d double, n int", [1.5, 7]),
            ("BIG bigint, Ts timestamp", [5_000_000_000, INSTANT]),
            ("n bigint, ts timestamp_ntz", [7, datetime(2026, 11, 23, 0, 30)]),
            ("n tinyint, ts date", [7, date(2026, 11, 23)]),
            ("n double, d float, big decimal(20,2)", [7.0, 1.5, Decimal("5000000000.00")]),
            ("d decimal(2,1), n string", [Decimal("1.5"), "7"]),
            ("ts string, tags string, kv string", ["2026-11-22T23:30:00Z", "a,b", "k=v"]),
            ("tags array<string>, kv map<string,string>", [["a", "b"], {"k": "v"}]),
        ],
    )
    def test_selects_reorders_and_retypes(self, schema: str, values: list[object], tmp_path: Path) -> None:
        write(tmp_path, {"a.log": LINE * 3})
        rows = read(tmp_path, template=TEMPLATE, schema=schema, timeZone="Europe/Berlin")
        assert [list(row.values()) for row in rows] == [values] * 3
        assert list(rows[0]) == [column.split()[0] for column in schema.split(", ")]

    def test_texts_become_what_the_schema_says(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "1|2.50|true|2026-11-22|2026-11-22 01:00:00|1,2\nx|x|x|x|x|x\n"})
        schema = "a int, b decimal(5,2), c boolean, d date, e timestamp_ntz, f array<int>"
        rows = read(tmp_path, template="{a}|{b}|{c}|{d}|{e}|{f:list(,)}", schema=schema, timeZone="Asia/Tokyo")
        assert list(rows[0].values()) == [
            1,
            Decimal("2.50"),
            True,
            date(2026, 11, 22),
            datetime(2026, 11, 22, 1),
            [1, 2],
        ]
        assert list(rows[1].values()) == [None] * 6

    def test_what_does_not_fit_a_narrower_type_is_corrupt(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "300 x\n-128 y\n"})
        rows = read(tmp_path, template="{n:int} {m}", schema="n tinyint, m string, _corrupt_record string")
        assert rows == [
            {"n": None, "m": "x", "_corrupt_record": "300 x"}, {"n": -128, "m": "y", "_corrupt_record": None},
        ]  # fmt: skip

    def test_only_its_columns_are_judged(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "1 x\nmany y\n1\n"})
        options: dict[str, Any] = {"template": "{n:int} {m}", "mode": "DROPMALFORMED"}
        assert len(read(tmp_path, schema="m string", **options)) == 2
        assert len(read(tmp_path, schema="n int", **options)) == 1
        # With the raw text lines are judged whole.
        assert len(read(tmp_path, schema="m string, _corrupt_record string", **options)) == 1

    def test_a_pyarrow_schema(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": LINE})
        schema = pa.schema([("n", pa.uint8()), ("tags", pa.list_(pa.large_string()))])
        table = pyspark_logs.scan(tmp_path, template=TEMPLATE, schema=schema).read_all()
        assert table.schema.types == [pa.int16(), pa.list_(pa.field("element", pa.string()))]


class TestRefused:
    @pytest.mark.parametrize(
        ("schema", "error", "message"),
        [
            (
                "nothing int",
                SchemaError,
                "column 'nothing' is not there; format and layout give ts, n, big, d, tags, kv, team",
            ),
            ("nn int", SchemaError, "column 'nn' is not there; format and layout give .*"),
            ("tag string", SchemaError, r"column 'tag' is not there; .*; did you mean 'tags'\?$"),
            ("n date", SchemaError, "column 'n': the format gives int, which cannot be read as date;"),
            ("ts int", SchemaError, "column 'ts'.*the format gives timestamp, which cannot be read as int;"),
            ("n int NOT NULL", OptionError, "column 'n' is NOT NULL"),
            ("n int, N int", OptionError, "same name"),
            ("", OptionError, "option 'schema': is empty"),
            ("n int oops", OptionError, "schema has 'oops'"),
            (
                "team array<string>",
                SchemaError,
                "column 'team' comes from the path, which cannot be read as array<string>;",
            ),
            (
                "_corrupt_record int",
                SchemaError,
                "'_corrupt_record' holds the text of corrupt records: declare it a string",
            ),
            ("_metadata string", SchemaError, "'_metadata' is not there"),
            (
                "_metadata struct<size:bigint>",
                SchemaError,
                "'_metadata': field 'size' bigint is not there; it is one of file_path,",
            ),
            ("_metadata struct<file_size:int>", SchemaError, "field 'file_size' int is not there; it is bigint"),
        ],
    )
    def test_with_a_reason(self, schema: str, error: type[Exception], message: str, tmp_path: Path) -> None:
        with pytest.raises(error, match=message):
            read(tmp_path, template=TEMPLATE, layout="{team}", schema=schema)

    def test_before_anything_runs(self, tmp_path: Path) -> None:
        with pytest.raises(FormatError, match="nothing separates"):
            read(tmp_path / "nothing", template="{a}{b}")
        with pytest.raises(SchemaError, match="'rest' holds what the schema lacks, as JSON: declare it a string"):
            read(tmp_path, json=True, schema="rest int", rescuedDataColumn="rest")
