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
from pyspark_logs.formats.template.line_parser import Parsed
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType


@dataclass(frozen=True)
class JsonColumn:
    """A column and where in the object it stands.

    Attributes:
        field: its name and the type that a line gives.
        judged: whether a wrong type makes the line corrupt. One that is not is parsed aside: the schema does not
            have it.
        path: the keys that lead to it.
        time: the notation of a time that is not plainly ISO 8601 by its type; None: the type says it all.
        numerals: whether a string that is a number's text is that number.
    """

    field: pa.Field
    judged: bool
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

    columns: tuple[JsonColumn, ...]
    rescued: str | None = None
    aside: int = 0

    @property
    def given(self) -> tuple[JsonColumn, ...]:
        """The columns that a line gives."""
        return self.columns[: len(self.columns) - self.aside]

    def parse(self, line: str, context: TimestampContext) -> Parsed:
        """The values of the columns."""
        try:
            record = load(line)
            if not isinstance(record, dict):
                raise ValueError("not a JSON object")
        except ValueError as error:
            # Of "Expecting value: line 1 column 1 (char 0)" the place is of this one line.
            general = f"not a line of JSON: {str(error).partition(': ')[0]}"
            return Parsed([None] * len(self.given), f"not a line of JSON: {error}", general)
        values: list[Any] = []
        reason = general = ""
        for column in self.columns:
            try:
                values.append(self._value(record, column, context))
            except (ValueError, OverflowError, RecursionError) as error:
                values.append(None)
                if column.judged and not reason:
                    reason = f"field {column.field.name!r}: {error}"
                    general = f"field {column.field.name!r}: not of type {column.field.type}"
        return Parsed(values[: len(self.given)], reason, general)

    def _value(self, record: dict[str, Any], column: JsonColumn, context: TimestampContext) -> Any:
        if self.is_rescue(column):
            return convert(self.rest(record, column.field.type), column.field.type, context)
        value = value_at(record, column.path)
        if column.numerals:
            value = number_of(value)
        if column.time is not None:
            return instant(value, column.time, context)
        return convert(value, column.field.type, context)

    def check(self) -> None:
        """Raises SchemaError for a column of a type that no JSON value has."""
        for column in self.columns:
            name, dtype = column.field.name, column.field.type
            check_type(name, dtype)
            if self.is_rescue(column) and not (pa.types.is_string(dtype) or is_text_map(dtype)):
                raise SchemaError(
                    f"column {name!r} holds what the schema lacks, as JSON: declare it a string, or map<string,string>"
                    f" (rescuedDataColumn), not {dtype}"
                )

    def is_rescue(self, column: JsonColumn) -> bool:
        """Whether this column gets what the schema lacks."""
        return self.rescued is not None and column.field.name.lower() == self.rescued.lower()

    def rest(self, record: dict[str, Any], dtype: pa.DataType) -> dict[str, Any] | None:
        """What no column of the schema takes of an object, as a column of a type has it; None: nothing is left."""
        return rest_of(list(left_over(record, self._claims)), dtype)

    @functools.cached_property
    def _claims(self) -> list[Claim]:
        shown = [column for column in self.given if column.judged and not self.is_rescue(column)]
        return [claim for column in shown for claim in claims_of(column.path, column.field.type)]
