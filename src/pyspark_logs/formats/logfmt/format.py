"""``key=value`` pairs as a line format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from pyspark_logs.errors import FormatError, SchemaError
from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.interface import (
    SearchableFields,
    Written,
    begins_by_regex_only,
    refuse_all,
    twice,
)
from pyspark_logs.formats.line_writer import FindUnencodable
from pyspark_logs.formats.logfmt.engine import LogfmtEngine
from pyspark_logs.formats.logfmt.inference import infer_logfmt_schema
from pyspark_logs.formats.logfmt.line_parser import LogfmtLineParser
from pyspark_logs.formats.logfmt.writer import LogfmtWriter, key_problem
from pyspark_logs.formats.requested_column import Projection, RequestedColumn
from pyspark_logs.formats.scalar_writer import scalar_type, type_problem
from pyspark_logs.formats.template.matcher import Matcher
from pyspark_logs.formats.types.registry import retype
from pyspark_logs.formats.types.text import Text
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines


@dataclass(frozen=True)
class LogfmtFormat:
    """Pairs of keys and values; see :class:`~pyspark_logs.formats.interface.LineFormat`."""

    options: FormatOptions

    suffix = "log"
    is_open = True

    def schema(self) -> None:
        """Only the data can tell."""
        return

    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """The keys of the first ``samplingBytes`` of records.

        Raises:
            FormatError: not one record has a pair.
        """
        records = (lines.record(row) for lines in sample for row in range(len(lines)))
        found = infer_logfmt_schema(records, self.options.sampling_bytes, self.options.null_value)
        if not len(found):
            raise FormatError("no line of the sample has key=value pairs")
        return found

    def decoder(self, projection: Projection) -> Decoder:
        """Lines of one shape by the block, the others one at a time. All pairs of a line are read, so it is judged whole."""
        columns = tuple(
            RequestedColumn(field.name, retype(Text(), field.type, field.name), field.name, judged)
            for field, judged in projection.fields()
        )
        exact = LogfmtLineParser(columns, self.options.rescued_column, self.options.null_value)
        wrong = [column.name for column in columns if exact.is_rescue(column) and not column.type.keeps_text]
        if wrong:
            raise SchemaError(f"column {wrong[0]!r} (rescuedDataColumn) holds JSON text: declare it a string")
        native = [column.type.arrow() for column in columns]
        return Decoder([LogfmtEngine(exact)], exact, native, projection.types)

    def matcher(self) -> Matcher:
        """A line is pairs to its end: nothing could be joined to it."""
        raise begins_by_regex_only("logfmt")

    def verbatim(self) -> SearchableFields:
        """All strings; what is rescued is JSON, whose punctuation the line does not have."""
        return SearchableFields(
            unless_escaped=None, not_with='{}[]",:\\' if self.options.rescued_column is not None else ""
        )

    def writer(
        self, schema: pa.Schema, *, zone: str, unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...]
    ) -> Written:
        """Pairs in the order of the schema."""
        kinds = [scalar_type(field.type) for field in schema]
        problems = [why for field, kind in zip(schema, kinds, strict=True) if (why := type_problem(field, kind))]
        problems += [why for name in schema.names if (why := key_problem(name))]
        problems += twice([name.lower() for name in schema.names])
        rescued = self.options.rescued_column
        if rescued is not None and rescued in schema.names:
            problems.append(f"{rescued!r} (rescuedDataColumn) is made by reading; drop it")
        missing = (
            unencodable('="\\' + self.options.null_value + "".join(schema.names)) if unencodable is not None else set()
        )
        problems += [f"encoding={self.options.encoding} has no {character!r}" for character in sorted(missing)]
        if not len(schema):
            problems.append("there is no column to write")
        refuse_all(problems, "logfmt")
        types = [kind or Text() for kind in kinds]
        return Written(LogfmtWriter(schema, types, self.options.null_value, zone=zone, unencodable=unencodable))
