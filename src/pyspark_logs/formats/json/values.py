"""JSON values: a text read with its numbers as they are written, and a value as one of an Arrow type."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from pyspark_logs.errors import SchemaError
from pyspark_logs.formats.timestamps.parsing import TimestampContext, zone_info
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.registry import for_arrow
from pyspark_logs.formats.types.temporal import Date, Epoch, Timestamp

_MOST_EXPONENT = 30  # of a time: further digits are beyond all calendars, and below all fractions


class Number(str):
    """A JSON number, as it is written."""

    __slots__ = ()


_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)


def number_of(value: Any) -> Any:
    """The number of a string that is the text of one; any other value as it is.

    >>> number_of("6").__class__.__name__, number_of("six")
    ('Number', 'six')
    """
    return Number(value) if isinstance(value, str) and is_number(value) else value


def is_number(text: str) -> bool:
    """Returns True if a text is a JSON number."""
    return _NUMBER.fullmatch(text) is not None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(strict=False, parse_int=Number, parse_float=Number, parse_constant=_refuse)


def load(line: str) -> Any:
    """A JSON text; numbers as :class:`Number`, raw control characters in strings allowed.

    >>> load('{"a": 1.50}')
    {'a': '1.50'}
    """
    try:
        value = _DECODER.decode(line)
        return _mended(value) if _ESCAPED_HALF.search(line) else value
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_HALF = re.compile("[\ud800-\udfff]")


def _mended(value: Any) -> Any:
    """Without halves of surrogate pairs, which JSON can spell and no text can hold."""
    if isinstance(value, dict):
        return {_HALF.sub("\ufffd", key): _mended(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, str) and not isinstance(value, Number):
        return _HALF.sub("\ufffd", value)
    return value


def dump(value: Any) -> str:
    """Back to JSON text, numbers as they were written, no spaces."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{dump(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def lookup(names: Collection[str], wanted: str) -> str | None:
    """The key for a column: the same name, else the last that is equal without regard to case."""
    if wanted in names:
        return wanted
    found, lower = None, wanted.lower()
    for name in names:
        if name.lower() == lower:
            found = name
    return found


def value_at(record: Any, path: Sequence[str]) -> Any:
    """What stands at a path of keys; None where a key is missing. ValueError where there is no object to look into."""
    for key in path:
        if record is None:
            return None
        there = lookup(_a(dict, record, "an object"), key)
        record = None if there is None else record[there]
    return record


def check_type(name: str, dtype: pa.DataType) -> None:
    """Raises SchemaError where no JSON value is of the type."""
    if pa.types.is_map(dtype) and not pa.types.is_string(dtype.key_type):
        raise SchemaError(
            f"column {name!r}: keys of JSON objects are strings, not {dtype.key_type}; use map<string,...>"
        )
    if pa.types.is_list(dtype) or pa.types.is_map(dtype):
        check_type(name, dtype.value_type if pa.types.is_list(dtype) else dtype.item_type)
    elif pa.types.is_struct(dtype):
        for field in dtype:
            check_type(f"{name}.{field.name}", field.type)
    elif for_arrow(dtype) is None:
        raise SchemaError(f"column {name!r}: no JSON value is {dtype}; read it as string and cast in the query")


def convert(value: Any, dtype: pa.DataType, context: TimestampContext) -> Any:
    """A JSON value as a value of an Arrow type; ValueError where it is none of it."""
    if value is None:
        return None
    if pa.types.is_string(dtype):
        return str(value) if isinstance(value, str) else dump(value)
    if pa.types.is_list(dtype):
        return [convert(item, dtype.value_type, context) for item in _a(list, value, "an array")]
    if pa.types.is_struct(dtype):
        record = _a(dict, value, "an object")
        keys = {field.name: lookup(record, field.name) for field in dtype}
        return {f.name: convert(record[k], f.type, context) if (k := keys[f.name]) is not None else None for f in dtype}
    if pa.types.is_map(dtype):
        pairs = _a(dict, value, "an object").items()
        return [(key, convert(item, dtype.item_type, context)) for key, item in pairs]
    if pa.types.is_boolean(dtype):
        return _a(bool, value, "true or false")
    if pa.types.is_timestamp(dtype) or pa.types.is_date32(dtype):
        return _iso_time(value, dtype, context)
    field_type = for_arrow(dtype)
    if field_type is None or not isinstance(value, Number):
        raise ValueError(f"{dump(value)[:80]} is not a number, as {dtype} needs")
    return field_type.parse(str(value), context)


def _a(kind: type, value: Any, what: str) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{dump(value)[:80]} is not {what}")
    return value


def _iso_time(value: Any, dtype: pa.DataType, context: TimestampContext) -> Any:
    text = _text(value, "an ISO 8601 time")
    if pa.types.is_date32(dtype):
        return Date().parse(text, context)
    instant = Timestamp().parse(text, context)
    if dtype.tz is not None:
        return instant
    wall = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(microseconds=instant)
    return wall.astimezone(zone_info(context.zone)).replace(tzinfo=None)


def instant(value: Any, notation: FieldType, context: TimestampContext) -> Any:
    """A value as microseconds since the epoch, by the notation of a time: a number for ``epoch``, else a string.

    >>> instant(Number("1.5e9"), Epoch("s"), TimestampContext())
    1500000000000000
    """
    if value is None:
        return None
    if not isinstance(notation, Epoch):
        return notation.parse(_text(value, "a time"), context)
    if not isinstance(value, Number):
        raise ValueError(f"{dump(value)[:80]} is not a number of {notation.unit} since the epoch")
    text = str(value)
    if "e" in text.lower():
        number = Decimal(text)
        if abs(number.adjusted()) > _MOST_EXPONENT:
            raise ValueError(f"{text[:80]} is no time")
        text = f"{number:f}"
    return notation.parse(text, context)


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or isinstance(value, Number):
        raise ValueError(f"{dump(value)[:80]} is not a string with {what}")
    return value
