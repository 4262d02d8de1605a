"""Rendering of columns as JSON, whole columns at a time.

A nested column is rendered from the rendered columns of its fields or elements. Functions that return a
:data:`~pyspark_logs.formats.types.field_type.RenderResult` also return a mask of the rows whose JSON does not read back
as the same value.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import TRUE, as_bool, concat_texts, from_texts, text_scalar
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool, Int64
from pyspark_logs.formats.json.values import dump_json, parse_json
from pyspark_logs.formats.timestamps.rendering import render_iso
from pyspark_logs.formats.types.casts import plain_type, replace_invalid_utf8, to_instants
from pyspark_logs.formats.types.field_type import RenderResult
from pyspark_logs.formats.types.nested import (
    any_per_row,
    copy_nulls,
    duplicate_keys,
    join_elements,
    offsets_and_children,
)
from pyspark_logs.formats.types.numeric import render_decimals
from pyspark_logs.formats.types.temporal import Date

_FIRST_PRINTABLE = 0x20
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def render_json(array: pa.Array, zone: str) -> RenderResult:
    """Renders a column of any type that JSON has; null rows stay null.

    Args:
        array: the column.
        zone: time zone of timestamps without a zone.
    """
    array = cast_to_plain_type(array)
    dtype = array.type
    if pa.types.is_string(dtype):
        strings, invalid = replace_invalid_utf8(array)
        return quote_json(strings), invalid
    if pa.types.is_struct(dtype):
        return _render_structs(array, zone)
    if pa.types.is_list(dtype):
        offsets, (elements,) = offsets_and_children(array)
        return _render_collections(array, offsets, render_json(elements, zone), "[]")
    if pa.types.is_map(dtype):
        return _render_maps(array, zone)
    if pa.types.is_timestamp(dtype) or pa.types.is_date(dtype):
        return _render_times(array, zone)
    if pa.types.is_floating(dtype):
        not_finite = ~as_bool(pc.is_finite(array)) & as_bool(array.is_valid())
        return _render_floats(array), not_finite if not_finite.any() else None
    if pa.types.is_decimal(dtype):
        return render_decimals(array), None
    return array.cast(pa.string()), None


def render_json_text(array: pa.Array) -> pa.Array:
    r"""Renders strings that contain JSON.

    An object or array whose text would be the same after reading is embedded; any other text is rendered as a string.

    >>> render_json_text(pa.array(['{"a":1}', '{"a": 1}', "x"])).to_pylist()
    ['{"a":1}', '"{\\"a\\": 1}"', '"x"']
    """

    def render(text: str) -> str:
        if text[:1] in ("{", "["):
            with suppress(ValueError):
                if dump_json(parse_json(text)) == text:
                    return text
        return json.dumps(text, ensure_ascii=False)

    return from_texts([None if text is None else render(text) for text in array.to_pylist()])


def quote_json(array: pa.Array) -> pa.Array:
    """Renders strings as JSON strings."""
    return concat_texts('"', escape_json(array), '"')


def escape_json(array: pa.Array) -> pa.Array:
    """Escapes quotes, backslashes and control characters in strings; all other characters stay as they are."""
    data = spans.string_bytes(array)
    if len(data) == 0:
        return array
    raw = data.tobytes()
    for character in ("\\", '"'):
        if character.encode() in raw:
            array = pc.replace_substring(array, character, "\\" + character)
    if data.min() < _FIRST_PRINTABLE:
        for code in sorted(set(data[data < _FIRST_PRINTABLE].tolist())):
            array = pc.replace_substring(array, chr(code), _SHORT_ESCAPES.get(chr(code), f"\\u{code:04x}"))
    return array


def cast_to_plain_type(array: pa.Array) -> pa.Array:
    """Casts a column to the type that :func:`~pyspark_logs.formats.types.casts.plain_type` names."""
    plain = plain_type(array.type)
    return array if array.type == plain else array.cast(plain)


def _render_floats(array: pa.Array) -> pa.Array:
    """Renders the shortest text that reads back; readers parse it as a double and then round it to the type."""
    strings = array.cast(pa.string())
    if array.type == pa.float64():
        return strings
    doubles = array.cast(pa.float64())
    same = pc.equal(strings.cast(pa.float64()).cast(array.type, safe=False), array)
    return pc.if_else(same.fill_null(TRUE), strings, doubles.cast(pa.string()))


def _render_times(array: pa.Array, zone: str) -> RenderResult:
    """Renders days as ISO dates, and timestamps as ISO timestamps in UTC."""
    if pa.types.is_date(array.type):
        strings, lossy = Date().render(array.cast(pa.date32()), zone)
    else:
        instants, lost = to_instants(array, zone)
        strings, lossy = render_iso(instants)
        lossy = _any_mask((lost, lossy))
    return concat_texts('"', strings, '"'), lossy


def _render_structs(array: pa.Array, zone: str) -> RenderResult:
    if array.type.num_fields == 0:
        return copy_nulls(pa.repeat(text_scalar("{}"), len(array)), array), None
    parts: list[Any] = []
    masks = []
    for field, child in zip(array.type, array.flatten(), strict=True):
        strings, lossy = render_json(child, zone)
        parts += [
            "," if parts else "{",
            json.dumps(field.name, ensure_ascii=False) + ":",
            strings.fill_null(text_scalar("null")),
        ]
        masks.append(lossy)
    return copy_nulls(concat_texts(*parts, "}"), array), _any_mask(masks)


def _render_maps(array: pa.Array, zone: str) -> RenderResult:
    """Renders maps as objects; a map that has a key twice does not read back."""
    offsets, (keys, items) = offsets_and_children(array)
    if len(keys) == 0:
        return _render_collections(array, offsets, (pa.nulls(0, pa.string()), None), "{}")
    names, lossy_names = render_json(keys, zone)
    values, lossy_values = render_json(items, zone)
    lossy = _any_mask((duplicate_keys(keys, offsets), lossy_names, lossy_values))
    pairs = concat_texts(names, values.fill_null(text_scalar("null")), separator=":")
    return _render_collections(array, offsets, (pairs, lossy), "{}")


def _render_collections(array: pa.Array, offsets: Int64, elements: RenderResult, brackets: str) -> RenderResult:
    """Renders lists or maps.

    Args:
        array: the column.
        offsets: offset of the first element of each row, and the number of elements.
        elements: the rendered elements.
        brackets: opening and closing bracket.
    """
    strings, lossy_elements = elements
    inner = join_elements(strings.fill_null(text_scalar("null")), offsets, ",")
    rendered = copy_nulls(concat_texts(brackets[0], inner, brackets[1]), array)
    lossy = None if lossy_elements is None else any_per_row(lossy_elements, offsets)
    return rendered, lossy if lossy is not None and lossy.any() else None


def _any_mask(masks: Iterable[Bool | None]) -> Bool | None:
    """Returns the union of masks; None stands for a mask of no row."""
    known = [mask for mask in masks if mask is not None]
    return functools.reduce(np.logical_or, known) if known else None
