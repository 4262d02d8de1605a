"""JSON lines: one object a line.

The exact parser: a line is read with the standard library, numbers kept as they are written. The fast
engine is in ``shapes``.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pyspark_logs.errors import SchemaError
from pyspark_logs.formats.json.rescued import Claim, claims_of, is_text_map, left_over, rest_of
from pyspark_logs.formats.json.values import check_type, convert, instant, load, number_of, value_at
from pyspark_logs.formats.parsed_line import ParsedLine
from pyspark_logs.formats.requested_column import RequestedColumn
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType


@dataclass(frozen=True)
class JsonValue(FieldType):
    """A JSON value as a value of an Arrow type."""

    dtype: pa.DataType

    def arrow(self) -> pa.DataType:
        """Returns the Arrow type."""
        return self.dtype

    def parse(self, text: str, context: TimestampContext) -> Any:
        """Returns the value of a JSON text; raises ValueError if the value is not of the type."""
        return convert(load(text), self.dtype, context)


@dataclass(frozen=True)
class JsonSource:
    """Location and notation of a column's value in an object.

    Attributes:
        path: keys from the object to the value.
        time: notation of a time other than ISO 8601; None: the column's Arrow type decides.
        numerals: True if a string that holds the text of a number is read as that number.
    """

    path: tuple[str, ...]
    time: FieldType | None = None
    numerals: bool = False


@dataclass(frozen=True)
class JsonLineParser:
    """The exact parser: values of ``columns`` of one line.

    Attributes:
        columns: those that are given; then those that only count when a line is called corrupt.
        rescued: name of the column that gets what the schema lacks.
        aside: how many of the last columns are not given.
    """

    columns: tuple[RequestedColumn[JsonSource], ...]
    rescued: str | None = None
    aside: int = 0

    @property
    def given(self) -> tuple[RequestedColumn[JsonSource], ...]:
        """The columns that a line gives."""
        return self.columns[: len(self.columns) - self.aside]

    def parse(self, line: str, context: TimestampContext) -> ParsedLine:
        """The values of the columns."""
        try:
            record = load(line)
            if not isinstance(record, dict):
                raise ValueError("not a JSON object")
        except ValueError as error:
            # Of "Expecting value: line 1 column 1 (char 0)" the place is of this one line.
            general = f"not a line of JSON: {str(error).partition(': ')[0]}"
            return ParsedLine([None] * len(self.given), f"not a line of JSON: {error}", general)
        values: list[Any] = []
        reason = general = ""
        for column in self.columns:
            try:
                values.append(self._value(record, column, context))
            except (ValueError, OverflowError, RecursionError) as error:
                values.append(None)
                if column.judged and not reason:
                    reason = f"field {column.name!r}: {error}"
                    general = f"field {column.name!r}: not of type {column.type.arrow()}"
        return ParsedLine(values[: len(self.given)], reason, general)

    def _value(self, record: dict[str, Any], column: RequestedColumn[JsonSource], context: TimestampContext) -> Any:
        if self.is_rescue(column):
            return convert(self.rest(record, column.type.arrow()), column.type.arrow(), context)
        source = column.source
        value = value_at(record, source.path)
        if source.numerals:
            value = number_of(value)
        if source.time is not None:
            return instant(value, source.time, context)
        return convert(value, column.type.arrow(), context)

    def check(self) -> None:
        """Raises SchemaError for a column of a type that no JSON value has."""
        for column in self.columns:
            name, dtype = column.name, column.type.arrow()
            check_type(name, dtype)
            if self.is_rescue(column) and not (pa.types.is_string(dtype) or is_text_map(dtype)):
                raise SchemaError(
                    f"column {name!r} holds what the schema lacks, as JSON: declare it a string, or map<string,string>"
                    f" (rescuedDataColumn), not {dtype}"
                )

    def is_rescue(self, column: RequestedColumn[JsonSource]) -> bool:
        """Whether this column gets what the schema lacks."""
        return self.rescued is not None and column.name.lower() == self.rescued.lower()

    def rest(self, record: dict[str, Any], dtype: pa.DataType) -> dict[str, Any] | None:
        """What no column of the schema takes of an object, as a column of a type has it; None: nothing is left."""
        return rest_of(list(left_over(record, self._claims)), dtype)

    @functools.cached_property
    def _claims(self) -> list[Claim]:
        shown = [column for column in self.given if column.judged and not self.is_rescue(column)]
        return [claim for column in shown for claim in claims_of(column.source.path, column.type.arrow())]
