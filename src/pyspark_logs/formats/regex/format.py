"""The formats ``regex`` and ``grok``, which can be read and not written; RE2 defines the matches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.decoding.decoder import Engine
from pyspark_logs.formats.decoding.requested_column import Projection, unknown_column
from pyspark_logs.formats.interface import SearchableFields
from pyspark_logs.formats.line_format import LineFormat, begins_by_regex_only
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.re2_tokenizer import truncate
from pyspark_logs.formats.regex.decoder import RegexDecoder, RegexMatcher
from pyspark_logs.formats.regex.decomposition import decompose
from pyspark_logs.formats.regex.engine import RegexEngine
from pyspark_logs.formats.regex.expression import Expression, parse_regex
from pyspark_logs.formats.regex.grok import parse_grok
from pyspark_logs.formats.regex.line_parser import RegexColumn, RegexLineParser
from pyspark_logs.formats.types.registry import retype
from pyspark_logs.formats.writing.line_writer import FindUnencodable, FormatWriter
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines

# The second engine decodes lines that the first one leaves, such as lines without an optional group.
_MAX_ENGINES = 2


@dataclass(frozen=True)
class RegexFormat(LineFormat):
    """A format given by a regular expression; implements :class:`~pyspark_logs.formats.line_format.LineFormat`."""

    expression: Expression
    options: FormatOptions

    suffix = "log"
    is_open = False
    blanks = " \t"

    def schema(self) -> pa.Schema:
        """Returns a field for each name of a group, in order."""
        return pa.schema([pa.field(column.name, column.type.arrow()) for column in self._columns()])

    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """Returns the schema, which does not depend on the sample."""
        return self.schema()

    def _columns(self) -> list[RegexColumn]:
        """Returns all columns of the format with their own types."""
        columns = []
        for name in self.expression.column_names():
            groups = self.expression.groups_of(name)
            columns.append(RegexColumn(name, self.expression.groups[groups[0]].type, tuple(groups)))
        return columns

    def decoder(self, projection: Projection) -> RegexDecoder:
        """Returns a decoder whose pattern captures the requested columns only."""
        columns = {column.name.lower(): column for column in self._columns()}
        requested = []
        for field, judged in projection.fields():
            column = columns.get(field.name.lower())
            if column is None:
                raise unknown_column(field.name, (column.name for column in columns.values()))
            requested.append(replace(column, type=retype(column.type, field.type, field.name), judged=judged))
        validated = [
            column
            for column in columns.values()
            if column.type.is_validated and projection.also_judges(column.name, column.type.arrow())
        ]
        line_parser = RegexLineParser(
            self.expression, self.options, tuple(requested), tuple(validated), judge_whole=projection.judge_whole
        )
        native_types = [column.type.arrow() for column in requested]
        return RegexDecoder(self._engines(line_parser), line_parser, native_types, projection.types)

    def _engines(self, line_parser: RegexLineParser) -> list[Engine]:
        """Returns the vectorized engines; none if the expression does not decompose."""
        if self.options.multi_line is not None or not line_parser.captured:
            return []
        decompositions = decompose(self.expression, frozenset(line_parser.captured))
        return [RegexEngine(line_parser, decompositions) for _ in range(min(len(decompositions), _MAX_ENGINES))]

    def matcher(self) -> Matcher:
        """Returns a matcher; the expression must end with ``.*``, which matches the lines that continue a record."""
        if not self.expression.consumes_rest:
            raise begins_by_regex_only(f"{self.options.kind} whose expression does not end in .* or %{{GREEDYDATA}}")
        return self.line_matcher()

    def line_matcher(self) -> Matcher:
        """Returns a matcher by the expression and all columns."""
        return RegexMatcher(self.decoder(Projection(judge_whole=True)))

    def searchable_fields(self) -> SearchableFields:
        """Returns all columns, because the text of a group is a part of the line."""
        return SearchableFields(frozenset(name.lower() for name in self.expression.column_names()))

    def writer(
        self, schema: pa.Schema, *, zone: str, unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...]
    ) -> FormatWriter:
        """Raises FormatError, because an expression matches many lines and does not determine the one to write."""
        raise FormatError(
            f"{self.options.kind} {truncate(self.expression.text)!r} can be read only: a regular expression matches"
            " many lines and does not say which to write; write with a template"
        )


def regex_format(options: FormatOptions) -> RegexFormat:
    """Returns the format of the option ``regex``."""
    return RegexFormat(parse_regex(options.spec), options)


def grok_format(options: FormatOptions) -> RegexFormat:
    """Returns the format of the option ``grok``."""
    return RegexFormat(parse_grok(options.spec, options.grok_patterns), options)
