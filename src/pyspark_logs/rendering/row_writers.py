"""Rows of Arrow batches as JSON lines or CSV, for terminals and files."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TextIO

import pyarrow as pa


def json_value(value: Any) -> Any:
    """Returns a value for ``json.dumps(default=...)``: times as ISO 8601, decimals as text, bytes as base64.

    >>> json.dumps({"t": dt.date(2026, 11, 22), "d": Decimal("1.10")}, default=json_value)
    '{"t": "2026-11-22", "d": "1.10"}'
    """
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def _json_writer(stream: TextIO, _: Sequence[str]) -> Callable[[pa.RecordBatch], None]:
    def write(batch: pa.RecordBatch) -> None:
        for row in batch.to_pylist(maps_as_pydicts="lossy"):
            stream.write(json.dumps(row, default=json_value, ensure_ascii=False) + "\n")

    return write


def _csv_writer(stream: TextIO, names: Sequence[str]) -> Callable[[pa.RecordBatch], None]:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)

    def write(batch: pa.RecordBatch) -> None:
        for row in batch.to_pylist(maps_as_pydicts="lossy"):
            writer.writerow([_csv_text(row[name]) for name in names])

    return write


def _csv_text(value: Any) -> Any:
    """Returns the text of a value: nothing for null, and JSON for values with parts."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=json_value, ensure_ascii=False)
    return json_value(value) if isinstance(value, (dt.date, dt.time, bytes, Decimal)) else value


# Format -> function of an output and the names of the columns, which returns a function that writes a batch.
ROW_WRITERS: dict[str, Callable[[TextIO, Sequence[str]], Callable[[pa.RecordBatch], None]]] = {
    "json": _json_writer,
    "csv": _csv_writer,
}
