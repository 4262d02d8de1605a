"""JSON lines: one object a line.

The exact parser: a line is read with the standard library, numbers kept as they are written. The fast
engine is in ``jsonshapes``.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark_logs.errors import SchemaError
from pyspark_logs.formats.exact import Parsed
from pyspark_logs.formats.fieldtypes import for_arrow
from pyspark_logs.formats.timestamps import Moment, zone_info
from pyspark_logs.formats.timetypes import Date, Timestamp

if TYPE_CHECKING:
    import pyarrow as pa


class Number(str):
    """A JSON number, as it is written."""

    __slots__ = ()


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


def lookup(names: Iterable[str], wanted: str) -> str | None:
    """The key for a column: the same name, else the last that is equal without regard to case."""
    found = None
    for name in names:
        if name == wanted:
            return name
        if name.lower() == wanted.lower():
            found = name
    return found


@dataclass(frozen=True)
class JsonLines:
    """The exact parser: values of ``fields`` of one line.

    Attributes:
        judged: for each field whether a wrong type makes the line corrupt. One that is not is parsed aside:
            the schema does not have it.
        rescued: name of the column that gets what the schema lacks, as JSON.
    """

    fields: tuple[pa.Field, ...]
    judged: tuple[bool, ...]
    rescued: str | None = None

    def parse(self, line: str, moment: Moment) -> Parsed:
        """The values of the columns."""
        try:
            record = load(line)
            if not isinstance(record, dict):
                raise ValueError("not a JSON object")
        except ValueError as error:
            # Of "Expecting value: line 1 column 1 (char 0)" the place is of this one line.
            general = f"not a line of JSON: {str(error).partition(': ')[0]}"
            return Parsed([None] * len(self.fields), f"not a line of JSON: {error}", general)
        values: list[Any] = []
        reason = general = ""
        for field, judged in zip(self.fields, self.judged, strict=True):
            try:
                values.append(self._value(record, field, moment))
            except (ValueError, OverflowError, RecursionError) as error:
                values.append(None)
                if judged and not reason:
                    reason = f"field {field.name!r}: {error}"
                    general = f"field {field.name!r}: not of type {field.type}"
        return Parsed(values, reason, general)

    def _value(self, record: dict[str, Any], field: pa.Field, moment: Moment) -> Any:
        if self.is_rescue(field):
            return self._rest(record)
        key = field.name if field.name in record else lookup(record, field.name)
        value = record[key] if key is not None else None
        return None if value is None else convert(value, field.type, moment)

    def check(self) -> None:
        """Raises SchemaError for a field of a type that no JSON value has."""
        import pyarrow as pa

        for field in self.fields:
            check_type(field.name, field.type)
            if self.is_rescue(field) and not pa.types.is_string(field.type):
                raise SchemaError(
                    f"column {field.name!r} (rescuedDataColumn) holds JSON text: it is string, not {field.type}"
                )

    def is_rescue(self, field: pa.Field) -> bool:
        """Whether this column gets what the schema lacks."""
        return self.rescued is not None and field.name.lower() == self.rescued.lower()

    def shown(self) -> list[pa.Field]:
        """The fields of the schema that have a key of their own."""
        return [f for f, judged in zip(self.fields, self.judged, strict=True) if judged and not self.is_rescue(f)]

    def _rest(self, record: dict[str, Any]) -> str | None:
        taken = {lookup(record, field.name) for field in self.shown()}
        rest = {key: value for key, value in record.items() if key not in taken}
        return dump(rest) if rest else None


def check_type(name: str, dtype: pa.DataType) -> None:
    """Raises SchemaError where no JSON value is of the type."""
    import pyarrow as pa

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


def convert(value: Any, dtype: pa.DataType, moment: Moment) -> Any:
    """A JSON value as a value of an Arrow type; ValueError where it is none of it."""
    import pyarrow as pa

    if value is None:
        return None
    if pa.types.is_string(dtype):
        return str(value) if isinstance(value, str) else dump(value)
    if pa.types.is_list(dtype):
        return [convert(item, dtype.value_type, moment) for item in _a(list, value, "an array")]
    if pa.types.is_struct(dtype):
        record = _a(dict, value, "an object")
        keys = {field.name: lookup(record, field.name) for field in dtype}
        return {f.name: convert(record[k], f.type, moment) if (k := keys[f.name]) is not None else None for f in dtype}
    if pa.types.is_map(dtype):
        pairs = _a(dict, value, "an object").items()
        return [(key, convert(item, dtype.item_type, moment)) for key, item in pairs]
    if pa.types.is_boolean(dtype):
        return _a(bool, value, "true or false")
    if pa.types.is_timestamp(dtype) or pa.types.is_date32(dtype):
        return _time(value, dtype, moment)
    field_type = for_arrow(dtype)
    if field_type is None or not isinstance(value, Number):
        raise ValueError(f"{dump(value)[:80]} is not a number, as {dtype} needs")
    return field_type.parse(str(value), moment)


def _a(kind: type, value: Any, what: str) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{dump(value)[:80]} is not {what}")
    return value


def _time(value: Any, dtype: pa.DataType, moment: Moment) -> Any:
    import pyarrow as pa

    if not isinstance(value, str) or isinstance(value, Number):
        raise ValueError(f"{dump(value)[:80]} is not a string with an ISO 8601 time")
    if pa.types.is_date32(dtype):
        return Date().parse(value, moment)
    instant = Timestamp().parse(value, moment)
    if dtype.tz is not None:
        return instant
    wall = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(microseconds=instant)
    return wall.astimezone(zone_info(moment.zone)).replace(tzinfo=None)
