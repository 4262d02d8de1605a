"""Field types of the two columns of ``address:port``. Presets use them; the template notation does not name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, concat_texts, text_scalar
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.spans import Int32
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType, ResolveType, parse_distinct
from pyspark_logs.formats.types.forms import CompiledForm
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.problem_classes import UNCLASSED, classes_of_integers
from pyspark_logs.formats.types.text import Text


@dataclass(frozen=True)
class Host(Text):
    """Address in ``address:port``, without the brackets of an IPv6 address."""

    keeps_text: ClassVar[bool] = False

    def parse(self, text: str, context: TimestampContext) -> str:
        host = text.rpartition(":")[0] if ":" in text else text
        return host[1:-1] if host.startswith("[") and host.endswith("]") else host

    def reinterpret(self, dtype: pa.DataType, resolve: ResolveType) -> FieldType | None:
        return None

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        pieces = _host_and_port(array)
        bracketed = pieces is not None and bool((spans.string_bytes(pieces[0]) == ord("[")).any())
        return (pieces[0], None) if pieces and not bracketed else parse_distinct(self, array, context)

    @property
    def compiled_form(self) -> CompiledForm:
        return CompiledForm("HOST")


@dataclass(frozen=True)
class Port(Integer):
    """Port in ``address:port``; null if there is none."""

    def parse(self, text: str, context: TimestampContext) -> Any:
        port = text.rpartition(":")[2] if ":" in text else "-"
        return None if port == "-" else super().parse(port, context)

    def problem_classes(self, texts: pa.Array) -> Int32 | None:
        pieces = _host_and_port(texts)
        if pieces is None:
            return None
        classes = classes_of_integers(pieces[1], self.bits)
        return np.where(as_bool(pc.equal(pieces[1], text_scalar("-"))), np.int32(UNCLASSED), classes)

    @property
    def re2_pattern(self) -> str | None:
        return None

    @property
    def reads_words(self) -> bool:
        return False

    @property
    def accepts_nulls(self) -> bool:
        return False

    def reinterpret(self, dtype: pa.DataType, resolve: ResolveType) -> FieldType | None:
        return Port(dtype.bit_width) if pa.types.is_signed_integer(dtype) else None

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        pieces = _host_and_port(array)
        return Integer(self.bits).convert(pieces[1], context) if pieces else parse_distinct(self, array, context)

    @property
    def compiled_form(self) -> CompiledForm:
        return CompiledForm("PORT", self.bits)


def render_addresses(host: pa.Array, port: pa.Array) -> pa.Array:
    """Renders ``address:port``, with brackets around an address that contains a colon or has brackets itself."""
    colons = pc.or_(pc.match_substring(host, ":"), pc.and_(pc.starts_with(host, "["), pc.ends_with(host, "]")))
    inside = pc.if_else(colons, concat_texts("[", host, "]"), host)
    ports = port.cast("string")
    alone = pc.if_else(colons, concat_texts(inside, ":-"), host)
    return pc.if_else(ports.is_valid(), concat_texts(inside, ports, separator=":"), alone)


def _host_and_port(array: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """Splits strings at their last colon; None if a string has none."""
    data = spans.string_bytes(array)
    colons = np.flatnonzero(data == ord(":")).astype(np.int32)
    if len(array) == 0 or len(colons) == 0:
        return None
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    starts, ends = offsets[:-1] - offsets[0], offsets[1:] - offsets[0]
    last = colons[np.searchsorted(colons, ends) - 1]
    if not ((last >= starts) & (last < ends)).all():
        return None
    text = data.tobytes()
    return spans.field_strings(text, starts, last), spans.field_strings(text, last + np.int32(1), ends)
