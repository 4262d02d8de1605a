"""Audits of queries: attempts that fail, stop and race, files that change, streams that replay."""

from __future__ import annotations

import itertools
import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import pyspark_logs
from pyspark_logs import AuditReport, OptionError, RecordError, audit, scan
from pyspark_logs.auditing import TaskOrigin, offset_digest
from pyspark_logs.cli import main
from pyspark_logs.cli.output import FAILED, REFUSED
from pyspark_logs.errors import (
    CorruptFileError,
    PathNotFoundError,
    ReadOnlyStoreError,
    SnapshotChangedError,
    StoreError,
)
from pyspark_logs.options import parse_read_options
from pyspark_logs.reader import LogReader, ReadPlan
from pyspark_logs.store.local import LocalStore
from pyspark_logs.stream import LogStream
from tests.support.log_files import write

TEMPLATE = "{level} {n:int}"
TEXT = "INFO 1\nWARN many\nINFO 2\n"
FORMAT = {"template": TEMPLATE, "maxPartitionBytes": 30, "openCostInBytes": 1}


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    write(tmp_path / "logs", {"a.log": TEXT * 3, "b.log.gz": TEXT, "c.log": TEXT, "_hidden": "x", "empty.log": ""})
    return tmp_path / "logs"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "audit"


def planned(logs: Path, folder: Path, **options: Any) -> tuple[LogReader, ReadPlan]:
    reader = LogReader(
        parse_read_options({"path": str(logs), "auditPath": folder, **FORMAT, **options}), "level string, n int"
    )
    return reader, reader.start_audit(reader.plan())


