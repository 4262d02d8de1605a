"""What is said of records that do not match: where they are written to, and how they are counted."""

from __future__ import annotations

import gzip
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import pyspark_logs
import pyspark_logs.bad_records
from pyspark_logs import OptionError, RecordError, ScanSummary, scan
from pyspark_logs.errors import ReadOnlyStoreError, StoreError
from pyspark_logs.formats.columnar.reasons import CorruptReason
from pyspark_logs.formats.compiled.availability import Machines, machines
from pyspark_logs.formats.decoding.parsed_line import ParsedLine
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.metrics import MAX_REASONS, OTHER, RecordMetrics
from pyspark_logs.options import FormatOptions, parse_read_options
from pyspark_logs.predicates import Compare, IsNull
from pyspark_logs.reader import LogReader
from pyspark_logs.records import read_lines
from pyspark_logs.schema import parse_ddl
from pyspark_logs.store.local import LocalStore
from tests.support.formats import compile_decoder
from tests.support.interpreted import interpreted_machines
from tests.support.log_files import read, read_pushed, write
from tests.support.s3_server import S3Bucket

TEMPLATE = "{ts:timestamp?} {level?} {n:int?} {message}"
GOOD = "2026-11-22T00:00:00Z INFO 1 ok\n"
TEXT = GOOD + "2026-11-22T00:00:01Z WARN many not a number\n\nbroken\n" + GOOD


def rejects_in(folder: Path) -> list[tuple[str, int, str, str]]:
    """All rejects written to a directory, by our own reader of JSON."""
    schema = "path string, offset long, record string, reason string"
    rows = scan(folder, json=True, schema=schema, mode="FAILFAST").read_all().to_pylist()
    return sorted((Path(row["path"]).name, row["offset"], row["record"], row["reason"]) for row in rows)


WHAT_IS_WRONG = [
    ("a.log", 31, "2026-11-22T00:00:01Z WARN many not a number", "field 'n': 'many': not a whole number"),
    ("a.log", 76, "broken", "no ' ' after field 'ts', which begins at byte 0"),
]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    write(folder, {"a.log": TEXT})
    return folder


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    return tmp_path / "bad" / "deep"


