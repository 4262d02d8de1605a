"""Table of the field types of the template notation, and the field types of Arrow types."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

import pyarrow as pa

from pyspark_logs.errors import FormatError, SchemaError
from pyspark_logs.formats.timestamps.parsing import compile_pattern
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.nested import ListOf, MapOf
from pyspark_logs.formats.types.numeric import Boolean, DecimalNumber, Floating, Integer
from pyspark_logs.formats.types.temporal import EPOCH_SCALE, Date, Epoch, Timestamp
from pyspark_logs.formats.types.text import JsonText, Quoted, Text, Uuid
from pyspark_logs.formats.types.validated_text import VALIDATED_TEXTS, enumeration
from pyspark_logs.schema import type_name


def _instead(argument: str | None) -> str:
    return "" if argument is None else f", not {argument!r}"


def _plain(field_type: FieldType) -> Any:
    def make(name: str, argument: str | None) -> FieldType:
        if argument is not None:
            advice = f"; write timestamp({argument})" if name == "date" and "%" in argument else ""
            raise FormatError(f"type {name!r} takes no argument, but has ({argument}){advice}")
        return field_type

    return make


def _timestamp(_: str, argument: str | None) -> FieldType:
    if argument is not None:
        if argument[:1] in ("'", '"') and argument[-1:] == argument[:1]:
            raise FormatError(f"the pattern of a timestamp has no quotes: timestamp({argument[1:-1]})")
        compile_pattern(argument)
    return Timestamp(argument)


def _epoch(_: str, argument: str | None) -> FieldType:
    if argument not in EPOCH_SCALE:
        raise FormatError(f"type 'epoch' needs a unit: epoch(s), epoch(ms), epoch(us) or epoch(ns){_instead(argument)}")
    return Epoch(argument)


def _decimal(_: str, argument: str | None) -> FieldType:
    match = re.fullmatch(r"\s*(\d{1,9})\s*,\s*(\d{1,9})\s*", argument or "", re.ASCII)
    if match is None or not 1 <= int(match[1]) <= 38 or int(match[2]) > int(match[1]):
        raise FormatError(f"type 'decimal' needs precision (1 to 38) and scale: decimal(10,2){_instead(argument)}")
    return DecimalNumber(int(match[1]), int(match[2]))


def _list(_: str, argument: str | None) -> FieldType:
    if not argument:
        raise FormatError("type 'list' needs its separator: list(,)")
    return ListOf(argument)


def _enumeration(_: str, argument: str | None) -> FieldType:
    texts = (argument or "").split("|")
    if not all(texts) or len(set(texts)) < len(texts):
        raise FormatError(
            f"type 'enum' needs its texts, none of them empty or twice: enum(stdout|stderr){_instead(argument)}"
        )
    if len(texts) == 1 and "," in texts[0]:
        raise FormatError(
            f"type 'enum' has its texts between '|': enum({texts[0].replace(', ', '|').replace(',', '|')})"
        )
    return enumeration(*texts)


# Name in the notation -> function of the name and the argument in parentheses.
TYPES = {
    "string": _plain(Text()),
    "quoted": _plain(Quoted()),
    "int": _plain(Integer(32)),
    "long": _plain(Integer(64)),
    "double": _plain(Floating()),
    "decimal": _decimal,
    "boolean": _plain(Boolean()),
    "date": _plain(Date()),
    "timestamp": _timestamp,
    "epoch": _epoch,
    "uuid": _plain(Uuid()),
    "json": _plain(JsonText()),
    "list": _list,
    "map": _plain(MapOf()),
    **{name: _plain(field_type) for name, field_type in VALIDATED_TEXTS.items()},
    "enum": _enumeration,
}

# Spark's names of types -> the names of the notation.
_ALIASES = {
    "integer": "int",
    "bigint": "long",
    "float": "double",
    "real": "double",
    "dec": "decimal",
    "numeric": "decimal",
}
# Names of other tools -> the names to suggest.
_SUGGESTIONS = {
    "str": "string", "text": "string", "varchar": "string", "char": "string", "number": "double or decimal(p,s)",
    "bool": "boolean", "datetime": "timestamp", "time": "timestamp(%H:%M:%S)", "timestamp_ntz": "timestamp",
    "smallint": "int", "short": "int", "tinyint": "int", "byte": "int", "array": "list(,)", "guid": "uuid",
    "iso8601": "timestamp", "iso": "timestamp", "rfc3339": "timestamp", "unix": "epoch(s)", "url": "string", "uri": "string",
    "path": "string", "hex": "string", "any": "string", "object": "json", "num": "double", "ipv4": "ip", "ipv6": "ip",
    "hostname": "host", "choice": "enum(a|b)", "level": "enum(INFO|WARN|ERROR) or string",
}  # fmt: skip


def find_type(name: str) -> Any:
    """Returns the function in the table for the name of a type, or for Spark's name of it.

    Raises:
        FormatError: there is no such type; the message suggests one, or names all.

    >>> find_type("bigint") is find_type("long")
    True
    """
    made = TYPES.get(_ALIASES.get(name, name))
    if made is not None:
        return made
    word, colon, argument = name.partition(":")
    if colon and word in TYPES:  # as in format strings of Python
        raise FormatError(f"unknown type {name!r}; the argument of a type is in parentheses: {word}({argument})")
    near = _SUGGESTIONS.get(name.lower()) or next(iter(get_close_matches(name, TYPES, n=1)), None)
    hint = f"did you mean {near}?" if near else f"known are {', '.join(TYPES)}"
    raise FormatError(f"unknown type {name!r}; {hint}")


def for_arrow(dtype: pa.DataType) -> FieldType | None:
    """Returns the field type that reads an Arrow type in its plainest notation; None if there is none."""
    if pa.types.is_signed_integer(dtype):
        return Integer(dtype.bit_width)
    if pa.types.is_float32(dtype) or pa.types.is_float64(dtype):
        return Floating(dtype.bit_width)
    if pa.types.is_decimal128(dtype):
        return DecimalNumber(dtype.precision, dtype.scale)
    if pa.types.is_timestamp(dtype):
        return Timestamp()
    plain: list[tuple[pa.DataType, FieldType]] = [(pa.string(), Text()), (pa.bool_(), Boolean()), (pa.date32(), Date())]
    return next((field_type for known, field_type in plain if known == dtype), None)


def retype(field_type: FieldType, dtype: pa.DataType, column: str) -> FieldType:
    """Returns the type that reads a field as the Arrow type of a schema.

    The field ends at the same offset as before; only the meaning of its text changes.

    Args:
        field_type: type of the field in the format.
        dtype: Arrow type of the column in the schema.
        column: name of the column, for the message.

    Raises:
        SchemaError: the field cannot be read as ``dtype``.
    """
    if dtype == field_type.arrow():
        return field_type
    found = field_type.reinterpret(dtype, for_arrow)
    if found is not None:
        return found
    given = type_name(field_type.arrow())
    as_string = field_type.reinterpret(pa.string(), for_arrow) is not None
    alternatives = dict.fromkeys([given, *(["string"] if as_string else [])])
    raise SchemaError(
        f"column {column!r}: the format gives {given}, which cannot be read as {type_name(dtype)};"
        f" ask for {' or '.join(alternatives)} and cast in the query"
    )
