"""What stands behind the header of RFC 5424: structured data and a message, as two columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import convert_valid
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.line_writer import UnwritableValues, unwritable
from pyspark_logs.formats.template.composite_fields import Subfield
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import ConversionResult, FieldType
from pyspark_logs.formats.types.syslog import Message, StructuredData

_NIL = "-"
_DATA, _MESSAGE = ("data",), ("message",)


@dataclass(frozen=True)
class SyslogBodyPart(Subfield):
    """One of the two columns of :class:`SyslogBody`; null where there is none of it, an empty message is empty."""

    def parse(self, text: str, context: TimestampContext) -> Any:
        piece = _apart(text)[self.groups == _MESSAGE]
        return None if piece is None else self.inner.parse(piece, context)

    def extract(self, array: pa.Array) -> pa.Array:
        """Both texts as a struct, which is null where what begins with a bracket is not structured data."""
        message = pc.if_else(pc.equal(array, _NIL), None, array)
        nil = pc.starts_with(array, f"{_NIL} ")
        if pc.any(nil).as_py():
            message = pc.if_else(nil, pc.utf8_slice_codeunits(message, len(_NIL) + 1), message)
        data = pa.nulls(len(array), pa.string())
        bracketed = spans.as_bool(pc.starts_with(array, "["))
        wrong = np.zeros(len(array), np.bool_)
        if bracketed.any():
            rows = pa.array(np.flatnonzero(bracketed))
            own, behind, bad = _columns_apart(array.take(rows))
            wrong[bracketed] = bad
            mask = pa.array(bracketed)
            data = pc.replace_with_mask(data, mask, own)
            message = pc.replace_with_mask(message, mask, behind)
        return pa.StructArray.from_arrays([data, message], [*_DATA, *_MESSAGE], mask=pa.array(wrong))

    def convert_extracted(self, array: pa.Array, extracted: Any, context: TimestampContext) -> ConversionResult:
        fine = spans.as_bool(extracted.is_valid())
        texts = pc.struct_field(extracted, [self.groups[0]])
        values, valid = convert_valid(self.inner, texts, ~spans.as_bool(texts.is_valid()), context)
        fine = fine if valid is None else fine & valid
        return values, None if fine.all() else fine


def _apart(text: str) -> tuple[str | None, str | None]:
    """Structured data and the message; ValueError where it begins as the one and goes on otherwise."""
    if not text.startswith("["):
        nil, blank, message = text.partition(" ")
        if nil != _NIL:
            return None, text
        return None, message if blank else None
    data = StructuredData().syntax.match(text)
    if data is None or text[data.end() : data.end() + 1] not in ("", " "):
        raise ValueError("not structured data, though it begins with a bracket")
    return data[0], text[data.end() + 1 :] if data.end() < len(text) else None


def _columns_apart(array: pa.Array) -> tuple[pa.Array, pa.Array, Bool]:
    """As :func:`_apart`, of texts that begin with a bracket; the last are those that go on otherwise."""
    view = spans.string_bytes(array)
    block = view.tobytes()
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    starts, limits = offsets[:-1] - offsets[0], offsets[1:] - offsets[0]
    ends = StructuredData().find_ends(block, view, starts, limits)
    alone = ends == limits
    wrong = (ends < 0) | ~(alone | (view[np.minimum(ends, len(view) - 1)] == ord(" ")))
    ends = np.where(wrong, starts, ends)
    behind = spans.field_strings(block, np.minimum(ends + np.int32(1), limits), limits)
    return spans.field_strings(block, starts, ends), pc.if_else(alone, None, behind), wrong


@dataclass(frozen=True)
class SyslogBody:
    """``STRUCTURED-DATA [SP MSG]`` of RFC 5424, 6.

    Heroku's drains write no structured data, not even the dash that says so, and the message in its place ("Log
    Drains": https://devcenter.heroku.com/articles/log-drains). It begins with a bracket or is a dash, so whatever begins
    otherwise is a message. With a dash it is written in any case.
    """

    data: str = "structured_data"
    message: str = "message"
    sure = False

    @property
    def columns(self) -> tuple[tuple[str, FieldType], ...]:
        return (
            (self.data, SyslogBodyPart(groups=_DATA, inner=StructuredData())),
            (self.message, SyslogBodyPart(groups=_MESSAGE, inner=Message())),
        )

    def joined(
        self, arrays: Sequence[pa.Array], places: Sequence[int], zone: str
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        data, message = arrays
        texts, wrong = StructuredData().render(data, zone)
        behind = pc.binary_join_element_wise(" ", Message().render(message, zone)[0], "").fill_null("")
        whole = pc.binary_join_element_wise(texts.fill_null(_NIL), behind, "")
        there = pc.or_(data.is_valid(), message.is_valid())
        return pc.if_else(there, whole, None), unwritable(places[0], wrong, "is no value that the format can write")