class TestBadRecordsPath:
    @pytest.mark.parametrize("mode", ["PERMISSIVE", "DROPMALFORMED"])
    def test_rejects_are_json_lines(self, mode: str, logs: Path, bad: Path) -> None:
        rows = read(logs, template=TEMPLATE, badRecordsPath=bad, mode=mode)
        assert len(rows) == (4 if mode == "PERMISSIVE" else 2)
        (file,) = bad.iterdir()
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert [list(line) for line in lines] == [["path", "offset", "record", "reason"]] * 2
        assert lines[0]["path"] == str(logs / "a.log")
        assert rejects_in(bad) == WHAT_IS_WRONG

    def test_lines_are_judged_whole(self, logs: Path, bad: Path) -> None:
        rows = read(logs, template=TEMPLATE, badRecordsPath=bad, schema="level string")
        assert [row["level"] for row in rows] == ["INFO", "WARN", None, "INFO"]
        assert len(rejects_in(bad)) == 2

    def test_failfast_raises_first(self, logs: Path, bad: Path) -> None:
        with pytest.raises(RecordError, match="field 'n'"):
            read(logs, template=TEMPLATE, badRecordsPath=bad, mode="FAILFAST")
        assert not bad.exists()

    def test_nothing_bad_writes_nothing(self, tmp_path: Path, bad: Path) -> None:
        write(tmp_path / "logs", {"a.log": GOOD * 3})
        read(tmp_path / "logs", template=TEMPLATE, badRecordsPath=bad)
        assert not bad.exists()

    def test_reading_again_writes_the_same_objects(self, logs: Path, bad: Path) -> None:
        options: dict[str, Any] = {"template": TEMPLATE, "badRecordsPath": bad, "maxPartitionBytes": 40}
        write(logs, {"b.log.gz": TEXT})
        read(logs, **options)
        before = {file.name: file.read_bytes() for file in bad.iterdir()}
        assert len(before) == 3  # two splits of a.log have one each, b.log.gz has both
        for _ in range(2):
            read(logs, **options)
        assert {file.name: file.read_bytes() for file in bad.iterdir()} == before
        assert len(rejects_in(bad)) == 4
        # Secrets and what does not decide about rejects are not part of the names.
        read(logs, **options, accessKey="id", secretKey="secret", maxRetries=1, columnNameOfCorruptRecord="_corrupt_record",
             schema="ts timestamp, level string, n int, message string")  # fmt: skip
        assert {file.name for file in bad.iterdir()} == set(before)

    def test_another_query_has_objects_of_its_own(self, logs: Path, bad: Path) -> None:
        options: dict[str, Any] = {"template": TEMPLATE, "badRecordsPath": bad}
        read(logs, **options)
        names = {file.name for file in bad.iterdir()}
        read(logs, **options, nullValue="many")
        assert len({file.name for file in bad.iterdir()} - names) == 1
        read_pushed(str(logs), [Compare("level", "=", "WARN")], **options)
        assert len({file.name for file in bad.iterdir()} - names) == 2
        read(logs, **options, startTime="2026-11-22T00:00:01Z", endTime="2026-11-22T00:00:02Z")
        assert len({file.name for file in bad.iterdir()} - names) == 3
        # A new version of the file, too.
        os.utime(logs / "a.log", (1, 1))
        read(logs, **options)
        assert len({file.name for file in bad.iterdir()} - names) == 4

    def test_what_a_filter_leaves_out_is_no_reject(self, logs: Path, bad: Path) -> None:
        options: dict[str, Any] = {"template": TEMPLATE, "badRecordsPath": bad}
        read_pushed(str(logs), [Compare("level", "=", "WARN")], **options)
        assert [at for _, at, _, _ in rejects_in(bad)] == [31]
        rows, metrics, _, _ = read_pushed(str(logs), [IsNull("level")], **options)
        assert (len(rows), metrics.corrupt) == (1, 1)

    def test_objects_are_rolled(self, tmp_path: Path, bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pyspark_logs.bad_records, "OBJECT_BYTES", 1000)
        write(tmp_path / "logs", {"a.log": "".join(f"broken{n}\n" for n in range(100))})
        read(tmp_path / "logs", template=TEMPLATE, badRecordsPath=bad)
        sizes = {int(file.stem.rpartition("-")[2]): file.stat().st_size for file in bad.iterdir()}
        assert len(sizes) > 5
        assert sorted(sizes) == list(range(len(sizes)))
        assert all(1000 <= size < 1300 for number, size in sizes.items() if number < len(sizes) - 1)
        assert sorted(text for _, _, text, _ in rejects_in(bad)) == sorted(f"broken{n}" for n in range(100))

    def test_a_read_that_is_given_up_writes_nothing_half(
        self, tmp_path: Path, bad: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pyspark_logs.bad_records, "OBJECT_BYTES", 100_000)
        text = (GOOD * 200 + "broken\n") * 1000
        write(tmp_path / "logs", {"a.log": text})
        options: dict[str, Any] = {"template": TEMPLATE, "badRecordsPath": bad}
        reader: Any = scan(tmp_path / "logs", **options)
        next(iter(reader))
        reader.close()
        del reader
        partial = {file.name: file.read_bytes() for file in bad.iterdir()} if bad.exists() else {}
        read(tmp_path / "logs", **options)
        whole = {file.name: file.read_bytes() for file in bad.iterdir()}
        assert len(partial) < len(whole)
        assert partial.items() <= whole.items()
        assert len(rejects_in(bad)) == 1000

    def test_a_split_that_fails_writes_nothing(self, logs: Path, bad: Path) -> None:
        data = gzip.compress(os.urandom(100_000) + TEXT.encode())
        (logs / "a.log").unlink()
        (logs / "a.log.gz").write_bytes(data[: len(data) // 2])
        with pytest.raises(pyspark_logs.CorruptFileError):
            read(logs, template=TEMPLATE, badRecordsPath=bad)
        assert not bad.exists()
        read(logs, template=TEMPLATE, badRecordsPath=bad, ignoreCorruptFiles=True)
        assert rejects_in(bad)

    def test_a_record_that_is_too_long_comes_as_its_head(self, tmp_path: Path, bad: Path) -> None:
        write(tmp_path / "logs", {"a.log": "é" * 100_000 + "\n" + GOOD})
        read(tmp_path / "logs", template=TEMPLATE, badRecordsPath=bad, maxRecordBytes="100k")
        ((_, offset, record, reason),) = rejects_in(bad)
        assert (offset, record) == (0, "é" * 32_768)
        assert reason == "the record has 200000 bytes, more than maxRecordBytes=102400"

    def test_any_text_comes_back(self, tmp_path: Path, bad: Path) -> None:
        odd = 'x"\\\\"\t\x00\x1f\b\f\v\x7f\x85\u2028\U0001f600\\n\\'
        write(tmp_path / "logs", {"a.log": odd.encode() + b"\xff\r\n  more\n" + GOOD.encode()})
        read(tmp_path / "logs", template=TEMPLATE, badRecordsPath=bad, multiLine=r"^\S")
        ((_, _, record, _),) = rejects_in(bad)
        assert record == odd + "\ufffd\r\n  more"

    @pytest.mark.parametrize("available", [machines, interpreted_machines, lambda: None])
    def test_lines_are_those_of_the_standard_library(
        self, available: Callable[[], Machines | None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By the compiled machine, the interpreted machine, and by the column; a text of escapes exceeds the memory of the machine."""
        monkeypatch.setattr(pyspark_logs.bad_records, "machines", available)
        texts = ["x", "", 'a "b" \\', "".join(map(chr, range(300))), "\U0001f600\u2028", "\0" * 20_000, '"', "y"]
        path, offsets = 'dir/"é\udc80.log', np.array([2**40 + n for n in range(len(texts))])
        lines = pyspark_logs.bad_records._render(
            path, offsets, pa.array([*texts, "z"])[:-1], pa.array(["z", *texts[::-1]])[1:]
        )
        records = zip(offsets.tolist(), texts, texts[::-1], strict=True)
        expected = [
            json.dumps(
                {"path": path.replace("\udc80", "?"), "offset": at, "record": text, "reason": reason},
                ensure_ascii=False,
            )
            for at, text, reason in records
        ]
        assert lines.to_pylist() == [line + "\n" for line in expected]

    def test_a_name_that_is_hidden_can_be_read_all_the_same(self, logs: Path, tmp_path: Path) -> None:
        read(logs, template=TEMPLATE, badRecordsPath=tmp_path / "_bad")
        assert len(rejects_in(tmp_path / "_bad")) == 2

    @pytest.mark.parametrize("place", ["logs", "logs/bad", "logs/_bad", "logs/a.log"])
    def test_a_place_that_is_read_is_refused(self, place: str, logs: Path, tmp_path: Path) -> None:
        with pytest.raises(OptionError, match=r"'badRecordsPath': .* lies inside the load path"):
            scan(logs, template=TEMPLATE, badRecordsPath=tmp_path / place)
        with pytest.raises(OptionError, match=r"'badRecordsPath': .* lies inside the load path"):
            scan(f"{tmp_path}/*", template=TEMPLATE, badRecordsPath=f"file://{tmp_path}/{place}")

    def test_a_place_that_cannot_be_written_to_is_refused_early(self, logs: Path) -> None:
        with pytest.raises(OptionError, match=r"'badRecordsPath': '{' makes .* a glob"):
            scan(logs, template=TEMPLATE, badRecordsPath="/bad/{a}")
        reader = LogReader(
            parse_read_options({"path": str(logs), "template": TEMPLATE, "badRecordsPath": "http://x/bad"}),
            "level string",
        )
        with pytest.raises((ReadOnlyStoreError, OptionError), match="http"):
            reader.plan()

    def test_failing_to_write_is_an_error(self, logs: Path, bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refused(self: LocalStore, path: str, data: bytes) -> None:
            raise StoreError(f"cannot write {path}: the disk is full")

        monkeypatch.setattr(LocalStore, "put", refused)
        with pytest.raises(StoreError, match="the disk is full"):
            read(logs, template=TEMPLATE, badRecordsPath=bad)

    def test_on_s3(self, s3: S3Bucket, logs: Path) -> None:
        options = {"endpoint": s3.endpoint, "region": "us-east-1", "accessKey": "testing", "secretKey": "test-secret"}
        # The logs may be elsewhere; the credentials are those of the load.
        for _ in range(2):
            read(logs, template=TEMPLATE, badRecordsPath=f"{s3.url}/bad", **options)
        rows = scan(f"{s3.url}/bad", json=True, **options).read_all().to_pylist()
        assert [row["record"] for row in rows] == [one[2] for one in WHAT_IS_WRONG]


# ------------------------------------------------------------------------------------------------------------- reasons


def why(options: FormatOptions, ddl: str, line: str) -> CorruptReason:
    decoder = compile_decoder(options, parse_ddl(ddl), judge_whole=options.kind != "json")
    (lines,) = read_lines(iter([b"\n" + line.encode()]))
    decoded = decoder.decode(lines, TimestampContext())
    assert decoded.corrupt is not None
    assert list(decoded.reasons) == [0]
    return decoded.reasons[0]


class TestReasons:
    @pytest.mark.parametrize(
        ("template", "line", "text", "general"),
        [
            ("{a} {n:int}", "x 12y", "field 'n': '12y': not a whole number", "field 'n': not a whole number"),
            ("{a} {n:int}", "x", "no ' ' after field 'a', which begins at byte 0", "no ' ' after field 'a'"),
            ("{a} [{b}]", "x y", "no ' [' after field 'a', which begins at byte 0", "no ' [' after field 'a'"),
            ("[{a}]", "é", "expected '[' at byte 0", "expected '['"),
            ("{~}{a}", "x", "expected a blank at byte 0", "expected a blank"),
            ("[{a}] x", "[é] xyz", "text after the last field, at byte 6", "text after the last field"),
            ("{d:date}{a}", "x", "field 'd' is not a date at byte 0", "field 'd' is not a date"),
            ("{j:json}", "[1", "field 'j': '[1': Expecting ',' delimiter: line 1 column 3 (char 2)", "field 'j': Expecting ',' delimiter"),
            ("{q:quoted} x", 'a x', "field 'q': 'a': not a quoted text", "field 'q': not a quoted text"),
        ],
    )  # fmt: skip
    def test_a_template(self, template: str, line: str, text: str, general: str) -> None:
        options = FormatOptions("template", template)
        names = ", ".join(
            f"{name} string" for name in "adjqbn" if f"{{{name}:" in template or f"{{{name}}}" in template
        )
        if "n:int" in template:
            names = names.replace("n string", "n int")
        if "d:date" in template:
            names = names.replace("d string", "d date")
        assert why(options, names, line) == (text, general)

    @pytest.mark.parametrize(
        ("line", "text", "general"),
        [
            ("{", "not a line of JSON: Expecting property name", "not a line of JSON: Expecting property name"),
            ("[1]", "not a line of JSON: not a JSON object", "not a line of JSON: not a JSON object"),
            ('{"n": "x"}', "field 'n': \"x\" is not a number", "field 'n': not of type int"),
            ('{"n": 2147483648}', "field 'n': does not fit", "field 'n': not of type int"),
        ],
    )
    def test_json(self, line: str, text: str, general: str) -> None:
        found = why(FormatOptions("json", ""), "n int", line)
        assert found.text.startswith(text)
        assert found.category.startswith(general)
        assert "char" not in found.category

    def test_a_format_that_gives_no_general_reason(self) -> None:
        assert ParsedLine([], "field 'a': 'x1': not so").corrupt_reason == ("field 'a': 'x1': not so", "field 'a'")

    def test_the_number_of_reasons_is_bounded(self) -> None:
        metrics = RecordMetrics()
        for number in range(1000):
            metrics.count_corrupt(f"reason {number}")
            metrics.count_corrupt("reason 1")
        assert len(metrics.reasons) == MAX_REASONS + 1
        assert metrics.reasons["reason 1"] == 1001
        assert metrics.reasons[OTHER] == 1000 - MAX_REASONS
        assert sum(metrics.reasons.values()) == metrics.corrupt == 2000


class TestWarning:
    def test_one_for_each_task_with_corrupt_records(self, logs: Path, caplog: pytest.LogCaptureFixture) -> None:
        write(logs, {"b.log": "x\n" * 5 + GOOD, "c.log": GOOD})
        with caplog.at_level(logging.WARNING, "pyspark_logs.reader"):
            options = {
                "template": TEMPLATE,
                "maxPartitionBytes": "1k",
                "openCostInBytes": "1k",
                "mode": "DROPMALFORMED",
            }
            read_pushed(str(logs), together=False, **options)
        of_a = "2 of 4 records do not match the format and are dropped: field 'n': not a whole number (1), no ' ' after"
        of_b = "5 of 6 records do not match the format and are dropped: no ' ' after field 'ts' (5). The first of them:"
        assert sorted(record.getMessage() for record in caplog.records) == [
            f"{of_a} field 'ts' (1). The first of them: {logs}/a.log at byte 31",
            f"{of_b} {logs}/b.log at byte 0",
        ]

    def test_a_scan_warns_once_for_all_tasks(self, logs: Path, caplog: pytest.LogCaptureFixture) -> None:
        write(logs, {"b.log": "x\n" * 5 + GOOD, "c.log": GOOD})
        with caplog.at_level(logging.WARNING, "pyspark_logs.reader"):
            read(logs, template=TEMPLATE, maxPartitionBytes="1k", openCostInBytes="1k", mode="DROPMALFORMED")
        reasons = "no ' ' after field 'ts' (6), field 'n': not a whole number (1)"
        assert [record.getMessage() for record in caplog.records] == [
            f"7 of 11 records do not match the format and are dropped: {reasons}. The first of them: {logs}/a.log at byte 31"
        ]

    def test_a_read_that_is_given_up_warns_too(self, logs: Path, caplog: pytest.LogCaptureFixture) -> None:
        reader: Any = scan(logs, template=TEMPLATE)
        next(iter(reader))
        reader.close()
        del reader
        assert [record.levelname for record in caplog.records] == ["WARNING"]

    def test_failfast_needs_no_warning(self, logs: Path, caplog: pytest.LogCaptureFixture) -> None:
        with pytest.raises(RecordError):
            read(logs, template=TEMPLATE, mode="FAILFAST")
        assert not caplog.records


class TestSummary:
    @pytest.mark.parametrize("mode", ["PERMISSIVE", "DROPMALFORMED", "FAILFAST"])
    @pytest.mark.parametrize("multi_line", [None, "true"])
    def test_nothing_is_lost(self, mode: str, multi_line: str | None, logs: Path, bad: Path) -> None:
        text = GOOD * 10 if mode == "FAILFAST" else TEXT * 10
        later = "2026-11-23T00:00:00Z INFO 2 later\n"
        # Records without a time count at their file's.
        write(logs, {"a.log": text + later, "b.log.gz": text}, modified_ms=1_795_305_600_000)
        summary = ScanSummary()
        options: dict[str, Any] = {
            "template": TEMPLATE,
            "mode": mode,
            "multiLine": multi_line,
            "maxPartitionBytes": 100,
        }
        reader = scan(
            logs, **options, summary=summary, startTime="2026-11-22T00:00:00Z", endTime="2026-11-22T12:00:00Z"
        )
        assert summary == ScanSummary()
        rows = reader.read_all().num_rows
        assert summary.rows == rows
        assert summary.files == 2
        assert summary.rows + summary.filtered + summary.dropped == summary.records
        assert sum(summary.reasons.values()) == summary.corrupt
        if multi_line is None and mode != "FAILFAST":
            assert summary.reasons == {"field 'n': not a whole number": 20, "no ' ' after field 'ts'": 20}
            assert (summary.records, summary.dropped) == (81, 40 if mode == "DROPMALFORMED" else 0)
        assert summary.filtered >= 1

    def test_it_is_filled_while_batches_are_read(self, tmp_path: Path) -> None:
        write(tmp_path, {f"{n}.log": GOOD * 70_000 for n in range(3)})
        summary = ScanSummary()
        reader = scan(tmp_path, template=TEMPLATE, summary=summary)
        reader.read_next_batch()
        assert 0 < summary.records < 210_000
        reader.read_all()
        assert (summary.records, summary.rows, summary.files) == (210_000, 210_000, 3)
        with pytest.raises(AttributeError):
            reader.summary = summary  # which is why it is an argument
