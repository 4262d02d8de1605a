"""Plan of the values that a writer of separated values renders from the columns of a schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.delimited.spec import DelimitedField
from pyspark_logs.formats.line_format import duplicate_names
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.temporal import Timestamp
from pyspark_logs.formats.types.text import Text
from pyspark_logs.formats.writing.scalar_writer import scalar_type, type_problem

_DATE, _TIME = (0, 10), (11, 26)  # characters of the parts of 2026-11-22T10:00:00.000000Z


@dataclass(frozen=True)
class WrittenValue:
    """A value of a line.

    Attributes:
        name: name of the value in a header.
        column: index of the column that the value is rendered from; -1: the value is null.
        part: range of characters of the column's text that make up the value; None: the whole text.
    """

    name: str
    column: int
    part: tuple[int, int] | None = None


@dataclass(frozen=True)
class CombinedColumn:
    """A column that readers combine from values of which at least one is rendered from another column.

    Attributes:
        column: index of the column.
        values: names of the values.
        suffix: text that readers append to the values.
    """

    column: int
    values: tuple[str, ...]
    suffix: str


@dataclass(frozen=True)
class ValuePlan:
    """Values of a line and the columns that they are rendered from.

    Attributes:
        values: values of a line in order.
        types: type that each column is rendered as.
        combined: columns that the written values may contradict.
    """

    values: tuple[WrittenValue, ...]
    types: tuple[FieldType, ...]
    combined: tuple[CombinedColumn, ...] = ()


def plan_values(
    schema: pa.Schema, fields: Sequence[DelimitedField], names: Sequence[str], *, all_values: bool
) -> tuple[ValuePlan, list[str]]:
    """Plans the values of a line.

    A value that has a column for itself is rendered from that column even if another column contains the value, too.

    Args:
        schema: columns to write.
        fields: documented columns of the format; empty: each column of the schema is a value.
        names: names of the format's values in order.
        all_values: True if a line has all values, whatever columns the schema has.

    Returns:
        The plan, and the reasons why the columns cannot be written.

    Raises:
        FormatError: a column cannot be divided into its values.
    """
    problems = duplicate_names([name.lower() for name in schema.names])
    types: list[FieldType] = []
    planned: dict[str, WrittenValue] = {}
    combined: list[CombinedColumn] = []
    documented = {field.name.lower(): field for field in fields}
    for index, column in enumerate(schema):
        field = documented.get(column.name.lower())
        column_type = field.type if field is not None else scalar_type(column.type) if not fields else Text()
        if fields and field is None:
            problems.append(f"{column.name!r} is not in the format; drop it")
        elif problem := type_problem(column, column_type):
            problems.append(problem)
        types.append(column_type or Text())
        values = _values_of(field, column.name, index)
        for value in values:
            other = planned.get(value.name)
            if other is not None and other.part is None and value.part is None:
                problems.append(f"{column.name!r} and {schema.names[other.column]!r} are both {value.name!r}; drop one")
            if other is None or value.part is None:
                planned[value.name] = value
        if field is not None and values[0].part is not None:
            combined.append(CombinedColumn(index, field.value_names, field.suffix))
    if not fields:
        return ValuePlan(tuple(planned.values()), tuple(types)), problems
    ordered = [planned.get(name) or WrittenValue(name, -1) for name in names]
    written = tuple(value for value in ordered if all_values or value.column >= 0)
    contradictable = [one for one in combined if any(planned[name].column != one.column for name in one.values)]
    return ValuePlan(written, tuple(types), tuple(contradictable)), problems


def _values_of(field: DelimitedField | None, name: str, column: int) -> list[WrittenValue]:
    """Returns the values that a column is written as.

    Args:
        field: the documented column; None: the column is one value.
        name: name of the column.
        column: index of the column.
    """
    if field is None:
        return [WrittenValue(name, column)]
    if len(field.value_names) == 1 and not field.suffix:
        return [WrittenValue(field.value_names[0], column)]
    if field.type != Timestamp() or len(field.value_names) != len((_DATE, _TIME)) or field.suffix != "Z":
        raise FormatError(f"the format is read only: column {field.name!r} cannot be divided into its values")
    date, time = field.value_names
    return [WrittenValue(date, column, _DATE), WrittenValue(time, column, _TIME)]
