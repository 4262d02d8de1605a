"""Documented fields of JSON records: name, type and path, as a provider's document lists them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa

from pyspark_logs.errors import FormatError, OptionError
from pyspark_logs.formats.json.line_parser import JsonSource, JsonValue
from pyspark_logs.formats.requested_column import RequestedColumn
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.registry import TYPES
from pyspark_logs.schema import parse_ddl

_TIMES = re.compile(r"(timestamp|epoch)(?:\((.*)\))?", re.DOTALL)


@dataclass(frozen=True)
class JsonField:
    """One documented field.

    Attributes:
        name: of the column.
        type: a Spark type as DDL writes it (``string``, ``bigint``, ``map<string,string>``,
            ``array<struct<name:string,value:string>>``), or the notation of a time as templates have it:
            ``timestamp`` (a string, ISO 8601), ``timestamp(<strptime pattern>)`` (a string), ``epoch(s|ms|us|ns)``
            (a number, fraction allowed); or ``json``: any value, as its JSON text. Empty: what the schema asks for.
        path: keys from the record to the value; a text has dots between them. Empty: the name is the key. Like
            names of columns, keys match without case where none is the same.
        numerals: whether some write this number as a string.

    >>> JsonField("t", "timestamp", "t.$date").keys
    ('t', '$date')
    """

    name: str
    type: str = "string"
    path: str | tuple[str, ...] = ""
    numerals: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The path as keys."""
        if isinstance(self.path, tuple):
            return self.path or (self.name,)
        return tuple(self.path.split(".")) if self.path else (self.name,)

    def time(self) -> FieldType | None:
        """The notation of a time; None: the field is something else.

        Raises:
            FormatError: a unit or a pattern that there is not.
        """
        match = _TIMES.fullmatch(self.type)
        return None if match is None else TYPES[match[1]](match[1], match[2])

    def arrow(self) -> pa.DataType:
        """The type of the column.

        Raises:
            FormatError: the type is none.
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
        """The column that a schema asks for by this field's name, whatever type it asks for."""
        time = self.time()
        if time is None or not (pa.types.is_timestamp(field.type) or pa.types.is_date32(field.type)):
            source = JsonSource(self.keys, numerals=self.numerals)
            return RequestedColumn(field.name, JsonValue(field.type), source, judged)
        # The line gives an instant; the decoder makes wall clocks and days of it.
        source = JsonSource(self.keys, time, self.numerals)
        return RequestedColumn(field.name, JsonValue(time.arrow()), source, judged)