def objects(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.gz")}


def states(report: AuditReport) -> dict[str, int]:
    (query,) = report.queries
    return query.states


class TestQueries:
    def test_a_scan(self, logs: Path, folder: Path) -> None:
        for threads in (1, 2):
            rows = scan(logs, auditPath=folder, threads=threads, startTime="2026-01-01", **FORMAT).read_all()
            assert len(rows) == 15
        report = audit(folder)
        assert (report.state, len(report.queries), report.findings) == ("complete", 2, ())
        for query in report.queries:
            assert (query.files, query.records, query.rows, query.corrupt) == (3, 15, 15, 5)
            assert query.reasons == {"field 'n': not a whole number": 5}
            assert query.states == {"read": query.splits}
        table = report.table
        assert sum(table["length"].to_pylist()) == 2 * sum(
            (logs / name).stat().st_size for name in ("a.log", "b.log.gz", "c.log")
        )
        assert len({row["query"] for row in table.to_pylist()}) == 2
        assert all(row["seconds"] >= 0 and row["version"] for row in table.to_pylist())

    def test_no_option_no_audit(self, logs: Path, folder: Path) -> None:
        reader, _ = planned(logs, folder)
        shutil.rmtree(folder)
        plan = reader.plan()
        assert all(task.audit is None for task in plan.tasks)
        pyspark_logs.plan(logs, auditPath=folder, **FORMAT)
        pyspark_logs.check(logs, auditPath=folder, **FORMAT)
        assert not folder.exists()

    def test_an_empty_load(self, tmp_path: Path, folder: Path) -> None:
        (tmp_path / "none").mkdir()
        assert scan(tmp_path / "none", auditPath=folder, **FORMAT).read_all().num_rows == 0
        report = audit(folder)
        assert (report.state, report.queries[0].files, report.table.num_rows) == ("complete", 0, 0)

    def test_pruned_files_are_part_of_the_proof(self, tmp_path: Path, folder: Path) -> None:
        root = tmp_path / "logs"
        write(root, {f"{day:02}/{name}": TEXT for day in range(1, 9) for name in ("a.log", "_b", "c.txt")})
        write(root, {"stray.log": TEXT})
        for paths in ([str(root), str(root / "01")], [str(root)]):
            options = {"layout": "{day}", "pathGlobFilter": "*.log", "where": "day <> '02'"}
            scan(paths, auditPath=folder, template=TEMPLATE, **options).read_all()
        assert audit(folder).state == "complete"

    def test_a_task_that_never_ran(self, logs: Path, folder: Path) -> None:
        reader, plan = planned(logs, folder)
        assert len(plan.tasks) > 3
        for task in plan.tasks[1:]:
            list(reader.read_task(task))
        report = audit(folder)
        assert (report.state, report.queries[0].open_tasks) == ("unfinished", 1)
        assert states(report)["unread"] == len(plan.tasks[0].splits)
        list(reader.read_task(plan.tasks[0]))
        assert audit(folder).state == "complete"

    def test_attempts_replace_one_another(self, logs: Path, folder: Path) -> None:
        """Retried and speculative attempts leave one report for each task."""
        reader, plan = planned(logs, folder)
        for task in plan.tasks:
            for _ in range(2):
                list(reader.read_task(task))
        assert len([name for name in objects(folder) if name.startswith("tasks/")]) == len(plan.tasks)
        assert audit(folder).queries[0].records == 15

    def test_attempts_that_die_or_stop_never_replace_a_complete_one(
        self, logs: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(logs, {"a.log": TEXT * 2000})  # more rows than a batch has at least
        reader, plan = planned(logs, folder, maxPartitionBytes=100_000)
        (task,) = plan.tasks
        next(reader.read_task(task))  # type: ignore[call-overload]  # stopped, as LIMIT does
        stopped = audit(folder)
        assert (stopped.state, stopped.queries[0].failed_attempts) == ("unfinished", 1)
        assert states(stopped)["stopped"] == 1
        list(reader.read_task(task))
        with monkeypatch.context() as patch:
            patch.setattr(LocalStore, "read", fails)
            with pytest.raises(StoreError, match="no route"):
                list(reader.read_task(task))
        report = audit(folder)
        assert (report.state, report.queries[0].failed_attempts, states(report)) == ("complete", 1, {"read": 3})

    def test_a_task_that_fails(self, logs: Path, folder: Path) -> None:
        reader, plan = planned(logs, folder, mode="FAILFAST", maxPartitionBytes=10_000)
        with pytest.raises(RecordError):
            list(reader.read_task(plan.tasks[0]))
        report = audit(folder)
        assert (report.state, report.queries[0].open_tasks) == ("unfinished", len(plan.tasks))
        assert {row["problem"] for row in report.table.to_pylist() if row["state"] == "failed"} == {"RecordError"}

    def test_a_file_that_changed_and_one_that_went_away(self, logs: Path, folder: Path) -> None:
        reader, plan = planned(logs, folder, ignoreMissingFiles="true")
        (logs / "b.log.gz").unlink()
        for task in plan.tasks:
            list(reader.read_task(task))
        report = audit(folder)
        assert (report.state, states(report)["skipped"]) == ("complete", 1)
        (skipped,) = (row for row in report.table.to_pylist() if row["state"] == "skipped")
        assert (Path(skipped["path"]).name, skipped["problem"]) == ("b.log.gz", "was deleted after planning")
        reader, plan = planned(logs, folder)
        (logs / "c.log").write_text("other")
        with pytest.raises(SnapshotChangedError):
            [list(reader.read_task(task)) for task in plan.tasks]
        assert audit(folder, query="latest").state == "unfinished"

    def test_a_damaged_file(self, logs: Path, folder: Path) -> None:
        data = (logs / "b.log.gz").read_bytes()
        (logs / "b.log.gz").write_bytes(data[:-12])
        scan(logs, auditPath=folder, ignoreCorruptFiles=True, **FORMAT).read_all()
        report = audit(folder)
        assert (report.state, states(report)["damaged"]) == ("complete", 1)

    def test_a_lost_and_a_forged_report(self, logs: Path, folder: Path) -> None:
        reader, plan = planned(logs, folder)
        list(reader.read_task(replace(plan.tasks[0], splits=plan.tasks[0].splits[1:])))  # a task that loses a split
        assert audit(folder).findings[0].kind == "missing"
        assert audit(folder).state == "wrong"
        (name,) = (folder / "files").rglob("*.gz")
        name.unlink()
        with pytest.raises(CorruptFileError, match="is missing, so the audit is incomplete"):
            audit(folder)


def fails(*_: object, **__: object) -> Iterator[bytes]:
    raise StoreError("no route")


class TestOptions:
    def test_a_directory_that_cannot_be_written_to(self, logs: Path, tmp_path: Path) -> None:
        for place in (logs / "audit", logs):
            with pytest.raises(OptionError, match=r"'auditPath': .* lies inside the load path .* so that the audit"):
                scan(logs, auditPath=place, **FORMAT)
        with pytest.raises(OptionError, match=r"'auditPath': '{' makes .* a glob"):
            scan(logs, auditPath="/audit/{a}", **FORMAT)
        reader = LogReader(parse_read_options({"path": str(logs), "auditPath": "http://x/audit", **FORMAT}), "n int")
        with pytest.raises((ReadOnlyStoreError, OptionError), match="http"):
            reader.start_audit(reader.plan())

    def test_quiet(self, logs: Path, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG, "pyspark_logs"):
            scan(logs, quiet=True, **FORMAT).read_all()
            assert {record.levelno for record in caplog.records} == {logging.DEBUG}
            assert "5 of 15 records do not match" in caplog.text
            scan(logs, **FORMAT).read_all()
        assert [record.levelno for record in caplog.records if record.levelno > logging.DEBUG] == [logging.WARNING]


class TestResults:
    def test_the_command(self, logs: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["audit", str(folder)]) == REFUSED
        assert "no query has written an audit below" in capsys.readouterr().err
        scan(logs, auditPath=folder, **FORMAT).read_all()
        assert main(["audit", str(folder)]) == 0
        assert "1 query: 1 complete; each byte of each listed file is accounted for once" in capsys.readouterr().out
        reader, plan = planned(logs, folder)
        assert main(["audit", str(folder), "--query", "latest", "--json"]) == FAILED
        told = json.loads(capsys.readouterr().out)
        assert (told["state"], told["queries"][0]["open_tasks"]) == ("unfinished", len(plan.tasks))
        assert main(["audit", str(folder), "--allow-unfinished"]) == 0
        assert f"{len(plan.tasks)} tasks have no report" in capsys.readouterr().out
        list(reader.read_task(replace(plan.tasks[0], splits=())))
        assert main(["audit", str(folder), "--allow-unfinished"]) == FAILED
        assert "missing: " in capsys.readouterr().out
        assert main(["audit", str(folder), "--query", "none"]) == REFUSED

    def test_in_a_notebook(self, logs: Path, folder: Path) -> None:
        _, plan = planned(logs, folder)
        scan(logs, auditPath=folder, **FORMAT).read_all()
        report = audit(folder)
        assert repr(report).splitlines()[-1] == "2 queries: 1 complete, 1 unfinished"
        assert f"{len(plan.tasks)} tasks have no report" in repr(report)
        assert ">unfinished</td>" in report._repr_html_()

    def test_a_directory_that_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(PathNotFoundError, match="Give the directory of the option auditPath"):
            audit(tmp_path)


class TestStreams:
    @pytest.fixture
    def stream(self, logs: Path, folder: Path) -> LogStream:
        options = {"path": str(logs), "auditPath": folder, **FORMAT}
        return LogStream(parse_read_options(options), "level string, n int")

    @staticmethod
    def run(
        stream: LogStream, batches: int, run: str = "run", start: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Reads batches of one file; returns their offsets."""
        offsets = [start or stream.initial_offset()]
        for number in range(batches):
            offsets.append(stream.latest_offset(offsets[-1], max_files=1, max_bytes=None))
            for task in stream.plan_batch(offsets[-2], offsets[-1]):
                list(stream.reader.read_task(task, origin=TaskOrigin(run, number)))
        return offsets

    def test_batches(self, stream: LogStream, folder: Path) -> None:
        self.run(stream, 3)
        report = audit(folder)
        assert (report.state, report.findings) == ("complete", ())
        (query,) = report.queries
        assert (query.batches, query.files, query.records) == (3, 3, 15)
        assert {row["batch"] for row in report.table.to_pylist()} == {0, 1, 2}

    def test_a_replayed_batch_replaces_its_audit(self, stream: LogStream, logs: Path, folder: Path) -> None:
        offsets = self.run(stream, 3)
        before = set(objects(folder))
        for start, end in itertools.pairwise(offsets):
            for task in stream.plan_batch(start, end):
                list(stream.reader.read_task(task, origin=TaskOrigin("run", 0)))
        assert set(objects(folder)) == before
        # A restart with other splits has another plan for the same batch, and the tasks of the former plan do not count.
        options = {"path": str(logs), "auditPath": folder, **FORMAT, "maxPartitionBytes": 20}
        other = LogStream(parse_read_options(options), "level string, n int")
        for start, end in itertools.pairwise(offsets):
            for task in other.plan_batch(start, end):
                list(other.reader.read_task(task, origin=TaskOrigin("run", 0)))
        assert set(objects(folder)) > before
        report = audit(folder)
        assert (report.state, report.queries[0].batches, report.queries[0].records) == ("complete", 3, 15)

    def test_a_batch_that_dies(self, stream: LogStream, folder: Path) -> None:
        offsets = self.run(stream, 1)
        offsets.append(stream.latest_offset(offsets[-1], max_files=1, max_bytes=None))
        assert stream.plan_batch(offsets[-2], offsets[-1])
        assert audit(folder).state == "unfinished"

    def test_a_second_query_and_a_lost_checkpoint(self, stream: LogStream, folder: Path) -> None:
        self.run(stream, 3)
        self.run(stream, 3, run="other")
        report = audit(folder)
        assert report.state == "wrong"
        assert {finding.kind for finding in report.findings} == {"doubled", "chain"}

    def test_a_batch_without_audit(self, stream: LogStream, folder: Path) -> None:
        self.run(stream, 3)
        second = next(
            path for path in (folder / "plans").rglob("*.json")
            if json.loads(path.read_text())["start"] in {json.loads(one.read_text())["end"] for one in path.parent.iterdir()}
            and json.loads(path.read_text())["end"] in {json.loads(one.read_text())["start"] for one in path.parent.iterdir()}
        )  # fmt: skip
        second.unlink()
        assert [finding.kind for finding in audit(folder).findings] == ["chain"]

    def test_the_batches_of_a_checkpoint(self, stream: LogStream, folder: Path, tmp_path: Path) -> None:
        offsets = self.run(stream, 3)
        checkpoint = tmp_path / "checkpoint"
        for number, offset in enumerate([*offsets[1:], offsets[-1]]):  # the last batch has no data
            for name, text in (("offsets", f"v1\n{{}}\n{json.dumps(offset)}\n-"), ("commits", "v1\n{}")):
                (checkpoint / name).mkdir(parents=True, exist_ok=True)
                (checkpoint / name / str(number)).write_text(text)
                (checkpoint / name / f".{number}.crc").write_text("x")
        assert audit(folder, checkpoint=checkpoint).state == "complete"
        last = {
            one["end"]: path for path in (folder / "plans").rglob("*.json") for one in [json.loads(path.read_text())]
        }
        last[offset_digest(offsets[-1])].unlink()
        assert audit(folder).state == "complete"  # a missing last batch needs the checkpoint
        (finding,) = audit(folder, checkpoint=checkpoint).findings
        assert finding.detail == "batch 2 of the checkpoint is complete and has no audit"
        (checkpoint / "commits" / "2").unlink()
        assert audit(folder, checkpoint=checkpoint).state == "complete"  # it still runs
        last[offset_digest(offsets[2])].unlink()
        (finding,) = audit(folder, checkpoint=checkpoint).findings
        assert finding.detail == "batch 1 of the checkpoint is complete and has no audit"
        with pytest.raises(PathNotFoundError, match="there is no batch in"):
            audit(folder, checkpoint=tmp_path)

    def test_the_driver_logs_each_batch_once(
        self, stream: LogStream, folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO, "pyspark_logs.stream.batch_summary"):
            offsets = self.run(stream, 3)
            for _ in range(2):
                stream.commit_batch(offsets[-1])
        assert [record.levelname for record in caplog.records if record.name.endswith("batch_summary")] == [
            "WARNING"
        ] * 3
        assert (
            "3 records in 1 file: 3 rows, 0 filtered, 0 dropped; 1 does not match the format: field 'n'" in caplog.text
        )
        shutil.rmtree(folder)
        (folder / "plans").mkdir(parents=True)
        stream.commit_batch(offsets[1])  # an audit that was removed is not missed
        stream.latest_offset(offsets[-1], max_files=1, max_bytes=None)
        assert [record.levelname for record in caplog.records if record.name.endswith("batch_summary")] == [
            "WARNING"
        ] * 3
