"""Inference of a schema from a sample of records, for formats whose records name their own fields.

A format gives the names and values of a record, and widens the kind of a name by each of its values. A kind is a scalar
(one of the names in ``_SCALARS``), a :class:`ListKind` or a :class:`StructKind`. Values of the inferred type read back as
they stand in the sample: a number that its type would change makes the column a string.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar, Union

import pyarrow as pa

from pyspark_logs.arrow_values import to_scalar
from pyspark_logs.errors import FormatError
from pyspark_logs.formats.timestamps.parsing import ISO, TimestampContext, parse_iso_us
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)

Kind = Union[str, "ListKind", "StructKind"]
Value = TypeVar("Value")

NULL, STRING, FLAG = "null", "string", "flag"
_SCALARS = {
    NULL: pa.string(),
    "boolean": pa.bool_(),
    "long": pa.int64(),
    "large long": pa.int64(),
    "integer": pa.decimal128(38, 0),
    "double": pa.float64(),
    "timestamp": pa.timestamp("us", "UTC"),
    STRING: pa.string(),
}
# Pairs of different kinds whose values a third kind holds without loss. A double holds all integers of 53 bits.
_WIDER = {
    frozenset(pair): wider
    for *pair, wider in (
        ("long", "large long", "large long"),
        ("long", "integer", "integer"),
        ("large long", "integer", "integer"),
        ("long", "double", "double"),
    )
}
_DOUBLE_DIGITS = 15  # significant digits of a decimal number that a double always retains (DBL_DIG of C)
_DOUBLE_BITS, _LONG_BITS, _DECIMAL_DIGITS = 53, 63, 38
_ONLY_NULLS = {b"values": b"null"}  # metadata of a column
_SHOWN_CHARACTERS = 80  # of a record in a message


@dataclass
class ListKind:
    """Kind of arrays.

    Attributes:
        element: merged kind of the elements; None: there is no element.
    """

    element: Kind | None = None


@dataclass
class StructKind:
    """Kind of objects.

    Attributes:
        fields: kind of each field, in the order in which the fields first appear.
    """

    fields: dict[str, Kind]


def infer_schema(
    sample: Iterator[Lines],
    options: FormatOptions,
    values_of: Callable[[str], Iterable[tuple[str, Value]]],
    widen: Callable[[Kind | None, Value], Kind],
    *,
    expected: str,
) -> pa.Schema:
    """Infers the columns of records, in the order in which the names first appear.

    Args:
        sample: records. ``samplingBytes`` of them are read, line ends included; the record that exceeds them is the last.
        options: options of the format.
        values_of: returns name and value of each column of a record. Records for which it raises ValueError are skipped.
        widen: returns the kind of the values of a name by the kind of those before (None: there is none) and the next value.
            It may change the kind that it is given.
        expected: predicate of a record that has columns, for messages: ``is a JSON object with a key``.

    Raises:
        FormatError: no record of the sample has a column, or the sample has more than ``maxInferredColumns``.
    """
    kinds: dict[str, Kind] = {}
    mismatch = ""  # description of the first record that was skipped
    for record, offset in _records(sample, options.sampling_bytes):
        text = record.decode("utf-8", "replace")
        try:
            for name, value in values_of(text):
                known = kinds.get(name)
                if known != STRING:
                    kinds[name] = widen(known, value)
        except ValueError as error:
            mismatch = mismatch or f"; the first one, at byte {offset}, is {text[:_SHOWN_CHARACTERS]!r}: {error}"
    fields = _fields(kinds)
    if not fields:
        raise FormatError(f"no line of the sample {expected}{mismatch}")
    _check_count(fields, options.max_inferred_columns)
    return pa.schema(fields)


def _records(sample: Iterator[Lines], max_bytes: int) -> Iterator[tuple[bytes, int]]:
    """Yields the records of a sample and their offsets in their files."""
    sampled = 0
    for lines in sample:
        offsets = lines.offsets
        for row in range(len(lines)):
            if sampled >= max_bytes:
                return
            record = lines.record(row)
            sampled += len(record) + 1
            yield record, int(offsets[row])


def merge_kinds(left: Kind, right: Kind) -> Kind:
    """Returns the kind of columns that hold values of both kinds. It may change the left kind, which is no longer valid.

    >>> merge_kinds("long", "double"), merge_kinds("long", "null"), merge_kinds("long", "boolean")
    ('double', 'long', 'string')
    >>> merge_kinds("long", "integer"), merge_kinds("integer", "double")
    ('integer', 'string')
    """
    if right in (NULL, FLAG) or left == right:
        return left
    if left in (NULL, FLAG):
        return right
    if isinstance(left, ListKind) and isinstance(right, ListKind):
        left.element = _merge_optional(left.element, right.element)
        return left
    if isinstance(left, StructKind) and isinstance(right, StructKind):
        for name, kind in right.fields.items():
            left.fields[name] = merge_kinds(left.fields.get(name, NULL), kind)
        return left
    if isinstance(left, str) and isinstance(right, str):
        return _WIDER.get(frozenset((left, right)), STRING)
    return STRING


def _merge_optional(left: Kind | None, right: Kind | None) -> Kind | None:
    return left if right is None else right if left is None else merge_kinds(left, right)


def number_kind(number: str) -> str:
    """Returns the kind of a JSON number whose value the kind retains, however the number is written.

    >>> number_kind("1.10"), number_kind("18446744073709551615"), number_kind("0.1234567890123456789")
    ('double', 'integer', 'string')
    """
    if _is_integer(number):
        return _integer_kind(number)
    is_short = len(number) <= _DOUBLE_DIGITS and "e" not in number and "E" not in number
    return "double" if is_short or _is_double(number) else STRING


def written_number_kind(number: str) -> str:
    """Returns the kind of an untyped number that the kind writes back as it is written, which may also be a version.

    >>> written_number_kind("1.5"), written_number_kind("1.10"), written_number_kind("12345e6"), written_number_kind("-0")
    ('double', 'string', 'string', 'string')
    """
    if _is_integer(number):
        return STRING if number == "-0" else _integer_kind(number)
    value = float(number)
    # The writers of this package render doubles by Arrow, most other programs as Python does.
    is_written = repr(value) == number or to_scalar(value, pa.float64()).cast(pa.string()).as_py() == number
    return "double" if is_written else STRING


def _is_integer(number: str) -> bool:
    return number.isdigit() or number[1:].isdigit()


def _integer_kind(number: str) -> str:
    if len(number) <= _DOUBLE_DIGITS:
        return "long"
    if len(number.lstrip("-")) > _DECIMAL_DIGITS:
        return STRING
    value = int(number)
    if abs(value) <= 1 << _DOUBLE_BITS:
        return "long"
    return "large long" if -(1 << _LONG_BITS) <= value < 1 << _LONG_BITS else "integer"


def _is_double(number: str) -> bool:
    """Returns True if the shortest text of the nearest double is equal to the number."""
    try:
        return Decimal(repr(float(number))) == Decimal(number)
    except ArithmeticError:  # an exponent of more than 18 digits
        return False


def string_kind(text: str) -> str:
    """Returns the kind of a string: ``timestamp`` for a valid ISO 8601 timestamp, else ``string``."""
    if not ISO.fullmatch(text):
        return STRING
    try:
        parse_iso_us(text, TimestampContext().zone)
    except (ValueError, OverflowError):
        return STRING
    return "timestamp"


def _fields(kinds: dict[str, Kind]) -> list[pa.Field]:
    """Returns a field for each name. Names match without case; the first spelling names the field.

    Logs a warning for names that differ only in case, because of a record that has several of them, one value is read.
    """
    names: dict[str, str] = {}
    merged: dict[str, Kind] = {}
    for name, kind in kinds.items():
        first = names.setdefault(name.lower(), name)
        if first in merged:
            _log.warning(
                "the keys %r and %r differ only in case and are read as one column: of a record that has both, only the value"
                " of %r is read",
                first, name, first,
            )  # fmt: skip
            merged[first] = merge_kinds(merged[first], kind)
        else:
            merged[first] = kind
    return [
        pa.field(name, _arrow_type(kind), metadata=_ONLY_NULLS if kind == NULL else None)
        for name, kind in merged.items()
        if kind != FLAG
    ]


def is_only_nulls(field: pa.Field) -> bool:
    """Returns True for an inferred column without a value in the sample, which may have any type."""
    return field.metadata == _ONLY_NULLS


def _arrow_type(kind: Kind) -> pa.DataType:
    if isinstance(kind, ListKind):
        return pa.list_(pa.field("element", _arrow_type(kind.element or NULL)))
    if isinstance(kind, StructKind):
        # A struct needs a field; objects without keys are read as their JSON text.
        return pa.struct(fields) if (fields := _fields(kind.fields)) else pa.string()
    return _SCALARS[kind]


def _check_count(fields: list[pa.Field], limit: int) -> None:
    """Raises FormatError if there are more columns, fields of structs included, than the limit."""
    count = sum(_count_names(field.type) + 1 for field in fields)
    if count > limit:
        raise FormatError(
            f"the sample has {count} different keys, nested ones included, more than maxInferredColumns={limit}: some keys"
            " are probably data. Give a schema, which may read an object as map<string,string>, or raise"
            " maxInferredColumns"
        )


def _count_names(dtype: pa.DataType) -> int:
    if pa.types.is_struct(dtype):
        return sum(_count_names(field.type) + 1 for field in dtype)
    return _count_names(dtype.value_type) if pa.types.is_list(dtype) else 0
