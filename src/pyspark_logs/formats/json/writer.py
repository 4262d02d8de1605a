"""Lines of JSON, one object each, by the column; nested values by the columns that they are made of."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.json.fields import JsonField
from pyspark_logs.formats.json.values import dump, load
from pyspark_logs.formats.line_writer import FindUnencodable, UnwritableValues, characters_of, unwritable
from pyspark_logs.formats.timestamps.rendering import render_iso
from pyspark_logs.formats.types.casts import fits, plain_type, replace_invalid_utf8, to_instants
from pyspark_logs.formats.types.field_type import RenderResult
from pyspark_logs.formats.types.nested import (
    any_per_row,
    copy_nulls,
    duplicate_keys,
    join_elements,
    offsets_and_children,
)
from pyspark_logs.formats.types.numeric import render_decimals
from pyspark_logs.formats.types.temporal import Date, Epoch

_FIRST_PRINTABLE = 0x20
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


class JsonWriter:
    """Renders columns as JSON; see :class:`pyspark_logs.formats.line_writer.LineWriter`.

    Every key is in every line, null as ``null``: so the lines of a file have one shape, which is what readers are
    fastest at, and a schema that is inferred from some of them has all columns.

    Args:
        schema: the columns.
        zone: of wall clocks.
        unencodable: which characters the encoding does not have.
        fields: for each column, where its value goes and how it is written.
    """

    first = 0

    def __init__(
        self, schema: pa.Schema, zone: str, unencodable: FindUnencodable | None, fields: Sequence[JsonField]
    ) -> None:
        self.zone, self.unencodable = zone, unencodable
        self.names = tuple(schema.names)
        self.nullable = (True,) * len(self.names)
        self.times = [field.time() for field in fields]
        self.json = [field.type == "json" for field in fields]
        self.order, self.openings, self.closing = _keys_between([field.keys for field in fields])

    def cast_lossless(self, batch: pa.RecordBatch) -> tuple[list[pa.Array], list[UnwritableValues]]:
        """The columns as they are; strings that are not UTF-8, and times that never were, are found."""
        columns, found = [], []
        for place, name in enumerate(self.names):
            array = _plain(batch.column(name))
            if self.times[place] is not None:
                array, lost = to_instants(array, self.zone)
                found += unwritable(place, lost, "never was in the time zone, or is finer than microseconds")
            elif pa.types.is_string(array.type):
                array, lost = replace_invalid_utf8(array)
                found += unwritable(place, lost, "is not valid UTF-8")
            columns.append(array)
        return columns, found

    def lines(self, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[UnwritableValues]]:
        """Texts between constant keys."""
        pieces: list[pa.Array | str] = []
        found: list[UnwritableValues] = []
        quote = ""
        for place, opening in zip(self.order, self.openings, strict=True):
            array = columns[place]
            plain = self.times[place] is None and not self.json[place]
            if plain and pa.types.is_string(array.type) and array.null_count == 0:
                pieces += [quote + opening + '"', escaped_texts(array)]  # its quotes are part of the constants
                quote = '"'
                continue
            texts, wrong = self._texts(place, array)
            found += unwritable(place, wrong, "has no JSON text that reads back")
            pieces += [quote + opening, texts.fill_null("null")]
            quote = ""
        pieces.append(quote + self.closing + "\n")
        lines = pc.binary_join_element_wise(*pieces, "")
        for character in self.unencodable(characters_of(lines)) if self.unencodable is not None else ():
            lines = pc.replace_substring(lines, character, json.dumps(character)[1:-1])
        return lines, found

    def _texts(self, place: int, array: pa.Array) -> RenderResult:
        time = self.times[place]
        if self.json[place]:
            return _embedded(array), None
        if time is None:
            return json_texts(array, self.zone)
        texts, wrong = time.render(array, self.zone)
        if not isinstance(time, Epoch):
            texts = pc.binary_join_element_wise('"', escaped_texts(texts), '"', "")
        return texts, wrong

    def checked(self, columns: Sequence[pa.Array]) -> None:
        """No row: what is written is JSON by construction."""
        return

    def comparable(self, column: int, array: pa.Array) -> list[str]:
        """Never asked for, as no line is checked."""
        return [str(value) for value in array.to_pylist()]

    def spaced(self, column: int, values: pa.Array) -> pa.Array | None:
        """Strings are always writable, but for bytes that are no text: those are U+FFFD by now."""
        return values if pa.types.is_string(values.type) else None


def check_field(given: pa.Field, field: JsonField) -> str:
    """Why a column cannot be written as a documented field; "" if it can."""
    target = field.arrow()
    if fits(given.type, target) or plain_type(given.type) == target:
        return ""
    return f"{given.name!r} is {given.type}, not {target}, as {field.type} is written from; cast it in the query"


def check_paths(fields: Sequence[JsonField]) -> list[str]:
    """What is wrong with fields that would be inside of each other."""
    return [
        f"{one.name!r} would be inside of {other.name!r}"
        for one, other in itertools.permutations(fields, 2)
        if one.keys[: len(other.keys)] == other.keys
    ]


def check_writable(name: str, dtype: pa.DataType) -> str:
    """Why a column of the type cannot be JSON; "" if it can."""
    dtype = plain_type(dtype)
    if pa.types.is_list(dtype):
        return check_writable(name, dtype.value_type)
    if pa.types.is_map(dtype):
        if not pa.types.is_string(plain_type(dtype.key_type)):
            return f"{name!r} has keys of type {dtype.key_type}, but those of JSON objects are strings"
        return check_writable(name, dtype.item_type)
    if pa.types.is_struct(dtype):
        names = [field.name for field in dtype]
        if len(set(names)) < len(names):
            return f"{name!r} has two fields of one name"
        return next((why for f in dtype if (why := check_writable(f"{name}.{f.name}", f.type))), "")
    plain = pa.types.is_string, pa.types.is_boolean, pa.types.is_integer, pa.types.is_float32, pa.types.is_float64
    known = *plain, pa.types.is_decimal, pa.types.is_date, pa.types.is_timestamp, pa.types.is_null
    return "" if any(test(dtype) for test in known) else f"{name!r} is {dtype}, which no JSON value is"


def json_texts(array: pa.Array, zone: str) -> RenderResult:
    """The JSON texts of any column, null where it is null, and which do not read back."""
    array = _plain(array)
    dtype = array.type
    if pa.types.is_string(dtype):
        whole, wrong = replace_invalid_utf8(array)
        return pc.binary_join_element_wise('"', escaped_texts(whole), '"', ""), wrong
    if pa.types.is_struct(dtype):
        return _object_texts(array, zone)
    if pa.types.is_list(dtype):
        bounds, (items,) = offsets_and_children(array)
        return _collection_texts(array, bounds, json_texts(items, zone), "[]")
    if pa.types.is_map(dtype):
        return _map_texts(array, zone)
    if pa.types.is_timestamp(dtype) or pa.types.is_date(dtype):
        return _time_texts(array, zone)
    if pa.types.is_floating(dtype):
        wrong = ~spans.as_bool(pc.is_finite(array)) & array.is_valid().to_numpy(zero_copy_only=False)
        return _float_texts(array), wrong if wrong.any() else None
    if pa.types.is_decimal(dtype):
        return render_decimals(array), None
    return array.cast(pa.string()), None


def _embedded(array: pa.Array) -> pa.Array:
    """Texts of JSON as what they are; those that reading would not give back the same, and other texts, as strings."""

    def embedded(text: str) -> str:
        if text[:1] in ("{", "["):
            with suppress(ValueError):
                if dump(load(text)) == text:
                    return text
        return json.dumps(text, ensure_ascii=False)

    return pa.array([None if text is None else embedded(text) for text in array.to_pylist()], pa.string())


def _keys_between(paths: Sequence[tuple[str, ...]]) -> tuple[list[int], list[str], str]:
    """The order in which values are written, so that those of one object stand together; and what is before each.

    Args:
        paths: keys that lead to each value; none is the beginning of another.

    Returns:
        places in ``paths``, the text before the value of each of these, and the text behind the last value.

    >>> _keys_between([("a", "x"), ("b",), ("a", "y")])
    ([0, 2, 1], ['{"a":{"x":', ',"y":', '},"b":'], '}')
    """
    first: dict[tuple[str, ...], int] = {}
    for path in paths:
        for end in range(1, len(path) + 1):
            first.setdefault(path[:end], len(first))
    order = sorted(
        range(len(paths)), key=lambda place: [first[paths[place][:end]] for end in range(1, len(paths[place]) + 1)]
    )
    openings: list[str] = []
    inside: tuple[str, ...] = ()  # the objects that are open
    for place in order:
        *parents, key = (json.dumps(name, ensure_ascii=False) for name in paths[place])
        shared = sum(
            1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(inside, parents, strict=False))
        )
        text = "}" * (len(inside) - shared) + ("," if openings else "{")
        openings.append(text + "".join(f"{name}:{{" for name in parents[shared:]) + key + ":")
        inside = tuple(parents)
    return order, openings, "}" * (len(inside) + 1)


def _plain(array: pa.Array) -> pa.Array:
    plain = plain_type(array.type)
    return array if array.type == plain else array.cast(plain)


def escaped_texts(array: pa.Array) -> pa.Array:
    """Strings without their quotes; control characters escaped, all else as it is."""
    data = spans.string_bytes(array)
    if len(data) == 0:
        return array
    raw = data.tobytes()
    for character in ("\\", '"'):
        if character.encode() in raw:
            array = pc.replace_substring(array, character, "\\" + character)
    if data.min() < _FIRST_PRINTABLE:
        for code in sorted(set(data[data < _FIRST_PRINTABLE].tolist())):
            array = pc.replace_substring(array, chr(code), _SHORT.get(chr(code), f"\\u{code:04x}"))
    return array


def _float_texts(array: pa.Array) -> pa.Array:
    """The shortest text; for narrow floats only where it survives being read as a double first."""
    texts = array.cast(pa.string())
    if array.type == pa.float64():
        return texts
    doubles = array.cast(pa.float64())
    same = pc.equal(texts.cast(pa.float64()).cast(array.type, safe=False), array)
    return pc.if_else(same.fill_null(True), texts, doubles.cast(pa.string()))


def _time_texts(array: pa.Array, zone: str) -> RenderResult:
    """ISO texts in quotes: days as days, timestamps in UTC, wall clocks by the zone."""
    if pa.types.is_date(array.type):
        texts, wrong = Date().render(array.cast(pa.date32()), zone)
    else:
        times, lost = to_instants(array, zone)
        texts, wrong = render_iso(times)
        wrong = lost if wrong is None else wrong if lost is None else wrong | lost
    return pc.binary_join_element_wise('"', texts, '"', ""), wrong


def _object_texts(array: pa.Array, zone: str) -> RenderResult:
    if array.type.num_fields == 0:
        return copy_nulls(pa.array(["{}"] * len(array), pa.string()), array), None
    pieces: list[Any] = []
    wrong = None
    for field, child in zip(array.type, array.flatten(), strict=True):
        texts, bad = json_texts(child, zone)
        pieces += ["," if pieces else "{", json.dumps(field.name, ensure_ascii=False) + ":", texts.fill_null("null")]
        wrong = bad if wrong is None else wrong if bad is None else wrong | bad
    return copy_nulls(pc.binary_join_element_wise(*pieces, "}", ""), array), wrong


def _map_texts(array: pa.Array, zone: str) -> RenderResult:
    """An object; wrong where a key comes twice."""
    bounds, (keys, items) = offsets_and_children(array)
    if len(keys) == 0:
        return _collection_texts(array, bounds, (pa.array([], pa.string()), None), "{}")
    names, bad_names = json_texts(keys, zone)
    values, bad = json_texts(items, zone)
    marked = duplicate_keys(keys, bounds)
    for one in (bad_names, bad):
        marked = marked if one is None else marked | one
    pairs = pc.binary_join_element_wise(names, values.fill_null("null"), ":")
    return _collection_texts(array, bounds, (pairs, marked), "{}")


def _collection_texts(array: pa.Array, bounds: spans.Int64, items: RenderResult, brackets: str) -> RenderResult:
    texts, marked = items
    inside = join_elements(texts.fill_null("null"), bounds, ",")
    whole = copy_nulls(pc.binary_join_element_wise(brackets[0], inside, brackets[1], ""), array)
    wrong = None if marked is None else any_per_row(marked, bounds)
    return whole, wrong if wrong is not None and wrong.any() else None
