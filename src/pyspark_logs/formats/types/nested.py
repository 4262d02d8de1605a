"""Field types ``list`` and ``map``, and rendering of list and map columns.

The elements of all rows are one child array, which is rendered as a whole; offsets then join the strings of each row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, as_numbers, concat_texts, from_numpy, null_mask, only_where, text_scalar
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.spans import Bool, Int64
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types import escapes
from pyspark_logs.formats.types.field_type import FieldType, RenderResult, ReplaceStrings, ResolveType, parse_distinct
from pyspark_logs.formats.types.text import Text

_TEXT = Text()


def offsets_and_children(array: pa.Array) -> tuple[Int64, list[pa.Array]]:
    """Returns the offsets of a list or map column (one more than rows) and its elements, or its keys and items."""
    if array.offset or array.null_count:
        array = array.take(
            from_numpy(np.arange(len(array)))
        )  # drops the elements of null rows and outside of the slice
    bounds = as_numbers(array.offsets).astype(np.int64)
    first, count = (int(bounds[0]), int(bounds[-1] - bounds[0])) if len(bounds) else (0, 0)
    children = [array.keys, array.items] if pa.types.is_map(array.type) else [array.values]
    return bounds - first, [child.slice(first, count) for child in children]


def any_per_row(marked: Bool, bounds: Int64) -> Bool:
    """Returns a mask of the rows with at least one marked element."""
    before = np.concatenate([[0], np.cumsum(marked)])
    return np.asarray(before[bounds[1:]] > before[bounds[:-1]])


def join_elements(texts: pa.Array, bounds: Int64, separator: str) -> pa.Array:
    """Joins the strings of the elements of each row."""
    if len(bounds) < 2:
        return pa.nulls(0, pa.string())
    return pc.binary_join(pa.ListArray.from_arrays(from_numpy(bounds.astype(np.int32)), texts), separator)


def copy_nulls(texts: pa.Array, like: pa.Array) -> pa.Array:
    """Returns the texts with nulls where ``like`` is null."""
    return only_where(like.is_valid(), texts) if like.null_count else texts


def duplicate_keys(keys: pa.Array, bounds: Int64) -> Bool:
    """Returns a mask of the keys that occur earlier in the same row."""
    rows = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    names = keys.dictionary_encode()
    pairs = rows * (len(names.dictionary) + 1) + as_numbers(names.indices).astype(np.int64)
    _, first = np.unique(pairs, return_index=True)
    duplicate: Bool = np.ones(len(pairs), np.bool_)
    duplicate[first] = False
    return duplicate


def render_lists(array: pa.Array, separator: str) -> RenderResult:
    """Joins the strings of each list; lists that splitting would not restore have no text."""
    bounds, (elements,) = offsets_and_children(array)
    null = null_mask(elements)
    texts = join_elements(elements.fill_null(text_scalar("")), bounds, separator)
    unwritable = any_per_row(null, bounds)
    lengths = np.diff(bounds)
    unwritable |= (lengths > 0) & (as_numbers(pc.binary_length(texts), null=1) == 0)
    pieces = pc.split_pattern(texts, separator)
    unwritable |= (np.diff(as_numbers(pieces.offsets)) != lengths) & (lengths > 0)
    checked = ~unwritable & (lengths > 0)
    if checked.any() and len(separator) > 1:
        # Equally many elements may still differ: "a;" and "b" joined by ";;" are split into "a" and ";b".
        written, restored = (pc.list_flatten(lists.filter(checked)) for lists in (array, pieces))
        different = ~as_bool(pc.equal(written, restored))
        unwritable[checked] = any_per_row(different, np.concatenate([[0], np.cumsum(lengths[checked])]))
    return copy_nulls(texts, array), unwritable if unwritable.any() else None


def render_maps(array: pa.Array, avoid: Sequence[str] = ()) -> RenderResult:
    """Renders maps as ``k=v`` pairs.

    A value is quoted if it contains a blank, a line end or a text of ``avoid``, or begins with a quote. Maps have no text
    if a key is empty, occurs twice or contains a blank, ``=`` or a quote, or if a value is null.
    """
    bounds, (keys, items) = offsets_and_children(array)
    unwritable = as_bool(pc.match_substring_regex(keys, '^$|[ ="]')) | null_mask(items)
    unwritable |= duplicate_keys(keys, bounds)
    items = items.fill_null(text_scalar(""))
    special = pc.match_substring_regex(items, '^"|[ \n\r]')
    for text in avoid:
        special = pc.or_(special, pc.match_substring(items, text))
    if pc.any(special).as_py():
        quoted = escapes.escape_strings(items.filter(special), quoted=True, avoid=avoid)
        quoted = concat_texts('"', quoted, '"')
        items = pc.replace_with_mask(items, special, quoted)
    texts = join_elements(
        concat_texts(keys, items, separator="=") if len(keys) else pa.nulls(0, pa.string()), bounds, " "
    )
    rows = any_per_row(unwritable, bounds)
    return copy_nulls(texts, array), rows if rows.any() else None


@dataclass(frozen=True)
class ListOf(FieldType):
    """``list(<sep>)``: an array of strings or of the element type of the schema; an empty text is an empty array."""

    is_nested: ClassVar[bool] = True
    separator: str = ","
    element: FieldType = _TEXT

    @property
    def notation(self) -> str:
        return "list"

    def arrow(self) -> pa.DataType:
        return pa.list_(pa.field("element", self.element.arrow()))

    def unreadable_before(self, delimiter: str) -> str | None:
        return self.separator if delimiter in self.separator else None

    def parse(self, text: str, context: TimestampContext) -> list[Any]:
        if not text:
            return []
        return [self.element.parse(piece, context) for piece in text.split(self.separator)]

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_lists(array, self.separator)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        if not pa.types.is_string(self.element.arrow()) or pc.any(pc.equal(array, text_scalar(""))).as_py():
            return parse_distinct(self, array, context)
        pieces = pc.split_pattern(array, self.separator)
        return pa.ListArray.from_arrays(pieces.offsets, pieces.values, type=self.arrow()), None

    def map_strings(self, array: pa.Array, replace_strings: ReplaceStrings) -> pa.Array | None:
        compact = array.take(from_numpy(np.arange(len(array))))
        mask = pc.invert(compact.is_valid()) if compact.null_count else None
        elements = replace_strings(compact.values, self.separator)
        return pa.ListArray.from_arrays(compact.offsets, elements, type=array.type, mask=mask)

    def reinterpret(self, dtype: pa.DataType, resolve: ResolveType) -> FieldType | None:
        if not pa.types.is_list(dtype):
            return super().reinterpret(dtype, resolve)
        element = None if pa.types.is_timestamp(dtype.value_type) else resolve(dtype.value_type)
        return None if element is None else ListOf(self.separator, element)


@dataclass(frozen=True)
class MapOf(FieldType):
    """``map``: ``k=v`` pairs; a value may be double-quoted with backslash escapes.

    Attributes:
        avoid: texts that rendered values escape, because they would end the field.
    """

    avoid: tuple[str, ...] = ()

    takes_rest: ClassVar[bool] = True
    is_nested: ClassVar[bool] = True

    @property
    def notation(self) -> str:
        return "map"

    def avoiding(self, texts: tuple[str, ...]) -> FieldType:
        return replace(self, avoid=texts)

    def arrow(self) -> pa.DataType:
        return pa.map_(pa.string(), pa.string())

    def parse(self, text: str, context: TimestampContext) -> list[tuple[str, str]]:
        return list(escapes.parse_pairs(text).items())

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_maps(array, self.avoid)
