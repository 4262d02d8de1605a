"""The line format of separated values: CSV and its relatives, and presets of this kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from pyspark_logs.errors import FormatError, SchemaError
from pyspark_logs.formats.decoding.appended_fields import RESCUED_TYPE, RescueDecoder, RescueRule, without_rescued
from pyspark_logs.formats.decoding.decoder import Decoder, Engine
from pyspark_logs.formats.decoding.mismatches import NoLineMatches
from pyspark_logs.formats.decoding.requested_column import Projection, RequestedColumn, unknown_column
from pyspark_logs.formats.delimited.compiled_engine import delimited_engines
from pyspark_logs.formats.delimited.decoder import HeaderDecoder, HeaderlessLineParser
from pyspark_logs.formats.delimited.engine import DelimitedEngine
from pyspark_logs.formats.delimited.header import NameIndex, unique_names
from pyspark_logs.formats.delimited.line_parser import (
    DelimitedColumn,
    DelimitedLineParser,
    DelimitedRules,
    DelimitedSource,
)
from pyspark_logs.formats.delimited.mismatches import DelimitedMismatchSearch
from pyspark_logs.formats.delimited.spec import DelimitedField, DelimitedSpec
from pyspark_logs.formats.delimited.writer import DelimitedWriter, render_header
from pyspark_logs.formats.delimited.written_values import plan_values
from pyspark_logs.formats.interface import SearchableFields
from pyspark_logs.formats.line_format import LineFormat, begins_by_regex_only, raise_unwritable
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.multiline import MATCHING, RecordStarts
from pyspark_logs.formats.types.registry import for_arrow, retype
from pyspark_logs.formats.writing.line_writer import FindUnencodable, FormatWriter
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import HeaderRule, Lines, QuoteRule

_COMMENT = "#"  # begins the lines of which ``#Fields:`` is one


@dataclass(frozen=True)
class DelimitedFormat(LineFormat):
    """Lines of separated values; see :class:`~pyspark_logs.formats.line_format.LineFormat`.

    Attributes:
        spec: description of the format.
        options: options of the format.
        name: name of the format in messages: ``delimited ','``, ``preset 'w3c_iis'``.
    """

    spec: DelimitedSpec
    options: FormatOptions
    name: str

    @property
    def suffix(self) -> str:
        """Suffix of file names."""
        if self.spec.header == "fields":
            return "log"
        return {",": "csv", "\t": "tsv"}.get(self.spec.separator, "log")

    @property
    def blanks(self) -> str:  # type: ignore[override]
        """Characters of blank lines; the separator, too, if providers document the values, some of which are never empty."""
        is_documented = bool(self.spec.fields) or self.spec.header == "fields"
        return "".join(character for character in " \t" if is_documented or character not in self.spec.separator)

    @property
    def is_open(self) -> bool:
        """True if the format does not document its columns, so that a schema may have any column."""
        return not self.spec.fields

    @property
    def takes_further_columns(self) -> bool:
        """True if headers may name values that the format does not document."""
        return self.is_open or self.spec.header != "none"

    @property
    def has_positional_columns(self) -> bool:
        """True if neither a header nor a preset names the values."""
        return self.is_open and self.spec.header == "none"

    def schema(self) -> pa.Schema | None:
        """Returns the documented columns; None if a header or the lines decide."""
        fields = self.spec.fields
        return pa.schema([pa.field(field.name, field.type.arrow()) for field in fields]) if fields else None

    @property
    def rescued_type(self) -> pa.DataType:
        """Type of the column of appended values."""
        return RESCUED_TYPE

    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """Infers string columns: one for each name in the first header, or ``_c0``, ``_c1`` ... for the first record.

        Raises:
            FormatError: the sample has no header or no record.
        """
        schema = self.schema()
        if schema is not None:
            return schema
        for lines in sample:
            if self.spec.header != "none":
                names = self.spec.value_names(lines.header) if lines.header is not None else ()
            else:
                values = self.spec.splitter.header_names(lines.record(0).decode("utf-8", "replace"))
                names = unique_names("" for _ in values)
            if names:
                return pa.schema([pa.field(name, pa.string()) for name in names])
        raise FormatError(
            "no file of the sample has a #Fields: line"
            if self.spec.header == "fields"
            else "no file of the sample has a line"
        )

    @property
    def has_headers(self) -> bool:
        """True if a line of each file names its values."""
        return self.spec.header != "none"

    def unnamed_by(self, header: str, columns: Sequence[str]) -> bool:
        """Returns True if a header has names, but none for these columns."""
        names = self.spec.value_names(header)
        index = NameIndex(names)
        values = [value for column in columns for value in (self._field(column) or DelimitedField(column)).value_names]
        return bool(names) and bool(values) and all(index.find(value) is None for value in values)

    def header_rule(self) -> HeaderRule | None:
        """Returns the rule that finds the headers; None: files have no header."""
        return self.spec.header_rule()

    def quote_rule(self) -> QuoteRule | None:
        """Returns the rule by which values may contain line ends; None: values are not quoted."""
        return self.spec.quote_rule()

    def record_starts(self) -> RecordStarts | None:
        """Returns the rule of ``multiLine``; None also for ``multiLine=true`` if values are quoted.

        In this case ``multiLine=true`` means, as in Spark's CSV reader, that quoted values may contain line ends. They may
        without the option, too.
        """
        if self.options.multi_line == MATCHING and self.spec.quote is not None:
            return None
        return super().record_starts()

    def decoder(self, projection: Projection) -> Decoder:
        """Returns a decoder, which has a decoder for each header if files have headers."""
        target = projection.types
        projection, rescued = without_rescued(projection, self.options)
        columns = [self._unlocated_column(field, judged=judged) for field, judged in projection.fields()]

        def compile_decoder(header: str | None) -> Decoder:
            decoder = self._compile_decoder(header, columns, projection, to_end=rescued is not None)
            if rescued is None:
                return decoder
            position = len(self._value_names(header, projection.columns.names) or ()) + 1
            split = self.spec.splitter_under(header).appended
            return RescueDecoder(decoder, RescueRule(rescued, position, split))

        if self.spec.header != "none":
            native = [column.type.arrow() for column in columns]
            if rescued is not None:
                native.insert(rescued, RESCUED_TYPE)
            return HeaderDecoder(native, target, compile_decoder)
        self._check_schema_names(columns, projection.columns.names)
        return compile_decoder(None)

    def _compile_decoder(
        self, header: str | None, columns: Sequence[DelimitedColumn], projection: Projection, *, to_end: bool
    ) -> Decoder:
        """Returns the decoder for lines under a header; None: lines without a header.

        Args:
            header: header of the lines.
            columns: requested columns, without the indices of their values.
            projection: requested columns.
            to_end: True if lines are parsed to their end whatever columns are requested: appended values are there.
        """
        native = [column.type.arrow() for column in columns]
        names = self._value_names(header, projection.columns.names)
        if names is None:
            return Decoder([], HeaderlessLineParser(len(columns)), native, projection.types, NoLineMatches())
        index = NameIndex(names)
        located = [self._locate(column, index) for column in columns]
        rules = DelimitedRules(
            len(names),
            self.options.null_value,
            self.options.allow_trailing or self.options.rescued_column is not None,
            projection.judge_whole or to_end,
            tuple(self._validated_only(projection, index)),
            self.spec.checks_count,
        )
        splitter = self.spec.splitter_under(header)
        engine = DelimitedEngine(splitter, located, rules)
        line_parser = DelimitedLineParser(splitter, located, rules)
        engines: list[Engine] = [*delimited_engines(splitter, located, rules), engine]
        search = DelimitedMismatchSearch(splitter, located, rules)
        return Decoder(engines, line_parser, native, projection.types, search)

    def _validated_only(self, projection: Projection, index: NameIndex) -> Iterator[DelimitedColumn]:
        """Yields the columns that are not requested but make a record corrupt."""
        for field in self.spec.fields:
            if field.type.is_validated and projection.also_judges(field.name, field.type.arrow()):
                yield self._locate(RequestedColumn(field.name, field.type, DelimitedSource()), index)

    def _unlocated_column(self, requested: pa.Field, *, judged: bool) -> DelimitedColumn:
        """Returns a requested column without the indices of its values, which depend on the header."""
        field = self._field(requested.name)
        if field is None:
            raise unknown_column(requested.name, (known.name for known in self.spec.fields))
        column_type = retype(field.type, requested.type, field.name)
        return RequestedColumn(requested.name, column_type, DelimitedSource((), field.suffix), judged)

    def _field(self, column: str) -> DelimitedField | None:
        documented = (field for field in self.spec.fields if field.name.lower() == column.lower())
        return next(documented, DelimitedField(column) if self.takes_further_columns else None)

    def _locate(self, column: DelimitedColumn, index: NameIndex) -> DelimitedColumn:
        """Returns the column with the indices of its values in lines with these names; no index if a value is missing."""
        field = self._field(column.name) or DelimitedField(column.name)
        found = [index.find(name) for name in field.value_names]
        indices = tuple(value for value in found if value is not None)
        source = replace(column.source, indices=indices if len(indices) == len(found) else ())
        return replace(column, source=source)

    def _value_names(self, header: str | None, schema_names: Sequence[str]) -> Sequence[str] | None:
        """Returns the names of the values of lines under a header; None if lines need a header and have none.

        A ``#Fields:`` line without names ends the validity of the names before it.
        """
        if header is not None:
            return self.spec.value_names(header) or None
        if self.spec.headerless_names:
            return self.spec.headerless_names
        if self.spec.header != "none":
            return None
        return [name for field in self.spec.fields for name in field.value_names] if self.spec.fields else schema_names

    def _check_schema_names(self, columns: Sequence[DelimitedColumn], schema_names: Sequence[str]) -> None:
        """Raises SchemaError for a column, such as the time column, that a schema without a header does not name."""
        if self.spec.fields:
            return
        named = {name.lower() for name in schema_names}
        missing = [column.name for column in columns if column.name.lower() not in named]
        if missing:
            raise SchemaError(
                f"column {missing[0]!r} is not in the schema, which names the values of a line if header=none;"
                " name all values of a line in it, in their order"
            )

    def matcher(self) -> Matcher:
        """Raises FormatError: a line that does not match cannot be appended to the last value of a record."""
        raise begins_by_regex_only(f"delimited {self.options.spec!r}")

    def searchable_fields(self) -> SearchableFields:
        """Returns the strings that are one value. Quotes within them are doubled or escaped, and backslashes may be, too."""
        strings = [field.name.lower() for field in self.spec.fields if len(field.value_names) == 1 and not field.suffix]
        special = "" if self.spec.quote is None else self.spec.quote + "\\"
        if self.spec.fields:
            return SearchableFields(plain=frozenset(strings), not_with=special)
        return SearchableFields(unless_escaped=None, not_with=special)

    def writer(
        self, schema: pa.Schema, *, zone: str, unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...]
    ) -> FormatWriter:
        """Returns a writer of the schema's values under a header, or of all values of the format without a header."""
        spec = self.spec
        has_header = spec.header != "none"
        documented = list(dict.fromkeys(name for field in spec.fields for name in field.value_names))
        names = documented if has_header else spec.headerless_names or documented
        plan, problems = plan_values(schema, spec.fields, names, all_values=not has_header)
        quote, null = spec.quote or "", self.options.null_value
        missing = unencodable(spec.separator + quote + null) if unencodable is not None else set()
        problems += [f"encoding={self.options.encoding} has no {character!r}" for character in sorted(missing)]
        if not plan.values:
            problems.append("there is no column to write")
        header = ""
        if has_header and not problems:
            header, problems = render_header(
                [value.name for value in plan.values],
                spec.splitter,
                by_fields=spec.header == "fields",
                forbidden_prefixes=forbidden_prefixes,
                unencodable=unencodable,
            )
        raise_unwritable(problems, self.name)
        writer = DelimitedWriter(
            plan,
            schema,
            spec.splitter,
            null,
            zone=zone,
            unencodable=unencodable,
            forbidden_prefixes=forbidden_prefixes,
            has_header=spec.header == "first",
        )
        return FormatWriter(writer, head=header)


