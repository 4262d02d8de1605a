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
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.prefix_words import Words
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32, Int64
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.escape_styles import EscapeStyle

ConversionResult = tuple["pa.Array", "Bool | None"]
RenderResult = tuple["pa.Array", "Bool | None"]
ResolveType = Callable[["pa.DataType"], "FieldType | None"]
# Replaces the strings of an array; the second argument is the separator if the strings are elements of a list.
ReplaceStrings = Callable[["pa.Array", "str | None"], "pa.Array"]

_GROUP_NAME = re.compile(r"\(\?P<\w+>")


class ScannedValues(NamedTuple):
    """Values found by the syntax of their type, one for each line.

    Attributes:
        ends: end offset of each value.
        certain: mask of the lines in which a value was found and may end there.
        instants: values as microseconds since the epoch, of times; None: the type is no time.
    """

    ends: Int32
    certain: Bool
    instants: Int64 | None = None


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
    #: True if a value is searched by the delimiter after it; :meth:`may_continue` finds the values that go on.
    ends_at_delimiter: ClassVar[bool] = False
    #: Text that continues a value if it stands right of the delimiter that ends the field; "": none does.
    continued_by: ClassVar[str] = ""
    #: True if values contain several strings, whose encoding is checked after rendering.
    is_nested: ClassVar[bool] = False

    @property
    def notation(self) -> str:
        """Name of the type in the template notation, for messages."""
        return type(self).__name__.lower()

    @property
    def syntax(self) -> re.Pattern[str] | None:
        return None

    @property
    def re2_pattern(self) -> str | None:
        """Regular expression (RE2) that matches every text of the type; None: a text of the type may be any text."""
        # Group names would be repeated where two fields of a line have the same pattern.
        return None if self.syntax is None else _GROUP_NAME.sub("(?:", self.syntax.pattern)

    def never_begins(self, character: str) -> bool:
        """Returns True if no text of ``syntax`` begins with the character; False if one does, or may do so."""
        return False

    def scan(
        self, block: bytes, view: Bytes, starts: Int32, limits: Int32, context: TimestampContext,
        is_followed: Callable[[Int32], Bool],
    ) -> ScannedValues:  # fmt: skip
        """Finds the values that begin at ``starts``, by ``syntax``. Not for quoted types.

        Args:
            block: lines, valid UTF-8.
            view: bytes of the block, from :func:`spans.terminated_view`.
            starts: start offset of the value in each line.
            limits: end offset of each line.
            context: zone and year bound of the file.
            is_followed: tells for an end offset in each line if a value may end there.
        """
        ends = self.find_ends(block, view, starts, limits)
        found = ends >= 0
        ends = np.where(found, ends, limits)
        return ScannedValues(ends, found & is_followed(ends))

    def may_continue(self, view: Bytes, starts: Int32, ends: Int32) -> Bool:
        """Returns a mask of the values that may extend past a delimiter at ``ends``; see ``ends_at_delimiter``."""
        return np.zeros(len(starts), np.bool_)

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

    def convert_masked(self, array: pa.Array) -> pa.Array | None:
        """Returns the column of a string array with nulls; None if the strings that are not null must be taken out."""
        return None

    def convert_instants(self, instants: Int64) -> pa.Array | None:
        """Returns the column of scanned instants; None if the type is read from the text."""
        return None

    @property
    def reads_words(self) -> bool:
        """True if :meth:`convert_words` can convert short texts."""
        return False

    def convert_words(self, words: Words, lengths: Int32, null: Bool | None) -> pa.Array | None:
        """Returns the column of texts given as their first eight bytes; None if a text is not of a plain short form.

        Args:
            words: from :func:`prefix_words.load_words`, one for each text.
            lengths: length of each text in bytes.
            null: mask of the values that are null whatever their text; None: no value is.
        """
        return None

    def extract(self, array: pa.Array) -> Any:
        """Returns the intermediate result that all columns of one field share, for :meth:`convert_extracted`."""
        return None

    def convert_extracted(self, array: pa.Array, extracted: Any, context: TimestampContext) -> ConversionResult:
        """Returns the same as :meth:`convert`, given the result of :meth:`extract` for the same strings."""
        return self.convert(array, context)

    # --- writing ------------------------------------------------------------------------------------------

    def avoiding(self, texts: tuple[str, ...]) -> FieldType:
        """Returns the type whose rendered texts escape some texts that would end the field, if it can do so."""
        return self

    def check_writable(self) -> None:
        """Raises FormatError if no value can be written in one line."""

    def escape(self, style: EscapeStyle, array: pa.Array, avoid: tuple[str, ...], tails: tuple[str, ...]) -> pa.Array:
        """Returns strings escaped for an unquoted field.

        Args:
            style: escape style of the field.
            array: rendered strings.
            avoid: texts that must not occur in a string.
            tails: texts that no string may end with.
        """
        return style.escape(array, avoid=avoid, tails=tails)

    def check_rendered(self, texts: pa.Array) -> tuple[Bool, str] | None:
        """Returns a mask of the rendered texts that ``syntax`` would end elsewhere, and the problem with them."""
        return None

    def map_strings(self, array: pa.Array, replace_strings: ReplaceStrings) -> pa.Array | None:
        """Returns the column with its strings replaced; None if values are not free text."""
        return None

    def comparable(self, array: pa.Array, zone: str) -> pa.Array:
        """Returns the column for a comparison of written values with values that were read back."""
        return array

    def may_extend_into(self, following: str, *, is_open: bool) -> bool:
        """Returns True if a written value may be read as a longer one.

        Args:
            following: constant text after the field.
            is_open: True if a field follows that text.
        """
        return False

    def null_may_extend_into(self, null: str, following: str) -> bool:
        """Returns True if ``syntax`` may read a null token as the beginning of a value.

        Args:
            null: null token that is written.
            following: constant text after the field.
        """
        if null == "" and following and self.never_begins(following[0]):
            return False
        return null[:1] != "-"

    @property
    def may_begin_with_blank(self) -> bool:
        """True if a written value may begin with a space or tab."""
        return False


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
