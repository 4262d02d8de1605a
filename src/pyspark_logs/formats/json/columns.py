"""From the slots of a shape of JSON lines to columns, nested ones too.

A value of a shape is a tree of objects and arrays that all its lines have, with slots in the place of strings,
numbers and words. So a struct is made of the columns of its fields, and the JSON text of an object is a join of the
texts of its slots and of what is between them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import scatter_result
from pyspark_logs.formats.columnar.spans import Bool, Int32
from pyspark_logs.formats.json.values import lookup
from pyspark_logs.formats.timestamps.parsing import HIGHEST_US, LOWEST_US, TimestampContext
from pyspark_logs.formats.timestamps.zones import utc_to_local
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Boolean, DecimalNumber, Floating, Integer
from pyspark_logs.formats.types.registry import for_arrow
from pyspark_logs.formats.types.temporal import Date, Epoch, Timestamp
from pyspark_logs.formats.types.text import Text

Column = tuple[pa.Array, Bool | None] | None  # and which rows are sure (None: all); None: not one is

_FIRST_PRINTABLE = 0x20
_ESCAPES = {'"': '"', "/": "/", "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True)
class ShapeValue:
    """The place of a value: its number, and whether it is in quotes (the quotes are the literals')."""

    index: int
    quoted: bool


class ShapeColumns:
    """The texts in the slots of the lines of one shape, and columns of them.

    Args:
        block: the lines.
        view: its bytes.
        bounds: of each slot, where its text begins and ends in each line.
        count: of lines.
        context: the zone and the year bound.
    """

    def __init__(
        self,
        block: bytes,
        view: spans.Bytes,
        bounds: Sequence[tuple[Int32, Int32]],
        count: int,
        context: TimestampContext,
    ) -> None:
        self.block, self.view, self.bounds, self.count, self.context = block, view, bounds, count, context
        self._plain: dict[int, tuple[pa.Array, Bool, Bool]] = {}
        self._strings: dict[int, pa.Array] = {}

    def scalars(self, slot: ShapeValue) -> Bool:
        """Which lines surely have a JSON number, or ``null``, ``true`` or ``false``, in a slot without quotes."""
        _, null, fine = self._scalars(slot)
        return null | fine

    def at(self, record: dict[str, Any], path: Sequence[str], dtype: pa.DataType, time: FieldType | None) -> Column:
        """The column of what stands at a path."""
        node: Any = record
        for key in path:
            if isinstance(node, ShapeValue):
                return self._null_or_unsure(node, dtype)
            if not isinstance(node, dict):
                return None
            there = lookup(node, key)
            if there is None:
                return self._nulls(dtype)
            node = node[there]
        return self.column(node, dtype, time)

    def column(self, node: Any, dtype: pa.DataType, time: FieldType | None = None) -> Column:
        """The column of a value of the shape (None: no line has one)."""
        if node is None:
            return self._nulls(dtype)
        if isinstance(node, ShapeValue):
            return self._quoted(node, dtype, time) if node.quoted else self._unquoted(node, dtype, time)
        if time is not None:
            return None
        if pa.types.is_string(dtype):
            return self._json_text(node)
        if pa.types.is_struct(dtype) and isinstance(node, dict):
            keys = [lookup(node, field.name) for field in dtype]
            children = [
                self.column(None if key is None else node[key], field.type)
                for key, field in zip(keys, dtype, strict=True)
            ]
            return _struct(children, dtype)
        if pa.types.is_list(dtype) and isinstance(node, list):
            return self._collection(node, dtype, None)
        if pa.types.is_map(dtype) and isinstance(node, dict):
            return self._collection(list(node.values()), dtype, list(node))
        return None

    # --- one slot ---------------------------------------------------------------------------------------------

    def _nulls(self, dtype: pa.DataType) -> Column:
        return pa.nulls(self.count, dtype), None

    def _null_or_unsure(self, slot: ShapeValue, dtype: pa.DataType) -> Column:
        """A slot where an object should be: that is well only where it is null."""
        return None if slot.quoted else (pa.nulls(self.count, dtype), self._scalars(slot)[1])

    def _texts(self, slot: ShapeValue) -> pa.Array:
        if slot.index not in self._strings:
            self._strings[slot.index] = spans.field_strings(self.block, *self.bounds[slot.index])
        return self._strings[slot.index]

    def _scalars(self, slot: ShapeValue) -> tuple[pa.Array, Bool, Bool]:
        """The texts that are not ``null``, where it is, and which lines have another scalar that surely is one."""
        if slot.index not in self._plain:
            start, end = self.bounds[slot.index]
            null = spans.literal_at(self.view, start, b"null") & (end - start == len(b"null"))
            texts = spans.field_strings(self.block, start[~null], end[~null]) if null.any() else self._texts(slot)
            fine = np.zeros(self.count, np.bool_)
            fine[~null] = _plain_scalars(texts)
            self._plain[slot.index] = texts, null, fine
        return self._plain[slot.index]

    def _unquoted(self, slot: ShapeValue, dtype: pa.DataType, time: FieldType | None) -> Column:
        texts, null, _ = self._scalars(slot)
        values, fine = _plain_column(texts, dtype, self.context, time)
        if not null.any():
            return values, fine
        return scatter_result(values, fine, null)

    def _quoted(self, slot: ShapeValue, dtype: pa.DataType, time: FieldType | None) -> Column:
        if isinstance(time, Epoch):
            return None
        return _quoted_column(_unescaped(self._texts(slot)), dtype, self.context, time)

    # --- nested values ----------------------------------------------------------------------------------------

    def _json_text(self, node: Any) -> Column:
        """The text of an object or array, written without blanks; not sure of strings that are escaped otherwise."""
        pieces: list[Any] = []
        constant = ""
        sure: Bool = np.ones(self.count, np.bool_)
        for piece in _pieces(node):
            if isinstance(piece, str):
                constant += piece
                continue
            texts = self._texts(piece)
            if piece.quoted:
                sure &= ~_written_otherwise(texts)
            pieces += [constant, texts]
            constant = ""
        if not pieces:
            return pa.repeat(constant, self.count), None
        return pc.binary_join_element_wise(*pieces, constant, ""), None if sure.all() else sure

    def _collection(self, nodes: list[Any], dtype: pa.DataType, keys: list[str] | None) -> Column:
        """An array, or a map, of as many elements in each line."""
        size = len(nodes)
        element = dtype.value_type if keys is None else dtype.item_type
        sure: Bool = np.ones(self.count, np.bool_)
        items = pa.array([], element)
        if size:
            built = [self.column(node, element) for node in nodes]
            arrays = []
            for one in built:
                if one is None:
                    return None
                arrays.append(one[0])
                sure = sure if one[1] is None else sure & one[1]
            order = np.arange(size)[None, :] * self.count + np.arange(self.count)[:, None]
            items = pa.concat_arrays(arrays).take(pa.array(order.ravel()))
        offsets = pa.array(np.arange(self.count + 1, dtype=np.int32) * np.int32(size))
        if keys is None:
            whole = pa.ListArray.from_arrays(offsets, items, type=dtype)
        else:
            names = pa.array(keys * self.count, pa.string())
            whole = pa.MapArray.from_arrays(offsets, names, items, type=dtype)
        return whole, None if sure.all() else sure


def _struct(children: list[Column], dtype: pa.StructType) -> Column:
    arrays, sure = [], None
    for child in children:
        if child is None:
            return None
        arrays.append(child[0])
        sure = child[1] if sure is None else sure if child[1] is None else sure & child[1]
    return pa.StructArray.from_arrays(arrays, fields=list(dtype)), sure


def _pieces(node: Any) -> Iterator[str | ShapeValue]:
    """The constant texts and the slots that make up the compact text of a value."""
    if isinstance(node, ShapeValue):
        yield from ('"', node, '"') if node.quoted else (node,)
        return
    is_object = isinstance(node, dict)
    yield "{" if is_object else "["
    for place, item in enumerate(node):
        if place:
            yield ","
        if is_object:
            yield json.dumps(item, ensure_ascii=False) + ":"
        yield from _pieces(node[item] if is_object else item)
    yield "}" if is_object else "]"


def _written_otherwise(texts: pa.Array) -> Bool:
    """Which strings are not escaped as we do: with raw control characters, or needlessly."""
    data = spans.string_bytes(texts)
    if len(data) == 0 or (data.min() >= _FIRST_PRINTABLE and not (data == ord("\\")).any()):
        return np.zeros(len(texts), np.bool_)
    return spans.as_bool(pc.match_substring_regex(texts, r"[\x00-\x1f]|\\/"))


def _unescaped(texts: pa.Array) -> pa.Array:
    """Strings with their escapes undone, which are of one character each."""
    data = spans.string_bytes(texts)
    if len(data) == 0 or not (data == ord("\\")).any():
        return texts
    if b"\\\\" not in data.tobytes():  # then each backslash begins an escape
        for character, meaning in _ESCAPES.items():
            texts = pc.replace_substring(texts, "\\" + character, meaning)
        return texts
    escaped = pc.match_substring(texts, "\\")
    plain = [json.loads(f'"{text}"', strict=False) for text in texts.filter(escaped).to_pylist()]
    return pc.replace_with_mask(texts, escaped, pa.array(plain, pa.string()))


def _plain_scalars(array: pa.Array) -> Bool:
    """Which texts are surely JSON numbers, or ``true`` or ``false``."""
    if len(array) == 0:
        return np.zeros(0, np.bool_)
    data = spans.string_bytes(array)
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    starts, lengths = offsets[:-1] - offsets[0], np.diff(offsets)
    digits = (data - 48) <= 9
    if digits.all() and (lengths > 0).all():
        return (data[starts] != 48) | (lengths == 1)
    if (lengths > 0).all() and _plain_decimals(data, digits, starts, lengths):
        return np.ones(len(array), np.bool_)
    number = pc.match_substring_regex(array, r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$")
    words = pc.is_in(array, value_set=pa.array(["true", "false"]))
    return spans.as_bool(pc.or_(number, words))


def _plain_decimals(data: spans.Bytes, digits: Bool, starts: Int32, lengths: Int32) -> bool:
    """Whether all texts are JSON numbers without an exponent; False: not sure."""
    odd = np.flatnonzero(~digits)
    minus, points = odd[data[odd] == 45], odd[data[odd] == 46]
    if len(minus) + len(points) != len(odd):
        return False
    negative = data[starts] == 45
    first = starts + negative
    if np.count_nonzero(negative) != len(minus) or (first >= starts + lengths).any():
        return False
    # At most one point each, between digits.
    texts = np.searchsorted(starts, points, side="right") - 1
    inside = (points > first[texts]) & (points < (starts + lengths - 1)[texts])
    if not inside.all() or (np.diff(texts) == 0).any():
        return False
    # A leading zero stands alone or before a point.
    behind = data[np.minimum(first + 1, len(data) - 1)]
    return bool(((data[first] != 48) | (starts + lengths == first + 1) | (behind == 46)).all())


def _plain_column(
    array: pa.Array, dtype: pa.DataType, context: TimestampContext, time: FieldType | None
) -> tuple[pa.Array, Bool | None]:
    """Unquoted scalars as a column; what is not of the type is not sure."""
    field_type = time or for_arrow(dtype)
    if isinstance(field_type, Text):
        return array, None
    if isinstance(field_type, Boolean):
        sure = spans.as_bool(pc.is_in(array, value_set=pa.array(["true", "false"])))
        return pc.equal(array, "true"), sure
    if isinstance(field_type, (Integer, Floating, DecimalNumber, Epoch)):
        return field_type.convert(array, context)
    return pa.nulls(len(array), dtype), np.zeros(len(array), np.bool_)


def _quoted_column(array: pa.Array, dtype: pa.DataType, context: TimestampContext, time: FieldType | None) -> Column:
    """Strings as a column; None where no string is of the type."""
    field_type = time or for_arrow(dtype)
    if isinstance(field_type, Timestamp):
        values, fine = field_type.convert(array, context)
        if dtype.tz is not None:
            return values, fine
        walls = utc_to_local(values, context.zone)
        clock = walls.cast(pa.int64()).fill_null(0).to_numpy()
        there = (clock >= LOWEST_US) & (clock <= HIGHEST_US)
        return walls, there if fine is None else fine & there
    if isinstance(field_type, (Text, Date)) and not pa.types.is_nested(dtype):
        return field_type.convert(array, context)
    return None
