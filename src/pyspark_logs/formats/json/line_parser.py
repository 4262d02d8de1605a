"""Line parser of JSON: parses one line with the standard library and converts its values one at a time."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pyspark_logs.errors import SchemaError
from pyspark_logs.formats.column_names import KeyIndex
from pyspark_logs.formats.decoding.parsed_line import ParsedLine
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.json.rejections import JsonRejectionForm
from pyspark_logs.formats.json.rescued import JsonPath, build_rescued, claims_of, is_string_map, unclaimed_values
from pyspark_logs.formats.json.values import (
    check_type,
    convert,
    convert_time,
    number_from_string,
    parse_json,
    value_at,
)
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.schema import type_name


@dataclass(frozen=True)
class JsonValue(FieldType):
    """A JSON value of an Arrow type."""

    dtype: pa.DataType

    def arrow(self) -> pa.DataType:
        """Returns the Arrow type."""
        return self.dtype

    def parse(self, text: str, context: TimestampContext) -> Any:
        """Returns the value of a JSON text; raises ValueError if the value is not of the type."""
        return convert(parse_json(text), self.dtype, context)


@dataclass(frozen=True)
class JsonSource:
    """Location and notation of a column's value in an object.

    Attributes:
        path: keys from the object to the value.
        time: notation of a time other than ISO 8601; None: the column's Arrow type decides.
        numerals: True if a string that holds the text of a number is read as that number.
        null_text: string that is read as null; None: there is none. For numbers, whose columns hold no strings.
    """

    path: tuple[str, ...]
    time: FieldType | None = None
    numerals: bool = False
    null_text: str | None = None


@dataclass(frozen=True)
class JsonLineParser:
    """Parses lines one at a time.

    Attributes:
        columns: the requested columns, followed by columns that are only validated.
        rescued: name of the column for rescued data; None: there is no such column.
        validated_only: number of columns that are only validated.
    """

    columns: tuple[RequestedColumn[JsonSource], ...]
    rescued: str | None = None
    validated_only: int = 0

    @property
    def requested(self) -> tuple[RequestedColumn[JsonSource], ...]:
        """The requested columns."""
        return self.columns[: len(self.columns) - self.validated_only]

    def parse(self, line: str, context: TimestampContext) -> ParsedLine:
        """Returns the values of the requested columns."""
        try:
            record = parse_json(line)
            if not isinstance(record, dict):
                raise ValueError("not a JSON object")
        except ValueError as error:
            # The position in "Expecting value: line 1 column 1 (char 0)" is specific to the line.
            general = f"not a line of JSON: {str(error).partition(': ')[0]}"
            return ParsedLine([None] * len(self.requested), f"not a line of JSON: {error}", general)
        values: list[Any] = [None] * len(self.columns)
        reason = general = ""
        for index in self._keys.find(record):
            column = self.columns[index]
            try:
                values[index] = self._value(record, column, context)
            except (ValueError, OverflowError, RecursionError) as error:
                if column.judged and not reason:
                    form = rejection_form(column)
                    reason, general = f"{form.head}: {error}", form.category
        return ParsedLine(values[: len(self.requested)], reason, general)

    @functools.cached_property
    def _keys(self) -> KeyIndex:
        return KeyIndex([None if column.is_named(self.rescued) else column.source.path[0] for column in self.columns])

    def _value(self, record: dict[str, Any], column: RequestedColumn[JsonSource], context: TimestampContext) -> Any:
        if column.is_named(self.rescued):
            return convert(self.rescue(record, column.type.arrow()), column.type.arrow(), context)
        source = column.source
        value = value_at(record, source.path)
        if source.null_text is not None and value == source.null_text:
            return None
        if source.numerals:
            value = number_from_string(value)
        if source.time is not None:
            return convert_time(value, source.time, context)
        return convert(value, column.type.arrow(), context)

    def check_types(self) -> None:
        """Checks that JSON has values of the columns' types.

        Raises:
            SchemaError: JSON has no values of a column's type.
        """
        for column in self.columns:
            name, dtype = column.name, column.type.arrow()
            check_type(name, dtype)
            if column.is_named(self.rescued) and not (pa.types.is_string(dtype) or is_string_map(dtype)):
                raise SchemaError(
                    f"column {name!r} holds what the schema lacks, as JSON: declare it a string, or map<string,string>"
                    f" (rescuedDataColumn), not {dtype}"
                )

    def rescue(self, record: dict[str, Any], dtype: pa.DataType) -> dict[str, Any] | None:
        """Returns the values of an object that no column claims, in the form that suits the type; None: no value."""
        return build_rescued(list(unclaimed_values(record, self._claims)), dtype)

    @functools.cached_property
    def _claims(self) -> list[JsonPath]:
        claiming = [column for column in self.requested if column.judged and not column.is_named(self.rescued)]
        return [claim for column in claiming for claim in claims_of(column.source.path, column.type.arrow())]


def rejection_form(column: RequestedColumn[JsonSource]) -> JsonRejectionForm:
    """Returns the form of the reasons of lines with a rejected value of a column."""
    head = f"field {column.name!r}"
    return JsonRejectionForm(head, f"{head}: not of type {type_name(column.type.arrow())}", column.judged)
