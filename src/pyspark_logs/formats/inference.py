"""Inference of a schema from a sample of records, for formats whose records name their own fields.

A format gives the name and the kind of each value of a record; the kinds of all values of a name are merged. A kind is a
scalar (one of the names in ``_SCALARS``), a :class:`ListKind`, a :class:`StructKind`, or None for values that are null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Union

import pyarrow as pa

from pyspark_logs.formats.timestamps.parsing import ISO, TimestampContext, parse_iso_us

Kind = Union[str, "ListKind", "StructKind", None]

_SCALARS = {
    "boolean": pa.bool_(),
    "long": pa.int64(),
    "double": pa.float64(),
    "timestamp": pa.timestamp("us", "UTC"),
    "string": pa.string(),
}
_LONG_CHARACTERS = 20  # of the longest 64-bit integer, its sign included


@dataclass(frozen=True)
class ListKind:
    """Kind of arrays.

    Attributes:
        element: merged kind of the elements; None: there is no element that is not null.
    """

    element: Kind


@dataclass(frozen=True)
class StructKind:
    """Kind of objects.

    Attributes:
        fields: kind of each field, in the order in which the fields first appear.
    """

    fields: dict[str, Kind]


def infer_schema(
    records: Iterable[bytes], max_bytes: int, kinds_of: Callable[[str], Iterable[tuple[str, Kind]]]
) -> pa.Schema:
    """Infers the columns of records, in the order in which the names first appear.

    Args:
        records: records without line ends.
        max_bytes: size of the sample, line ends included; the record that exceeds it is the last one.
        kinds_of: returns name and kind of each value of a record. Records for which it raises ValueError are skipped.

    >>> infer_schema([b"1", b"x", b"2.5"], 100, lambda record: [("n", number_kind(str(float(record))))]).field("n").type
    DataType(double)
    """
    kinds: dict[str, Kind] = {}
    sampled = 0
    for record in records:
        if sampled >= max_bytes:
            break
        sampled += len(record) + 1
        try:
            found = list(kinds_of(record.decode("utf-8", "replace")))
        except ValueError:
            continue
        for name, kind in found:
            kinds[name] = merge_kinds(kinds.get(name), kind)
    return pa.schema(_fields(kinds))


def merge_kinds(left: Kind, right: Kind) -> Kind:
    """Returns the kind of columns that hold values of both kinds.

    >>> merge_kinds("long", "double"), merge_kinds("long", None), merge_kinds("long", "boolean")
    ('double', 'long', 'string')
    """
    if left is None or right is None or left == right:
        return right if left is None else left
    if isinstance(left, ListKind) and isinstance(right, ListKind):
        return ListKind(merge_kinds(left.element, right.element))
    if isinstance(left, StructKind) and isinstance(right, StructKind):
        names = {**left.fields, **right.fields}
        return StructKind({name: merge_kinds(left.fields.get(name), right.fields.get(name)) for name in names})
    return "double" if (left, right) in (("long", "double"), ("double", "long")) else "string"


def number_kind(number: str) -> Kind:
    """Returns the kind of a JSON number: ``long`` for whole numbers of 64 bits, else ``double``."""
    if any(character in number for character in ".eE"):
        return "double"
    return "long" if len(number) <= _LONG_CHARACTERS and -(1 << 63) <= int(number) < 1 << 63 else "double"


def string_kind(text: str) -> Kind:
    """Returns the kind of a string: ``timestamp`` for a valid ISO 8601 timestamp, else ``string``."""
    if not ISO.fullmatch(text):
        return "string"
    try:
        parse_iso_us(text, TimestampContext().zone)
    except (ValueError, OverflowError):
        return "string"
    return "timestamp"


def _fields(kinds: dict[str, Kind]) -> list[pa.Field]:
    """Returns a field for each name. Names match without case; the first spelling names the field."""
    names: dict[str, str] = {}
    merged: dict[str, Kind] = {}
    for name, kind in kinds.items():
        if name:  # no column has an empty name
            first = names.setdefault(name.lower(), name)
            merged[first] = merge_kinds(merged.get(first), kind)
    return [pa.field(name, _arrow_type(kind)) for name, kind in merged.items()]


def _arrow_type(kind: Kind) -> pa.DataType:
    if isinstance(kind, ListKind):
        return pa.list_(pa.field("element", _arrow_type(kind.element)))
    if isinstance(kind, StructKind):
        # A struct needs a field; objects without keys are read as their JSON text.
        return pa.struct(fields) if (fields := _fields(kind.fields)) else pa.string()
    return _SCALARS[kind or "string"]
