"""Fields of JSON records as their provider documents them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa

from pyspark_logs.errors import FormatError, OptionError
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.json.line_parser import JsonSource, JsonValue
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.registry import TYPES
from pyspark_logs.schema import parse_ddl

_TIMES = re.compile(r"(timestamp|epoch)(?:\((.*)\))?", re.DOTALL)


@dataclass(frozen=True)
class JsonField:
    """A documented field.

    Attributes:
        name: name of the column.
        type: a Spark type in DDL (``string``, ``bigint``, ``map<string,string>``,
            ``array<struct<name:string,value:string>>``), or the notation of a time as in templates: ``timestamp`` (a
            string, ISO 8601), ``timestamp(<strptime pattern>)`` (a string), ``epoch(s|ms|us|ns)`` (a number, fraction
            allowed), or ``json`` for the JSON text of any value. Empty: the type that a query requests.
        path: keys from the record to the value, as a tuple or joined by dots. Empty: the name is the key. A key
            matches without case if no key of the record is the same.
        numerals: True if some programs write this number as a string.
        null_text: string that some programs write for no value of this number; None: there is none.

    >>> JsonField("t", "timestamp", "t.$date").keys
    ('t', '$date')
    """

    name: str
    type: str = "string"
    path: str | tuple[str, ...] = ""
    numerals: bool = False
    null_text: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys from the record to the value."""
        if isinstance(self.path, tuple):
            return self.path or (self.name,)
        return tuple(self.path.split(".")) if self.path else (self.name,)

    def time(self) -> FieldType | None:
        """Returns the notation of a time; None if the field is not a time.

        Raises:
            FormatError: the unit or the pattern is invalid.
        """
        match = _TIMES.fullmatch(self.type)
        return None if match is None else TYPES[match[1]](match[1], match[2])

    def arrow(self) -> pa.DataType:
        """Returns the type of the column.

        Raises:
            FormatError: the type of the field is not Spark DDL, or not the type of a JSON value.
        """
        time = self.time()
        if time is not None:
            return time.arrow()
        if self.type == "json":
            return pa.string()
        try:
            return parse_ddl(f"x {self.type}").field(0).type
        except OptionError as error:
            raise FormatError(f"field {self.name!r}: {self.type!r} is not the type of a JSON value: {error}") from error

    def column(self, field: pa.Field, *, judged: bool) -> RequestedColumn[JsonSource]:
        """Returns the column that reads this field as the type that a query requests."""
        time = self.time()
        if time is None or not (pa.types.is_timestamp(field.type) or pa.types.is_date32(field.type)):
            # The engines read a string as it is written.
            null_text = None if pa.types.is_string(field.type) else self.null_text
            source = JsonSource(self.keys, numerals=self.numerals, null_text=null_text)
            return RequestedColumn(field.name, JsonValue(field.type), source, judged)
        # The engines return an instant; the decoder converts it to a timestamp without a zone, or to a day.
        source = JsonSource(self.keys, time, self.numerals, self.null_text)
        return RequestedColumn(field.name, JsonValue(time.arrow()), source, judged)
