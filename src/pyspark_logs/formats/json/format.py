"""The line format of JSON: an object a line, or documents over several lines."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.decoding.decoder import Decoder, Engine
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.interface import SearchableFields, SplitSource
from pyspark_logs.formats.json.compiled_engine import json_engines
from pyspark_logs.formats.json.concatenated import split_values
from pyspark_logs.formats.json.engine import JsonEngine
from pyspark_logs.formats.json.fields import JsonField
from pyspark_logs.formats.json.inference import infer_json_schema
from pyspark_logs.formats.json.line_parser import JsonLineParser
from pyspark_logs.formats.json.mismatches import JsonMismatchSearch
from pyspark_logs.formats.json.writer import JsonWriter, field_problem, json_type_problem, path_problems
from pyspark_logs.formats.line_format import LineFormat, begins_by_regex_only, duplicate_names, raise_unwritable
from pyspark_logs.formats.line_start import LineStart
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.writing.line_writer import FindUnencodable, FormatWriter
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import DocumentRule, Lines, PartRule

_OBJECT_START = LineStart(frozenset(b"{ \t\r\n"))
PARENT = "parent"  # column of the values beside the records of a document


@dataclass(frozen=True)
class JsonFormat(LineFormat):
    """JSON objects; see :class:`~pyspark_logs.formats.line_format.LineFormat`.

    Attributes:
        options: options of the format.
        fields: fields that the provider of the format documents. They are the schema, so that no sample is read; a
            query may request any other key of the records, too. Empty: the schema is inferred.
        part_rule: rule that finds lines which are parts of records; None: there are none.
        documents: rule of a provider that finds records in documents; None: the options decide.
    """

    options: FormatOptions
    fields: tuple[JsonField, ...] = ()
    part_rule: PartRule | None = None
    documents: DocumentRule | None = None

    suffix = "json"
    is_open = True
    splits_values = True
    blanks = " \t"

    def schema(self) -> pa.Schema | None:
        """Returns the columns of the documented fields; None if no fields are documented."""
        return pa.schema([(field.name, field.arrow()) for field in self.fields]) if self.fields else None

    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """Infers a column for each key in the first ``samplingBytes`` of the sample.

        Raises:
            FormatError: no record of the sample is an object with a key, or there are more than ``maxInferredColumns``.
        """
        return infer_json_schema((lines for lines in sample if lines.damage is None), self.options)

    def document_rule(self) -> DocumentRule | None:
        """Returns the rule that finds records in documents.

        Without ``recordsPath``, files are read as documents if their first lines show that values extend over several lines,
        unless another option defines the records.
        """
        options = self.options
        if self.documents is not None:
            return self.documents
        if options.records_path is not None:
            return DocumentRule(_keys_of(options.records_path), parent=PARENT)
        if options.multi_line is not None or options.comment_prefix is not None or self.joined_parts() is not None:
            return None
        return DocumentRule(is_general=False)

    def read(self, source: SplitSource) -> Generator[Lines, None, None]:
        """Yields the records of a split in blocks. A line of several values has several records."""
        return (records for lines in super().read(source) if len(records := split_values(lines)))

    def decoder(self, projection: Projection) -> Decoder:
        """Returns a decoder of requested columns: the engines, then the line parser.

        Raises:
            SchemaError: a column has a type that JSON values are not read as.
        """
        columns = tuple(self._field(field.name).column(field, judged=judged) for field, judged in projection.fields())
        others = [field for field in self.fields if projection.also_judges(field.name, field.arrow())]
        validated_only = tuple(field.column(pa.field(field.name, field.arrow()), judged=True) for field in others)
        line_parser = JsonLineParser((*columns, *validated_only), self.options.rescued_column, len(validated_only))
        line_parser.check_types()
        native = [column.type.arrow() for column in columns]
        engines: list[Engine] = [*json_engines(line_parser), JsonEngine(line_parser)]
        return Decoder(engines, line_parser, native, projection.types, JsonMismatchSearch())

    def _field(self, name: str) -> JsonField:
        """Returns the documented field of a name; if there is none, a field for the key of that name."""
        documented_fields = (field for field in self.fields if field.name.lower() == name.lower())
        return next(documented_fields, None) or JsonField(name, "", self._keys(name))

    def _keys(self, name: str) -> tuple[str, ...]:
        """Returns the keys to the value of a column without a documented field: ``parent.x`` is a value beside the records."""
        rule = self.document_rule()
        prefix = f"{rule.parent}." if rule is not None and rule.parent is not None else None
        if prefix is not None and name.lower().startswith(prefix) and len(name) > len(prefix):
            return (PARENT, *name[len(prefix) :].split("."))
        return (name,)

    def matcher(self) -> Matcher:
        """Raises FormatError: a line that does not match cannot be appended to the last field of an object."""
        raise begins_by_regex_only("json")

    def line_matcher(self) -> Matcher:
        """Returns a matcher of JSON objects."""
        return Matcher(self.decoder(Projection(judge_whole=True)), self.line_start)

    @property
    def line_start(self) -> LineStart:
        """Condition on the beginning of every record that is a JSON object."""
        return _OBJECT_START

    def searchable_fields(self) -> SearchableFields:
        """Returns all strings. A nested value that is read as a string is rendered, so that its punctuation may differ."""
        return SearchableFields(unless_escaped=None, not_with='{}[]",:\\')

    def writer(
        self, schema: pa.Schema, *, zone: str, unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...]
    ) -> FormatWriter:
        """Returns a writer of JSON lines; documents cannot be written."""
        rule = self.documents or DocumentRule(is_general=self.options.records_path is not None)
        if rule.is_written and rule.bare_key not in schema.names:
            raise FormatError(
                f"{self.options.spec!r}: a line is read as a record only with {rule.bare_key!r}; add the column"
            )
        if rule.is_general and not rule.is_written:
            raise FormatError(
                f"{self.options.kind} {self.options.spec!r} reads only: its files are documents, which are complete"
                " only after the last record; write json=true without recordsPath, an object a line"
            )
        fields = [self._field(name) for name in schema.names]
        problems = [why for field in schema if (why := json_type_problem(field.name, field.type))]
        problems += [why for pair in zip(schema, fields, strict=True) if pair[1].type and (why := field_problem(*pair))]
        problems += duplicate_names(schema.names) or path_problems(fields)
        rescued = self.options.rescued_column
        if rescued is not None and rescued in schema.names:
            problems.append(f"{rescued!r} (rescuedDataColumn) is filled by the reader; drop it")
        if not len(schema):
            problems.append("there is no column to write")
        raise_unwritable(problems, "json")
        return FormatWriter(JsonWriter(schema, zone, unencodable, fields))


def _keys_of(records_path: str) -> tuple[str, ...]:
    """Returns the keys of the option ``recordsPath``."""
    keys = tuple(records_path.split("."))
    if not all(keys):
        raise FormatError(
            f"option 'recordsPath': {records_path!r} has an empty key; give the keys from a document to the array of its records,"
            " joined by dots, such as Records or result.rows"
        )
    return keys


def documented(
    options: FormatOptions, fields: Sequence[JsonField], *, documents: DocumentRule | None = None
) -> JsonFormat:
    """Returns a JSON format with the fields that its provider documents, for a preset.

    A field that a record lacks is null. :class:`~pyspark_logs.formats.json.fields.JsonField` lists the types.

    Args:
        options: options of the preset.
        fields: columns of the schema in order; the first timestamp is the time of a record.
        documents: rule that finds records in documents; None: a file has an object a line.

    >>> from pyspark_logs.options import FormatOptions
    >>> docker = [JsonField("time", "timestamp"), JsonField("stream"), JsonField("log")]
    >>> documented(FormatOptions("preset", "docker_json"), docker).schema().names
    ['time', 'stream', 'log']
    >>> mongodb = [JsonField("t", "timestamp", "t.$date"), JsonField("id", "int"), JsonField("attr", "json")]
    >>> str(documented(FormatOptions("preset", "mongodb_json"), mongodb).schema().field("t").type)
    'timestamp[us, tz=UTC]'
    >>> trail = [JsonField("eventTime", "timestamp"), JsonField("requestParameters", "json")]
    >>> rule = DocumentRule(("Records",), bare_key="eventVersion")
    >>> documented(FormatOptions("preset", "aws_cloudtrail"), trail, documents=rule).is_splittable
    False
    """
    return JsonFormat(options, tuple(fields), documents=documents)
