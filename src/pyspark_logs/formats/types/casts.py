"""Casts of columns to the Arrow types of fields, and between types that users request, without loss of values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, as_numbers, from_numpy, from_texts, null_mask, to_scalar
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.timestamps.zones import local_to_utc_us, utc_to_local

# A column and a mask of the rows whose value the target type does not have (None: no row).
CastResult = tuple["pa.Array", "Bool | None"]

_DIGITS = {8: 3, 16: 5, 32: 10, 64: 19}  # bits of an integer type -> digits of its largest value
_EXACT_IN_DOUBLE = 32  # widest integer type, in bits, of which a double represents every value exactly


def plain_type(dtype: pa.DataType) -> pa.DataType:
    """Returns the type without its layout: dictionaries, views and 64-bit offsets become the plain type."""
    if pa.types.is_dictionary(dtype):
        return plain_type(dtype.value_type)
    if pa.types.is_large_string(dtype) or dtype == getattr(pa, "string_view", pa.string)():
        return pa.string()
    if pa.types.is_large_list(dtype) or pa.types.is_fixed_size_list(dtype):
        return pa.list_(dtype.value_field)
    return dtype


def fits(source: pa.DataType, target: pa.DataType) -> bool:
    """Returns True if ``target`` has all values of ``source``, apart from the range and resolution of timestamps."""
    source = plain_type(source)
    if source == target or pa.types.is_null(source):
        return True
    if pa.types.is_integer(source):
        return _integer_fits(source, target)
    if pa.types.is_floating(source):
        return pa.types.is_floating(target) and source.bit_width <= target.bit_width
    if pa.types.is_decimal(source) and pa.types.is_decimal(target):
        whole, fraction = source.precision - source.scale, source.scale
        return bool(fraction <= target.scale and whole <= target.precision - target.scale)
    if pa.types.is_date(source):
        return pa.types.is_date(target) or pa.types.is_timestamp(target)
    if pa.types.is_timestamp(source):
        return pa.types.is_timestamp(target)
    if pa.types.is_list(source) and pa.types.is_list(target):
        return fits(source.value_type, target.value_type)
    if pa.types.is_map(source) and pa.types.is_map(target):
        return fits(source.key_type, target.key_type) and fits(source.item_type, target.item_type)
    return False


def _integer_fits(source: pa.DataType, target: pa.DataType) -> bool:
    bits = source.bit_width + pa.types.is_unsigned_integer(source)
    if pa.types.is_signed_integer(target):
        return bool(bits <= target.bit_width)
    if pa.types.is_decimal(target):
        digits = 20 if bits > 64 else _DIGITS[source.bit_width]
        return bool(digits <= target.precision - target.scale)
    return pa.types.is_float64(target) and source.bit_width <= _EXACT_IN_DOUBLE


def cast_lossless(array: pa.Array, target: pa.DataType, zone: str) -> CastResult:
    """Casts a column to the type that a field is rendered from.

    Args:
        array: column of a type that :func:`fits`.
        target: type of the result; for timestamps ``timestamp[us, UTC]``.
        zone: zone of timestamps without a zone and of days.

    Returns:
        The column and a mask of the values that changed (None: none).
    """
    plain = plain_type(array.type)
    if array.type != plain:
        array = array.cast(plain)
    if pa.types.is_string(target) and pa.types.is_string(plain):
        return replace_invalid_utf8(array)
    if pa.types.is_timestamp(target) and not pa.types.is_null(plain):
        return to_instants(array, zone)
    return (array if plain == target else array.cast(target)), None


def to_instants(array: pa.Array, zone: str) -> CastResult:
    """Converts timestamps and days to ``timestamp[us, UTC]``; a local time skipped in the zone has no instant."""
    utc = pa.timestamp("us", "UTC")
    has_zone = pa.types.is_timestamp(array.type) and array.type.tz is not None
    if has_zone and array.type.unit == "us":
        return array.cast(utc), None
    if not has_zone and not pa.types.is_timestamp(array.type):
        array = array.cast(pa.timestamp("ms" if pa.types.is_date64(array.type) else "s"))
    naive = array.cast(pa.timestamp(array.type.unit), safe=False) if has_zone else array
    micros, lost = _micros(naive)
    if has_zone:
        return micros.cast(utc), lost
    local = as_numbers(micros, null=0)
    null = null_mask(micros)
    found = from_numpy(local_to_utc_us(local, zone), null).cast(utc)
    if zone != "UTC":
        same = as_bool(pc.equal(utc_to_local(found, zone).cast(pa.int64()), micros)) | null
        lost = ~same if lost is None else lost | ~same
    return found, lost if lost is not None and lost.any() else None


def _micros(array: pa.Array) -> CastResult:
    """Converts timestamps without a zone to int64 microseconds; finer and farther timestamps are lost."""
    numbers = array.cast(pa.int64())
    if array.type.unit == "us":
        return numbers, None
    if array.type.unit == "ns":
        micros = pc.divide(numbers, 1000)  # toward zero; a value with a remainder is lost in any case
        lost = as_bool(pc.not_equal(pc.multiply(micros, 1000), numbers))
        return micros, lost if lost.any() else None
    scale = {"s": 1_000_000, "ms": 1000}[array.type.unit]
    out_of_range = as_bool(pc.greater(pc.abs(numbers), (2**63 - 1) // scale))
    micros = pc.multiply(pc.if_else(from_numpy(out_of_range), to_scalar(0, pa.int64()), numbers), scale)
    return micros, out_of_range if out_of_range.any() else None


def replace_invalid_utf8(array: pa.Array) -> CastResult:
    """Replaces the invalid bytes of strings that are not valid UTF-8 by U+FFFD, and returns a mask of these strings."""
    data = spans.string_bytes(array)
    if len(data) == 0 or data.max() < 0x80:
        return array, None
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        raw = array.cast(pa.binary()).to_pylist()
        texts = [None if value is None else value.decode("utf-8", "replace") for value in raw]
        bad = np.array([text is not None and text.encode() != value for text, value in zip(texts, raw, strict=True)])
        return from_texts(texts), bad
    return array, None


def is_castable(source: pa.DataType, target: pa.DataType, *, narrowing: bool = False) -> bool:
    """Returns True if :func:`cast_if_possible` may cast a column, depending on its values.

    Args:
        source: type of the column.
        target: requested type.
        narrowing: True if values may become text or less exact, and instants may become local times or days.
    """
    source, target = plain_type(source), plain_type(target)
    if source == target or pa.types.is_null(source):
        return True
    if pa.types.is_struct(source) and pa.types.is_struct(target):
        return [f.name for f in source] == [f.name for f in target] and all(
            is_castable(field.type, requested.type) for field, requested in zip(source, target, strict=True)
        )
    if pa.types.is_list(source) and pa.types.is_list(target):
        return is_castable(source.value_type, target.value_type)
    if pa.types.is_map(source) and pa.types.is_map(target):
        return is_castable(source.key_type, target.key_type) and is_castable(source.item_type, target.item_type)
    if pa.types.is_timestamp(source) and pa.types.is_timestamp(target):
        return narrowing or (source.tz is None) == (target.tz is None)
    if pa.types.is_integer(source):
        numbers = pa.types.is_integer(target) or pa.types.is_decimal(target) or pa.types.is_floating(target)
        return bool(numbers or (narrowing and pa.types.is_string(target)))
    if pa.types.is_floating(source) and pa.types.is_floating(target):
        return narrowing or bool(source.bit_width <= target.bit_width)
    if pa.types.is_date(source):
        return pa.types.is_date(target) or (narrowing and pa.types.is_string(target))
    if pa.types.is_large_binary(source) or pa.types.is_fixed_size_binary(source):
        return pa.types.is_binary(target)
    if pa.types.is_decimal(source) and pa.types.is_decimal(target):
        return True
    if narrowing and pa.types.is_timestamp(source):
        return pa.types.is_date(target)
    texts = pa.types.is_boolean(source) or pa.types.is_floating(source) or pa.types.is_decimal(source)
    return narrowing and texts and pa.types.is_string(target)


def cast_if_possible(array: pa.Array, target: pa.DataType, zone: str = "UTC") -> pa.Array | None:
    """Casts a column to a type that it :func:`is_castable` to; None if a value cannot be cast.

    Args:
        array: the column.
        target: requested type.
        zone: zone of the local times and days that instants become.
    """
    if array.type == target:
        return array
    source = array.type
    if pa.types.is_timestamp(source) and not (
        pa.types.is_timestamp(target) and (source.tz is None) == (target.tz is None)
    ):
        # From an instant to a local time or a day, or from a local time to an instant or a day.
        if source.tz is None and pa.types.is_timestamp(target):
            found, lost = to_instants(array, zone)
            return None if lost is not None else found
        local = utc_to_local(array.cast(pa.timestamp("us", "UTC")), zone) if source.tz is not None else array
        return local.cast(target, safe=pa.types.is_timestamp(target))
    try:
        return array.cast(target, safe=not (pa.types.is_floating(source) and pa.types.is_floating(target)))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
