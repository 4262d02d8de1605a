"""Inference of the columns of JSON records from a sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from pyspark_logs.formats.inference import (
    NULL,
    STRING,
    Kind,
    ListKind,
    StructKind,
    infer_schema,
    merge_kinds,
    number_kind,
    string_kind,
)
from pyspark_logs.formats.json.values import Number, parse_json
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines

_MAX_DEPTH = 100  # of inferred types; deeper values are read as their JSON text


def infer_json_schema(sample: Iterator[Lines], options: FormatOptions) -> pa.Schema:
    r"""Infers the columns of JSON records, in the order in which the keys first appear.

    Whole numbers of 64 bits are bigint and longer ones decimal(38,0). Other numbers are double if it retains their values.
    Strings that are all ISO 8601 timestamps are timestamp. Any other key is string. Records that are not JSON objects are
    skipped.

    Args:
        sample: records.
        options: options of the format.

    Raises:
        FormatError: no record is an object with a key, or there are more keys than ``maxInferredColumns``.

    >>> from pyspark_logs.records import find_lines
    >>> lines = find_lines(b'{"a": 1, "t": "2026-11-22T00:00:00Z"}\n{"a": 1.5}', 0)
    >>> infer_json_schema(iter([lines]), FormatOptions("json", "")).names
    ['a', 't']
    """
    expected = "is a JSON object with a key"
    if options.records_path is not None:
        expected = f"has an array of JSON objects at recordsPath {options.records_path!r}"
    return infer_schema(sample, options, _values_of, _widen, expected=expected)


def _values_of(record: str) -> Iterable[tuple[str, Any]]:
    value = parse_json(record)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value.items()


def _widen(known: Kind | None, value: Any, depth: int = 0) -> Kind:
    """Returns the kind of the values of a key; see :func:`~pyspark_logs.formats.inference.infer_schema`.

    Args:
        known: kind of the values so far; None: there is none.
        value: the next value.
        depth: number of arrays and objects around the value.
    """
    kind: Kind
    if isinstance(value, str):
        kind = number_kind(value) if isinstance(value, Number) else string_kind(value)
    elif value is None:
        kind = NULL
    elif isinstance(value, bool):
        kind = "boolean"
    elif depth == _MAX_DEPTH:
        kind = STRING
    elif isinstance(value, dict):
        kind = struct = known if isinstance(known, StructKind) else StructKind({})
        for name, item in value.items():
            field = struct.fields.get(name)
            if field != STRING:
                struct.fields[name] = _widen(field, item, depth + 1)
    else:
        kind = array = known if isinstance(known, ListKind) else ListKind()
        for item in value:
            if array.element == STRING:
                break
            array.element = _widen(array.element, item, depth + 1)
    return kind if known is None or known is kind else merge_kinds(known, kind)
