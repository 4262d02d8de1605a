"""Columns of the JSON lines of one shape, nested columns included.

All lines of a shape have the same objects and arrays and differ only in their scalars. So a struct column is built from
the columns of its fields, and the JSON text of an object is joined from constant text and the text of its scalars.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pyspark_logs.arrow_values import concat_texts, from_numpy, from_texts
from pyspark_logs.formats.column_names import find_name
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult, scatter_result
from pyspark_logs.formats.columnar.decoded_rows import intersect_masks
from pyspark_logs.formats.columnar.line_shapes import ValueSpans
from pyspark_logs.formats.columnar.spans import Bool, Bytes
from pyspark_logs.formats.json.scalars import (
    convert_strings,
    convert_unquoted,
    is_escaped_otherwise,
    is_number_or_boolean,
    unescape_json,
)
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType


@dataclass(frozen=True)
class ShapeValue:
    """A scalar of a shape.

    Attributes:
        index: index among the values of the shape.
        quoted: True if the scalar is a string. Its quotes are part of the literals of the shape.
    """

    index: int
    quoted: bool


class ShapeColumns:
    """Builds columns of the lines of one shape.

    A node is a value of the shape: a dict or list of nodes, or a :class:`ShapeValue`. Methods that return an optional
    :data:`~pyspark_logs.formats.types.field_type.ConversionResult` return None if no line is certain.

    Args:
        block: the lines.
        view: bytes of the block, in which escape sequences may be masked.
        values: spans of the values of the shape.
        count: number of lines.
        context: the zone and the year bound of the file.
    """

    def __init__(self, block: bytes, view: Bytes, values: ValueSpans, count: int, context: TimestampContext) -> None:
        self.block, self.view, self.values, self.count, self.context = block, view, values, count, context
        self._unquoted_cache: dict[int, tuple[pa.Array, Bool, Bool]] = {}
        self._string_cache: dict[int, pa.Array] = {}

    def is_scalar(self, value: ShapeValue) -> Bool:
        """Returns a mask of the lines in which an unquoted value is a JSON number, ``true``, ``false`` or ``null``."""
        _, null, valid = self._unquoted(value)
        return null | valid

    def column_at(
        self, record: dict[str, Any], path: Sequence[str], dtype: pa.DataType, time: FieldType | None
    ) -> ConversionResult | None:
        """Returns the column of the values at a path.

        Args:
            record: the shape of the lines.
            path: keys that lead to the value.
            dtype: type of the column.
            time: notation of a time; None: the type of the column decides.
        """
        node: Any = record
        for key in path:
            if isinstance(node, ShapeValue):
                # A scalar has no keys. The line is valid only if the scalar is null.
                return None if node.quoted else (pa.nulls(self.count, dtype), self._unquoted(node)[1])
            if not isinstance(node, dict):
                return None
            name = find_name(node, key)
            if name is None:
                return pa.nulls(self.count, dtype), None
            node = node[name]
        return self.column(node, dtype, time)

    def column(self, node: Any, dtype: pa.DataType, time: FieldType | None = None) -> ConversionResult | None:
        """Returns the values of one node of the shape, as a column.

        Args:
            node: the node; None: no line has a value.
            dtype: type of the column.
            time: notation of a time; None: the type of the column decides.

        Returns:
            The column and a mask of the lines with a correct value (None: all lines); None if no value is of the type.
        """
        if node is None:
            return pa.nulls(self.count, dtype), None
        if isinstance(node, ShapeValue):
            return self._scalar_column(node, dtype, time)
        if time is not None:
            return None
        if pa.types.is_string(dtype):
            return self._json_text_column(node)
        if pa.types.is_struct(dtype) and isinstance(node, dict):
            return self._struct_column(node, dtype)
        if pa.types.is_list(dtype) and isinstance(node, list):
            return self._list_column(node, dtype)
        if pa.types.is_map(dtype) and isinstance(node, dict):
            return self._map_column(node, dtype)
        return None

    def _scalar_column(self, value: ShapeValue, dtype: pa.DataType, time: FieldType | None) -> ConversionResult | None:
        if value.quoted:
            if time is not None and time.json_kind == "number":
                return None
            return convert_strings(unescape_json(self._strings(value)), dtype, self.context, time)
        tokens, null, _ = self._unquoted(value)
        column, certain = convert_unquoted(tokens, dtype, self.context, time)
        return scatter_result(column, certain, null) if null.any() else (column, certain)

    def _strings(self, value: ShapeValue) -> pa.Array:
        """Returns the text of a value in each line."""
        if value.index not in self._string_cache:
            self._string_cache[value.index] = spans.field_strings(self.block, *self.values[value.index])
        return self._string_cache[value.index]

    def _unquoted(self, value: ShapeValue) -> tuple[pa.Array, Bool, Bool]:
        """Returns the tokens that are not ``null``, a mask of the lines with ``null``, and one of those with a scalar."""
        if value.index not in self._unquoted_cache:
            starts, ends = self.values[value.index]
            null = spans.equals_literal(self.view, starts, ends, b"null")
            if null.any():
                tokens = spans.field_strings(self.block, starts[~null], ends[~null])
            else:
                tokens = self._strings(value)
            valid = np.zeros(self.count, np.bool_)
            valid[~null] = is_number_or_boolean(tokens)
            self._unquoted_cache[value.index] = tokens, null, valid
        return self._unquoted_cache[value.index]

    def _json_text_column(self, node: Any) -> ConversionResult:
        """Returns the text of objects or arrays without blanks. Strings that rendering escapes otherwise are uncertain."""
        parts: list[Any] = []
        constant = ""
        masks = []
        for part in _text_parts(node):
            if isinstance(part, str):
                constant += part
                continue
            strings = self._strings(part)
            if part.quoted:
                masks.append(~is_escaped_otherwise(strings))
            parts += [constant, strings]
            constant = ""
        if not parts:
            return pa.repeat(constant, self.count), None
        return concat_texts(*parts, constant), intersect_masks(masks)

    def _struct_column(self, node: dict[str, Any], dtype: pa.StructType) -> ConversionResult | None:
        children = []
        for field in dtype:
            key = find_name(node, field.name)
            child = self.column(None if key is None else node[key], field.type)
            if child is None:
                return None
            children.append(child)
        arrays, masks = [array for array, _ in children], [mask for _, mask in children]
        return pa.StructArray.from_arrays(arrays, fields=list(dtype)), intersect_masks(masks)

    def _list_column(self, nodes: list[Any], dtype: pa.ListType) -> ConversionResult | None:
        elements = self._interleaved(nodes, dtype.value_type)
        if elements is None:
            return None
        return pa.ListArray.from_arrays(self._offsets(len(nodes)), elements[0], type=dtype), elements[1]

    def _map_column(self, node: dict[str, Any], dtype: pa.MapType) -> ConversionResult | None:
        items = self._interleaved(list(node.values()), dtype.item_type)
        if items is None:
            return None
        keys = from_texts(list(node) * self.count)
        return pa.MapArray.from_arrays(self._offsets(len(node)), keys, items[0], type=dtype), items[1]

    def _offsets(self, size: int) -> pa.Array:
        """Returns the offsets of collections of the same size in each line."""
        return from_numpy(np.arange(self.count + 1, dtype=np.int32) * np.int32(size))

    def _interleaved(self, nodes: list[Any], dtype: pa.DataType) -> ConversionResult | None:
        """Returns the elements of a collection, line after line; the mask is of the lines."""
        if not nodes:
            return pa.nulls(0, dtype), None
        arrays, masks = [], []
        for node in nodes:
            column = self.column(node, dtype)
            if column is None:
                return None
            arrays.append(column[0])
            masks.append(column[1])
        order = np.arange(len(nodes))[None, :] * self.count + np.arange(self.count)[:, None]
        return pa.concat_arrays(arrays).take(from_numpy(order.ravel())), intersect_masks(masks)


def _text_parts(node: Any) -> Iterator[str | ShapeValue]:
    """Yields the constant text and the values that make up the JSON text of a node without blanks."""
    if isinstance(node, ShapeValue):
        yield from ('"', node, '"') if node.quoted else (node,)
        return
    is_object = isinstance(node, dict)
    yield "{" if is_object else "["
    for index, item in enumerate(node):
        if index:
            yield ","
        if is_object:
            yield json.dumps(item, ensure_ascii=False) + ":"
        yield from _text_parts(node[item] if is_object else item)
    yield "}" if is_object else "]"
