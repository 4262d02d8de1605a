"""Formats that are a regular expression: ``regex``, and ``grok`` once its patterns are put in. They are read only.

RE2 alone says what matches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from pyspark_logs.errors import FormatError, SchemaError
from pyspark_logs.formats.columnar.decoded_rows import Engine
from pyspark_logs.formats.interface import SearchableFields, Written, begins_by_regex_only
from pyspark_logs.formats.line_writer import FindUnencodable
from pyspark_logs.formats.regex.decomposition import decompose
from pyspark_logs.formats.regex.engine import RegexEngine
from pyspark_logs.formats.regex.expression import Expression, parse_regex, truncate
from pyspark_logs.formats.regex.grok import parse_grok
from pyspark_logs.formats.regex.matching import RegexDecoder, RegexLineParser, RegexMatcher
from pyspark_logs.formats.requested_column import Projection, RequestedColumn
from pyspark_logs.formats.template.matcher import Matcher
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.registry import retype
from pyspark_logs.formats.types.text import Text
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines

_ENGINES = 2


@dataclass(frozen=True)
class RegexFormat:
    """A regular expression; see :class:`~pyspark_logs.formats.interface.LineFormat`."""

    expression: Expression
    options: FormatOptions

    suffix = "log"
    is_open = False

    def schema(self) -> pa.Schema:
        """The named groups, in order."""
        return pa.schema([pa.field(name, kind.arrow()) for name, kind in self._columns().items()])

    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """The same whatever the sample."""
        return self.schema()

    def _columns(self) -> dict[str, FieldType]:
        return {
            name: self.expression.groups[self.expression.groups_of(name)[0]].type
            for name in self.expression.column_names()
        }

    def decoder(self, projection: Projection) -> RegexDecoder:
        """RE2 over the block, capturing what is asked for."""
        known = {name.lower(): (name, kind) for name, kind in self._columns().items()}
        wanted = []
        for field, judged in projection.fields():
            found = known.get(field.name.lower())
            if found is None:
                names = ", ".join(name for name, _ in known.values())
                raise SchemaError(f"column {field.name!r} is not in the format, which gives {names}")
            name, own_type = found
            column_type = retype(own_type, field.type, field.name)
            wanted.append(RequestedColumn(name, column_type, tuple(self.expression.groups_of(name)), judged))
        judge_whole = projection.judge_whole
        shown = {one.name for one in wanted if one.judged}
        rest = [pair for pair in known.values() if judge_whole and pair[0] not in shown and type(pair[1]) is not Text]
        unasked = tuple(
            RequestedColumn(name, own_type, tuple(self.expression.groups_of(name))) for name, own_type in rest
        )
        lines = RegexLineParser(self.expression, self.options, tuple(wanted), unasked, judge_whole=judge_whole)
        native = [one.type.arrow() for one in wanted]
        return RegexDecoder(self._engines(lines), lines, native, projection.types)

    def _engines(self, lines: RegexLineParser) -> list[Engine]:
        """What is faster than RE2 for most lines, where there is such."""
        if self.options.multi_line is not None or not lines.keep:
            return []
        decompositions = decompose(self.expression, frozenset(lines.keep))
        # The second engine selects a decomposition for the lines that the first one does not decode.
        return [RegexEngine(lines, decompositions) for _ in range(min(len(decompositions), _ENGINES))]

    def matcher(self) -> Matcher:
        """RE2 for all lines of a block, if the expression ends in ``.*``, which takes in the lines that go on."""
        if not self.expression.consumes_rest:
            raise begins_by_regex_only(f"{self.options.kind} whose expression does not end in .* or %{{GREEDYDATA}}")
        return RegexMatcher(self.decoder(Projection(judge_whole=True)))

    def verbatim(self) -> SearchableFields:
        """All: a group's text is a part of the line."""
        return SearchableFields(frozenset(name.lower() for name in self.expression.column_names()))

    def writer(
        self, schema: pa.Schema, *, zone: str, unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...]
    ) -> Written:
        """Raises FormatError: which of the lines that match would be the one to write?"""
        raise FormatError(
            f"{self.options.kind} {truncate(self.expression.text)!r} can be read only: a regular expression matches"
            " many lines and does not say which to write; write with a template"
        )


def regex_format(options: FormatOptions) -> RegexFormat:
    """The format of the option ``regex``."""
    return RegexFormat(parse_regex(options.spec), options)


def grok_format(options: FormatOptions) -> RegexFormat:
    """The format of the option ``grok``."""
    return RegexFormat(parse_grok(options.spec, options.grok_patterns), options)
