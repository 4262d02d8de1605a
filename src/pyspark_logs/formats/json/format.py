"""JSON as a line format: one object a line, or the objects of an array in one document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.interface import (
    SearchableFields,
    Written,
    begins_by_regex_only,
    refuse_all,
    twice,
)
from pyspark_logs.formats.json.engine import JsonEngine
from pyspark_logs.formats.json.fields import JsonField
from pyspark_logs.formats.json.inference import infer_json_schema
from pyspark_logs.formats.json.line_parser import JsonLineParser
from pyspark_logs.formats.json.writer import JsonWriter, field_problem, json_type_problem, path_problems
from pyspark_logs.formats.line_writer import FindUnencodable
from pyspark_logs.formats.requested_column import Projection
from pyspark_logs.formats.template.matcher import Matcher
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines


@dataclass(frozen=True)
class JsonFormat:
    """JSON objects; see :class:`~pyspark_logs.formats.interface.LineFormat`.

    With ``fields`` it is a format that a provider documents: these are its schema, and no sample is taken. Any
    other key of the records can be asked for all the same.
    """

    options: FormatOptions
    fields: tuple[JsonField, ...] = ()

    suffix = "json"
    is_open = True

    def schema(self) -> pa.Schema | None:
        """The documented fields; None where there are none, and only the data can tell."""
        return pa.schema([(field.name, field.arrow()) for field in self.fields]) if self.fields else None

    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """The keys of the first ``samplingBytes`` of records.

        Raises:
            FormatError: not one record is an object with a key.
        """
        records = (lines.record(row) for lines in sample for row in range(len(lines)))
        found = infer_json_schema(records, self.options.sampling_bytes)
        if not len(found):
            raise FormatError("no line of the sample is a JSON object with a key")
        return found

    def decoder(self, projection: Projection) -> Decoder:
        """Lines of one shape by the block, the others one at a time."""
        columns = tuple(self._field(field.name).column(field, judged=judged) for field, judged in projection.fields())
        shown = {name.lower() for name in projection.columns.names}
        others = [field for field in self.fields if projection.judge_whole and field.name.lower() not in shown]
        aside = tuple(field.column(pa.field(field.name, field.arrow()), judged=True) for field in others)
        exact = JsonLineParser((*columns, *aside), self.options.rescued_column, len(aside))
        exact.check()
        native = [column.type.arrow() for column in columns]
        return Decoder([JsonEngine(exact)], exact, native, projection.types)

    def _field(self, name: str) -> JsonField:
        """The documented field of a name; else the key of that name."""
        declared = (field for field in self.fields if field.name.lower() == name.lower())
        return next(declared, None) or JsonField(name, "", (name,))

    def matcher(self) -> Matcher:
        """An object ends with its brace: nothing could be joined to it."""
        raise begins_by_regex_only("json")

    def verbatim(self) -> SearchableFields:
        """All strings; a nested value read as a string is written anew, so its punctuation may stand otherwise."""
        return SearchableFields(unless_escaped=None, not_with='{}[]",:\\')

    def writer(
        self, schema: pa.Schema, *, zone: str, unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...]
    ) -> Written:
        """JSON by construction; documents are read only."""
        if self.options.document is not None:
            raise FormatError(
                f"{self.options.kind} {self.options.spec!r} reads only: its files are documents, which end only when"
                " all is written; write json=true, an object a line"
            )
        fields = [self._field(name) for name in schema.names]
        problems = [why for field in schema if (why := json_type_problem(field.name, field.type))]
        problems += [why for pair in zip(schema, fields, strict=True) if pair[1].type and (why := field_problem(*pair))]
        problems += twice(schema.names) or path_problems(fields)
        rescued = self.options.rescued_column
        if rescued is not None and rescued in schema.names:
            problems.append(f"{rescued!r} (rescuedDataColumn) is made by reading; drop it")
        if not len(schema):
            problems.append("there is no column to write")
        refuse_all(problems, "json")
        return Written(JsonWriter(schema, zone, unencodable, fields))


def documented(options: FormatOptions, fields: Sequence[JsonField], *, document: str | None = None) -> JsonFormat:
    """A JSON format with the fields that its provider documents; what a preset of such a format is made of.

    Args:
        options: of the preset, as they are given.
        fields: the columns of its schema, in order; the first timestamp among them is its time.
        document: None: one object a line. Else a file is one JSON document, and its records are the elements of the
            array under this key of it (``Records``); ``""``: the document is that array.

    A record that lacks a field has null there. See :class:`~pyspark_logs.formats.json.fields.JsonField` for types.

    >>> from pyspark_logs.options import FormatOptions
    >>> docker = [JsonField("time", "timestamp"), JsonField("stream"), JsonField("log")]
    >>> documented(FormatOptions("preset", "docker_json"), docker).schema().names
    ['time', 'stream', 'log']
    >>> mongodb = [JsonField("t", "timestamp", "t.$date"), JsonField("id", "int"), JsonField("attr", "json")]
    >>> str(documented(FormatOptions("preset", "mongodb_json"), mongodb).schema().field("t").type)
    'timestamp[us, tz=UTC]'
    >>> waf = [JsonField("timestamp", "epoch(ms)"), JsonField("client_ip", path="httpRequest.clientIp")]
    >>> trail = [JsonField("eventTime", "timestamp"), JsonField("requestParameters", "json")]
    >>> documented(FormatOptions("preset", "aws_cloudtrail"), trail, document="Records").options.document
    'Records'
    """
    return JsonFormat(replace(options, document=document), tuple(fields))
