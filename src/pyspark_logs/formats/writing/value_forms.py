"""Forms in which the machine renders the values of field types; see :class:`.render_program.ValueForm`."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import pyarrow as pa

from pyspark_logs.formats.compiled import render_opcodes as op
from pyspark_logs.formats.compiled.render_program import ValueForm
from pyspark_logs.formats.timestamps.parsing import TimestampContext, compile_pattern
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Boolean, Floating, Integer
from pyspark_logs.formats.types.temporal import Date, Timestamp

_DOUBLES = {0.1: "0.1", 100.0: "100", -2.5: "-2.5", 9_999_999_999.5: "9999999999.5", 0.00001: "0.00001"}
_DIRECTIVES = frozenset("dmyYHIMSjLfebhapzZ")


def scalar_form(field_type: FieldType, zone: str) -> ValueForm | None:
    """Returns the form of numbers, booleans, times and days; None: the machine does not render the type.

    Args:
        field_type: the type. Types that are derived from another one may render differently, and have no form.
        zone: zone of times without a zone.
    """
    kind = type(field_type)
    if kind is Integer:
        return ValueForm(op.INTEGER, argument=field_type.bits)  # type: ignore[attr-defined]
    if kind is Floating:
        is_double = field_type.bits == 64 and renders_doubles_alike()  # type: ignore[attr-defined]
        return ValueForm(op.DOUBLE) if is_double else None
    if kind is Boolean:
        return ValueForm(op.BOOLEAN)
    if kind is Date:
        return ValueForm(op.DAY)
    if kind is not Timestamp:
        return None
    pattern = field_type.rendered_pattern
    if pattern is None:
        return ValueForm(op.ISO_TIME)
    directives = set(compile_pattern(pattern).directives)
    is_utc = (field_type.zone or zone) == "UTC" or directives & {"z", "Z"}  # type: ignore[attr-defined]
    return ValueForm(op.PATTERN_TIME, pattern=pattern) if is_utc and directives <= _DIRECTIVES else None


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
    return pa.array(list(_DOUBLES), pa.float64()).cast(pa.string()).to_pylist() == list(_DOUBLES.values())
