"""formatClass: a format of one's own, read and written through the doors, and each way in which a class can be wrong."""

from __future__ import annotations

import datetime as dt
import gzip
import inspect
import itertools
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pyspark_logs
from pyspark_logs.errors import CorruptFileError, FormatError, OptionError, RecordError, SchemaError
from pyspark_logs.options import parse_read_options
from pyspark_logs.predicates import Compare
from pyspark_logs.reader import LogReader
from pyspark_logs.stream import LogStream
from tests.support.length_prefixed import LengthPrefixed

CLASS = "tests.support.length_prefixed:LengthPrefixed"
UTC = dt.timezone.utc
ROWS = [{"ts": dt.datetime(2026, 11, 22, 10, 0, n, tzinfo=UTC), "message": f"text {n}\n\x00é"} for n in range(5)]


def batch_of(rows: list[dict[str, Any]], ts: pa.DataType | None = None) -> pa.RecordBatch:
    schema = pa.schema([("ts", ts or pa.timestamp("us", "UTC")), ("message", pa.string())])
    return pa.RecordBatch.from_pylist(rows, schema)


def encoded(rows: list[dict[str, Any]] = ROWS) -> bytes:
    return LengthPrefixed().encode(batch_of(rows, pa.timestamp("ms", "UTC")))


def read(path: Path, **options: Any) -> list[dict[str, Any]]:
    return pyspark_logs.scan(str(path), **{"formatClass": CLASS, **options}).read_all().to_pylist()


