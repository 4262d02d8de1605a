"""JSON lines as a line format: one object a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.inference import infer_json_schema
from pyspark_logs.formats.jsonlines import JsonLines
from pyspark_logs.formats.jsonshapes import JsonShapeEngine
from pyspark_logs.formats.jsonwriter import JsonWriter, check_writable
from pyspark_logs.formats.lineformat import Asked, Verbatim, Written, begins_by_regex_only, refuse_all, twice
from pyspark_logs.formats.linewriter import Lacks
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class JsonFormat:
    """JSON objects; see :class:`~pyspark_logs.formats.lineformat.LineFormat`."""

    options: FormatOptions

    suffix = "json"
    is_open = True

    def schema(self) -> None:
        """Only the data can tell."""
        return

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

    def decoder(self, asked: Sequence[Asked], *, judge_whole: bool) -> Decoder:
        """Lines of one shape by the block, the others one at a time."""
        fields = tuple(one.field for one in asked)
        exact = JsonLines(fields, tuple(one.judged for one in asked), self.options.rescued_column)
        exact.check()
        native = [field.type for field in fields]
        return Decoder([JsonShapeEngine(exact)], exact, native, native)

    def matcher(self) -> Matcher:
        """An object ends with its brace: nothing could be joined to it."""
        raise begins_by_regex_only("json")

    def verbatim(self) -> Verbatim:
        """All strings; a nested value read as a string is written anew, so its punctuation may stand otherwise."""
        return Verbatim(unless_escaped=None, not_with='{}[]",:')

    def writer(self, schema: pa.Schema, *, zone: str, lacks: Lacks | None, heads: tuple[str, ...]) -> Written:
        """JSON by construction."""
        problems = [why for field in schema if (why := check_writable(field.name, field.type))]
        problems += twice(schema.names)
        rescued = self.options.rescued_column
        if rescued is not None and rescued in schema.names:
            problems.append(f"{rescued!r} (rescuedDataColumn) is made by reading; drop it")
        if not len(schema):
            problems.append("there is no column to write")
        refuse_all(problems, "json")
        return Written(JsonWriter(schema, zone, lacks))
