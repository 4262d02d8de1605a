"""Columns that a query requests of a format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import pyarrow as pa

from pyspark_logs.errors import SchemaError
from pyspark_logs.formats.types.field_type import FieldType

SourceT = TypeVar("SourceT")


def unknown_column(name: str, known: Iterable[str]) -> SchemaError:
    """Returns the error for a requested column that a format does not have.

    Args:
        name: name of the column.
        known: names of the columns of the format.
    """
    return SchemaError(f"column {name!r} is not in the format, which gives {', '.join(known)}")


@dataclass(frozen=True)
class Projection:
    """The columns that a query requests of a format, and the columns by which records are judged.

    Attributes:
        columns: requested columns, with the types that the query's schema gives them. Names match without case.
        hidden: further columns that are decoded after ``columns``, but never make a record corrupt.
        judge_whole: True if any field of the format makes a record corrupt, not only the requested ones.
        judge_own_types: True if, with ``judge_whole``, a field also makes a record corrupt if its text is not of the field's
            own type, whatever type is requested.
    """

    columns: pa.Schema = field(default_factory=lambda: pa.schema([]))
    hidden: pa.Schema = field(default_factory=lambda: pa.schema([]))
    judge_whole: bool = False
    judge_own_types: bool = False

    def fields(self) -> Iterator[tuple[pa.Field, bool]]:
        """Yields every field in order, with True if its value is judged."""
        yield from ((column, True) for column in self.columns)
        yield from ((column, False) for column in self.hidden)

    def also_judges(self, name: str, own_type: pa.DataType) -> bool:
        """Returns True if a field of the format makes a record corrupt by its own type, apart from the requested columns."""
        if not self.judge_whole:
            return False
        requested = [column.type for column in self.columns if column.name.lower() == name.lower()]
        return not requested or (self.judge_own_types and own_type not in requested)

    @property
    def types(self) -> list[pa.DataType]:
        """Arrow types of all columns in order, as the query requests them."""
        return [*self.columns.types, *self.hidden.types]


@dataclass(frozen=True)
class RequestedColumn(Generic[SourceT]):
    """A requested column, resolved by its format.

    Attributes:
        name: name of the column.
        type: field type that reads the values: the format's own, or one that gives the requested Arrow type.
        source: location of the value in a record, in the terms of the format: the name of a field (templates), a key
            (logfmt), indices of values (delimited), indices of groups (regular expressions), a path of keys (JSON).
        judged: True if a value that is not of the type makes the record corrupt.
        alternatives: the same column at other locations, one of which has the value where this location has none.
    """

    name: str
    type: FieldType
    source: SourceT
    judged: bool = True
    alternatives: tuple[RequestedColumn[SourceT], ...] = ()

    @property
    def locations(self) -> tuple[RequestedColumn[SourceT], ...]:
        """The column at each of its locations, in the order of precedence."""
        return (self, *self.alternatives)

    def is_named(self, name: str | None) -> bool:
        """Returns True if the column has a name, which matches without case; False for None."""
        return name is not None and self.name.lower() == name.lower()
