"""Spark's messages of tasks: a commit needs all of them, an abort takes those that there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql.types import StringType, StructField, StructType

from pyspark_logs.datasource.writers import LogBatchWriter, LogCommitMessage, LogStreamWriter
from pyspark_logs.errors import LogSourceError
from pyspark_logs.options import parse_write_options

SCHEMA = StructType([StructField("message", StringType())])
ROWS = pa.table({"message": ["a", "b"]})


def batch_writer(path: Path, **options: Any) -> LogBatchWriter:
    return LogBatchWriter(parse_write_options({"path": str(path), "template": "{message}", **options}), SCHEMA, False)


def stream_writer(path: Path) -> LogStreamWriter:
    return LogStreamWriter(parse_write_options({"path": str(path), "template": "{message}"}), SCHEMA)


def files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()]


@pytest.mark.parametrize("position", [0, 1])
def test_a_batch_with_a_missing_message_is_rolled_back(tmp_path: Path, position: int) -> None:
    writer = batch_writer(tmp_path)
    messages: list[Any] = [LogCommitMessage(writer.write_task(ROWS.to_batches(), writer.job()))]
    messages.insert(position, None)
    with pytest.raises(LogSourceError, match="1 of 2 tasks sent no message"):
        writer.commit(messages)
    assert files(tmp_path) == []
    writer.abort(messages)
    assert files(tmp_path) == []


@pytest.mark.parametrize("position", [0, 1])
def test_a_micro_batch_with_a_missing_message_is_rolled_back(tmp_path: Path, position: int) -> None:
    writer = stream_writer(tmp_path)
    job = writer.job(query_id="q", batch=0)
    messages: list[Any] = [LogCommitMessage(writer.write_task(ROWS.to_batches(), job))]
    messages.insert(position, None)
    with pytest.raises(LogSourceError, match="1 of 2 tasks sent no message"):
        writer.commit(messages, 0)
    assert files(tmp_path) == []
    writer.abort(messages, 0)
    assert files(tmp_path) == []


def test_a_micro_batch_without_rows_needs_all_messages(tmp_path: Path) -> None:
    writer = stream_writer(tmp_path)
    empty = LogCommitMessage(writer.write_task([], writer.job(query_id="q", batch=0)))
    writer.commit([empty, empty], 0)
    with pytest.raises(LogSourceError, match="1 of 2 tasks sent no message"):
        writer.commit([empty, None], 0)
    with pytest.raises(LogSourceError, match="batch 0: none of its 2 tasks sent a message"):
        writer.commit([None, None], 0)
    assert files(tmp_path) == []


def test_abort_uses_the_threads_of_the_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = []
    monkeypatch.setattr("pyspark_logs.writer.abort", lambda *arguments: settings.append(arguments[3]))
    writer = batch_writer(tmp_path, commitThreads="3")
    writer.abort([None])
    assert [given.threads for given in settings] == [3]


def test_an_option_cannot_shorten_what_others_rely_on(tmp_path: Path) -> None:
    """Readers, and writers with other options, rely on the defaults."""
    day_us = 86_400_000_000
    short = batch_writer(tmp_path, recordRetention="1s", txnRetention="1s")._settings()
    assert (short.record_retention_us, short.txn_retention_us) == (day_us, 30 * day_us)
    long = batch_writer(tmp_path, recordRetention="2d", txnRetention="31d")._settings()
    assert (long.record_retention_us, long.txn_retention_us) == (2 * day_us, 31 * day_us)
