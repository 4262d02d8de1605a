"""Structured data and message of RFC 5424 as two columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, concat_texts, from_numpy, only_where, text_scalar
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.template.composite_fields import Subfield
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.conversion import convert_valid
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.syslog import Message, StructuredData
from pyspark_logs.formats.writing.line_writer import UnwritableValues, unwritable_values

_NIL = "-"
_DATA, _MESSAGE = ("data",), ("message",)


@dataclass(frozen=True)
class SyslogBodyPart(Subfield):
    """One of the two columns of :class:`SyslogBody`; null if the part is missing. An empty message is not null."""

    def parse(self, text: str, context: TimestampContext) -> Any:
        part = _split(text)[self.groups == _MESSAGE]
        return None if part is None else self.inner.parse(part, context)

    def extract(self, array: pa.Array) -> pa.Array:
        """Returns both texts as a struct, null if a text that begins with a bracket is not structured data."""
        message = only_where(pc.not_equal(array, text_scalar(_NIL)), array)
        nil = pc.starts_with(array, f"{_NIL} ")
        if pc.any(nil).as_py():
            message = pc.if_else(nil, pc.utf8_slice_codeunits(message, len(_NIL) + 1), message)
        data = pa.nulls(len(array), pa.string())
        bracketed = as_bool(pc.starts_with(array, "["))
        invalid = np.zeros(len(array), np.bool_)
        if bracketed.any():
            rows = from_numpy(np.flatnonzero(bracketed))
            bracketed_data, bracketed_message, invalid[bracketed] = _split_bracketed(array.take(rows))
            mask = from_numpy(bracketed)
            data = pc.replace_with_mask(data, mask, bracketed_data)
            message = pc.replace_with_mask(message, mask, bracketed_message)
        return pa.StructArray.from_arrays([data, message], [*_DATA, *_MESSAGE], mask=from_numpy(invalid))

    def convert_extracted(self, array: pa.Array, extracted: Any, context: TimestampContext) -> ConversionResult:
        well_formed = as_bool(extracted.is_valid())
        texts = pc.struct_field(extracted, [self.groups[0]])
        values, valid = convert_valid(self.inner, texts, ~as_bool(texts.is_valid()), context)
        valid = well_formed if valid is None else well_formed & valid
        return values, None if valid.all() else valid


def _split(text: str) -> tuple[str | None, str | None]:
    """Returns structured data and message.

    Raises:
        ValueError: the text begins with a bracket, but not with structured data.
    """
    if not text.startswith("["):
        nil, blank, message = text.partition(" ")
        if nil != _NIL:
            return None, text
        return None, message if blank else None
    data = StructuredData().syntax.match(text)
    if data is None or text[data.end() : data.end() + 1] not in ("", " "):
        raise ValueError("begins with a bracket, but not with structured data")
    return data[0], text[data.end() + 1 :] if data.end() < len(text) else None


def _split_bracketed(array: pa.Array) -> tuple[pa.Array, pa.Array, Bool]:
    """Splits texts that begin with a bracket, as :func:`_split` does.

    Returns:
        Structured data, messages and a mask of the texts that do not begin with structured data.
    """
    view = spans.string_bytes(array)
    block = view.tobytes()
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    starts, limits = offsets[:-1] - offsets[0], offsets[1:] - offsets[0]
    ends = StructuredData().find_ends(block, view, starts, limits)
    without_message = ends == limits
    invalid = (ends < 0) | ~(without_message | (view[np.minimum(ends, len(view) - 1)] == ord(" ")))
    ends = np.where(invalid, starts, ends)
    messages = spans.field_strings(block, np.minimum(ends + np.int32(1), limits), limits)
    return spans.field_strings(block, starts, ends), only_where(from_numpy(~without_message), messages), invalid


@dataclass(frozen=True)
class SyslogBody:
    """``STRUCTURED-DATA [SP MSG]`` of RFC 5424, 6.

    Structured data begins with a bracket or is a dash. Heroku's drains write neither before the message ("Log Drains":
    https://devcenter.heroku.com/articles/log-drains), so a text that begins otherwise is a message. Missing structured
    data is always rendered as a dash.
    """

    data: str = "structured_data"
    message: str = "message"
    is_unambiguous = False

    @property
    def columns(self) -> tuple[tuple[str, FieldType], ...]:
        return (
            (self.data, SyslogBodyPart(groups=_DATA, inner=StructuredData())),
            (self.message, SyslogBodyPart(groups=_MESSAGE, inner=Message())),
        )

    def join(
        self, arrays: Sequence[pa.Array], indices: Sequence[int], zone: str
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        data, message = arrays
        texts, unwritable = StructuredData().render(data, zone)
        messages = concat_texts(" ", Message().render(message, zone)[0]).fill_null(text_scalar(""))
        whole = concat_texts(texts.fill_null(text_scalar(_NIL)), messages)
        present = pc.or_(data.is_valid(), message.is_valid())
        return only_where(present, whole), unwritable_values(
            indices[0], unwritable, "is not a value that the format can write"
        )
