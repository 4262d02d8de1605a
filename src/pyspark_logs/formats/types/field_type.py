"""What all field types have in common, and the plain texts.

``parse`` is the exact meaning of a text, one value at a time. ``convert`` does the same for a column
and may give up on some rows: it returns which rows it is sure of, and the others are parsed exactly.
A row that is sure is also good: whatever is not of its type is never sure. ``render`` is the way back:
the texts of a column, and which rows have none that ``parse`` would make the same value of.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.escape_styles import EscapeStyle

ConversionResult = tuple["pa.Array", "Bool | None"]
RenderResult = tuple["pa.Array", "Bool | None"]
ResolveType = Callable[["pa.DataType"], "FieldType | None"]


@dataclass(frozen=True)
class FieldType:
    """What the text of a field means.

    Attributes:
        takes_rest: as the last field it takes the rest of the line whatever follows.
        escapes: whether texts may hold characters of the value otherwise than as they are.
        syntax: a regex for types that know where they end themselves.
        text: whether values are the texts as they stand, but for escapes.
        checked: whether some texts are none of the type.
        alphabet: all characters that rendered texts are made of; None: any.
        bare: of a quoted type, whether a text without its quotes is one, too, as it stands.
        raw: of a quoted type, whether quotes may stand in it as they are, see :data:`escapes.RAW_QUOTED`.
    """

    takes_rest: ClassVar[bool] = False
    quoted: ClassVar[bool] = False
    quotes_optional: ClassVar[bool] = False
    allows_raw_quotes: ClassVar[bool] = False
    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True
    escapes: ClassVar[bool] = False
    alphabet: ClassVar[str | None] = None

    @property
    def syntax(self) -> re.Pattern[str] | None:
        return None

    def never_begins(self, character: str) -> bool | None:
        """Whether no text of ``syntax`` begins with a character; None: that is known of the type as such."""
        return None

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        """Where texts of ``syntax`` that begin at ``starts`` end, at most at ``limits``; -1 where there is none.

        Asked of types whose ends are not known otherwise: neither quoted ones nor times.
        """
        ends = np.full(len(starts), -1, np.int32)
        if self.syntax is not None:
            pattern = _of_bytes(self.syntax)
            for row, (start, limit) in enumerate(zip(starts.tolist(), limits.tolist(), strict=True)):
                match = pattern.match(block, start, limit)
                ends[row] = match.end() if match else -1
        return ends

    def resolve_escape_style(self, escape: bool) -> EscapeStyle | None:
        """How characters are escaped in a field's text; None: not at all.

        Args:
            escape: whether the format's unquoted strings have backslash escapes.
        """
        return None

    def arrow(self) -> pa.DataType:
        """The Arrow type of the column."""
        raise TypeError(f"{type(self).__name__} does not say its Arrow type")

    def reinterpret(self, dtype: pa.DataType, resolve: ResolveType) -> FieldType | None:
        """Returns the type that reads the same field as another Arrow type; None if the text has no such meaning.

        Args:
            dtype: the Arrow type, other than that of :meth:`arrow`.
            resolve: gives the plainest field type of an Arrow type, or None.
        """
        return resolve(dtype) if pa.types.is_string(dtype) else None

    def parse(self, text: str, context: TimestampContext) -> Any:
        """The value of a text; ValueError where the text is not of this type."""
        raise TypeError(f"{type(self).__name__} cannot parse")

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        """The texts of a column, null where it is, and which rows' texts do not mean the value (None: all do).

        Args:
            array: of type ``arrow()``.
            zone: the zone that zoneless timestamps are written in.
        """
        return array.cast("string"), None

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        """The column of a string array (no nulls), and which of its rows are surely right (None: all)."""
        return parse_distinct(self, array, context)


@functools.lru_cache(maxsize=64)
def _of_bytes(pattern: re.Pattern[str]) -> re.Pattern[bytes]:
    """The same expression over UTF-8; one that names only ASCII characters means the same there."""
    return re.compile(pattern.pattern.encode(), pattern.flags & ~(re.UNICODE | re.ASCII))


def parse_distinct(field_type: FieldType, array: pa.Array, context: TimestampContext) -> ConversionResult:
    """One text at a time; equal texts only once."""
    encoded = array.dictionary_encode()
    values: list[Any] = []
    fine = np.ones(len(encoded.dictionary), np.bool_)
    for index, text in enumerate(encoded.dictionary.to_pylist()):
        try:
            values.append(field_type.parse(text, context))
        except ValueError:
            values.append(None)
            fine[index] = False
    column = pa.array(values, field_type.arrow()).take(encoded.indices)
    return column, None if fine.all() else fine[encoded.indices.to_numpy()]


def cast_or_parse(
    field_type: FieldType, array: pa.Array, context: TimestampContext, *, only: bytes
) -> ConversionResult:
    """Arrow's own cast where all characters are among ``only``; it takes spellings that we do not."""
    if contains_only(array, only):
        try:
            return array.cast(field_type.arrow()), None
        except pa.ArrowInvalid:
            pass  # one bad text fails the whole column: find it below
    return parse_distinct(field_type, array, context)


def contains_only(array: pa.Array, only: bytes) -> bool:
    """Whether all characters of the texts are among ``only``."""
    text = spans.string_bytes(array)
    if len(text) == 0 or (text.min() >= 48 and text.max() <= 57 and b"0123456789" in only):
        return True  # digits alone, as nearly always: two quick passes instead of a lookup
    alphabet = np.zeros(256, np.bool_)
    alphabet[np.frombuffer(only, np.uint8)] = True
    return bool(alphabet[text].all())


def render_validated(field_type: FieldType, array: pa.Array) -> RenderResult:
    """Texts of a type that keeps the text as it is, once checked: those that fail the check are wrong."""
    there = array.is_valid().to_numpy(zero_copy_only=False)
    _, fine = field_type.convert(array if array.null_count == 0 else array.drop_null(), TimestampContext())
    if fine is None:
        return array, None
    wrong = np.zeros(len(array), np.bool_)
    wrong[there] = ~fine
    return array, wrong
