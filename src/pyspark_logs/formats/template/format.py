"""Formats that are a template: the notation itself, and whatever compiles to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from pyspark_logs.errors import FormatError, SchemaError
from pyspark_logs.formats.decoder import Decoder, LineParser
from pyspark_logs.formats.interface import SearchableFields
from pyspark_logs.formats.line_format import LineFormat, begins_by_regex_only, duplicate_names, raise_unwritable
from pyspark_logs.formats.line_writer import FindUnencodable, FormatWriter
from pyspark_logs.formats.requested_column import Projection, RequestedColumn
from pyspark_logs.formats.template.composite_fields import FieldParts
from pyspark_logs.formats.template.engine import TemplateEngine
from pyspark_logs.formats.template.field_writer import FieldWriter
from pyspark_logs.formats.template.line_parser import ParsingRules, TemplateLineParser
from pyspark_logs.formats.template.matcher import Matcher, ends_in_text, matcher_of
from pyspark_logs.formats.template.notation import Field, Group, Segment, Template, named_fields
from pyspark_logs.formats.template.writer import TemplateWriter
from pyspark_logs.formats.template.writer import Written as WrittenField
from pyspark_logs.formats.types.casts import fits
from pyspark_logs.formats.types.registry import retype
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines


@dataclass(frozen=True)
class TemplateFormat(LineFormat):
    """A template, with the options that go with it; see :class:`~pyspark_logs.formats.line_format.LineFormat`.

    Attributes:
        name: of the format in messages: ``template '{a} {b}'``, ``preset 'aws_alb'``.
        parts: field -> the columns given in its place, each with what it takes of the text.
    """

    template: Template
    options: FormatOptions
    name: str
    parts: Mapping[str, FieldParts] = field(default_factory=dict)

    suffix = "log"
    is_open = False

    def schema(self) -> pa.Schema:
        """The named fields, parts in the place of a field that has them."""
        return pa.schema([pa.field(column.name, column.type.arrow()) for column in self._columns()])

    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """The same whatever the sample."""
        return self.schema()

    def _columns(self) -> list[RequestedColumn[str]]:
        columns = []
        for one in self.template.fields:
            name = one.name or ""
            if name in self.parts:
                columns += [RequestedColumn(part, part_type, name) for part, part_type in self.parts[name].columns]
            else:
                columns.append(RequestedColumn(name, one.type, name))
        return columns

    def decoder(self, projection: Projection) -> Decoder:
        """Returns a decoder of the template engine, with the line parser for the lines that the engine leaves."""
        known = {column.name.lower(): column for column in self._columns()}
        columns = []
        for requested, judged in projection.fields():
            column = known.get(requested.name.lower())
            if column is None:
                names = ", ".join(column.name for column in known.values())
                raise SchemaError(f"column {requested.name!r} is not in the format, which gives {names}")
            kind = retype(column.type, requested.type, requested.name)
            columns.append(replace(column, type=kind, judged=judged))
        if self.options.rescued_column is not None:
            raise FormatError("option 'rescuedDataColumn' belongs to json; a template has no further columns")
        shown = {column.name for column in columns if column.judged}
        judge_whole, options = projection.judge_whole, self.options
        unasked = tuple(column for column in known.values() if judge_whole and column.name not in shown)
        rules = ParsingRules(
            options.null_value, options.escape == "backslash", options.allow_trailing, judge_whole, unasked
        )
        engine = TemplateEngine(self.template, columns, rules)
        native = [column.type.arrow() for column in columns]
        return Decoder([engine], self.line_parser(columns, rules), native, projection.types)

    def line_parser(self, columns: Sequence[RequestedColumn[str]], rules: ParsingRules) -> LineParser:
        """Returns the parser of the lines that the template engine leaves."""
        return TemplateLineParser(self.template, columns, rules)

    def matcher(self) -> Matcher:
        """By all fields; what does not match goes to the last one."""
        if not ends_in_text(self.template):
            raise begins_by_regex_only(self.name)
        return matcher_of(self.template, self.decoder(Projection(judge_whole=True)), self.parts)

    def searchable_fields(self) -> SearchableFields:
        """All string columns; those with escapes only where there are none."""
        plain: set[str] = set()
        escaped: set[str] = set()
        for one in self.template.fields:
            name = one.name or ""
            parts = self.parts.get(name)
            is_escaped = one.type.escapes or one.type.resolve_escape_style(self.options.escape != "none") is not None
            into = escaped if is_escaped else plain
            into.update([name.lower()] if parts is None else [part.lower() for part, _ in parts.columns])
        return SearchableFields(frozenset(plain), frozenset(escaped))

    # --- writing ------------------------------------------------------------------------------------------

    def writer(
        self, schema: pa.Schema, *, zone: str, unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...]
    ) -> FormatWriter:
        """Lines of the template; those of a few exotic ones are parsed to be sure of them."""
        self._check_writable(unencodable)
        fields, native = self._assigned(schema, zone, unencodable)
        writer = TemplateWriter(
            self.template, fields, native, allow_trailing=self.options.allow_trailing,
            null_value=self.options.null_value, forbidden_prefixes=forbidden_prefixes, zone=zone,
        )  # fmt: skip
        check = self.decoder(Projection(native)) if writer.unsure else None
        return FormatWriter(writer, check)

    def _check_writable(self, unencodable: FindUnencodable | None) -> None:
        """Raises FormatError where no line could be written."""
        missing = unencodable(self.template.text + self.options.null_value) if unencodable is not None else set()
        if missing:
            shown = " ".join(map(repr, sorted(missing)))
            raise FormatError(f"{self.name}: encoding={self.options.encoding} has no {shown}")
        for one in self.template.fields:
            one.type.check_writable()

    def _assigned(
        self, schema: pa.Schema, zone: str, unencodable: FindUnencodable | None
    ) -> tuple[list[WrittenField], pa.Schema]:
        """The fields with the columns they are written from, and the schema of the types they are written as."""
        options = self.options
        problems = duplicate_names([name.lower() for name in schema.names])
        left = {name.lower(): place for place, name in enumerate(schema.names)}
        native = list(schema)
        fields: list[WrittenField] = []
        for one in self.template.fields:
            name = one.name or ""
            columns = []
            parts = self.parts.get(name)
            for part, kind in parts.columns if parts is not None else ((name, one.type),):
                place = left.pop(part.lower(), -1)
                columns.append(place)
                if place < 0:
                    continue
                target = kind.arrow()
                if not fits(schema[place].type, target):
                    problems.append(
                        f"{schema[place].name!r} is {schema[place].type}, the format writes {target}; cast it"
                    )
                native[place] = pa.field(schema[place].name, target)
            escape = options.escape == "backslash"
            writer = FieldWriter(
                one.type, one.null_texts(options.null_value), escape, zone, unencodable, one.padding, one.never_blank
            )
            fields.append(WrittenField(one, writer, tuple(columns), parts))
        problems += [f"{schema[place].name!r} is not in the format; drop it" for place in left.values()]
        problems += _missing(self.template, fields)
        raise_unwritable(problems, self.name)
        return fields, pa.schema(native)


def _missing(template: Template, fields: Sequence[WrittenField]) -> list[str]:
    """Fields that every line, or every line with a group that has columns, would need a value for."""
    by_name = {written.field.name: written for written in fields}
    if not any(written.there for written in fields):
        return ["there is no column to write"]

    def needed(segments: Iterable[Segment]) -> Iterator[WrittenField]:
        for segment in segments:
            if isinstance(segment, Group):
                if any(by_name[field.name].there for field in named_fields(segment.segments)):
                    yield from needed(segment.segments)
            elif isinstance(segment, Field) and segment.name is not None:
                yield by_name[segment.name]

    names = [one.field.name for one in needed(template.segments) if not one.there and not one.field.nullable]
    return [f"{name!r} is missing, and its field has no '?'" for name in names]
