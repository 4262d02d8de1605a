"""scan()."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import enumerate as all_threads
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs import scan
from pyspark_logs.api.read_progress import ReadProgress
from pyspark_logs.reader import LogReader
from tests.support.log_files import write

TEXT = "2026-11-22T07:00:00Z INFO one\n2026-11-22T08:00:00Z WARN two\n"
TEMPLATE = "{ts:timestamp} {level} {message}"


def test_options_of_the_natural_type(tmp_path: Path) -> None:
    write(tmp_path, {"2026-11-22/a.log": TEXT, "2026-11-23/b.log": TEXT})
    start = datetime(2026, 11, 22, 8, tzinfo=timezone.utc)
    table = scan(
        [tmp_path / "2026-11-22", str(tmp_path / "2026-11-23")], template=TEMPLATE, startTime=start, endTime=start + timedelta(hours=1),
        metadata=False, maxPartitionBytes=10, storageOptions={}, layoutSlack=timedelta(0), maxRetries=0, layout=None,
        schema=pa.schema([("message", pa.string())]),
    ).read_all()  # fmt: skip
    assert table == pa.table({"message": ["two", "two"]})


def test_a_reader_of_batches(tmp_path: Path) -> None:
    reader = scan(write(tmp_path, {"a.log": TEXT}), template=TEMPLATE)
    assert isinstance(reader, pa.RecordBatchReader)
    assert reader.schema == pa.schema(
        [("ts", pa.timestamp("us", "UTC")), ("level", pa.string()), ("message", pa.string())]
    )
    assert [batch.num_rows for batch in reader] == [2]


def test_bad_arguments_raise_before_batches_are_read(tmp_path: Path) -> None:
    with pytest.raises(pyspark_logs.OptionError, match="did you mean 'layout'"):
        scan(tmp_path, template="{m}", layuot="x")
    with pytest.raises(pyspark_logs.PathNotFoundError):
        scan(tmp_path / "nothing", template="{m}")
    with pytest.raises(pyspark_logs.SchemaError):
        scan(tmp_path, template="{m}", schema="n int")


@pytest.mark.parametrize("mode", ["read_all", "iterate"])
def test_errors_while_reading_are_log_source_errors(mode: str, tmp_path: Path) -> None:
    reader = scan(write(tmp_path, {"a.log": "broken\n"}), template=TEMPLATE, mode="FAILFAST")
    with pytest.raises(pyspark_logs.RecordError, match="'broken'") as caught:
        reader.read_all() if mode == "read_all" else list(reader)
    assert caught.value.offset == 0


def test_a_closed_reader_leaves_no_thread(tmp_path: Path) -> None:
    write(tmp_path, {f"{n}.log": TEXT * 100_000 for n in range(2)})
    reader: Any = scan(tmp_path, template=TEMPLATE)
    next(iter(reader))
    reader.close()
    del reader
    assert not [thread for thread in all_threads() if thread.name.startswith("pyspark-logs")]


@pytest.mark.parametrize(("options", "warns"), [({}, True), ({"layout": "{yyyy}"}, False)])
def test_a_range_without_any_time_is_explained(
    options: dict[str, str], warns: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, {"2026/a.log": "INFO a\n"})
    scan(tmp_path, template="{level} {message}", startTime="2026-01-01", endTime="2036-01-01", **options).read_all()
    assert ("select whole files by their modification times" in caplog.text) == warns


def test_a_file_beside_hive_directories_leaves_their_columns(tmp_path: Path) -> None:
    write(tmp_path, {"day=1/a.log": "INFO a\n", "day=2/b.log": "INFO b\n", "notes.txt": "WARN c\n"})
    rows = scan(tmp_path, template="{level} {message}", schema="message string, day int").read_all().to_pylist()
    assert sorted(rows, key=str) == [
        {"message": "a", "day": 1}, {"message": "b", "day": 2}, {"message": "c", "day": None},
    ]  # fmt: skip
    assert scan(tmp_path, template="{level} {message}").schema.names == ["level", "message", "day"]


class TestThreads:
    FILES = {  # noqa: RUF012
        **{f"{n:02}.log": "".join(f"{n} {line}\n" for line in range(n * 40)) for n in range(1, 9)},
        "09.log.gz": "9 0\n" * 100,
        "10.log": "broken\n10 1\nbroken\n",
    }

    @pytest.fixture(autouse=True)
    def small_units(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pyspark_logs.parallel_scan.UNIT_BYTES", 1000)

    @pytest.mark.parametrize("threads", [2, 5, 50])
    def test_the_rows_are_those_of_one_thread(self, threads: int, tmp_path: Path) -> None:
        """They are ordered by path and offset, and the counts and the warning are the same."""
        path = write(tmp_path, self.FILES)
        results = []
        for count in (1, threads):
            summary = pyspark_logs.ScanSummary()
            table = scan(path, template="{n:int} {line:int}", threads=count, summary=summary).read_all()
            results.append((table.combine_chunks(), summary, summary.files, summary.reasons))
        assert results[0] == results[1]
        numbers = [n for n in results[0][0]["n"].to_pylist() if n is not None]
        assert numbers == sorted(numbers)
        assert len(numbers) == sum(text.count("\n") for text in self.FILES.values()) - 2

    @pytest.mark.parametrize(
        ("processors", "options", "reads_ahead"), [(1, {}, False), (2, {}, True), (1, {"fetchThreads": 2}, True)]
    )
    def test_local_files_are_read_ahead_on_a_free_processor(
        self,
        processors: int,
        options: dict[str, Any],
        reads_ahead: bool,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        added = []
        monkeypatch.setattr("pyspark_logs.parallel_scan.processors", lambda: processors)
        monkeypatch.setattr(
            "pyspark_logs.task_reader.Prefetcher.add",
            lambda _, items, size, *_given: added.append(size) or (item for item in items),
        )
        path = write(tmp_path, self.FILES)
        table = scan(path, template="{n:int} {line:int}", threads=1, **options).read_all()
        assert table.num_rows == sum(text.count("\n") for text in self.FILES.values())
        assert bool(added) == reads_ahead

    def test_units_share_the_builders_of_their_threads(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Making a builder holds the interpreter for up to 2 ms, in which other threads wait."""
        made = []
        make = LogReader.builder
        monkeypatch.setattr(LogReader, "builder", lambda *given: made.append(given) or make(*given))
        path = write(tmp_path, self.FILES)
        table = scan(path, template="{n:int} {line:int}", threads=3).read_all()
        assert table.num_rows == sum(text.count("\n") for text in self.FILES.values())
        assert 2 <= len(made) <= 4  # one is of the plan

    @pytest.mark.parametrize("threads", [1, 3])
    def test_progress(self, threads: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path = write(tmp_path, self.FILES)
        states: list[ReadProgress] = []
        table = scan(path, template="{n:int} {line:int}", threads=threads, progress=states.append).read_all()
        assert {state.total for state in states} == {sum(file.stat().st_size for file in tmp_path.iterdir())}
        assert [state.done for state in states] == sorted(state.done for state in states)
        assert (states[-1].records, states[-1].corrupt) == (table.num_rows, 2)
        assert 0 < states[-1].done <= states[-1].total
        assert len(caplog.messages) == 1

    def test_one_warning(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path = write(tmp_path, {f"{n}.log": "broken\n" * 500 for n in range(5)})
        scan(path, template="{n:int}", threads=3).read_all()
        (message,) = caplog.messages
        assert message.startswith("2500 of 2500 records do not match")
        assert message.endswith("0.log at byte 0")

    def test_errors_come_in_order(self, tmp_path: Path) -> None:
        path = write(tmp_path, self.FILES | {"00.log": "0 0\n" * 500, "05.log": "broken\n"})
        summary = pyspark_logs.ScanSummary()
        reader = scan(path, template="{n:int} {line:int}", threads=4, mode="FAILFAST", summary=summary)
        rows = 0
        with pytest.raises(pyspark_logs.RecordError, match="broken") as caught:  # noqa: PT012 (the rows before the error matter)
            for batch in reader:
                rows += batch.num_rows
        assert str(caught.value.path).endswith("05.log")
        assert 500 <= rows <= summary.rows == 500 + 400  # small batches wait for further rows
        assert not [thread for thread in all_threads() if thread.name.startswith("pyspark-logs")]

    def test_memory_is_bounded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Units that wait for the consumer hold no more than the limit, and the first one goes on nevertheless."""
        monkeypatch.setattr("pyspark_logs.parallel_scan._HELD_BYTES", 1)
        path = write(tmp_path, self.FILES)
        reader = iter(scan(path, template="{n:int} {line:int}", threads=3))
        next(reader)
        before = pa.total_allocated_bytes()
        time.sleep(0.05)
        assert pa.total_allocated_bytes() - before < 100_000
        assert 1 + sum(1 for _ in reader) >= 10

    @pytest.mark.parametrize("threads", [0, -1, 1.5, "many"])
    def test_a_wrong_number(self, threads: Any, tmp_path: Path) -> None:
        with pytest.raises(pyspark_logs.OptionError, match=r"'threads': .* is not a whole number"):
            scan(tmp_path, template="{m}", threads=threads)
