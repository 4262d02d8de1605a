"""Composite fields: fields of a preset whose text is several columns, as ``client:port``.

A :class:`FieldParts` has the columns that replace a field, with a type for each that reads it from the text of the
field, and joins the columns to that text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import TRUE, as_bool, concat_texts, from_texts, only_where, text_scalar
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.spans import Int32
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.address import Host, Port, render_addresses
from pyspark_logs.formats.types.conversion import convert_valid
from pyspark_logs.formats.types.field_type import FieldType, ResolveType
from pyspark_logs.formats.types.problem_classes import classes_by_form
from pyspark_logs.formats.types.text import Text
from pyspark_logs.formats.writing.line_writer import UnwritableValues, unwritable_values

_TEXT = Text()


class FieldParts(Protocol):
    """Columns that are read from the text of one field, and are written as its text.

    Attributes:
        is_unambiguous: True if every text of :meth:`join` is known to be read as the values it was joined from. Else the
            text is parsed again before it is written, so that :meth:`join` need not find the values it cannot write.
    """

    @property
    def is_unambiguous(self) -> bool: ...

    @property
    def columns(self) -> tuple[tuple[str, FieldType], ...]:
        """Name of each column, and the type that reads it from the text of the field."""

    def join(
        self, arrays: Sequence[pa.Array], indices: Sequence[int], zone: str
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        """Returns the texts of the field, null where all columns are null, and the values that cannot be written.

        Args:
            arrays: one array for each of the columns, all null if the rows have no such column.
            indices: index of each column in the rows; -1 if the rows have no such column.
            zone: zone of timestamps without a zone.
        """


@dataclass(frozen=True)
class Address:
    """``address:port`` as two columns."""

    host: str
    port: str
    is_unambiguous = True

    @property
    def columns(self) -> tuple[tuple[str, FieldType], ...]:
        return ((self.host, Host()), (self.port, Port()))

    def join(
        self, arrays: Sequence[pa.Array], indices: Sequence[int], zone: str
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        host, port = arrays
        port_only = as_bool(host.is_null()) & as_bool(port.is_valid())
        return render_addresses(host, port), unwritable_values(indices[1], port_only, "is a port without an address")


@dataclass(frozen=True)
class FieldPart:
    """One column of a :class:`CompositeField`.

    Attributes:
        name: name of the column, and of the group of the expression that is its text; an empty text is null.
        type: type of that text.
        before: constant text written before the value, unless that is null.
        after: constant text written after the value, unless that is null.
        also: further groups for texts in several orders; the first of them that is not empty is the text of the column
            if the group of its name is empty.
    """

    name: str
    type: FieldType
    before: str = ""
    after: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class ConditionalText:
    """Constant text that is written if a column is not null, at another position than the column.

    Attributes:
        text: constant text.
        column: name of the column.
        if_null: True if the text is written where the column is null instead.
    """

    text: str
    column: str
    if_null: bool = False


@dataclass(frozen=True)
class CompositeField:
    """Field whose text is matched by a regular expression (RE2) with a named group for each column.

    Attributes:
        regex: expression for the whole text. A text that it does not match makes the line corrupt.
        parts: columns and constant texts, in the order in which they are written.
        short_parts: parts written instead in rows in which all other columns are null; (): ``parts`` are written always.
    """

    regex: str
    parts: tuple[FieldPart | ConditionalText, ...]
    short_parts: tuple[FieldPart | ConditionalText, ...] = ()
    is_unambiguous = False

    @property
    def columns(self) -> tuple[tuple[str, FieldType], ...]:
        return tuple(
            (part.name, Subfield(self.regex, (part.name, *part.also), part.type))
            for part in self.parts
            if isinstance(part, FieldPart)
        )

    def join(
        self, arrays: Sequence[pa.Array], indices: Sequence[int], zone: str
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        columns = {name: pair for (name, _), *pair in zip(self.columns, arrays, indices, strict=True)}
        texts, found = _join_parts(self.parts, columns, zone)
        if self.short_parts:
            kept = {part.name for part in self.short_parts if isinstance(part, FieldPart)}
            needs_all = any_valid([array for name, (array, _) in columns.items() if name not in kept])
            texts = pc.if_else(needs_all, texts, _join_parts(self.short_parts, columns, zone)[0])
        return only_where(any_valid(arrays), texts), found


def _join_parts(
    parts: Sequence[FieldPart | ConditionalText], columns: Mapping[str, Sequence[Any]], zone: str
) -> tuple[pa.Array, list[UnwritableValues]]:
    """Returns the texts of parts, and the values that cannot be written.

    Args:
        parts: parts in order.
        columns: array and index of each column, by name.
        zone: zone of timestamps without a zone.
    """
    found: list[UnwritableValues] = []
    texts: list[Any] = []
    for part in parts:
        if isinstance(part, ConditionalText):
            array = columns[part.column][0]
            texts.append(
                pc.if_else(
                    array.is_null() if part.if_null else array.is_valid(), text_scalar(part.text), text_scalar("")
                )
            )
            continue
        array, index = columns[part.name]
        rendered, unwritable_rows = part.type.render(array, zone)
        found += unwritable_values(index, unwritable_rows, "is not a value that the format can write")
        texts.append(concat_texts(part.before, rendered, part.after).fill_null(text_scalar("")))
    return concat_texts(*texts), found


@dataclass(frozen=True)
class Subfield(FieldType):
    """Type that reads one column from the text of a :class:`CompositeField`.

    A value is null where its group is empty or did not take part in the match. Single texts and arrays are both matched
    by RE2, so that both have the same meaning and take linear time.

    Attributes:
        regex: expression for the whole text.
        groups: groups of the column; the first that is not empty is the text of the column.
        inner: type of that text.
    """

    regex: str = ""
    groups: tuple[str, ...] = ()
    inner: FieldType = _TEXT

    def arrow(self) -> pa.DataType:
        return self.inner.arrow()

    def reinterpret(self, dtype: pa.DataType, resolve: ResolveType) -> FieldType | None:
        inner = self.inner.reinterpret(dtype, resolve)
        return None if inner is None else replace(self, inner=inner)

    def parse(self, text: str, context: TimestampContext) -> Any:
        groups = _match_groups(from_texts([text]), self.regex)[0].as_py()
        if groups is None:
            raise ValueError("not of the form of this field")
        value = next((groups[group] for group in self.groups if groups[group]), None)
        return None if value is None else self.inner.parse(value, context)

    def problem_classes(self, texts: pa.Array) -> Int32 | None:
        return classes_by_form(texts, f"(?s:{self.regex})")

    def extract(self, array: pa.Array) -> pa.Array:
        """Returns the texts of all groups as a struct array, null where the expression does not match."""
        return _match_groups(array, self.regex)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        return self.convert_extracted(array, self.extract(array), context)

    def convert_extracted(self, array: pa.Array, extracted: Any, context: TimestampContext) -> ConversionResult:
        valid = as_bool(extracted.is_valid())
        texts = pc.struct_field(extracted, [self.groups[0]])
        for group in self.groups[1:]:
            texts = pc.if_else(pc.equal(texts, text_scalar("")), pc.struct_field(extracted, [group]), texts)
        null = as_bool(pc.equal(texts, text_scalar("")).fill_null(TRUE))
        values, valid_values = convert_valid(self.inner, texts, null, context)
        valid = valid if valid_values is None else valid & valid_values
        return values, None if valid.all() else valid


def _match_groups(array: pa.Array, regex: str) -> pa.Array:
    return pc.extract_regex(array, f"^(?s:{regex})$")


def any_valid(arrays: Sequence[pa.Array]) -> pa.Array:
    """Returns a boolean array of the rows in which any of several columns is not null."""
    valid = arrays[0].is_valid()
    for array in arrays[1:]:
        valid = pc.or_(valid, array.is_valid())
    return valid