class TestReading:
    @pytest.mark.parametrize("name", ["a.rec", "a.rec.gz"])
    def test_the_rows_of_a_file(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_bytes(gzip.compress(encoded()) if name.endswith("gz") else encoded())
        assert read(tmp_path) == ROWS
        assert read(tmp_path, maxPartitionBytes=7) == ROWS

    @given(st.lists(st.text(max_size=50), max_size=20), st.lists(st.integers(0, 1000), max_size=10))
    def test_pieces_of_any_size(self, texts: list[str], cuts: list[int]) -> None:
        rows = [{"ts": ROWS[0]["ts"], "message": text} for text in texts if text.isascii()]
        data = encoded(rows)
        bounds = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
        pieces = (data[start:end] for start, end in itertools.pairwise(bounds))
        assert [row for batch in LengthPrefixed().decode(pieces) for row in batch.to_pylist()] == rows

    def test_columns_are_chosen_ordered_and_retyped(self, tmp_path: Path) -> None:
        (tmp_path / "a.rec").write_bytes(encoded(ROWS[:1]))
        found = read(tmp_path, schema="Message string, ts timestamp_ntz", timeZone="Europe/Berlin")
        assert found == [{"Message": ROWS[0]["message"], "ts": dt.datetime(2026, 11, 22, 11)}]
        assert read(tmp_path, schema="ts date", timeZone="Asia/Tokyo") == [{"ts": dt.date(2026, 11, 22)}]
        assert pyspark_logs.scan(str(tmp_path), formatClass=CLASS, schema=pa.schema([])).read_all().num_rows == 1
        with pytest.raises(SchemaError, match="'message' is string and cannot be read as int32"):
            read(tmp_path, schema="message int")
        with pytest.raises(SchemaError, match="'level' is not there"):
            read(tmp_path, schema="level string")

    def test_what_is_not_in_the_file(self, tmp_path: Path) -> None:
        folder = tmp_path / "team=ops"
        folder.mkdir()
        (folder / "a.rec").write_bytes(encoded(ROWS[:1]))
        schema = "team string, _metadata struct<file_name:string,record_offset:bigint>, _corrupt_record string, message string"
        assert read(tmp_path, schema=schema) == [
            {
                "team": "ops", "_metadata": {"file_name": "a.rec", "record_offset": None}, "_corrupt_record": None,
                "message": ROWS[0]["message"],
            }
        ]  # fmt: skip

    def test_a_range_of_time(self, tmp_path: Path) -> None:
        (tmp_path / "a.rec").write_bytes(encoded())
        bounds = {"startTime": "2026-11-22T10:00:01Z", "endTime": "2026-11-22T10:00:03Z"}
        assert read(tmp_path, **bounds) == ROWS[1:3]
        assert read(tmp_path, schema="message string", **bounds) == [{"message": row["message"]} for row in ROWS[1:3]]
        assert read(tmp_path, schema="ts timestamp_ntz", timeZone="Asia/Tokyo", **bounds) == [
            {"ts": row["ts"].replace(tzinfo=None) + dt.timedelta(hours=9)} for row in ROWS[1:3]
        ]

    def test_pushed_filters(self, tmp_path: Path) -> None:
        (tmp_path / "a.rec").write_bytes(encoded())
        options = parse_read_options({"path": str(tmp_path), "formatClass": CLASS})
        reader = LogReader(options, "message string")
        assert reader.push([Compare("message", "=", ROWS[3]["message"])]) == [True]
        found = [row for task in reader.plan().tasks for batch in reader.read_task(task) for row in batch.to_pylist()]
        assert found == [{"message": ROWS[3]["message"]}]

    def test_an_empty_file_has_no_rows(self, tmp_path: Path) -> None:
        (tmp_path / "a.rec").write_bytes(b"")
        assert read(tmp_path) == []

    def test_a_damaged_file_is_named_or_read_up_to_the_damage(self, tmp_path: Path) -> None:
        (tmp_path / "a.rec").write_bytes(encoded()[:-1])
        (tmp_path / "b.rec").write_bytes(encoded(ROWS[:1]))
        with pytest.raises(
            CorruptFileError, match=r"a\.rec: formatClass 'tests.*ValueError: the last record is cut off"
        ):
            read(tmp_path)
        assert read(tmp_path, ignoreCorruptFiles=True) == [*ROWS[:4], ROWS[0]]

    def test_damaged_compression_is_the_error_of_the_codec(self, tmp_path: Path) -> None:
        (tmp_path / "a.rec.gz").write_bytes(gzip.compress(encoded())[:-9])
        with pytest.raises(CorruptFileError) as caught:
            read(tmp_path)
        assert "could not decode" not in str(caught.value)

    @pytest.mark.parametrize(
        "option", ["encoding", "mode", "multiLine", "commentPrefix", "maxRecordBytes", "badRecordsPath"]
    )
    def test_options_about_lines_are_refused(self, option: str) -> None:
        value = {"mode": "FAILFAST", "multiLine": "true", "maxRecordBytes": "1m"}.get(option, "ascii")
        with pytest.raises(OptionError, match=f"{option}.*means nothing for formatClass"):
            parse_read_options({"path": "/x", "formatClass": CLASS, option: value})


def test_a_stream_takes_each_file_once(tmp_path: Path) -> None:
    options = parse_read_options({"path": str(tmp_path), "formatClass": CLASS, "maxFilesPerTrigger": "1"})
    stream = LogStream(options, "ts timestamp, message string")
    (tmp_path / "a.rec").write_bytes(encoded(ROWS[:2]))
    (tmp_path / "b.rec").write_bytes(encoded(ROWS[2:]))
    offset, found = stream.initial_offset(), []
    for _ in range(3):
        following = stream.latest_offset(offset, max_files=1, max_bytes=None)
        tasks = stream.plan_batch(offset, following) if following != offset else ()
        found.append([row for task in tasks for batch in stream.reader.read_task(task) for row in batch.to_pylist()])
        offset = following
    assert found == [ROWS[:2], ROWS[2:], []]


class TestWriting:
    @pytest.mark.parametrize("compression", ["none", "gzip"])
    def test_what_is_written_reads_back(self, tmp_path: Path, compression: str) -> None:
        result = pyspark_logs.write(batch_of(ROWS), tmp_path, formatClass=CLASS, compression=compression)
        assert (result.rows, len(result.files)) == (5, 1)
        assert result.files[0].endswith(".rec.gz" if compression == "gzip" else ".rec")
        assert read(tmp_path) == ROWS

    def test_files_end_where_options_say(self, tmp_path: Path) -> None:
        batches = [batch_of(ROWS), batch_of(ROWS)]
        result = pyspark_logs.write(batches, tmp_path / "a", formatClass=CLASS, maxRecordsPerFile=3)
        assert len(result.files) == 4
        assert read(tmp_path / "a") == ROWS * 2
        result = pyspark_logs.write(batches, tmp_path / "b", formatClass=CLASS, maxFileBytes=1, compression="none")
        assert len(result.files) == 10
        assert sorted(row["ts"] for row in read(tmp_path / "b")) == sorted(row["ts"] for row in ROWS * 2)

    def test_rows_go_where_the_layout_says(self, tmp_path: Path) -> None:
        table = pa.table({"ts": [row["ts"] for row in ROWS], "message": ["m"] * 5, "team": ["a", "b", "a", "b", "a"]})
        options = {"formatClass": CLASS, "layout": "{team}/{yyyy-MM-dd}"}
        result = pyspark_logs.write(table, tmp_path, **options)
        assert sorted(key.rpartition("/")[0] for key in result.files) == ["a/2026-11-22", "b/2026-11-22"]
        assert [row["ts"] for row in read(tmp_path, **options) if row["team"] == "b"] == [ROWS[1]["ts"], ROWS[3]["ts"]]

    def test_columns_that_do_not_fit_are_refused(self, tmp_path: Path) -> None:
        table = pa.table({"ts": ["2026"], "level": ["x"]})
        with pytest.raises(SchemaError, match=r"'level' is none of its columns; 'ts' is string, not timestamp\[ms"):
            pyspark_logs.write(table, tmp_path, formatClass=CLASS)
        finer = batch_of([{"ts": dt.datetime(2026, 1, 1, microsecond=1, tzinfo=UTC), "message": "m"}])
        with pytest.raises(RecordError, match="column 'ts': a value is none of timestamp"):
            pyspark_logs.write(finer, tmp_path, formatClass=CLASS)
        with pytest.raises(RecordError, match=r"could not encode 1 row: AttributeError: 'NoneType'"):
            pyspark_logs.write(batch_of([{"ts": ROWS[0]["ts"]}]), tmp_path, formatClass=CLASS)
        assert not list(tmp_path.glob("*.rec*"))


# --- classes that are wrong ----------------------------------------------------------------------------------


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a class into a module and gives the option that names it."""

    def put(**members: Any) -> str:
        module = types.ModuleType("some_formats")
        module.Mine = type("Mine", (), members)  # type: ignore[attr-defined]
        module.thing = 1  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "some_formats", module)
        return "some_formats:Mine"

    return put


SCHEMA = pa.schema([("a", pa.uint32()), ("b", pa.list_(pa.large_string()))])


def says(schema: Any) -> Any:
    return lambda self: schema


def gives(*found: Any) -> Any:
    def decode(self: Any, blocks: Iterator[bytes]) -> Iterator[Any]:
        yield from found

    return decode


def columns(**arrays: Any) -> pa.RecordBatch:
    return pa.record_batch(list(arrays.values()), names=list(arrays))


B = pa.array([["x"]])


class TestClasses:
    @pytest.fixture(autouse=True)
    def file(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"x")

    def test_types_become_those_of_spark(self, tmp_path: Path, make: Any) -> None:
        batches = [
            columns(a=pa.array([1], pa.uint32()), b=pa.array([["x"]], pa.list_(pa.large_string()))),
            columns(a=pa.array([2], pa.int8()), b=pa.array([None])),
        ]
        name = make(schema=says(SCHEMA), decode=gives(*batches))
        reader = pyspark_logs.scan(str(tmp_path), formatClass=name)
        assert reader.schema.types == [pa.int64(), pa.list_(pa.field("element", pa.string()))]
        assert reader.read_all().to_pylist() == [{"a": 1, "b": ["x"]}, {"a": 2, "b": None}]
        assert read(tmp_path, formatClass=name, schema="a tinyint") == [{"a": 1}, {"a": 2}]
        assert read(tmp_path, formatClass=name, schema="a string") == [{"a": "1"}, {"a": "2"}]

    def test_a_value_that_the_asked_type_does_not_hold(self, tmp_path: Path, make: Any) -> None:
        name = make(schema=says(SCHEMA), decode=gives(columns(a=pa.array([300], pa.uint32()), b=B)))
        with pytest.raises(RecordError, match="'a' has a value that int8 does not hold"):
            read(tmp_path, formatClass=name, schema="a tinyint")

    def test_classes_that_are_not_there(self, tmp_path: Path, make: Any) -> None:
        make()
        for name, problem in [
            ("no.such.module:Mine", "cannot import no.such.module.*--py-files"),
            ("some_formats:Yours", "module some_formats has no class Yours"),
            ("some_formats:thing", "is int, not a class"),
        ]:
            with pytest.raises(FormatError, match=problem):
                read(tmp_path, formatClass=name)

    @pytest.mark.parametrize(
        ("members", "problem"),
        [
            ({"decode": gives()}, r"has no method schema\(\)"),
            ({"schema": says(SCHEMA)}, r"has no method decode\(\)"),
            ({"schema": says(SCHEMA), "decode": 1}, r"has no method decode\(\)"),
            ({"schema": says({"a": "int"}), "decode": gives()}, r"schema\(\) gave dict, not pyarrow.Schema"),
            ({"schema": says(pa.schema([("t", pa.time32("s"))])), "decode": gives()}, "'t'"),
            ({"schema": lambda self: 1 / 0, "decode": gives()}, r"schema\(\) failed: ZeroDivisionError"),
            ({"__init__": lambda self, x: None, "schema": says(SCHEMA)}, "cannot be made without arguments"),
            ({"schema": says(SCHEMA), "decode": lambda self, blocks: 7}, r"decode\(\) gave int, not batches"),
            ({"schema": says(SCHEMA), "decode": gives({"a": 1})}, r"decode\(\) gave dict, not pyarrow.RecordBatch"),
            ({"schema": says(SCHEMA), "decode": gives(None)}, r"decode\(\) gave NoneType, not pyarrow.RecordBatch"),
            ({"schema": says(SCHEMA), "decode": gives(columns(a=[1]))}, "see 'b'"),
            ({"schema": says(SCHEMA), "decode": gives(columns(b=B, a=pa.array([1])))}, "columns b, a, where"),
            (
                {"schema": says(SCHEMA), "decode": gives(columns(a=pa.array(["1"]), b=B))},
                "'a' as string, which is not int64",
            ),
            ({"schema": says(SCHEMA), "decode": gives(columns(a=pa.array([1.0]), b=B))}, "'a' as double"),
        ],
    )
    def test_classes_that_are_wrong(self, tmp_path: Path, make: Any, members: dict[str, Any], problem: str) -> None:
        with pytest.raises(FormatError, match=problem):
            read(tmp_path, formatClass=make(**members))

    def test_any_error_of_the_class_names_the_file(self, tmp_path: Path, make: Any) -> None:
        def decode(self: Any, blocks: Iterator[bytes]) -> Iterator[Any]:
            yield columns(a=pa.array([1]), b=B)
            raise KeyError("oops")

        name = make(schema=says(SCHEMA), decode=decode)
        with pytest.raises(
            CorruptFileError, match=r"/a: formatClass 'some_formats:Mine' could not decode it: KeyError: 'oops'"
        ):
            read(tmp_path, formatClass=name)
        assert read(tmp_path, formatClass=name, ignoreCorruptFiles=True, schema="a int") == [{"a": 1}]

    def test_a_machine_without_memory_is_no_damaged_file(self, tmp_path: Path, make: Any) -> None:
        def decode(self: Any, blocks: Iterator[bytes]) -> Iterator[Any]:
            yield columns(a=pa.array([1]), b=B)
            raise MemoryError("no memory left")

        with pytest.raises(MemoryError, match="no memory left"):
            read(tmp_path, formatClass=make(schema=says(SCHEMA), decode=decode), ignoreCorruptFiles=True)

    def test_classes_that_cannot_write(self, tmp_path: Path, make: Any) -> None:
        table = pa.table({"a": pa.array([1], pa.uint32()), "b": B})
        with pytest.raises(FormatError, match=r"no method encode\(\): it reads only"):
            pyspark_logs.write(table, tmp_path / "out", formatClass=make(schema=says(SCHEMA), decode=gives()))
        with pytest.raises(FormatError, match=r"encode\(\) gave str, not bytes"):
            pyspark_logs.write(
                table, tmp_path / "out", formatClass=make(schema=says(SCHEMA), encode=lambda self, rows: "")
            )

    def test_encode_gets_what_schema_says(self, tmp_path: Path, make: Any) -> None:
        seen = []
        strict = pa.schema([pa.field("a", pa.uint32(), nullable=False), pa.field("c", pa.string())])

        def encode(self: Any, batch: pa.RecordBatch) -> bytes:
            seen.append(batch)
            return b"-" * batch.num_rows

        name = make(schema=says(strict), encode=encode)
        result = pyspark_logs.write(pa.table({"A": [1, 2]}), tmp_path / "out", formatClass=name, compression="none")
        assert [batch.schema for batch in seen] == [strict]
        assert seen[0].to_pylist() == [{"a": 1, "c": None}, {"a": 2, "c": None}]
        assert (result.bytes, result.files[0].endswith(".bin")) == (2, True)
        with pytest.raises(SchemaError, match="'a' is missing, and not nullable"):
            pyspark_logs.write(pa.table({"c": ["x"]}), tmp_path / "out", formatClass=name)
        with pytest.raises(RecordError, match="'a': a value is none of uint32, not nullable"):
            pyspark_logs.write(pa.table({"a": pa.array([None], pa.int64())}), tmp_path / "out", formatClass=name)

    def test_the_rest_of_a_file_need_not_be_read(self, tmp_path: Path, make: Any) -> None:
        (tmp_path / "a").write_bytes(b"x" * (20 << 20))

        def decode(self: Any, blocks: Iterator[bytes]) -> Iterator[Any]:
            yield columns(a=pa.array([len(next(blocks)[:1])]), b=B)

        assert read(tmp_path, formatClass=make(schema=says(SCHEMA), decode=decode), schema="a int") == [{"a": 1}]


def test_the_example_of_the_documentation_is_this_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "custom.md").read_text(encoding="utf-8")
    assert inspect.getsource(LengthPrefixed) in page
