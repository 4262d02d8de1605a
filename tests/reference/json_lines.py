"""Reference parser of JSON lines; engines must agree with it."""

from __future__ import annotations

import json
import re
from datetime import timezone
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import pyarrow as pa

from tests.reference import templates as reference


class Digits(str):
    """Text of a number."""

    __slots__ = ()


def refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def text_of(value: Any) -> str:
    """Returns compact JSON, or a string itself; an unpaired surrogate becomes U+FFFD."""
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    numbers: list[str] = []

    def marked(item: Any) -> Any:
        if isinstance(item, dict):
            return {text_of(key): marked(inner) for key, inner in item.items()}
        if isinstance(item, list):
            return [marked(inner) for inner in item]
        if isinstance(item, Digits):
            numbers.append(item)
            return f"\0{len(numbers) - 1}\0"
        return text_of(item) if isinstance(item, str) else item

    if isinstance(value, Digits):
        return str(value)
    text = json.dumps(marked(value), ensure_ascii=False, separators=(",", ":"))
    return re.sub(r'"\\u0000(\d+)\\u0000"', lambda found: numbers[int(found[1])], text)


def key_of(record: dict[str, Any], name: str) -> str | None:
    """Returns the key of a column: its name, or else the last key that equals it without regard to case."""
    alike = [key for key in record if key.lower() == name.lower()]
    return name if name in record else alike[-1] if alike else None


def value_of(value: Any, dtype: pa.DataType, zone: str) -> Any:
    """Returns a value as a value of the type; raises ValueError if it is not of the type."""
    is_number = isinstance(value, Digits)
    clock = reference.Clock(timezone.utc if zone == "UTC" else ZoneInfo(zone), None)
    if value is None:
        return None
    if pa.types.is_string(dtype):
        return str(value) if is_number else text_of(value)
    if pa.types.is_list(dtype) and isinstance(value, list):
        return [value_of(item, dtype.value_type, zone) for item in value]
    if pa.types.is_map(dtype) and isinstance(value, dict):
        return {text_of(key): value_of(item, dtype.item_type, zone) for key, item in value.items()}
    if pa.types.is_struct(dtype) and isinstance(value, dict):
        keys = {field.name: key_of(value, field.name) for field in dtype}
        return {f.name: None if (k := keys[f.name]) is None else value_of(value[k], f.type, zone) for f in dtype}
    if pa.types.is_boolean(dtype) and isinstance(value, bool):
        return value
    if is_number:
        if pa.types.is_floating(dtype):
            return float(value)
        if pa.types.is_integer(dtype):
            return reference.to_integer(dtype.bit_width)(value, reference.Type("int"), clock)
        if pa.types.is_decimal(dtype):
            return reference.to_decimal(value, reference.Type("decimal", f"{dtype.precision},{dtype.scale}"), clock)
    if isinstance(value, str) and not is_number:
        if pa.types.is_date(dtype):
            return reference.to_date(value, reference.Type("date"), clock)
        if pa.types.is_timestamp(dtype):
            instant = reference.to_timestamp(value, reference.Type("timestamp"), clock)
            return instant if dtype.tz else instant.astimezone(clock.zone).replace(tzinfo=None)
    raise ValueError(f"not of type {dtype}")


NOTHING: Any = object()


def left_of(value: Any, dtype: pa.DataType) -> Any:
    """Returns the rest of a value that a column of the type does not take: keys without a field, at any depth."""
    if pa.types.is_struct(dtype) and isinstance(value, dict):
        fields = {key_of(value, field.name): field.type for field in dtype}
        left = {key: left_of(item, fields[key]) if key in fields else item for key, item in value.items()}
        return {key: item for key, item in left.items() if item is not NOTHING} or NOTHING
    if pa.types.is_map(dtype) and isinstance(value, dict):
        left = {key: left_of(item, dtype.item_type) for key, item in value.items()}
        return {key: item for key, item in left.items() if item is not NOTHING} or NOTHING
    if pa.types.is_list(dtype) and isinstance(value, list):
        items = [left_of(item, dtype.value_type) for item in value]
        while items and items[-1] is NOTHING:
            items.pop()
        return [{} if item is NOTHING else item for item in items] or NOTHING
    return NOTHING


def reference_json(
    line: bytes, schema: pa.Schema, zone: str = "UTC", rescued: str | None = None
) -> tuple[dict[str, Any], bool]:
    """Returns the values of the columns, and True if the line is corrupt.

    >>> reference_json(b'{"A": 1.0, "b": [true]}', pa.schema([("a", "int32"), ("b", "string")]))
    ({'a': None, 'b': '[true]'}, True)
    """
    values: dict[str, Any] = dict.fromkeys(schema.names)
    decoder = json.JSONDecoder(strict=False, parse_int=Digits, parse_float=Digits, parse_constant=refuse)
    try:
        record = decoder.decode(line.decode(errors="replace"))
    except (ValueError, RecursionError):
        return values, True
    if not isinstance(record, dict):
        return values, True
    corrupt = False
    shown = pa.struct([field for field in schema if field.name != rescued])
    for field in shown:
        key = key_of(record, field.name)
        if key is not None:
            try:
                values[field.name] = value_of(record[key], field.type, zone)
            except (ValueError, ArithmeticError):
                corrupt = True
    rest = left_of(record, shown)
    if rescued in values and rest is not NOTHING:
        values[str(rescued)] = text_of(rest)
    return values, corrupt
