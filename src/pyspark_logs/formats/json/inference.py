"""Inference of the columns of JSON records from a sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from pyspark_logs.formats.inference import (
    Kind,
    ListKind,
    StructKind,
    infer_schema,
    merge_kinds,
    number_kind,
    string_kind,
)
from pyspark_logs.formats.json.values import Number, parse_json


def infer_json_schema(records: Iterable[bytes], max_bytes: int) -> pa.Schema:
    """Infers the columns of JSON records, in the order in which the keys first appear.

    Whole numbers of 64 bits are bigint, other numbers double, strings that are all ISO 8601 timestamps are timestamp. A
    key with values of several kinds is string. Records that are not JSON objects are skipped.

    Args:
        records: records without line ends.
        max_bytes: size of the sample.

    >>> infer_json_schema([b'{"a": 1, "t": "2026-11-22T00:00:00Z"}', b'{"a": 1.5}'], 100).names
    ['a', 't']
    """
    return infer_schema(records, max_bytes, _kinds_of)


def _kinds_of(record: str) -> Iterator[tuple[str, Kind]]:
    value = parse_json(record)
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, _kind(item)


def _kind(value: Any) -> Kind:
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, Number):
        return number_kind(value)
    if isinstance(value, str):
        return string_kind(value)
    if isinstance(value, list):
        element: Kind = None
        for item in value:
            element = merge_kinds(element, _kind(item))
        return ListKind(element)
    return StructKind({key: _kind(item) for key, item in value.items()})