def delimited(options: FormatOptions) -> DelimitedFormat:
    """Returns the format of the option ``delimited``.

    Raises:
        FormatError: as :func:`delimited_format`.
    """
    spec = DelimitedSpec(options.spec, options.quote, options.header, escapes=options.escape == "backslash")
    if spec.escapes and spec.quote is None:
        raise FormatError(
            "option 'escape' belongs to quoted values, and quote='' says that there are none; leave one of them out"
        )
    return delimited_format(spec, options, f"delimited {options.spec!r}")


def delimited_with_schema(options: FormatOptions, schema: pa.Schema) -> DelimitedFormat:
    """Returns the format of the option ``delimited`` for lines without a header, with columns that are known beforehand.

    Args:
        options: options of the format.
        schema: all values of a line, in their order.

    Raises:
        FormatError: as :func:`delimited_format`.
        SchemaError: a type in which a value cannot be read.
    """
    fields = []
    for field in schema:
        field_type = for_arrow(field.type)
        if field_type is None or field_type.arrow() != field.type:
            raise SchemaError(f"column {field.name!r}: a value between separators cannot be read as {field.type}")
        fields.append(DelimitedField(field.name, field_type))
    form = delimited(options)
    return replace(form, spec=replace(form.spec, fields=tuple(fields), checks_count=True))


def delimited_format(spec: DelimitedSpec, options: FormatOptions, name: str) -> DelimitedFormat:
    """Returns a format by its description.

    Args:
        spec: description of the format.
        options: options that a user gives in addition.
        name: name of the format in messages.

    Raises:
        FormatError: the separator contains the quote, or lines of comments begin otherwise than headers.

    >>> delimited_format(DelimitedSpec("|"), FormatOptions("delimited", "|"), "delimited '|'").suffix
    'log'
    """
    if spec.quote is not None and spec.quote in spec.separator:
        raise FormatError(
            f"{name}: the quote {spec.quote!r} is in the separator; give another quote, or quote='' for none"
        )
    if spec.header == "fields":
        if options.comment_prefix not in (None, _COMMENT):
            raise FormatError(f"{name}: header=fields skips lines that begin with '#'; remove commentPrefix")
        options = replace(options, comment_prefix=_COMMENT)
    return DelimitedFormat(spec, options, name)
