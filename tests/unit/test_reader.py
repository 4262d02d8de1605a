"""The reader as a whole: nothing is lost, and files that are not as they were planned are noticed."""

from __future__ import annotations

import functools
import gzip
import io
import logging
import pickle
import subprocess
import sys
import tempfile
import threading
import zipfile
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import pyspark_logs.file_content
import pyspark_logs.reader
import pyspark_logs.text_lines
from pyspark_logs.errors import CorruptFileError, OptionError, PathNotFoundError, SnapshotChangedError
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.options import parse_read_options
from pyspark_logs.reader import LogReader
from pyspark_logs.records import read_lines
from pyspark_logs.schema_inference import infer_schema
from pyspark_logs.task_log import TaskReport
from tests.reference.templates import named_fields, parse_template, reference_lines, reference_parse, same
from tests.support import strategies
from tests.support.effort import examples
from tests.support.fault_proxy import FaultProxy
from tests.support.log_files import CODECS, read, read_pushed, write
from tests.support.s3_server import S3Bucket

EXAMPLES = examples(60)
COMMENT = b"#~"
# Timestamps without a year belong to the year before a day after the file was modified.
MODIFIED_MS = int((strategies.YEAR_BOUND - timedelta(days=1)).timestamp() * 1000)
PLAIN = "{ts:timestamp?} {level} {n:int?} {message}"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


