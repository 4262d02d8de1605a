"""JSON values: parsing with numbers kept as they are written, rendering, and conversion to Arrow types."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NoReturn

import pyarrow as pa

from pyspark_logs.errors import SchemaError
from pyspark_logs.formats.column_names import find_name
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.timestamps.zone_names import zone_info
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.registry import for_arrow
from pyspark_logs.formats.types.temporal import Date, Timestamp

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
MAX_SHOWN = 80  # characters of a value in a message
_MAX_EXPONENT = 30  # of a time: larger numbers exceed every calendar, smaller ones every fraction


class Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


def is_number(text: str) -> bool:
    """Returns True if a text is a JSON number."""
    return _NUMBER.fullmatch(text) is not None


def number_from_string(value: Any) -> Any:
    """Returns the number of a string that contains one; returns any other value as it is.

    >>> number_from_string("6").__class__.__name__, number_from_string("six")
    ('Number', 'six')
    """
    return Number(value) if isinstance(value, str) and is_number(value) else value


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(strict=False, parse_int=Number, parse_float=Number, parse_constant=_reject_constant)


def parse_json(text: str) -> Any:
    """Parses a JSON text. Numbers are :class:`Number`; strings may contain raw control characters.

    Raises:
        ValueError: the text is not JSON, or is nested too deeply.

    >>> parse_json('{"a": 1.50}')
    {'a': '1.50'}
    """
    try:
        value = _DECODER.decode(text)
        return _replace_surrogates(value) if _SURROGATE_ESCAPE.search(text) else value
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _replace_surrogates(value: Any) -> Any:
    """Replaces unpaired surrogates, which JSON can escape but UTF-8 cannot encode, by U+FFFD."""
    if isinstance(value, dict):
        return {_SURROGATE.sub("\ufffd", key): _replace_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_replace_surrogates(item) for item in value]
    if isinstance(value, str) and not isinstance(value, Number):
        return _SURROGATE.sub("\ufffd", value)
    return value


def dump_json(value: Any) -> str:
    """Renders a value that :func:`parse_json` returned, without blanks; numbers stay as they were written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{dump_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def value_at(record: Any, path: Sequence[str]) -> Any:
    """Returns the value at a path of keys; None if a key is missing or a value on the path is null.

    Raises:
        ValueError: a value on the path is not an object.
    """
    for key in path:
        if record is None:
            return None
        name = find_name(_require(dict, record, "an object"), key)
        record = None if name is None else record[name]
    return record


def check_type(name: str, dtype: pa.DataType) -> None:
    """Checks that JSON values can be converted to a column's type.

    Raises:
        SchemaError: no JSON value has the type or one of its nested types.
    """
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
        raise SchemaError(
            f"column {name!r}: JSON has no values of type {dtype}; read it as string and cast in the query"
        )


def expected_value(dtype: pa.DataType, time: FieldType | None = None) -> str:
    """Returns a noun phrase for the JSON values that are read as a scalar, for messages.

    Args:
        dtype: an Arrow type.
        time: notation of a time; None: the Arrow type decides.

    >>> expected_value(pa.int32()), expected_value(pa.date32())
    ('a number, as int32 needs', 'a string with an ISO 8601 time')
    """
    if time is not None:
        return time.description if time.json_kind == "number" else f"a string with {time.description}"
    if pa.types.is_boolean(dtype):
        return "true or false"
    if pa.types.is_timestamp(dtype) or pa.types.is_date32(dtype):
        return "a string with an ISO 8601 time"
    return f"a number, as {dtype} needs"


def convert(value: Any, dtype: pa.DataType, context: TimestampContext) -> Any:
    """Converts a JSON value to a value of an Arrow type.

    Raises:
        ValueError: the value is not of the type.
    """
    if value is None:
        return None
    if pa.types.is_string(dtype):
        return str(value) if isinstance(value, str) else dump_json(value)
    if pa.types.is_list(dtype):
        return [convert(item, dtype.value_type, context) for item in _require(list, value, "an array")]
    if pa.types.is_struct(dtype):
        record = _require(dict, value, "an object")
        keys = {field.name: find_name(record, field.name) for field in dtype}
        return {f.name: convert(record[k], f.type, context) if (k := keys[f.name]) is not None else None for f in dtype}
    if pa.types.is_map(dtype):
        pairs = _require(dict, value, "an object").items()
        return [(key, convert(item, dtype.item_type, context)) for key, item in pairs]
    if pa.types.is_boolean(dtype):
        return value if isinstance(value, bool) else _refuse(value, expected_value(dtype))
    if pa.types.is_timestamp(dtype) or pa.types.is_date32(dtype):
        return _convert_iso(value, dtype, context)
    field_type = for_arrow(dtype)
    if field_type is None or not isinstance(value, Number):
        _refuse(value, expected_value(dtype))
    return field_type.parse(str(value), context)


def convert_time(value: Any, notation: FieldType, context: TimestampContext) -> Any:
    """Converts a JSON value to microseconds since the epoch.

    Args:
        value: a JSON value of the kind that the notation is converted from; None is null.
        notation: notation of the time.
        context: the zone and the year bound of the file.

    Raises:
        ValueError: the value is not a time in this notation.

    >>> from pyspark_logs.formats.types.temporal import Epoch
    >>> convert_time(Number("1.5e9"), Epoch("s"), TimestampContext())
    1500000000000000
    """
    if value is None:
        return None
    if notation.json_kind != "number":
        return notation.parse(_require_string(value, notation.arrow(), notation), context)
    if not isinstance(value, Number):
        _refuse(value, expected_value(notation.arrow(), notation))
    text = str(value)
    if "e" in text.lower():
        number = Decimal(text)
        if abs(number.adjusted()) > _MAX_EXPONENT:
            raise ValueError(f"{text[:MAX_SHOWN]} is not a valid time")
        text = f"{number:f}"
    return notation.parse(text, context)


def _convert_iso(value: Any, dtype: pa.DataType, context: TimestampContext) -> Any:
    text = _require_string(value, dtype)
    if pa.types.is_date32(dtype):
        return Date().parse(text, context)
    instant_us = Timestamp().parse(text, context)
    if dtype.tz is not None:
        return instant_us
    instant = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(microseconds=instant_us)
    return instant.astimezone(zone_info(context.zone)).replace(tzinfo=None)


def _require(python_type: type, value: Any, expected: str) -> Any:
    return value if isinstance(value, python_type) else _refuse(value, expected)


def _require_string(value: Any, dtype: pa.DataType, time: FieldType | None = None) -> str:
    if not isinstance(value, str) or isinstance(value, Number):
        _refuse(value, expected_value(dtype, time))
    return value


def _refuse(value: Any, expected: str) -> NoReturn:
    raise ValueError(f"{dump_json(value)[:MAX_SHOWN]} is not {expected}")
