"""Records and rows for tests of formats."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

import pyspark_logs
from pyspark_logs.records import Lines


def scan_rows(path: Path, **options: Any) -> list[dict[str, Any]]:
    """Returns the rows of a file or directory."""
    return pyspark_logs.scan(str(path), **options).read_all().to_pylist()


def utc(*parts: int) -> datetime:
    """Returns an instant by year, month, day and so on in UTC."""
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[arg-type, misc]


def multiline_records(records: list[bytes]) -> Lines:
    """Returns records that may contain line ends, as records joined from several lines do."""
    ends = np.cumsum([len(record) + 1 for record in records]).astype(np.int32) - np.int32(1)
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int32)
    return Lines(b"\n".join(records) + b"\n", starts, ends, 0)
