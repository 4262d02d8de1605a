"""Rows of Arrow batches as JSON lines or CSV, for terminals and files."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import functools
import json
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TextIO

import pyarrow as pa

from pyspark_logs.terminal_text import printable

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # also the full-width forms


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


def json_text(value: Any) -> str:
    """Returns a value as JSON, in which numbers that JSON lacks are strings, as in JSON of Spark and of this project's writer.

    >>> print(json_text({"a": float("nan"), "b": [float("-inf")]}))
    {"a": "NaN", "b": ["-Infinity"]}
    """
    try:
        return json.dumps(value, default=json_value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), default=json_value, ensure_ascii=False)


def _finite(value: Any) -> Any:
    """Returns a value with strings instead of NaN and the infinities."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _json_writer(stream: TextIO, _: Sequence[str]) -> Callable[[pa.RecordBatch], None]:
    def write(batch: pa.RecordBatch) -> None:
        for row in batch.to_pylist(maps_as_pydicts="lossy"):
            stream.write(_without_controls(json_text(row)) + "\n")

    return write


def _without_controls(text: str) -> str:
    r"""Returns JSON in which characters that a terminal would interpret are escaped; ``json`` escapes those below U+0020.

    >>> print(_without_controls('{"a": "\x9b31m"}'))
    {"a": "\u009b31m"}
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _csv_writer(
    stream: TextIO, names: Sequence[str], *, escapes_formulas: bool = False
) -> Callable[[pa.RecordBatch], None]:
    writer = csv.writer(stream, lineterminator="\n")
    is_terminal = stream.isatty()

    def cell(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        text = escape_formula(value) if escapes_formulas else value
        return printable(text) if is_terminal else text

    writer.writerow([cell(name) for name in names])

    def write(batch: pa.RecordBatch) -> None:
        for row in batch.to_pylist(maps_as_pydicts="lossy"):
            writer.writerow([cell(_csv_text(row[name])) for name in names])

    return write


def escape_formula(text: str) -> str:
    """Returns a text that spreadsheets do not take for a formula: a ``'`` before the characters that begin one.

    Source: https://owasp.org/www-community/attacks/CSV_Injection

    >>> escape_formula("=1+1"), escape_formula("1+1")
    ("'=1+1", '1+1')
    """
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _csv_text(value: Any) -> Any:
    """Returns the text of a value: nothing for null, and JSON for values with parts."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        return json_text(value)
    return json_value(value) if isinstance(value, (dt.date, dt.time, bytes, Decimal)) else value


# Format -> function of an output and the names of the columns, which returns a function that writes a batch. The text of JSON
# holds no control characters in any case; that of CSV is escaped on terminals only, because a file must hold the values.
ROW_WRITERS: dict[str, Callable[[TextIO, Sequence[str]], Callable[[pa.RecordBatch], None]]] = {
    "json": _json_writer,
    "csv": _csv_writer,
    "csv without formulas": functools.partial(_csv_writer, escapes_formulas=True),
}
