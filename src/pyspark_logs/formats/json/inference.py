"""The columns of JSON lines, learnt from a sample."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from pyspark_logs.formats.json.values import Number, load
from pyspark_logs.formats.timestamps.parsing import ISO, TimestampContext, parse_iso_us


def infer_json_schema(records: Iterable[bytes], most_bytes: int) -> pa.Schema:
    """Columns in the order in which keys first appear.

    Whole numbers are bigint, others double (decimal where neither holds them), strings that are all ISO
    8601 times timestamp; what differs from record to record is string. Lines that are no JSON object
    say nothing.

    Args:
        records: lines without their ends.
        most_bytes: stop after so much text.

    >>> infer_json_schema([b'{"a": 1, "t": "2026-11-22T00:00:00Z"}', b'{"a": 1.5}'], 100).names
    ['a', 't']
    """
    kinds: dict[str, Any] = {}
    spent = 0
    for record in records:
        if spent >= most_bytes:
            break
        spent += len(record) + 1
        try:
            value = load(record.decode("utf-8", "replace"))
        except ValueError:
            continue
        if isinstance(value, dict):
            for key, item in value.items():
                kinds[key] = merge_kinds(kinds.get(key), _kind(item))
    return pa.schema(_fields(kinds))


# A kind is None (only nulls so far), a word for a scalar, {"list": kind} or {"struct": {key: kind}}.


def _kind(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, Number):
        if any(mark in value for mark in ".eE"):
            return "double"
        return "long" if len(value) < 21 and -(1 << 63) <= int(value) < 1 << 63 else "double"
    if isinstance(value, str):
        return "timestamp" if is_time(value) else "string"
    if isinstance(value, list):
        kind = None
        for item in value:
            kind = merge_kinds(kind, _kind(item))
        return {"list": kind}
    return {"struct": {key: _kind(item) for key, item in value.items()}}


def is_time(text: str) -> bool:
    """Whether a text is an ISO 8601 time that the calendar has."""
    if not ISO.fullmatch(text):
        return False
    try:
        parse_iso_us(text, TimestampContext().zone)
    except (ValueError, OverflowError):
        return False
    return True


def merge_kinds(one: Any, other: Any) -> Any:
    """The kind that holds what both hold."""
    if one is None or other is None or one == other:
        return other if one is None else one
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        if "list" in one:
            return {"list": merge_kinds(one["list"], other["list"])}
        keys = {**one["struct"], **other["struct"]}
        return {"struct": {key: merge_kinds(one["struct"].get(key), other["struct"].get(key)) for key in keys}}
    return "double" if (one, other) in (("long", "double"), ("double", "long")) else "string"


def _fields(kinds: dict[str, Any]) -> list[pa.Field]:
    names: dict[str, str] = {}  # columns match without case: the first spelling stands for all
    merged: dict[str, Any] = {}
    for key, kind in kinds.items():
        if key:  # no column can have an empty name
            name = names.setdefault(key.lower(), key)
            merged[name] = merge_kinds(merged.get(name), kind)
    return [pa.field(name, _arrow(kind)) for name, kind in merged.items()]


def _arrow(kind: Any) -> pa.DataType:
    if isinstance(kind, dict):
        if "list" in kind:
            return pa.list_(pa.field("element", _arrow(kind["list"])))
        # {} has no columns to be a struct of; its text says as much.
        return pa.struct(fields) if (fields := _fields(kind["struct"])) else pa.string()
    scalars = {
        "boolean": pa.bool_(),
        "long": pa.int64(),
        "double": pa.float64(),
        "timestamp": pa.timestamp("us", "UTC"),
    }
    return scalars.get(kind or "string", pa.string())
