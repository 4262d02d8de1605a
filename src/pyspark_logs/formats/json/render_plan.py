"""Forms in which the machine renders the values of JSON lines."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from pyspark_logs.formats.compiled import render_opcodes as op
from pyspark_logs.formats.compiled.render_program import ValueForm
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.writing.value_forms import renders_doubles_alike, scalar_form

_NULL = b"null"
STRING = ValueForm(op.TEXTS, _NULL, op.JSON_STRING, op.CONTROLS | op.QUOTED, (b'"', b"\\"))
_DAY = ValueForm(op.DAY, _NULL, flags=op.QUOTED)
_INSTANT = ValueForm(op.ISO_TIME, _NULL, flags=op.QUOTED)
_BOOLEAN = ValueForm(op.BOOLEAN, _NULL)
_DOUBLE = ValueForm(op.DOUBLE, _NULL)


def json_form(dtype: pa.DataType, time: FieldType | None, zone: str) -> ValueForm | None:
    """Returns the form of a column; None: the machine does not render it.

    Args:
        dtype: type of the column.
        time: notation of a time; None: the column has its plainest notation.
        zone: zone of times without a zone.
    """
    if time is not None:
        form = scalar_form(time, zone)
        needs_escapes = form is not None and any(
            character < " " or character in '"\\' for character in form.pattern or ""
        )
        return None if form is None or needs_escapes else replace(form, null=_NULL, flags=form.flags | op.QUOTED)
    if pa.types.is_signed_integer(dtype):
        return ValueForm(op.INTEGER, _NULL, argument=dtype.bit_width)
    if pa.types.is_timestamp(dtype):
        return _INSTANT if dtype.unit == "us" and dtype.tz is not None else None
    if pa.types.is_float64(dtype):
        return _DOUBLE if renders_doubles_alike() else None
    return {pa.string(): STRING, pa.bool_(): _BOOLEAN, pa.date32(): _DAY}.get(dtype)