# ---------------------------------------------------------------------------------------- nothing is lost


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Blocks of this many bytes in place of two megabytes, and steps behind a split of as many."""
    size = [1 << 20]

    def lines(*args: Any, **kwargs: Any) -> Any:
        return read_lines(*args, block_bytes=size[0], **kwargs)

    monkeypatch.setattr(pyspark_logs.text_lines, "read_lines", lines)
    monkeypatch.setattr(pyspark_logs.file_content, "_PAST_END_BYTES", 7)
    return size


@st.composite
def any_files(draw: st.DrawFn) -> dict[str, Any]:
    """Files of one format, and how they are to be read."""
    case = draw(strategies.cases(max_lines=8) | strategies.cases(max_lines=8, shape=strategies.delimited))
    assume(named_fields(parse_template(case.template)))
    files = {}
    for number in range(draw(st.integers(1, 3))):
        extra = st.sampled_from([COMMENT + b" a comment", b"x" * 90, b" ", b"\t \t", b"\0" * 90, b"\0\0", *case.lines])
        lines = draw(st.permutations([*case.lines, *draw(st.lists(extra, max_size=3))]))
        lines = [line for line in lines if not line.startswith(strategies.BOM)]
        suffix = CODECS[draw(st.sampled_from(["none", "none", *CODECS]))][0]
        files[f"{number}.log{suffix}"] = draw(strategies.files(lines))
    return {
        "case": case,
        "files": files,
        "partition_bytes": draw(st.sampled_from([5, 17, 60, 1 << 20])),
        "block_bytes": draw(st.sampled_from([1, 16, 100, 1 << 20])),
        "record_bytes": draw(st.sampled_from([64, 80, 1 << 20])),
    }


def expected_records(drawn: dict[str, Any]) -> dict[str, list[tuple[int, bytes, dict[str, object], bool]]]:
    """By file: (offset, text, values, whether corrupt) of each record, by the reference parser."""
    found = {}
    for name, data in drawn["files"].items():
        records = []
        for offset, line in reference_lines(data):
            if line.startswith(COMMENT):
                continue
            row = reference_parse(drawn["case"].template, line, judge_whole=True, **drawn["case"].options)
            if len(line) > drawn["record_bytes"]:
                records.append((offset, line, dict.fromkeys(row.values), True))
            else:
                records.append((offset, line, row.values, row.corrupt))
        found[name] = records
    return found


class TestNothingIsLost:
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(drawn=any_files())
    def test_every_record_is_one_row(self, small_blocks: list[int], drawn: dict[str, Any]) -> None:
        small_blocks[0] = drawn["block_bytes"]
        options = drawn["case"].options
        with tempfile.TemporaryDirectory() as folder:
            path = write(Path(folder), drawn["files"], MODIFIED_MS)
            rows, metrics, _, _ = read_pushed(
                path, template=drawn["case"].template, nullValue=options["null_value"], escape=options["escape"],
                allowTrailing=options["allow_trailing"], timeZone=options["zone"], metadata=True,
                columnNameOfCorruptRecord="raw", commentPrefix=COMMENT.decode(),
                maxRecordBytes=drawn["record_bytes"], maxPartitionBytes=drawn["partition_bytes"],
                openCostInBytes=1,
            )  # fmt: skip
        expected = expected_records(drawn)
        records = sum(map(len, expected.values()))
        bad = sum(corrupt for of_file in expected.values() for _, _, _, corrupt in of_file)
        assert metrics == RecordMetrics(records=records, rows=records, filtered=0, dropped=0, corrupt=bad)
        for name, of_file in expected.items():
            mine = [row for row in rows if row["_metadata"]["file_name"] == name]
            # In the order of the file.
            assert [row["_metadata"]["record_offset"] for row in mine] == [offset for offset, _, _, _ in of_file]
            for row, (_, line, values, corrupt) in zip(mine, of_file, strict=True):
                raw = row["raw"]
                assert (raw is not None) == corrupt, (line, row)
                if corrupt and len(line) <= drawn["record_bytes"]:
                    assert raw == line.decode("utf-8", "replace")
                elif corrupt:
                    assert line.decode("utf-8", "replace").startswith(raw.rstrip("\ufffd"))
                    assert len(raw) > 50
                assert all(same(row[column], value) for column, value in values.items()), (line, row)

    @settings(max_examples=EXAMPLES // 2, suppress_health_check=list(HealthCheck))
    @given(drawn=any_files())
    def test_dropped_rows_are_counted(self, small_blocks: list[int], drawn: dict[str, Any]) -> None:
        small_blocks[0] = drawn["block_bytes"]
        options = drawn["case"].options
        with tempfile.TemporaryDirectory() as folder:
            path = write(Path(folder), drawn["files"], MODIFIED_MS)
            rows, metrics, _, _ = read_pushed(
                path, template=drawn["case"].template, nullValue=options["null_value"], escape=options["escape"],
                allowTrailing=options["allow_trailing"], timeZone=options["zone"], mode="dropmalformed",
                commentPrefix=COMMENT.decode(), maxRecordBytes=drawn["record_bytes"],
                maxPartitionBytes=drawn["partition_bytes"],
            )  # fmt: skip
        expected = [record for of_file in expected_records(drawn).values() for record in of_file]
        bad = sum(corrupt for _, _, _, corrupt in expected)
        assert metrics == RecordMetrics(len(expected), len(expected) - bad, 0, bad, bad)
        assert len(rows) == metrics.rows


def test_large_blocks_and_splits_give_each_row_once(tmp_path: Path) -> None:
    lines = [f"2026-11-22T00:00:00Z INFO {n} {'x' * (n % 97)}" for n in range(120_000)]
    write(tmp_path, {"a.log": "\n".join(lines), "b.log.gz": "\n".join(lines)})
    rows, metrics, _, _ = read_pushed(str(tmp_path), template=PLAIN, schema="n int", maxPartitionBytes="3m")
    assert sorted(row["n"] for row in rows) == sorted([*range(120_000)] * 2)
    assert metrics.records == 240_000


# ------------------------------------------------------------------------------------------------- the stores


@pytest.mark.parametrize("place", ["local", "file:", "memory", "s3", "s3a"])
def test_the_same_rows_from_every_store(place: str, tmp_path: Path, s3: S3Bucket) -> None:
    files = {"2026/11/22/a.log": b"INFO one\nbad\n", "2026/11/22/b.log.gz": CODECS["gzip"][1](b"WARN two\n")}
    options: dict[str, Any] = {"template": "{level} {message}", "layout": "{yyyy}/{MM}/{dd}", "maxPartitionBytes": 5}
    if place in ("s3", "s3a"):
        for name, data in files.items():
            s3.put("app/" + name, data)
        path = f"{place}://{s3.bucket}/app"
        options |= {"endpoint": s3.endpoint, "region": "us-east-1", "accessKey": "testing", "secretKey": "test-secret"}
    elif place == "memory":
        from fsspec.implementations.memory import MemoryFileSystem

        for name, data in files.items():
            MemoryFileSystem().pipe(f"/reader/{name}", data)
        path = "memory://reader"
    else:
        for name, data in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(data)
        path = str(tmp_path) if place == "local" else tmp_path.as_uri()
    rows = read(path, columnNameOfCorruptRecord="raw", metadata=True, **options)
    found = {(row["level"], row["message"], row["raw"], row["_metadata"]["file_name"]) for row in rows}
    assert found == {("INFO", "one", None, "a.log"), (None, None, "bad", "a.log"), ("WARN", "two", None, "b.log.gz")}
    scheme = {"local": "file:///", "file:": "file:///"}.get(place, f"{place}://")
    assert all(row["_metadata"]["file_path"].startswith(scheme) for row in rows)


# ------------------------------------------------------------------------------- layouts, globs, choice of files


class TestChoiceOfFiles:
    def test_partition_columns_of_hive_directories(self, tmp_path: Path) -> None:
        line = "INFO x\n"
        write(tmp_path, {
            "team=web/dt=2026-11-22/a.log": line, "team=a%2Fb/dt=2026-11-23/b.log": line,
            "team=__HIVE_DEFAULT_PARTITION__/dt=2026-11-24/c.log": line, "team=web/_tmp/d.log": line,
        })  # fmt: skip
        rows = read(tmp_path, template="{level} {message}")
        assert {(row["team"], row["dt"]) for row in rows} == {
            ("web", "2026-11-22"), ("a/b", "2026-11-23"), (None, "2026-11-24"),
        }  # fmt: skip
        assert list(rows[0]) == ["level", "message", "team", "dt"]

    def test_partition_columns_take_the_type_of_the_schema(self, tmp_path: Path) -> None:
        write(tmp_path, {"n=007/dt=2026-11-22/t=2026-11-22 01:30:00/a.log": "x\n", "n=ops/dt=b/t=c/b.log": "y\n"})
        schema = "T timestamp_ntz, DT date, n smallint, m string"
        rows = read(tmp_path, template="{m}", schema=schema, timeZone="Europe/Berlin")
        day, wall = datetime(2026, 11, 22).date(), datetime(2026, 11, 22, 1, 30)
        assert sorted(rows, key=lambda row: row["m"]) == [
            {"T": wall, "DT": day, "n": 7, "m": "x"}, {"T": None, "DT": None, "n": None, "m": "y"},
        ]  # fmt: skip
        [row, _] = sorted(
            read(tmp_path, template="{m}", schema="t timestamp, m string", timeZone="Europe/Berlin"),
            key=lambda row: row["m"],
        )
        assert row["t"] == at("2026-11-22 00:30:00")

    def test_partition_values_that_are_not_of_the_type_of_the_schema_are_reported(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        hive_null = "__HIVE_DEFAULT_PARTITION__"
        write(tmp_path, {f"n={n}/t={t}/a.log": "x\n" for n in ("1", "ops", hive_null) for t in ("b", "2026-11-22")})

        def messages(schema: str, **options: Any) -> list[str]:
            caplog.clear()
            with caplog.at_level(logging.WARNING):
                read(tmp_path, template="{m}", schema=schema, **options)
            return [record.getMessage() for record in caplog.records]

        assert messages("n string, t string, m string") == messages("m string") == []
        assert messages("n int, t date, m string", quiet=True) == []
        number, day = messages("n int, t date, m string")
        assert "/n=1/t=b/a.log: the partition value t='b' is not of type date, which the schema gives" in number + day
        assert (
            "a.log: the partition value n='ops' is not of type int, which the schema gives the column" in number + day
        )
        assert messages("n int, m string", where="n = 1") == []

    def test_a_column_of_template_and_layout_comes_from_the_line(self, tmp_path: Path) -> None:
        write(tmp_path, {"team=web/a.log": "ops x\n"})
        assert read(tmp_path, template="{Team} {m}") == [{"Team": "ops", "m": "x"}]
        assert read(tmp_path, template="{Team} {m}", schema="team string") == [{"team": "ops"}]

    def test_a_column_of_json_and_layout_comes_from_the_path(self, tmp_path: Path) -> None:
        write(tmp_path, {"web/a.log": '{"team": "ops", "m": 1}\n'})
        options = {"json": True, "layout": "{team}"}
        assert read(tmp_path, **options) == [{"m": 1, "team": "web"}]
        assert read(tmp_path, schema="team string", **options) == [{"team": "web"}]

    def test_globs_and_several_paths(self, tmp_path: Path) -> None:
        write(tmp_path, {f"{team}/{day}/x.log": f"{team}{day}\n" for team in ("web", "ops", "db") for day in (21, 22)})
        paths = [str(tmp_path / "{web,ops}" / "2[2-9]"), str(tmp_path / "db"), str(tmp_path / "d*" / "21" / "x.log")]
        assert sorted(row["m"] for row in read(paths, template="{m}")) == ["db21", "db22", "ops22", "web22"]

    def test_file_filters(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "a\n", "b.txt": "b\n"}, 1_000_000)
        write(tmp_path, {"c.log": "c\n"}, 2_000_000)
        assert read(tmp_path, template="{m}", pathGlobFilter="*.log") == [{"m": "a"}, {"m": "c"}]
        second = datetime.fromtimestamp(2000, timezone.utc)
        assert read(tmp_path, template="{m}", modifiedAfter=second) == [{"m": "c"}]
        assert read(tmp_path, template="{m}", modifiedBefore=second, pathGlobFilter="a*") == [{"m": "a"}]

    def test_a_path_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(PathNotFoundError, match=r"nothing.*no such file"):
            read(tmp_path / "nothing", template="{m}")
        with pytest.raises(PathNotFoundError, match="glob matches nothing"):
            read(tmp_path / "*.log", template="{m}")

    def test_nothing_in_the_range_is_an_empty_table_with_the_schema(self, tmp_path: Path) -> None:
        write(tmp_path, {"2026/11/22/a.log": "2026-11-22T00:00:00Z x\n"})
        table = pyspark_logs.scan(
            tmp_path, template="{ts:timestamp} {m}", layout="{yyyy}/{MM}/{dd}", startTime="2027-01-01", metadata=True
        ).read_all()
        assert table.num_rows == 0
        assert table.schema.names == ["ts", "m", "_metadata"]

    def test_schemes_do_not_mix(self, tmp_path: Path) -> None:
        with pytest.raises(OptionError, match=r"of different stores \(local files, s3://\)"):
            read([str(tmp_path), "s3://bucket/x"], template="{m}")

    def test_filters_on_cast_partition_columns_choose_directories(self, tmp_path: Path) -> None:
        from pyspark_logs.predicates import Compare, In, IsNull, Not

        write(tmp_path, {f"day={day}/a.log": f"{day}\n" for day in ("08", "9", "10", "x")})
        for predicate, days in [
            (Compare("day", ">", 8), ["10", "9"]), (In("day", (8, 10)), ["08", "10"]), (IsNull("day"), ["x"]),
            (Not(IsNull("day")), ["08", "10", "9"]), (Compare("day", "=", 11), []),
        ]:  # fmt: skip
            rows, metrics, taken, reader = read_pushed(
                str(tmp_path), [predicate], template="{m}", schema="m string, day int"
            )
            assert sorted(row["m"] for row in rows) == days
            assert taken == [True]
            assert metrics.filtered == 0
            assert reader.plan().report.files_planned == len(days)


# ------------------------------------------------------------------------------------ files that are not as planned


def planned(path: object, **options: Any) -> tuple[LogReader, tuple[Any, ...]]:
    parsed = parse_read_options({"path": str(path), "template": "{m}", **options})
    reader = LogReader(parsed, infer_schema(parsed))
    return pickle.loads(pickle.dumps((reader, reader.plan().tasks)))


def run(reader: LogReader, tasks: tuple[Any, ...]) -> list[str]:
    return [value for task in tasks for batch in reader.read_task(task) for value in batch["m"].to_pylist()]


def test_a_builder_reports_each_task_by_itself(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.log": "1\nx\n", "b.log": "2\n", "c.log": "y\n"})
    parsed = parse_read_options({"path": str(path), "template": "{n:int}"})
    reader = LogReader(parsed, "n int")
    (task,) = reader.plan().tasks
    builder, reports = reader.builder(task), list[TaskReport]()
    for index in range(3):
        one = replace(task, splits=task.splits[index : index + 1])
        list(reader.read_task(one, report=reports.append, builder=builder))
    assert [(report.metrics.corrupt, report.corrupt) for report in reports] == [
        (1, (f"{tmp_path}/a.log", 2)), (1, (f"{tmp_path}/c.log", 0)),
    ]  # fmt: skip


class TestChangedFiles:
    @pytest.mark.parametrize("place", ["local", "s3"])
    @pytest.mark.parametrize("text", ["two\nlines\n", "new\n"], ids=["another size", "same size"])
    def test_overwritten_since_planning(self, place: str, text: str, tmp_path: Path, s3: S3Bucket) -> None:
        options = (
            {"endpoint": s3.endpoint, "region": "us-east-1", "accessKey": "testing", "secretKey": "test-secret"}
            if place == "s3"
            else {}
        )
        path = s3.put("app/a.log", b"old\n") if place == "s3" else write(tmp_path, {"a.log": "old\n"})
        reader, tasks = planned(path, **options)
        assert run(reader, tasks) == ["old"]
        if place == "s3":
            s3.put("app/a.log", text.encode())
        else:
            write(tmp_path, {"a.log": text})
        for ignore in ({}, {"ignoreMissingFiles": True, "ignoreCorruptFiles": True}):
            reader = LogReader(parse_read_options({"path": path, "template": "{m}", **options, **ignore}), "m string")
            with pytest.raises(SnapshotChangedError, match="again"):
                run(reader, tasks)

    @pytest.mark.parametrize("place", ["local", "memory", "s3"])
    def test_deleted_since_planning(self, place: str, tmp_path: Path, s3: S3Bucket) -> None:
        from fsspec.implementations.memory import MemoryFileSystem

        options: dict[str, Any] = {}
        if place == "s3":
            options = {
                "endpoint": s3.endpoint,
                "region": "us-east-1",
                "accessKey": "testing",
                "secretKey": "test-secret",
            }
            path, gone = f"{s3.url}/app", functools.partial(s3.delete, "app/a.log")
            s3.put("app/a.log", b"one\n")
            s3.put("app/b.log", b"two\n")
        elif place == "memory":
            MemoryFileSystem().pipe({"/gone/a.log": b"one\n", "/gone/b.log": b"two\n"})
            path, gone = "memory://gone", functools.partial(MemoryFileSystem().rm, "/gone/a.log")
        else:
            path, gone = write(tmp_path, {"a.log": "one\n", "b.log": "two\n"}), (tmp_path / "a.log").unlink
        reader, tasks = planned(path, **options)
        lenient, _ = planned(path, ignoreMissingFiles=True, **options)
        gone()
        with pytest.raises(SnapshotChangedError, match="deleted after the query was planned"):
            run(reader, tasks)
        assert run(lenient, tasks) == ["two"]

    @pytest.mark.parametrize("codec", ["gzip", "zstd", "bzip2", "lz4", "xz"])
    def test_a_damaged_file_ends_where_the_damage_is(self, codec: str, tmp_path: Path) -> None:
        import random

        lines = [random.Random(n).randbytes(40).hex() for n in range(20_000)]
        suffix, compress = CODECS[codec]
        data = compress("\n".join(lines).encode())
        name = f"a.log{suffix}"
        (tmp_path / name).write_bytes(data[: len(data) * 2 // 3])
        (tmp_path / "b.log").write_text("whole\n")
        with pytest.raises(CorruptFileError, match=name):
            read(tmp_path, template="{m}")
        found = [row["m"] for row in read(tmp_path, template="{m}", ignoreCorruptFiles="true", maxPartitionBytes=1000)]
        assert "whole" in found
        found.remove("whole")
        assert 3_000 < len(found) < 20_000
        # Half a line is not a record: it could pass for a whole one.
        assert found == lines[: len(found)]

    def test_inference_passes_what_may_be_damaged(self, tmp_path: Path) -> None:
        (tmp_path / "a.json.gz").write_bytes(CODECS["gzip"][1](b'{"a": 1}\n{"b": 2}')[:-4])
        with pytest.raises(CorruptFileError):
            read(tmp_path, json=True)
        assert read(tmp_path, json=True, ignoreCorruptFiles=True) == [{"a": 1}]


# -------------------------------------------------------------------------------------------------- several files at once


def prefetching() -> int:
    return sum(thread.name == "pyspark-logs-prefetch" for thread in threading.enumerate())


class TestSeveralFilesAtOnce:
    NAMES = tuple(f"{number:02}.log{suffix}" for number in range(5) for suffix, _ in CODECS.values())

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """30 files in all codecs, in a directory that is read in the order of the names."""
        write(tmp_path, {name: f"{name} first\n{name} last\n" for name in self.NAMES})
        return tmp_path

    def order(self, tasks: tuple[Any, ...]) -> list[str]:
        return [split.path.rpartition("/")[2] for task in tasks for split in task.splits]

    @pytest.mark.parametrize(("threads", "size"), [(1, "64m"), (3, 0), (8, "64m"), (100, 1)])
    def test_rows_are_in_the_order_of_the_files(self, threads: int, size: object, folder: Path) -> None:
        reader, tasks = planned(folder, fetchThreads=threads, prefetchBytes=size)
        assert run(reader, tasks) == [f"{name} {which}" for name in self.order(tasks) for which in ("first", "last")]
        assert len(self.order(tasks)) == len(self.NAMES)
        assert prefetching() == 0

    def test_an_early_end_leaves_no_thread_and_no_open_file(self, folder: Path) -> None:
        reader, (task,) = planned(folder, fetchThreads=5)
        batches = reader.read_task(task)
        next(batches)
        assert prefetching() in (0, 5)  # the batch may have the rows of all files
        batches.close()
        assert prefetching() == 0
        if sys.platform == "linux":
            opened = [link for link in Path("/proc/self/fd").iterdir() if link.exists()]
            assert not [link for link in opened if link.resolve().is_relative_to(folder)]

    @pytest.mark.parametrize(
        ("suffix", "is_cached", "options", "reads_ahead"),
        [
            ("", True, {}, False),
            ("", False, {}, True),
            (".gz", True, {}, True),
            (".gz", True, {"compression": "gzip"}, True),
            ("", True, {"fetchThreads": 2}, True),
        ],
    )
    def test_a_task_of_spark_reads_plain_files_in_memory_without_threads(
        self,
        suffix: str,
        is_cached: bool,
        options: dict[str, Any],
        reads_ahead: bool,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        names = [f"{number}.log{suffix}" for number in range(2)]
        write(tmp_path, {name: f"{name} first\n{name} last\n" for name in names})
        monkeypatch.setattr("pyspark_logs.store.local.LocalStore.is_cached", lambda _, path, offset: is_cached)
        reader, (task,) = planned(tmp_path, **options)
        assert task.has_free_processor is None
        batches = reader.read_task(task)
        next(batches)
        assert bool(prefetching()) <= reads_ahead
        batches.close()
        assert prefetching() == 0
        added = []
        monkeypatch.setattr(
            "pyspark_logs.task_reader.Prefetcher.add",
            lambda _, items, size: added.append(size) or (item for item in items),
        )
        assert run(reader, (task,)) == [f"{name} {which}" for name in names for which in ("first", "last")]
        assert bool(added) == reads_ahead

    @pytest.mark.parametrize("problem", ["damaged", "deleted"])
    def test_an_error_is_that_of_the_first_bad_file(self, problem: str, folder: Path) -> None:
        option = "ignoreCorruptFiles" if problem == "damaged" else "ignoreMissingFiles"
        strict, tasks = planned(folder)
        lenient, _ = planned(folder, **{option: True})
        gzipped = [name for name in self.order(tasks) if name.endswith(".gz")]
        for name in gzipped[1:3]:
            if problem == "damaged":
                size = (folder / name).stat().st_size
                (folder / name).write_bytes(gzip.compress(b"-")[:10] + b"\xff" * (size - 10))
            else:
                (folder / name).unlink()
        if problem == "damaged":  # the etag of a local file has its time
            strict, tasks = planned(folder)
        with pytest.raises((CorruptFileError, SnapshotChangedError), match=gzipped[1]):
            run(strict, tasks)
        kept = [name for name in self.order(tasks) if name not in gzipped[1:3]]
        assert run(lenient, tasks) == [f"{name} {which}" for name in kept for which in ("first", "last")]
        assert prefetching() == 0

    def test_a_small_object_takes_one_request(self, folder: Path, s3: S3Bucket) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as members:
            members.writestr("x.log", "zipped\n")
        s3.put("app/x.zip", archive.getvalue())
        for name in self.NAMES:
            s3.put(f"app/{name}", (folder / name).read_bytes())
        proxy = FaultProxy(s3.endpoint)
        proxy.start()
        try:
            keys = {"region": "us-east-1", "accessKey": "testing", "secretKey": "test-secret"}
            reader, tasks = planned(f"{s3.url}/app", endpoint=proxy.endpoint, **keys)
            proxy.requests.clear()
            assert len(run(reader, tasks)) == 2 * len(self.NAMES) + 1
            assert sorted((method, path.partition("?")[0]) for method, path, _ in proxy.requests) == sorted(
                ("GET", f"/{s3.bucket}/app/{name}") for name in (*self.NAMES, "x.zip")
            )
            assert all("If-Match" in headers for _, _, headers in proxy.requests)
        finally:
            proxy.stop()


# ------------------------------------------------------------------------------------------------------- encodings


class TestEncodings:
    TEXT = "naïve\tcafé €5\r\nübel\tß\n\nlast\tÄ"

    @pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "UTF8"])
    @pytest.mark.parametrize("suffix", ["", ".gz"])
    def test_text_of_any_encoding(self, encoding: str, suffix: str, tmp_path: Path) -> None:
        path = write(tmp_path, {f"a.log{suffix}": self.TEXT.encode(encoding)})
        rows = read(path, template="{a}\t{b}", encoding=encoding, maxPartitionBytes=6)
        assert [(row["a"], row["b"]) for row in rows] == [("naïve", "café €5"), ("übel", "ß"), ("last", "Ä")]

    @pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "gbk", "shift_jis", "koi8-r"])
    def test_offsets_are_those_of_the_file(self, encoding: str, tmp_path: Path) -> None:
        words = {"gbk": "错误", "shift_jis": "エラー", "koi8-r": "ошибка"}.get(encoding, "é")
        data = f"#{words}\n{words} x{words}\nbroken\n{words}{words} y\n".encode(encoding)
        offsets = [offset for offset, _ in reference_lines(data)][1:]
        for size in (3, 1 << 20):
            rows = read(
                write(tmp_path, {"a.log": data}), template="{a} {b}", encoding=encoding, maxPartitionBytes=size,
                metadata=True, columnNameOfCorruptRecord="raw", commentPrefix="#" + words,
            )  # fmt: skip
            assert [row["_metadata"]["record_offset"] for row in rows] == offsets
            assert [row["a"] for row in rows] == [words, None, words * 2]

    def test_what_is_not_valid_is_replaced(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": b"a\xff \xc3\n"})
        assert read(tmp_path, template="{a} {b}") == [{"a": "a\ufffd", "b": "\ufffd"}]
        for suffix in ("", ".gz"):
            path = write(tmp_path / ("ascii" + suffix), {f"a{suffix}": b"\xc3\xa4 x\n"})
            assert read(path, template="{a} {b}", encoding="ascii") == [{"a": "\ufffd\ufffd", "b": "x"}]

    def test_a_filter_finds_text_that_is_spelt_otherwise_in_the_file(self, tmp_path: Path) -> None:
        from pyspark_logs.predicates import Compare

        write(tmp_path, {"a.log": ("é x\n" + "e y\n" * 99).encode("latin-1")})
        rows, _, _, _ = read_pushed(str(tmp_path), [Compare("a", "=", "é")], template="{a} {b}", encoding="latin-1")
        assert rows == [{"a": "é", "b": "x"}]


# ----------------------------------------------------------------------------------------------------- compression


class TestCompression:
    @pytest.mark.parametrize("codec", CODECS)
    def test_by_suffix_and_by_option(self, codec: str, tmp_path: Path) -> None:
        suffix, compress = CODECS[codec]
        (tmp_path / f"a.log{suffix.upper()}").write_bytes(compress(b"one\ntwo\n"))
        (tmp_path / "odd").mkdir()
        (tmp_path / "odd" / "a.dat").write_bytes(compress(b"three\n"))
        assert [row["m"] for row in read(tmp_path / f"a.log{suffix.upper()}", template="{m}")] == ["one", "two"]
        assert [row["m"] for row in read(tmp_path / "odd", template="{m}", compression=codec.upper())] == ["three"]

    def test_the_option_overrules_the_suffix(self, tmp_path: Path) -> None:
        (tmp_path / "a.gz").write_bytes(b"plain\n")
        assert read(tmp_path, template="{m}", compression="none") == [{"m": "plain"}]
        with pytest.raises(CorruptFileError, match="gzip"):
            read(tmp_path, template="{m}", compression="gzip")

    def test_an_unknown_suffix_is_text(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.rotated": "plain\n", "b": "no suffix\n"})
        assert read(tmp_path, template="{m}") == [{"m": "plain"}, {"m": "no suffix"}]

    def test_a_suffix_of_another_compression_is_an_error(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.snappy": "plain\n", "b": "no suffix\n"})
        with pytest.raises(CorruptFileError, match=r"a\.snappy: the suffix"):
            read(tmp_path, template="{m}")
        assert read(tmp_path, template="{m}", ignoreCorruptFiles=True) == [{"m": "no suffix"}]
        assert len(read(tmp_path, template="{m}", compression="none")) == 2


# ------------------------------------------------------------------------------------------------------------- JSON


class TestJson:
    LINES = (
        '{"ts": "2026-11-22T01:00:00Z", "level": "INFO", "n": 1, "user": {"id": 7, "tags": ["a", "b"]}}\n'
        '{"ts": "2026-11-22T02:00:00+01:00", "level": "WARN", "n": 2.5, "extra": null, "ID": 1, "id": "x"}\n'
        '{"level": null, "user": {"id": null}}\n'
    )

    def test_inference(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.json": self.LINES})
        options = parse_read_options({"path": str(tmp_path), "json": True})
        assert infer_schema(options) == (
            "ts timestamp, level string, n double, user struct<id:bigint,tags:array<string>>, extra string, ID string"
        )
        rows = read(tmp_path, json=True)
        assert [row["n"] for row in rows] == [1.0, 2.5, None]
        assert rows[0]["user"] == {"id": 7, "tags": ["a", "b"]}
        assert [row["ts"] for row in rows] == [at("2026-11-22 01:00:00"), at("2026-11-22 01:00:00"), None]

    @pytest.mark.parametrize(
        ("one", "other", "ddl"),
        [
            ('{"a": 1}', '{"a": {"b": 1}}', "a string"),
            ('{"a": [1]}', '{"a": {"b": 1}}', "a string"),
            ('{"a": {"B": 1}}', '{"a": {"b": 2.5, "": 0}}', "a struct<B:double,``:bigint>"),
            ('{"a": {}}', '{"a": "", "b": null}', "a string, b string"),
            ('{"a": ' + "9" * 5000 + "}", '{"a": true}', "a string"),
            ('{"a": "2026-11-22T00:00:00Z"}', '{"a": "soon"}', "a string"),
            ('{"a": 9223372036854775807}', '{"a": 9223372036854775808}', "a decimal(38,0)"),
            ('{"a": 9223372036854775807}', '{"a": 0.5}', "a string"),
        ],
    )
    def test_inference_of_records_that_disagree(self, one: str, other: str, ddl: str, tmp_path: Path) -> None:
        for name, lines in (("x", [one, other]), ("y", [other, one])):
            path = write(tmp_path / name, {"a.json": "\n".join(lines)})
            assert infer_schema(parse_read_options({"path": path, "json": True})).lower() == ddl.lower()
            assert len(read(path, json=True)) == 2

    def test_nothing_to_learn_from(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.json": "not json\n[1]\n{}\n"})
        with pytest.raises(OptionError, match=r"a.json: no line .* is a JSON object .*, at byte 0, is 'not json'"):
            read(tmp_path, json=True)
        with pytest.raises(OptionError, match="no file to infer"):
            read(tmp_path, json=True, pathGlobFilter="*.log")
        assert read(tmp_path, json=True, schema="a int", pathGlobFilter="*.log") == []

    def test_sampling_stops_where_the_option_says(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.json": '{"a": 1}\n' * 10 + '{"b": 1}\n'})
        assert list(read(tmp_path, json=True, samplingBytes=50)[0]) == ["a"]
        assert list(read(tmp_path, json=True)[0]) == ["a", "b"]

    def test_a_schema_of_ones_own(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.json": self.LINES})
        schema = "USER struct<tags:array<string>,none:int>, n decimal(3,1), nothing date, ts timestamp_ntz"
        rows = read(tmp_path, json=True, schema=schema, timeZone="Europe/Berlin")
        assert rows[0]["USER"] == {"tags": ["a", "b"], "none": None}
        assert str(rows[1]["n"]) == "2.5"
        assert rows[0]["ts"] == datetime(2026, 11, 22, 2)
        assert [row["nothing"] for row in rows] == [None] * 3

    @pytest.mark.parametrize("bounds", [{}, {"timeColumn": "ts", "startTime": "2026-11-22"}])
    def test_rescued_data(self, bounds: dict[str, str], tmp_path: Path) -> None:
        write(tmp_path, {"a.json": self.LINES}, int(at("2026-11-23 00:00:00").timestamp() * 1000))
        rows = read(tmp_path, json=True, schema="level string, _rest string", rescuedDataColumn="_REST", **bounds)
        assert [row["_rest"] for row in rows] == [
            '{"ts":"2026-11-22T01:00:00Z","n":1,"user":{"id":7,"tags":["a","b"]}}',
            '{"ts":"2026-11-22T02:00:00+01:00","n":2.5,"extra":null,"ID":1,"id":"x"}',
            '{"user":{"id":null}}',
        ]
        assert list(read(tmp_path, json=True, rescuedDataColumn="rest", **bounds)[0])[-1] == "rest"

    def test_the_time_as_text_and_as_a_bound(self, tmp_path: Path) -> None:
        lines = "".join(f'{{"ts":"2026-11-22T0{hour}:00:00Z","n":{hour}}}\n' for hour in range(10))
        write(tmp_path, {"a.json": lines})
        rows = read(
            tmp_path, json=True, schema="n int, ts string", timeColumn="ts", startTime="2026-11-22T07:00:00Z"
        )  # fmt: skip
        assert rows == [{"n": hour, "ts": f"2026-11-22T0{hour}:00:00Z"} for hour in (7, 8, 9)]

    def test_a_time_column_that_is_none(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.json": self.LINES})
        for name in ("tz", "n"):
            with pytest.raises(
                OptionError, match=rf"'timeColumn': '{name}' is not a timestamp .*could be: ts, level, extra, ID"
            ):
                read(tmp_path, json=True, timeColumn=name)
        assert (
            len(read(tmp_path, json=True, timeColumn="TS", startTime="2026-11-22", endTime="2026-11-22T01:00:00Z")) == 0
        )

    def test_corrupt_lines(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.json": '{"a": 1}\n{"a": \n{"a": "x"}\n[]\n'})
        rows = read(tmp_path, json=True, schema="a int, _corrupt_record string")
        assert [(row["a"], row["_corrupt_record"]) for row in rows] == [
            (1, None), (None, '{"a":'.ljust(6)), (None, '{"a": "x"}'), (None, "[]"),
        ]  # fmt: skip

    def test_in_a_layout(self, tmp_path: Path) -> None:
        write(tmp_path, {f"web/2026/11/{day}/a.json": f'{{"ts": "2026-11-{day}T12:00:00Z"}}\n' for day in (20, 21, 22)})
        rows = read(tmp_path, json=True, layout="{team}/{yyyy}/{MM}/{dd}", startTime="2026-11-21", endTime="2026-11-22")
        assert rows == [{"ts": at("2026-11-21 12:00:00"), "team": "web"}]


# ------------------------------------------------------------------------------------------------------------ memory


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    line = b"2026-11-22T00:00:00Z INFO 17 the same again and again and again\n"
    with gzip.open(tmp_path / "a.log.gz", "wb", compresslevel=1) as file:
        for _ in range(300):
            file.write(line * ((1 << 20) // len(line)))
    code = f"""
from pyspark_logs import scan
rows = sum(batch.num_rows for batch in scan({str(tmp_path)!r}, template={PLAIN!r}))
# Not ru_maxrss: a process inherits that from the one that started it.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(rows, int(peak.split()[1]) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    rows, peak_mib = map(int, done.stdout.split())
    assert rows == 300 * ((1 << 20) // len(line))
    assert peak_mib < 400
