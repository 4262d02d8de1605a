"""Lines that are JSON objects with the keys of a template; other layouts of the same keys are read, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from pyspark_logs.formats.decoding.decoder import LineParser
from pyspark_logs.formats.decoding.parsed_line import ParsedLine
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.interface import SearchableFields
from pyspark_logs.formats.json.values import dump_json, parse_json
from pyspark_logs.formats.line_start import LineStart
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.template.line_parser import ParsingRules, TemplateLineParser
from pyspark_logs.formats.timestamps.parsing import TimestampContext


@dataclass(frozen=True)
class JsonObjectFormat(TemplateFormat):
    """A template that writes a JSON object; lines of another layout are parsed as JSON, by their keys."""

    rejects_values: ClassVar[bool] = False  # it may be of another layout

    def line_parser(self, columns: Sequence[RequestedColumn[str]], rules: ParsingRules) -> LineParser:
        """Returns the line parser of the template, with JSON for the lines that the template does not match."""
        return JsonObjectLineParser(TemplateLineParser(self.template, columns, rules))

    def mismatch_search(self, columns: Sequence[RequestedColumn[str]], rules: ParsingRules) -> None:
        """Returns None: lines that the template does not match may be other JSON objects."""
        return

    def matcher(self) -> Matcher:
        """Returns a matcher of all JSON objects, whatever their layout."""
        return self.line_matcher()

    @cached_property
    def line_start(self) -> LineStart:
        """Condition on the beginning of every JSON object, whatever its layout."""
        return LineStart(frozenset(b"{ \t"))

    def searchable_fields(self) -> SearchableFields:
        """Returns all strings, in lines without escapes, for values without JSON's punctuation."""
        names = frozenset(field.name.lower() for field in self.template.fields if field.name is not None)
        return SearchableFields(unless_escaped=names, not_with='{}[]",:')


@dataclass(frozen=True)
class JsonObjectLineParser:
    """A line parser that tries the template, then JSON."""

    template_parser: TemplateLineParser

    def parse(self, line: str, context: TimestampContext) -> ParsedLine:
        """Returns the values of the columns; a missing key is null, a key without a column is ignored."""
        parsed = self.template_parser.parse(line, context)
        if not parsed.reason:
            return parsed
        try:
            record = parse_json(line)
        except ValueError:
            return parsed
        return self._parse_members(record, context) if isinstance(record, dict) else parsed

    def _parse_members(self, record: Mapping[str, Any], context: TimestampContext) -> ParsedLine:
        parser = self.template_parser
        fields = {field.name: field for field in parser.template.fields}
        values: list[Any] = []
        reason = general = ""
        for column in (*parser.columns, *parser.rules.unrequested):
            member = record.get(column.source)
            text = member if isinstance(member, str) else dump_json(member)
            values.append(None)
            if member is None or text in fields[column.source].null_texts(parser.rules.null_value):
                continue
            try:
                values[-1] = column.type.parse(text, context)
            except ValueError as error:
                if column.judged and not reason:
                    reason = f"field {column.name!r}: {text[:80]!r}: {error}"
                    general = f"field {column.name!r}: {str(error).partition(': ')[0]}"
        return ParsedLine(values[: len(parser.columns)], reason, general)
