"""Spans of OpenTelemetry: their names, parents and attributes, and no effect without the API."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs import RecordError, scan, telemetry
from pyspark_logs.errors import StoreError
from pyspark_logs.options import parse_read_options
from pyspark_logs.reader import LogReader
from pyspark_logs.store.local import LocalStore
from pyspark_logs.stream import LogStream
from tests.support.log_files import write

FORMAT = {"template": "{level} {n:int}"}
TEXT = "INFO 1\nWARN many\n"

sdk = pytest.importorskip("opentelemetry.sdk.trace")


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), sdk.TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield exporter
    provider.shutdown()


@pytest.fixture
def logs(tmp_path: Path) -> str:
    return write(tmp_path / "logs", {"a.log": TEXT * 5, "b.log.gz": TEXT})


def spans_of(exporter: Any) -> dict[str, list[Any]]:
    """Returns the ended spans by name without the common prefix, in the order of their start."""
    found: dict[str, list[Any]] = {}
    for span in sorted(exporter.get_finished_spans(), key=lambda span: span.start_time):
        found.setdefault(span.name.removeprefix("pyspark_logs."), []).append(span)
    return found


def parents(spans: dict[str, list[Any]]) -> dict[str, set[str]]:
    names = {span.context.span_id: name for name, group in spans.items() for span in group}
    return {
        name: {names[span.parent.span_id] if span.parent else "" for span in group} for name, group in spans.items()
    }


@pytest.mark.parametrize("threads", [1, 2])
def test_a_scan(exporter: Any, logs: str, threads: int) -> None:
    assert scan(logs, threads=threads, **FORMAT).read_all().num_rows == 12
    spans = spans_of(exporter)
    assert parents(spans) == {"plan": {""}, "read_task": {"plan"}, "read_split": {"read_task"}}
    (plan,), tasks, splits = spans["plan"], spans["read_task"], spans["read_split"]
    assert {name: plan.attributes[f"pyspark_logs.{name}"] for name in ("files", "files_listed", "tasks")} == {"files": 2, "files_listed": 2, "tasks": 1}  # fmt: skip
    assert sum(span.attributes["pyspark_logs.records"] for span in tasks) == 12
    assert [Path(span.attributes["file.path"]).name for span in splits] == ["a.log", "b.log.gz"]
    assert [span.attributes["pyspark_logs.corrupt"] for span in splits] == [5, 1]
    assert splits[0].attributes["file.size"] == len(TEXT * 5)


def test_errors_and_consumers_that_stop(exporter: Any, logs: str) -> None:
    with pytest.raises(RecordError):
        scan(logs, threads=1, mode="FAILFAST", **FORMAT).read_all()
    for span in spans_of(exporter)["read_split"] + spans_of(exporter)["read_task"]:
        assert (span.attributes["error.type"], span.status.is_ok, span.events) == ("RecordError", False, ())
        assert "many" not in str(span.to_json())
    exporter.clear()
    reader = LogReader(parse_read_options({"path": logs, **FORMAT}), "n int")
    (task,) = reader.plan().tasks
    batches: Any = reader.read_task(task)
    next(batches)
    batches.close()
    spans = spans_of(exporter)
    assert {name: len(group) for name, group in spans.items()}["read_task"] == 1
    assert all(
        span.status.is_ok for group in spans.values() for span in group if span.status.status_code.name != "UNSET"
    )
    assert not any("error.type" in span.attributes for group in spans.values() for span in group)


def test_a_write(exporter: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = pa.record_batch({"n": [1, 2]})
    pyspark_logs.write([batch], tmp_path / "out", json=True, schema=batch.schema, txnId="a")
    spans = spans_of(exporter)
    phases = [name for name in spans if name.startswith("commit.")]
    assert phases == [f"commit.{name}" for name in ("intent", "claim", "publish", "decide", "clean")]
    assert parents(spans) == {"write_task": {""}, "commit": {""}, **{name: {"commit"} for name in phases}}
    (task,), (commit,) = spans["write_task"], spans["commit"]
    assert (task.attributes["pyspark_logs.rows"], task.attributes["pyspark_logs.files"]) == (2, 1)
    assert task.attributes["pyspark_logs.job"] == commit.attributes["pyspark_logs.job"]
    exporter.clear()

    def refuses(*_: object) -> bool:
        raise StoreError("no")

    monkeypatch.setattr(LocalStore, "create", refuses)
    with pytest.raises(StoreError):
        pyspark_logs.write([batch], tmp_path / "out", json=True, schema=batch.schema)
    assert spans_of(exporter)["commit.intent"][0].attributes["error.type"] == "StoreError"


def test_a_stream(exporter: Any, logs: str) -> None:
    stream = LogStream(parse_read_options({"path": logs, **FORMAT}), "n int")
    start = stream.initial_offset()
    end = stream.latest_offset(start, max_files=1, max_bytes=None)
    for task in stream.plan_batch(start, end):
        list(stream.reader.read_task(task))
    spans = spans_of(exporter)
    assert parents(spans) == {"poll": {""}, "plan": {""}, "read_task": {"plan"}, "read_split": {"read_task"}}
    (poll,) = spans["poll"]
    assert (poll.attributes["pyspark_logs.files"], poll.attributes["pyspark_logs.files_waiting"]) == (1, 1)


def test_without_the_api(logs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    telemetry._trace.cache_clear()
    try:
        with telemetry.start_span("a", {"b": 1}, parent="c", current=True) as span:
            span.set({"b": 2})
            assert (span.header(), span.is_recording, span.child("d", {}).is_recording) == ("", False, False)
        reader = LogReader(parse_read_options({"path": logs, **FORMAT}), "n int")
        assert {task.trace for task in reader.plan().tasks} == {""}
    finally:
        telemetry._trace.cache_clear()


def test_without_a_program_that_records(logs: str) -> None:
    reader = LogReader(parse_read_options({"path": logs, **FORMAT}), "n int")
    assert {task.trace for task in reader.plan().tasks} == {""}
