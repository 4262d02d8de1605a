"""Values between separators as a line format: CSV and its relatives, with or without names, and presets of that kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from pyspark_logs.errors import FormatError, SchemaError
from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.delimited.engine import DelimitedColumns
from pyspark_logs.formats.delimited.header import Places, column_name, distinct
from pyspark_logs.formats.delimited.line_parser import (
    Cutter,
    DelimitedColumn,
    DelimitedLineParser,
    DelimitedRules,
    DelimitedSource,
)
from pyspark_logs.formats.delimited.writer import DelimitedWriter, head_of, written_values
from pyspark_logs.formats.interface import SearchableFields, Written, begins_by_regex_only, refuse_all
from pyspark_logs.formats.line_writer import FindUnencodable
from pyspark_logs.formats.parsed_line import ParsedLine
from pyspark_logs.formats.requested_column import Projection, RequestedColumn
from pyspark_logs.formats.template.matcher import Matcher
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.registry import retype
from pyspark_logs.formats.types.text import Text
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import HeaderRule, Lines

_TEXT = Text()


@dataclass(frozen=True)
class DelimitedField:
    """A column that a format documents.

    Attributes:
        name: of the column.
        type: what its texts mean.
        of: what headers call the values it is made of, if that is not ``name``; several are joined by a blank.
        tail: text behind these, such as a zone.

    >>> from pyspark_logs.formats.types.temporal import Timestamp
    >>> when = DelimitedField("time", Timestamp(), of=("date", "time"), tail="Z")
    """

    name: str
    type: FieldType = _TEXT
    of: tuple[str, ...] = ()
    tail: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """What headers call the values it is made of."""
        return self.of or (self.name,)


@dataclass(frozen=True)
class DelimitedSpec:
    """What a format of values between separators is, beside the options that are anybody's.

    Attributes:
        separator: one character or more.
        quote: one character; None: there are no quotes.
        header: ``none``, ``first`` or ``fields``; a file's own header says which values its lines have.
        fields: the columns; none: whatever the header or a schema says, as text.
        order: what the values of a line are called where there is no header; none: that needs one.
        only_known: a first line is a header only if all that it holds are names of ``fields``.
        counted: whether a line with more or fewer values than its header is corrupt whichever columns are asked for: one
            separator too many or too few, and values would be taken for their neighbours.
        also: what headers call a value beside its documented name, and that name.
    """

    separator: str
    quote: str | None = None
    header: str = "none"
    fields: tuple[DelimitedField, ...] = ()
    order: tuple[str, ...] = ()
    only_known: bool = False
    also: tuple[tuple[str, str], ...] = ()
    counted: bool = False

    @property
    def cutter(self) -> Cutter:
        """How lines are cut into values."""
        return Cutter(self.separator, self.quote)

    def header_rule(self) -> HeaderRule | None:
        """Where the headers are; None: there are none."""
        if self.header == "none":
            return None
        return (
            HeaderRule(self.header == "fields", self._is_header)
            if self.only_known
            else HeaderRule(self.header == "fields")
        )

    def _is_header(self, line: str) -> bool:
        known = Places([source for field in self.fields for source in field.sources])
        return all(known.find(name) is not None for name in self.cutter.names(line))

    def names(self, header: str) -> tuple[str, ...]:
        """What the values of lines under a header are called. Those of ``#Fields:`` stand between blanks."""
        if self.header == "fields":
            known = dict(self.also)
            return distinct(column_name(known.get(name.lower(), name)) for name in header.split())
        return distinct(self.cutter.names(header))


_DIRECTIVE = "#"  # begins the lines of which ``#Fields:`` is one
_MOST_HEADERS = 64  # decoders kept; files of one format have a few headers


class _Nameless:
    """Lines of which no header says what they hold: there is no ``#Fields:`` line before them."""

    def __init__(self, columns: int) -> None:
        self.columns = columns

    def parse(self, line: str, context: TimestampContext) -> ParsedLine:
        """Nothing, and why."""
        return ParsedLine([None] * self.columns, "there is no #Fields: line before it that names its values")


