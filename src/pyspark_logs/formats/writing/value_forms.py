"""Forms in which the machine renders the values of field types; see :class:`.render_program.ValueForm`."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import pyarrow as pa

from pyspark_logs.arrow_values import from_values
from pyspark_logs.formats.compiled import render_opcodes as op
from pyspark_logs.formats.compiled.render_program import DIRECTIVES, ValueForm
from pyspark_logs.formats.timestamps.parsing import TimestampContext, compile_pattern
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.forms import RenderedForm

_DOUBLES = {0.1: "0.1", 100.0: "100", -2.5: "-2.5", 9_999_999_999.5: "9999999999.5", 0.00001: "0.00001"}
PLAIN_TEXT = RenderedForm("TEXT")
_SCALARS = {
    "INTEGER": op.INTEGER, "DOUBLE": op.DOUBLE, "BOOLEAN": op.BOOLEAN, "DAY": op.DAY, "ISO_TIME": op.ISO_TIME,
    "PATTERN_TIME": op.PATTERN_TIME,
}  # fmt: skip


def scalar_form(field_type: FieldType, zone: str) -> ValueForm | None:
    """Returns the form of numbers, booleans, times and days; None: the machine does not render the type.

    Args:
        field_type: the type.
        zone: zone of times without a zone.
    """
    rendered, pattern = field_type.rendered_form, field_type.rendered_pattern
    if rendered.kind not in _SCALARS or (rendered.kind == "DOUBLE" and not renders_doubles_alike()):
        return None
    if rendered.kind == "PATTERN_TIME" and pattern is not None:
        directives = set(compile_pattern(pattern).directives)
        notation = field_type.time_notation
        zone = zone if notation is None or notation.zone is None else notation.zone
        is_utc = zone == "UTC" or directives & {"z", "Z"}
        return ValueForm(op.PATTERN_TIME, pattern=pattern) if is_utc and directives <= DIRECTIVES else None
    return ValueForm(_SCALARS[rendered.kind], argument=rendered.bits)


def is_value(field_type: FieldType, texts: Iterable[str]) -> bool:
    """Returns True if one of the texts is a value of the type, so that a rendered value may be such a text."""

    def is_parsed(text: str) -> bool:
        try:
            field_type.parse(text, TimestampContext())
        except ValueError:
            return False
        return True

    return any(is_parsed(text) for text in texts)


@functools.lru_cache(maxsize=1)
def renders_doubles_alike() -> bool:
    """Returns True if the installed version of Arrow renders doubles as the machine does."""
    return from_values(list(_DOUBLES), pa.float64()).cast(pa.string()).to_pylist() == list(_DOUBLES.values())
