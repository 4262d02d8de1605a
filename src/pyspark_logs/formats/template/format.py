"""Formats that are compiled to a template: the notation itself, server configurations and presets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

import pyarrow as pa

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.decoding.appended_fields import (
    RESCUED_TYPE,
    RescueDecoder,
    RescueRule,
    split_words,
    without_rescued,
)
from pyspark_logs.formats.decoding.decoder import Decoder, Engine, LineParser
from pyspark_logs.formats.decoding.mismatches import MismatchSearch
from pyspark_logs.formats.decoding.requested_column import Projection, RequestedColumn, unknown_column
from pyspark_logs.formats.interface import SearchableFields
from pyspark_logs.formats.line_format import LineFormat, begins_by_regex_only, duplicate_names, raise_unwritable
from pyspark_logs.formats.line_start import LineStart
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.template.compiled_engine import template_engines
from pyspark_logs.formats.template.composite_fields import FieldParts
from pyspark_logs.formats.template.engine import TemplateEngine
from pyspark_logs.formats.template.field_writer import FieldWriter
from pyspark_logs.formats.template.line_layout import FieldColumns
from pyspark_logs.formats.template.line_parser import ParsingRules, TemplateLineParser
from pyspark_logs.formats.template.matcher import compile_line_start, ends_with_text
from pyspark_logs.formats.template.mismatches import TemplateMismatchSearch
from pyspark_logs.formats.template.segments import Field, Group, Segment, Template, named_fields
from pyspark_logs.formats.template.writer import TemplateWriter
from pyspark_logs.formats.types.casts import fits
from pyspark_logs.formats.types.registry import retype
from pyspark_logs.formats.types.request import PARTS, RequestPart
from pyspark_logs.formats.writing.line_writer import FindUnencodable, FormatWriter
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines, PartRule
from pyspark_logs.schema import type_name

# Columns with the first line of a request, in configurations of web servers and in presets.
REQUEST_COLUMNS = ("request", "http_request")


@dataclass(frozen=True)
class TemplateFormat(LineFormat):
    """A template with its options; see :class:`~pyspark_logs.formats.line_format.LineFormat`.

    Attributes:
        template: template of the lines.
        options: options of the format.
        name: name of the format in messages: ``template '{a} {b}'``, ``preset 'aws_alb'``.
        parts: columns that replace a field, by the name of the field.
        part_rule: rule that finds lines which are parts of records; None: there are none.
        request_columns: columns that the option ``requestParts`` divides.
        rejects_values: True if a line whose structure is the template's, with a value that is not of its type, is corrupt.
    """

    template: Template
    options: FormatOptions
    name: str
    parts: Mapping[str, FieldParts] = field(default_factory=dict)
    part_rule: PartRule | None = None
    request_columns: tuple[str, ...] = REQUEST_COLUMNS

    suffix = "log"
    is_open = False
    blanks = " \t"
    rejects_values: ClassVar[bool] = True

    def schema(self) -> pa.Schema:
        """Returns the columns of the named fields, and of composite fields the columns of their parts."""
        return pa.schema([pa.field(column.name, column.type.arrow()) for column in self._columns()])

    @property
    def allows_trailing(self) -> bool:
        """True if text may follow the last field: the option ``rescuedDataColumn`` implies it."""
        return self.options.allow_trailing or self.options.rescued_column is not None

    @property
    def rescued_type(self) -> pa.DataType:
        """Type of the column of appended fields."""
        return RESCUED_TYPE

    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """Returns the columns of the template, which do not depend on the sample."""
        return self.schema()

    def _columns(self) -> list[RequestedColumn[str]]:
        """Returns all columns; fields whose parts have the same name are locations of one column."""
        located: dict[str, list[RequestedColumn[str]]] = {}
        for template_field in self.template.fields:
            name = template_field.name or ""
            parts = self.parts[name].columns if name in self.parts else ((name, template_field.type),)
            for part, part_type in parts:
                located.setdefault(part, []).append(RequestedColumn(part, part_type, name))
        columns = [replace(first, alternatives=tuple(others)) for first, *others in located.values()]
        return self._with_request_parts(columns) if self.options.request_parts else columns

    def _with_request_parts(self, columns: Sequence[RequestedColumn[str]]) -> list[RequestedColumn[str]]:
        """Returns the columns, with the parts of each request after it, unless the format has a column of that name.

        Raises:
            FormatError: no column is a request.
        """
        taken = {column.name.lower() for column in columns}
        found: list[RequestedColumn[str]] = []
        for column in columns:
            found.append(column)
            if column.name.lower() in self.request_columns:
                found += [
                    RequestedColumn(f"{column.name}_{part}", RequestPart(part=part, inner=column.type), column.source)
                    for part in PARTS
                    if f"{column.name}_{part}".lower() not in taken
                ]
        if len(found) == len(columns):
            names = " or ".join(map(repr, self.request_columns))
            raise FormatError(f"option 'requestParts': {self.name} has no column {names} to divide; leave it out")
        return found

    def decoder(self, projection: Projection) -> Decoder:
        """Returns a decoder of the template engine, with the line parser for the lines that the engine leaves."""
        projection, rescued = without_rescued(projection, self.options)
        known = self._columns()
        columns = _requested_columns(known, projection)
        if self.options.rescued_column is not None and self.template.takes_rest:
            raise FormatError(
                f"option 'rescuedDataColumn': the last field of {self.name} takes the rest of the line, so nothing can follow it;"
                " leave the option out"
            )
        options = self.options
        unrequested = tuple(
            one
            for column in known
            if projection.also_judges(column.name, column.type.arrow())
            for one in column.locations
        )
        # The appended fields are after all others, so a line is parsed to its end for them.
        rules = ParsingRules(
            options.null_value, options.escape == "backslash", self.allows_trailing,
            projection.judge_whole or rescued is not None, unrequested, finds_appended=self.allows_trailing,
        )  # fmt: skip
        native = [column.type.arrow() for column in columns]
        numpy_engine = TemplateEngine(self.template, columns, rules, rejects_values=self.rejects_values)
        compiled = template_engines(self.template, columns, rules, rejects_values=self.rejects_values)
        engines: list[Engine] = [*compiled, numpy_engine]
        search = self.mismatch_search(columns, rules)
        decoder = Decoder(engines, self.line_parser(columns, rules), native, projection.types, search)
        if rescued is None:
            return decoder
        return RescueDecoder(decoder, RescueRule(rescued, self.template.word_count + 1, split_words))

    def line_parser(self, columns: Sequence[RequestedColumn[str]], rules: ParsingRules) -> LineParser:
        """Returns the parser of the lines that the template engine leaves."""
        return TemplateLineParser(self.template, columns, rules)

    def mismatch_search(self, columns: Sequence[RequestedColumn[str]], rules: ParsingRules) -> MismatchSearch | None:
        """Returns the search for lines that the line parser finds not to match."""
        return TemplateMismatchSearch(self.template, columns, rules)

    def matcher(self) -> Matcher:
        """Returns a matcher by all fields; the last field takes the lines that do not match."""
        if not ends_with_text(self.template):
            raise begins_by_regex_only(self.name)
        return self.line_matcher()

    def line_matcher(self) -> Matcher:
        """Returns a matcher by all fields."""
        return Matcher(self.decoder(Projection(judge_whole=True)), self.line_start)

    @cached_property
    def line_start(self) -> LineStart:
        """Condition on the beginning of every line that matches."""
        return compile_line_start(self.template, self.parts)

    def searchable_fields(self) -> SearchableFields:
        """Returns all string columns; columns that may have escapes are searchable only in lines without one."""
        plain: set[str] = set()
        escaped: set[str] = set()
        for template_field in self.template.fields:
            name, field_type = template_field.name or "", template_field.type
            parts = self.parts.get(name)
            style = field_type.resolve_escape_style(self.options.escape != "none")
            names = escaped if field_type.escapes or style is not None else plain
            columns = [name.lower()] if parts is None else [part.lower() for part, _ in parts.columns]
            divided = [column for column in columns if column in self.request_columns and self.options.request_parts]
            names.update(columns, (f"{column}_{part}" for column in divided for part in PARTS))
        return SearchableFields(frozenset(plain), frozenset(escaped))

    # --- writing ------------------------------------------------------------------------------------------

    def writer(
        self, schema: pa.Schema, *, zone: str, unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...]
    ) -> FormatWriter:
        """Returns a writer of lines; the lines of a few uncommon templates are parsed to know that they read back."""
        self._check_writable(unencodable)
        fields, native = self._assign_columns(schema, zone, unencodable)
        writer = TemplateWriter(
            self.template, fields, native, allow_trailing=self.options.allow_trailing,
            null_value=self.options.null_value, forbidden_prefixes=forbidden_prefixes, zone=zone,
        )  # fmt: skip
        return FormatWriter(writer, self.decoder(Projection(native)) if writer.is_uncertain else None)

    def _check_writable(self, unencodable: FindUnencodable | None) -> None:
        """Raises FormatError if no line can be written."""
        missing = unencodable(self.template.text + self.options.null_value) if unencodable is not None else set()
        if missing:
            shown = " ".join(map(repr, sorted(missing)))
            raise FormatError(f"{self.name}: encoding={self.options.encoding} has no {shown}")
        for template_field in self.template.fields:
            template_field.type.check_writable()

    def _assign_columns(
        self, schema: pa.Schema, zone: str, unencodable: FindUnencodable | None
    ) -> tuple[list[FieldColumns], pa.Schema]:
        """Returns the fields with the columns from which they are written, and the schema with the types they write."""
        options = self.options
        problems = duplicate_names([name.lower() for name in schema.names])
        unassigned = {name.lower(): index for index, name in enumerate(schema.names)}
        native = list(schema)
        fields: list[FieldColumns] = []
        for template_field in self.template.fields:
            name = template_field.name or ""
            parts = self.parts.get(name)
            columns = []
            for part, field_type in parts.columns if parts is not None else ((name, template_field.type),):
                index = unassigned.pop(part.lower(), -1)
                columns.append(index)
                if index < 0:
                    continue
                column, target = schema[index], field_type.arrow()
                if not fits(column.type, target):
                    found, wanted = type_name(column.type), type_name(target)
                    problems.append(f"{column.name!r} is {found}, the format writes {wanted}; cast it")
                native[index] = pa.field(column.name, target)
            writer = FieldWriter(
                template_field.type, template_field.null_texts(options.null_value), options.escape == "backslash", zone,
                unencodable, template_field.padding, template_field.never_blank,
            )  # fmt: skip
            fields.append(FieldColumns(template_field, writer, tuple(columns), parts))
        problems += [f"{schema[index].name!r} is not in the format; drop it" for index in unassigned.values()]
        problems += _find_missing_columns(self.template, fields)
        if unassigned:
            problems.append(f"the format has {', '.join(column.name for column in self._columns())}")
        raise_unwritable(problems, self.name)
        return fields, pa.schema(native)


def _requested_columns(known: Sequence[RequestedColumn[str]], projection: Projection) -> list[RequestedColumn[str]]:
    """Returns the requested columns, each with the type that gives its values, at all of its locations.

    Args:
        known: columns of the format.
        projection: columns that a query requests.

    Raises:
        SchemaError: the format has no such column, or its values have no such type.
    """
    by_name = {column.name.lower(): column for column in known}
    columns = []
    for requested, judged in projection.fields():
        column = by_name.get(requested.name.lower())
        if column is None:
            raise unknown_column(requested.name, (one.name for one in known))
        first, *others = (
            replace(one, type=retype(one.type, requested.type, requested.name), judged=judged)
            for one in column.locations
        )
        columns.append(replace(first, alternatives=tuple(others)))
    return columns


def _find_missing_columns(template: Template, fields: Sequence[FieldColumns]) -> list[str]:
    """Returns a message for each field without a column that is in every line and cannot be null.

    A field of a group is in every line with the group, which is written only if the group has columns.
    """
    by_name = {one.field.name: one for one in fields}
    if not any(one.present for one in fields):
        return ["there is no column to write"]

    def written_fields(segments: Iterable[Segment]) -> Iterator[FieldColumns]:
        for segment in segments:
            if isinstance(segment, Group):
                if any(by_name[inner.name].present for inner in named_fields(segment.segments)):
                    yield from written_fields(segment.segments)
            elif isinstance(segment, Field) and segment.name is not None:
                yield by_name[segment.name]

    missing = (one.field for one in written_fields(template.segments) if not one.present)
    return [f"{one.name!r} is missing, and its field has no '?'" for one in missing if not one.nullable]