class HeaderDecoder(Decoder):
    """Decodes lines by the header that they are under: a decoder for each header, compiled when it is met."""

    def __init__(
        self, native: Sequence[pa.DataType], target: Sequence[pa.DataType], make: Callable[[str | None], Decoder]
    ) -> None:
        super().__init__([], _Nameless(len(native)), native, target)
        self._make = make
        self._made: dict[str | None, Decoder] = {}

    def for_header(self, header: str | None) -> Decoder:
        """The decoder for lines under this header; None: under none."""
        if header not in self._made:
            if len(self._made) >= _MOST_HEADERS:
                self._made.clear()
            self._made[header] = self._make(header)
        return self._made[header]


@dataclass(frozen=True)
class DelimitedFormat:
    """Values between separators; see :class:`~pyspark_logs.formats.interface.LineFormat`.

    Attributes:
        name: of the format in messages: ``delimited ','``, ``preset 'w3c_iis'``.
    """

    spec: DelimitedSpec
    options: FormatOptions
    name: str

    @property
    def suffix(self) -> str:
        """``csv`` and ``tsv`` are names for two of many separators."""
        if self.spec.header == "fields":
            return "log"
        return {",": "csv", "\t": "tsv"}.get(self.spec.separator, "log")

    @property
    def is_open(self) -> bool:
        """Where the format documents its columns, there are no others."""
        return not self.spec.fields

    def schema(self) -> pa.Schema | None:
        """The documented columns; None where a header, or the lines themselves, say what there is."""
        fields = self.spec.fields
        return pa.schema([pa.field(field.name, field.type.arrow()) for field in fields]) if fields else None

    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """Text columns, named by the first header; where there are no headers ``_c0``, ``_c1`` ... of the first record.

        Raises:
            FormatError: there is no header, or no record.
        """
        known = self.schema()
        if known is not None:
            return known
        for lines in sample:
            if self.spec.header != "none":
                names = self.spec.names(lines.header) if lines.header is not None else ()
            else:
                names = distinct("" for _ in self.spec.cutter.names(lines.record(0).decode("utf-8", "replace")))
            if names:
                return pa.schema([pa.field(name, pa.string()) for name in names])
        raise FormatError(
            "no file of the sample has a #Fields: line"
            if self.spec.header == "fields"
            else "no file of the sample has a line"
        )

    # --- reading --------------------------------------------------------------------------------------------

    def decoder(self, projection: Projection) -> Decoder:
        """One for each header; without headers the columns are those of the format, or of the schema, in order."""
        columns = [self._unlocated(field, judged=judged) for field, judged in projection.fields()]
        native = [column.type.arrow() for column in columns]
        target = projection.types
        ordered = projection.columns.names

        def make(header: str | None) -> Decoder:
            names = self._names(header, ordered)
            if names is None:
                return Decoder([], _Nameless(len(columns)), native, target)
            places = Places(names)
            located = [self._located(column, places) for column in columns]
            shown = {name.lower() for name in ordered}
            unasked = [f for f in self.spec.fields if projection.judge_whole and f.name.lower() not in shown]
            rules = DelimitedRules(
                len(names),
                self.options.null_value,
                self.options.allow_trailing,
                projection.judge_whole,
                tuple(
                    self._located(RequestedColumn(f.name, f.type, DelimitedSource()), places)
                    for f in unasked
                    if f.type.is_validated
                ),
                self.spec.counted,
            )
            cutter = self.spec.cutter
            return Decoder(
                [DelimitedColumns(cutter, located, rules)], DelimitedLineParser(cutter, located, rules), native, target
            )

        if self.spec.header == "none":
            self._check_places(columns, ordered)
            return make(None)
        return HeaderDecoder(native, target, make)

    def _unlocated(self, requested: pa.Field, *, judged: bool) -> DelimitedColumn:
        """Returns a requested column without the indices of its values, which depend on the header."""
        field = self._field(requested.name)
        if field is None:
            known = ", ".join(one.name for one in self.spec.fields)
            raise SchemaError(f"column {requested.name!r} is not in the format, which gives {known}")
        column_type = retype(field.type, requested.type, field.name)
        return RequestedColumn(requested.name, column_type, DelimitedSource((), field.tail), judged)

    def _field(self, column: str) -> DelimitedField | None:
        if not self.spec.fields:
            return DelimitedField(column)
        return next((one for one in self.spec.fields if one.name.lower() == column.lower()), None)

    def _located(self, column: DelimitedColumn, places: Places) -> DelimitedColumn:
        """Returns the column with the indices of its values in lines with these names; no index if a value is missing."""
        field = self._field(column.name) or DelimitedField(column.name)
        found = [places.find(source) for source in field.sources]
        indices = tuple(index for index in found if index is not None)
        source = replace(column.source, indices=indices if len(indices) == len(found) else ())
        return replace(column, source=source)

    def _names(self, header: str | None, ordered: Sequence[str]) -> Sequence[str] | None:
        """What the values of lines under a header are called; None: nobody knows."""
        if header is not None:
            return self.spec.names(header)
        if self.spec.order:
            return self.spec.order
        if self.spec.header != "none":
            return None
        return [source for one in self.spec.fields for source in one.sources] if self.spec.fields else ordered

    def _check_places(self, columns: Sequence[DelimitedColumn], ordered: Sequence[str]) -> None:
        if self.spec.fields:
            return
        there = {name.lower() for name in ordered}
        missing = [column.name for column in columns if column.name.lower() not in there]
        if missing:
            raise SchemaError(
                f"column {missing[0]!r} is not in the schema, which says what the values of a line are where header=none;"
                " name all of them in it, in their order"
            )

    def matcher(self) -> Matcher:
        """Values stand between separators: a line that has none of them is no part of the last."""
        raise begins_by_regex_only(f"delimited {self.options.spec!r}")

    def verbatim(self) -> SearchableFields:
        """Strings that are one value; a quote within them is doubled in the line."""
        strings = [field.name.lower() for field in self.spec.fields if len(field.sources) == 1 and not field.tail]
        quote = self.spec.quote or ""
        if self.spec.fields:
            return SearchableFields(plain=frozenset(strings), not_with=quote)
        return SearchableFields(unless_escaped=None, not_with=quote)

    # --- writing --------------------------------------------------------------------------------------------

    def writer(
        self, schema: pa.Schema, *, zone: str, unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...]
    ) -> Written:
        """Values in the schema's order under a header that says so; without headers in the format's order."""
        spec = self.spec
        by_header = spec.header != "none"
        sources = list(dict.fromkeys(source for field in spec.fields for source in field.sources))
        order = sources if by_header else spec.order or sources
        values, kinds, joined, problems = written_values(schema, spec.fields, order, all_of_them=not by_header)
        quote, null = spec.quote or "", self.options.null_value
        missing = unencodable(spec.separator + quote + null) if unencodable is not None else set()
        problems += [f"encoding={self.options.encoding} has no {character!r}" for character in sorted(missing)]
        if not values:
            problems.append("there is no column to write")
        head = ""
        if by_header and not problems:
            names = [value.name for value in values]
            head, problems = head_of(
                names,
                spec.cutter,
                by_fields=spec.header == "fields",
                forbidden_prefixes=forbidden_prefixes,
                unencodable=unencodable,
            )
        refuse_all(problems, self.name)
        writer = DelimitedWriter(
            values,
            schema,
            kinds,
            spec.cutter,
            null,
            zone=zone,
            unencodable=unencodable,
            forbidden_prefixes=forbidden_prefixes,
            joined=joined,
        )
        return Written(writer, head=head)


def delimited(options: FormatOptions) -> DelimitedFormat:
    """The format of the option ``delimited``.

    Raises:
        FormatError: as :func:`delimited_format`.
    """
    spec = DelimitedSpec(options.spec, options.quote, options.header)
    return delimited_format(spec, options, f"delimited {options.spec!r}")


def delimited_format(spec: DelimitedSpec, options: FormatOptions, name: str) -> DelimitedFormat:
    """A format by its description, with the options that a user gives beside it.

    Raises:
        FormatError: separator and quote contradict each other, or comments are other lines than those of a header.

    >>> delimited_format(DelimitedSpec("|"), FormatOptions("delimited", "|"), "delimited '|'").suffix
    'log'
    """
    if spec.quote is not None and spec.quote in spec.separator:
        raise FormatError(
            f"{name}: the quote {spec.quote!r} is in the separator; give another quote, or quote='' for none"
        )
    if spec.header == "fields":
        if options.comment_prefix not in (None, _DIRECTIVE):
            raise FormatError(
                f"{name}: header=fields takes lines that begin with '#' for no records; leave out commentPrefix"
            )
        options = replace(options, comment_prefix=_DIRECTIVE)
    return DelimitedFormat(spec, options, name)
