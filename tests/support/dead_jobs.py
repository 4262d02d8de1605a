"""A directory with the leftovers of two dead write jobs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.options import parse_write_options
from pyspark_logs.store.local import LocalStore
from pyspark_logs.writer import LogWriter

OPTIONS = {"template": "{ts:timestamp} {level} {message}", "layout": "{team}/{yyyy}/{MM}/{dd}/{HH}"}
SCHEMA = "ts timestamp, level string, message string, team string"


def write_dead_jobs(root: Path) -> str:
    """Writes two jobs that die: one while it publishes its files, one after it staged them.

    Returns:
        The id of the first job. The second one has no intent.
    """

    class DiedError(BaseException):
        pass

    create = LocalStore.create

    def create_intent_only(self: LocalStore, path: str, data: bytes) -> Any:
        if path.endswith("~intent.json"):
            return create(self, path, data)
        raise DiedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalStore, "create", create_intent_only)
        with pytest.raises(DiedError):
            pyspark_logs.write(rows(), root, **OPTIONS)
    writer = LogWriter(parse_write_options({"path": str(root), **OPTIONS}), SCHEMA)
    writer.write_task(rows().to_batches(), writer.job())
    (intent,) = root.glob("_commits/*~intent.json")
    return intent.name.partition("~")[0]


def rows() -> pa.Table:
    start = dt.datetime(2026, 11, 22, 10, 30, tzinfo=dt.timezone.utc)
    return pa.table(
        {
            "ts": pa.array([start + dt.timedelta(minutes=n) for n in range(4)], pa.timestamp("us", "UTC")),
            "level": ["INFO", "WARN"] * 2,
            "message": [f"message {n} ä" for n in range(4)],
            "team": ["web", "a/b"] * 2,
        }
    )
