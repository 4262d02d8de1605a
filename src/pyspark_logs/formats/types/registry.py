"""The field types of the template notation: the remaining small classes, and one table of them all."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.errors import FormatError, SchemaError
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.timestamps.parsing import TimestampContext, compile_pattern
from pyspark_logs.formats.types import escapes
from pyspark_logs.formats.types.field_type import (
    ConversionResult,
    FieldType,
    Quoted,
    RenderResult,
    Text,
    parse_distinct,
    render_validated,
)
from pyspark_logs.formats.types.nested import render_lists, render_maps
from pyspark_logs.formats.types.numeric import DecimalNumber, Floating, Integer
from pyspark_logs.formats.types.temporal import EPOCH_SCALE, Date, Epoch, Timestamp

_TEXT = Text()
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


@dataclass(frozen=True)
class Boolean(FieldType):
    """``boolean``: true or false in any case, or 1 and 0; written ``true`` and ``false``."""

    alphabet: ClassVar[str | None] = "truefals"

    def arrow(self) -> pa.DataType:
        return pa.bool_()

    def parse(self, text: str, context: TimestampContext) -> bool:
        lower = text.lower()
        if lower not in ("true", "false", "1", "0"):
            raise ValueError("not true or false")
        return lower in ("true", "1")


@dataclass(frozen=True)
class Uuid(Text):
    """``uuid``: kept as the string it is, once checked."""

    takes_rest: ClassVar[bool] = False
    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True

    def parse(self, text: str, context: TimestampContext) -> str:
        if not _UUID.fullmatch(text):
            raise ValueError("not a UUID")
        return text

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_validated(self, array)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        sure = spans.as_bool(pc.equal(pc.binary_length(array), 36))
        table = spans.byte_matrix(array.filter(sure) if not sure.all() else array, 36)
        hexadecimal = np.zeros(256, np.bool_)
        hexadecimal[np.frombuffer(b"0123456789abcdefABCDEF", np.uint8)] = True
        fine = np.ones(len(table), np.bool_)
        for column in range(36):
            fine &= table[:, column] == 45 if column in (8, 13, 18, 23) else hexadecimal[table[:, column]]
        sure[sure] = fine
        return array, None if sure.all() else sure


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


@dataclass(frozen=True)
class JsonText(Text):
    """``json``: kept as the string it is, once checked."""

    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True

    def parse(self, text: str, context: TimestampContext) -> str:
        try:
            json.loads(text, parse_constant=_refuse_constant)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        return text

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_validated(self, array)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        return parse_distinct(self, array, context)


@dataclass(frozen=True)
class ListOf(FieldType):
    """``list(<sep>)``: an array of strings, or of what the schema asks for; an empty text is ``[]``."""

    separator: str = ","
    element: FieldType = _TEXT

    def arrow(self) -> pa.DataType:
        return pa.list_(pa.field("element", self.element.arrow()))

    def parse(self, text: str, context: TimestampContext) -> list[Any]:
        if not text:
            return []
        return [self.element.parse(piece, context) for piece in text.split(self.separator)]

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_lists(array, self.separator)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        if not isinstance(self.element, Text) or pc.any(pc.equal(array, "")).as_py():
            return parse_distinct(self, array, context)
        pieces = pc.split_pattern(array, self.separator)
        return pa.ListArray.from_arrays(pieces.offsets, pieces.values, type=self.arrow()), None


@dataclass(frozen=True)
class MapOf(FieldType):
    """``map``: ``k=v`` pairs; a value may be double-quoted with backslash escapes.

    Attributes:
        avoid: what a rendered value spells with escapes, because it would end the field.
    """

    avoid: tuple[str, ...] = ()

    takes_rest: ClassVar[bool] = True

    def arrow(self) -> pa.DataType:
        return pa.map_(pa.string(), pa.string())

    def parse(self, text: str, context: TimestampContext) -> list[tuple[str, str]]:
        return list(escapes.parse_pairs(text).items())

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_maps(array, self.avoid)


@dataclass(frozen=True)
class HostOf(Text):
    """The address in ``address:port``; part of a preset, not of the notation."""

    def parse(self, text: str, context: TimestampContext) -> str:
        host = text.rpartition(":")[0] if ":" in text else text
        return host[1:-1] if host.startswith("[") and host.endswith("]") else host  # IPv6 beside a port

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        pieces = _host_and_port(array)
        bracketed = pieces is not None and bool((spans.string_bytes(pieces[0]) == ord("[")).any())
        return (pieces[0], None) if pieces and not bracketed else parse_distinct(self, array, context)


@dataclass(frozen=True)
class PortOf(Integer):
    """The port in ``address:port``; null where there is none."""

    def parse(self, text: str, context: TimestampContext) -> Any:
        port = text.rpartition(":")[2] if ":" in text else "-"
        return None if port == "-" else super().parse(port, context)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        pieces = _host_and_port(array)
        return Integer(self.bits).convert(pieces[1], context) if pieces else parse_distinct(self, array, context)


def render_addresses(host: pa.Array, port: pa.Array) -> pa.Array:
    """``address:port`` of the two columns; brackets around an address that would not be found without them."""
    colons = pc.or_(pc.match_substring(host, ":"), pc.and_(pc.starts_with(host, "["), pc.ends_with(host, "]")))
    inside = pc.if_else(colons, pc.binary_join_element_wise("[", host, "]", ""), host)
    ports = port.cast("string")
    alone = pc.if_else(colons, pc.binary_join_element_wise(inside, ":-", ""), host)
    return pc.if_else(ports.is_valid(), pc.binary_join_element_wise(inside, ports, ":"), alone)


def _host_and_port(array: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """The texts before and after the last colon; None where one has none."""
    data = spans.string_bytes(array)
    colons = np.flatnonzero(data == 58).astype(np.int32)
    if len(array) == 0 or len(colons) == 0:
        return None
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    starts, ends = offsets[:-1] - offsets[0], offsets[1:] - offsets[0]
    last = colons[np.searchsorted(colons, ends) - 1]
    if not ((last >= starts) & (last < ends)).all():
        return None
    text = data.tobytes()
    return spans.field_strings(text, starts, last), spans.field_strings(text, last + np.int32(1), ends)


# --- the table: notation -> type ------------------------------------------------------------------------


def _plain(field_type: FieldType) -> Any:
    def make(name: str, argument: str | None) -> FieldType:
        if argument is not None:
            raise FormatError(f"type {name!r} takes no argument, but has ({argument})")
        return field_type

    return make


def _timestamp(_: str, argument: str | None) -> FieldType:
    if argument is not None:
        compile_pattern(argument)
    return Timestamp(argument)


def _epoch(_: str, argument: str | None) -> FieldType:
    if argument not in EPOCH_SCALE:
        raise FormatError(f"type 'epoch' needs a unit: epoch(s), epoch(ms), epoch(us) or epoch(ns), not {argument!r}")
    return Epoch(argument)


def _decimal(_: str, argument: str | None) -> FieldType:
    match = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*", argument or "", re.ASCII)
    if match is None or not 1 <= int(match[1]) <= 38 or int(match[2]) > int(match[1]):
        raise FormatError(f"type 'decimal' needs precision (1 to 38) and scale: decimal(10,2), not {argument!r}")
    return DecimalNumber(int(match[1]), int(match[2]))


def _list(_: str, argument: str | None) -> FieldType:
    if not argument:
        raise FormatError("type 'list' needs its separator: list(,)")
    return ListOf(argument)


TYPES = {
    "string": _plain(Text()),
    "quoted": _plain(Quoted()),
    "int": _plain(Integer(32)),
    "long": _plain(Integer(64)),
    "double": _plain(Floating()),
    "decimal": _decimal,
    "boolean": _plain(Boolean()),
    "date": _plain(Date()),
    "timestamp": _timestamp,
    "epoch": _epoch,
    "uuid": _plain(Uuid()),
    "json": _plain(JsonText()),
    "list": _list,
    "map": _plain(MapOf()),
}


# --- a schema's type in place of the format's --------------------------------------------------------------


def for_arrow(dtype: pa.DataType) -> FieldType | None:
    """The type whose texts give this Arrow type in its plainest spelling; None: there is none."""
    if pa.types.is_signed_integer(dtype):
        return Integer(dtype.bit_width)
    if pa.types.is_float32(dtype) or pa.types.is_float64(dtype):
        return Floating(dtype.bit_width)
    if pa.types.is_decimal128(dtype):
        return DecimalNumber(dtype.precision, dtype.scale)
    if pa.types.is_timestamp(dtype):
        return Timestamp()
    plain: list[tuple[pa.DataType, FieldType]] = [(pa.string(), Text()), (pa.bool_(), Boolean()), (pa.date32(), Date())]
    return next((field_type for known, field_type in plain if known == dtype), None)


def retype(field_type: FieldType, dtype: pa.DataType, column: str) -> FieldType:
    """The type to read a field with, so that a schema's ``dtype`` comes of it.

    The field ends where it ended before; only the meaning of its text changes.

    Raises:
        SchemaError: nothing sensible leads from the one type to the other.
    """
    if dtype == field_type.arrow():
        return field_type
    if isinstance(field_type, PortOf) and pa.types.is_signed_integer(dtype):
        return PortOf(dtype.bit_width)
    if isinstance(field_type, (HostOf, PortOf)):
        raise SchemaError(f"column {column!r} is {field_type.arrow()} and cannot be read as {dtype}; cast in the query")
    if pa.types.is_string(dtype):
        return field_type if field_type.quoted else Text()
    if isinstance(field_type, (Timestamp, Epoch)) and (pa.types.is_timestamp(dtype) or pa.types.is_date32(dtype)):
        return field_type  # the decoder turns instants into wall clocks or days
    numeric = (Integer, Floating, DecimalNumber)
    wanted = for_arrow(dtype)
    if isinstance(field_type, numeric) and isinstance(wanted, numeric):
        return wanted
    if field_type.keeps_text and wanted is not None:
        return wanted
    if isinstance(field_type, ListOf) and pa.types.is_list(dtype):
        element = for_arrow(dtype.value_type)
        if element is not None and not isinstance(element, Timestamp):
            return ListOf(field_type.separator, element)
    raise SchemaError(
        f"column {column!r}: the format gives {field_type.arrow()}, which cannot be read as {dtype};"
        f" ask for {field_type.arrow()} or string and cast in the query"
    )
