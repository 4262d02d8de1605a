"""A format of the option ``anyOf``, and the columns that it has in common with the others."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from pyspark_logs.errors import FormatError, SchemaError
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.interface import SearchableFields
from pyspark_logs.formats.line_format import LineFormat
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.types.casts import fits
from pyspark_logs.schema import to_ddl


@dataclass(frozen=True)
class AnyOfMember:
    """A format of the list.

    Attributes:
        index: index in the list.
        name: name in the column ``formatColumn`` and in messages.
        form: format of the lines.
    """

    index: int
    name: str
    form: LineFormat

    @property
    def title(self) -> str:
        """Index and name, for messages."""
        return f"member {self.index} ({self.name})"

    @functools.cached_property
    def known(self) -> pa.Schema:
        """Columns that the format documents; none if the lines alone name them."""
        return self.form.schema() or pa.schema([])

    @functools.cached_property
    def matcher(self) -> Matcher:
        """Matcher of the lines of the format, by all of its fields in their own types."""
        return self.form.line_matcher()

    def field(self, name: str) -> pa.Field | None:
        """Returns the documented column of a name, which matches without case; None if there is none."""
        return next((field for field in self.known if field.name.lower() == name.lower()), None)

    def has(self, name: str) -> bool:
        """Returns True if lines of the format can have a value in a column."""
        return self.form.is_open or self.field(name) is not None

    def reads(self, column: pa.Field) -> bool:
        """Returns True if a requested column is read from lines of the format; its documented columns always are.

        An open format lacks a column if it has no values of the type: logfmt has no maps.
        """
        if self.field(column.name) is not None:
            return True
        if not self.form.is_open:
            return False
        try:
            self.form.decoder(Projection(pa.schema([column])))
        except SchemaError:
            return False
        return True

    def time_field(self, name: str) -> pa.Field | None:
        """Returns the column that is the time of a line: the one of this name, else the first timestamp; None: there is none."""
        found = self.field(name)
        if found is not None and (pa.types.is_timestamp(found.type) or pa.types.is_string(found.type)):
            return found
        times = (field for field in self.known if pa.types.is_timestamp(field.type))
        first = next(times, None)
        return pa.field(name, pa.timestamp("us", "UTC")) if first is None and self.form.is_open else first

    def check(self) -> None:
        """Raises FormatError for a format whose lines cannot be told apart line by line."""
        if self.form.header_rule() is not None:
            raise FormatError(
                f"option 'anyOf', {self.title}: the columns of its lines depend on a header; read files with headers in a"
                " separate load"
            )
        if self.form.reads_documents:
            raise FormatError(
                f"option 'anyOf', {self.title}: its files are JSON documents, in which a line is not a record; read them in a"
                " separate load"
            )


def merge_columns(schemas: Sequence[tuple[AnyOfMember, pa.Schema]]) -> tuple[pa.Schema, list[str]]:
    """Merges the columns of members by their names, which match without case, in the order in which they first appear.

    Returns:
        The columns, each in the widest of its types, and a message for each column whose types have no common one; such a
        column has its first type.
    """
    merged: dict[str, pa.Field] = {}
    sources: dict[str, AnyOfMember] = {}  # of the type
    problems = []
    for member, schema in schemas:
        for field in schema:
            key = field.name.lower()
            before = merged.get(key)
            dtype = field.type if before is None else widen(before.type, field.type)
            if dtype is None:
                problems.append(_conflict(merged[key], sources[key], field, member))
                continue
            if before is None or dtype != before.type:
                sources[key] = member
            merged[key] = pa.field(field.name if before is None else before.name, dtype)
    return pa.schema(list(merged.values())), problems


def widen(left: pa.DataType, right: pa.DataType) -> pa.DataType | None:
    """Returns the type in which both types are read; None if there is none.

    >>> widen(pa.int32(), pa.int64()), widen(pa.int64(), pa.float64()), widen(pa.int64(), pa.string())
    (DataType(int64), DataType(double), None)
    """
    for narrow, wide in ((left, right), (right, left)):
        if _is_number(narrow) and _is_number(wide) and fits(narrow, wide):
            return wide
    if _are_integer_and_float(left, right):
        return pa.float64()
    return left if left == right else None


def _are_integer_and_float(left: pa.DataType, right: pa.DataType) -> bool:
    pairs = ((left, right), (right, left))
    return any(pa.types.is_integer(one) and pa.types.is_floating(other) for one, other in pairs)


def _is_number(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_integer(dtype) or pa.types.is_floating(dtype) or pa.types.is_decimal(dtype))


def _conflict(before: pa.Field, first: AnyOfMember, field: pa.Field, member: AnyOfMember) -> str:
    left, right = (to_ddl(pa.schema([pa.field("x", dtype)])).partition(" ")[2] for dtype in (before.type, field.type))
    return f"column {field.name!r} is {left} in {first.title} and {right} in {member.title}"


def combine_searchable(members: Sequence[AnyOfMember], format_column: str | None) -> SearchableFields:
    """Returns the fields that can be searched for in the lines of all members.

    A line of a member without the field has null in it, which no searched predicate accepts.
    """
    found = [(member, member.form.searchable_fields()) for member in members]
    names = {field.name.lower() for member in members for field in member.known}
    plain, unescaped, excluded = set[str](), set[str](), set[str]()
    for name in names:
        relevant = [fields for member, fields in found if member.has(name)]
        if all(name in fields.plain for fields in relevant):
            plain.add(name)
        elif all(_is_unescaped(name, fields) for fields in relevant):
            unescaped.add(name)
        else:
            excluded.add(name)
    opened = [fields for member, fields in found if member.form.is_open]
    if format_column is not None:
        excluded.add(format_column.lower())
    return SearchableFields(
        plain=frozenset(plain - excluded),
        # All names that no member documents are names of open members.
        unless_escaped=None if opened and all(f.unless_escaped is None for f in opened) else frozenset(unescaped),
        not_with="".join(sorted({char for _, fields in found for char in fields.not_with})),
        excluded=frozenset(excluded),
    )


def _is_unescaped(name: str, fields: SearchableFields) -> bool:
    return name in fields.plain or fields.unless_escaped is None or name in fields.unless_escaped


def whole_projection(columns: pa.Schema, hidden: pa.Schema) -> Projection:
    """Returns the projection of a member, in which a line matches as a whole whatever columns are requested."""
    return Projection(columns, hidden, judge_whole=True, judge_own_types=True)
