"""The line format of ``key=value`` pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from pyspark_logs.errors import SchemaError
from pyspark_logs.formats.decoding.decoder import Decoder, Engine
from pyspark_logs.formats.decoding.requested_column import Projection, RequestedColumn
from pyspark_logs.formats.interface import SearchableFields
from pyspark_logs.formats.line_format import LineFormat, begins_by_regex_only, duplicate_names, raise_unwritable
from pyspark_logs.formats.logfmt.compiled_engine import logfmt_engines
from pyspark_logs.formats.logfmt.engine import LogfmtEngine
from pyspark_logs.formats.logfmt.inference import infer_logfmt_schema
from pyspark_logs.formats.logfmt.line_parser import LogfmtLineParser
from pyspark_logs.formats.logfmt.mismatches import LogfmtMismatchSearch
from pyspark_logs.formats.logfmt.writer import LogfmtWriter, key_problem
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.types.registry import retype
from pyspark_logs.formats.types.text import Text
from pyspark_logs.formats.writing.line_writer import FindUnencodable, FormatWriter
from pyspark_logs.formats.writing.scalar_writer import scalar_type, type_problem
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines


@dataclass(frozen=True)
class LogfmtFormat(LineFormat):
    """Lines of ``key=value`` pairs; see :class:`~pyspark_logs.formats.line_format.LineFormat`."""

    options: FormatOptions

    suffix = "log"
    is_open = True
    blanks = " \t"

    def schema(self) -> None:
        """Returns None: the records name their own columns."""
        return

    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """Infers a column for each key in the first ``samplingBytes`` of the sample.

        Raises:
            FormatError: no record of the sample has a pair, or there are more keys than ``maxInferredColumns``.
        """
        return infer_logfmt_schema(sample, self.options)

    def decoder(self, projection: Projection) -> Decoder:
        """Returns a decoder. Every record is validated as a whole, because all of its pairs are parsed."""
        columns = tuple(
            RequestedColumn(field.name, retype(Text(), field.type, field.name), field.name, judged)
            for field, judged in projection.fields()
        )
        rescued = self.options.rescued_column
        for column in columns:
            if column.is_named(rescued) and not column.type.keeps_text:
                raise SchemaError(f"column {column.name!r} (rescuedDataColumn) holds JSON text: declare it a string")
        line_parser = LogfmtLineParser(columns, rescued, self.options.null_value)
        native = [column.type.arrow() for column in columns]
        engines: list[Engine] = [*logfmt_engines(line_parser), LogfmtEngine(line_parser)]
        return Decoder(engines, line_parser, native, projection.types, LogfmtMismatchSearch())

    def matcher(self) -> Matcher:
        """Raises FormatError: a line that does not match cannot be appended to the last pair of a record."""
        raise begins_by_regex_only("logfmt")

    def searchable_fields(self) -> SearchableFields:
        """Returns all strings. Rescued data is JSON, whose punctuation is not in the line."""
        return SearchableFields(
            unless_escaped=None, not_with='{}[]",:\\' if self.options.rescued_column is not None else ""
        )

    def writer(
        self, schema: pa.Schema, *, zone: str, unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...]
    ) -> FormatWriter:
        """Returns a writer of pairs in the order of the schema."""
        kinds = [scalar_type(field.type) for field in schema]
        problems = [why for field, kind in zip(schema, kinds, strict=True) if (why := type_problem(field, kind))]
        problems += [why for name in schema.names if (why := key_problem(name))]
        problems += duplicate_names([name.lower() for name in schema.names])
        rescued = self.options.rescued_column
        if rescued is not None and rescued in schema.names:
            problems.append(f"{rescued!r} (rescuedDataColumn) is filled by the reader; drop it")
        missing = (
            unencodable('="\\' + self.options.null_value + "".join(schema.names)) if unencodable is not None else set()
        )
        problems += [f"encoding={self.options.encoding} has no {character!r}" for character in sorted(missing)]
        if not len(schema):
            problems.append("there is no column to write")
        raise_unwritable(problems, "logfmt")
        types = [kind or Text() for kind in kinds]
        return FormatWriter(LogfmtWriter(schema, types, self.options.null_value, zone=zone, unencodable=unencodable))
