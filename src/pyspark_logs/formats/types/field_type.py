"""Interface of field types: the meaning of a field's text.

:meth:`FieldType.parse` defines the value of a text. :meth:`FieldType.convert` does the same for a column and returns a
mask of the rows that are converted correctly; a text that is not of the type is never among them. The other rows are
parsed one at a time. :meth:`FieldType.render` is the inverse: the texts of a column, and a mask of the rows for which
no text would be parsed to the same value.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from pyspark_logs.arrow_values import as_bool, as_numbers, from_values
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.prefix_words import Words
from pyspark_logs.formats.columnar.spans import (
    Bool,
    Bytes,
    Int32,
    Int64,
)
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.escape_styles import EscapeStyle
from pyspark_logs.formats.types.forms import CompiledForm, RenderedForm, TimeNotation

# The texts of a column and a mask of the rows whose text does not mean the value (None: no row).
RenderResult = tuple["pa.Array", "Bool | None"]
ResolveType = Callable[["pa.DataType"], "FieldType | None"]
# Replaces the strings of an array; the second argument is the separator if the strings are elements of a list.
ReplaceStrings = Callable[["pa.Array", "str | None"], "pa.Array"]

# JSON values that a type is converted from; "any": strings, numbers and booleans, whose text is the value.
JsonKind = Literal["string", "number", "boolean", "any"]

_GROUP_NAME = re.compile(r"\(\?P<\w+>")


class ScannedValues(NamedTuple):
    """Values found by the syntax of their type, one for each line.

    Attributes:
        ends: end offset of each value.
        certain: mask of the lines in which a value was found and may end there.
        instants: microseconds since the epoch, for types of times; None: the type is not a time.
    """

    ends: Int32
    certain: Bool
    instants: Int64 | None = None


@dataclass(frozen=True)
class FieldType:
    """Meaning of the text of a field.

    Attributes:
        takes_rest: True if the type, as the last field, extends to the end of the line.
        quoted: True if texts are enclosed in double quotes.
        quotes_optional: True if a text of a quoted type may also come without quotes.
        allows_raw_quotes: True if a quoted text may contain quotes that are not escaped; see
            :data:`~pyspark_logs.formats.types.escapes.RAW_QUOTED`.
        keeps_text: True if the value is the text itself, apart from escapes.
        is_validated: True if some texts are not of the type.
        escapes: True if texts may contain escapes.
        alphabet: all characters of rendered texts; None: any character.
        ends_at_delimiter: True if the delimiter after a value is searched for; :meth:`may_continue` finds the values
            that extend past it.
        must_match: True if a text that ``syntax`` does not match is of no column, whatever type the column has.
        continued_by: text that continues a value if it follows the delimiter; "": no text does.
        is_nested: True if values contain several strings, whose encoding is checked after rendering.
        json_kind: kind of the JSON values that the type is converted from.
        compiled_syntax: instruction by which compiled engines find a text of ``syntax``; "": they have none.
        compiled_syntax_text: text that the instruction needs.
        bare_key_value: value of a logfmt key without ``=``; None: such a key is null.
    """

    takes_rest: ClassVar[bool] = False
    quoted: ClassVar[bool] = False
    quotes_optional: ClassVar[bool] = False
    allows_raw_quotes: ClassVar[bool] = False
    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True
    escapes: ClassVar[bool] = False
    alphabet: ClassVar[str | None] = None
    ends_at_delimiter: ClassVar[bool] = False
    must_match: ClassVar[bool] = False
    continued_by: ClassVar[str] = ""
    is_nested: ClassVar[bool] = False
    json_kind: ClassVar[JsonKind] = "string"
    bare_key_value: ClassVar[bool | None] = None
    compiled_syntax: ClassVar[str] = ""
    compiled_syntax_text: ClassVar[bytes] = b""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "parse" in vars(cls) and "problem_classes" not in vars(cls):
            # The classes of the base are those of its messages.
            cls.problem_classes = FieldType.problem_classes  # type: ignore[method-assign]

    @property
    def compiled_form(self) -> CompiledForm:
        """Form in which compiled engines read the values; the default is correct for all types."""
        return CompiledForm(converts=True)

    @property
    def rendered_form(self) -> RenderedForm:
        """Form in which the machine renders the values; a class that overrides :meth:`render` has its own, or none."""
        return RenderedForm()

    @property
    def time_notation(self) -> TimeNotation | None:
        """Notation of times by which compiled engines find them; None: the type is not a time, or has no such notation."""
        return None

    @property
    def notation(self) -> str:
        """Name of the type in the template notation, for messages."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(self).__name__).lower()

    @property
    def description(self) -> str:
        """Noun phrase for a value of the type, for messages."""
        return f"a value of type {self.notation}"

    @property
    def rendered_pattern(self) -> str | None:
        """Strptime pattern of rendered texts; None: texts are not rendered by a pattern."""
        return None

    @property
    def syntax(self) -> re.Pattern[str] | None:
        """Regular expression that finds the end of a value; None: the text after the field ends it."""
        return None

    @property
    def re2_pattern(self) -> str | None:
        """Regular expression (RE2) that matches every text of the type; None: a text of the type may be any text."""
        # Group names would be repeated where two fields of a line have the same pattern.
        return None if self.syntax is None else _GROUP_NAME.sub("(?:", self.syntax.pattern)

    def never_begins(self, character: str) -> bool:
        """Returns True if no text of ``syntax`` begins with the character; False if one does, or may do so."""
        return False

    def excludes(self, text: str) -> bool:
        """Returns True if no text of the type contains all of ``text``; False if one does, or may do so."""
        return False

    def unreadable_before(self, delimiter: str) -> str | None:
        """Returns a text, of those that the type lists, that is never read if the delimiter ends the field; None: all are."""
        return None

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
        """Finds the ends of the texts of ``syntax`` that begin at ``starts``. Not for quoted types and times.

        Args:
            block: lines, valid UTF-8.
            view: bytes of the block.
            starts: start offset of the text in each line.
            limits: largest end offset in each line.

        Returns:
            End offsets; -1 where no text of the type begins.
        """
        ends = np.full(len(starts), -1, np.int32)
        if self.syntax is not None:
            pattern = _bytes_pattern(self.syntax)
            for row, (start, limit) in enumerate(zip(starts.tolist(), limits.tolist(), strict=True)):
                match = pattern.match(block, start, limit)
                ends[row] = match.end() if match else -1
        return ends

    def resolve_escape_style(self, escape: bool) -> EscapeStyle | None:
        """Returns the escape style of the field; None if it has no escapes.

        Args:
            escape: True if the unquoted strings of the format have backslash escapes.
        """
        return None

    def arrow(self) -> pa.DataType:
        """Returns the Arrow type of the column."""
        raise TypeError(f"{type(self).__name__} does not define its Arrow type")

    def reinterpret(self, dtype: pa.DataType, resolve: ResolveType) -> FieldType | None:
        """Returns the type that reads the same field as another Arrow type; None if the text has no such meaning.

        Args:
            dtype: the Arrow type, other than that of :meth:`arrow`.
            resolve: gives the plainest field type of an Arrow type, or None.
        """
        return resolve(dtype) if pa.types.is_string(dtype) else None

    def parse(self, text: str, context: TimestampContext) -> Any:
        """Returns the value of a text.

        Raises:
            ValueError: the text is not of this type.
        """
        raise TypeError(f"{type(self).__name__} does not define parse()")

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        """Renders a column.

        Args:
            array: column of the type :meth:`arrow`.
            zone: zone of timestamps that are written without a zone.

        Returns:
            Texts, null where the column is null, and a mask of the rows whose text does not mean the value (None: none).
        """
        return array.cast("string"), None

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        """Converts a string array without nulls to a column.

        Returns:
            The column and a mask of the rows that are converted correctly (None: all rows).
        """
        return parse_distinct(self, array, context)

    def problem_classes(self, texts: pa.Array) -> Int32 | None:
        """Returns the classes of texts that :meth:`parse` rejects with equal messages, so that it is called once for each class.

        Args:
            texts: strings without nulls.

        Returns:
            A class for each text, -1 for texts to parse one by one; None: all texts are parsed one by one.
        """
        return None

    @property
    def accepts_nulls(self) -> bool:
        """True if :meth:`convert_masked` can convert strings with nulls."""
        return False

    def convert_masked(self, array: pa.Array) -> pa.Array | None:
        """Converts a string array with nulls to a column; None if a string is not in the form that Arrow parses."""
        return None

    def convert_instants(self, instants: Int64) -> pa.Array | None:
        """Converts scanned instants to a column; None if the type is converted from the text."""
        return None

    @property
    def reads_words(self) -> bool:
        """True if :meth:`convert_words` can convert short fields."""
        return False

    def convert_words(self, words: Words, lengths: Int32, null: Bool | None) -> pa.Array | None:
        """Converts fields given by their first eight bytes; None if a field is longer or not in its plainest form.

        Args:
            words: word of each field, from :func:`prefix_words.load_words`.
            lengths: length of each field in bytes.
            null: mask of the fields that are null whatever they contain; None: no field.
        """
        return None

    @property
    def extraction(self) -> str:
        """Name of the result of :meth:`extract`; the columns of one field with the same name share the result."""
        return ""

    def extract(self, array: pa.Array) -> Any:
        """Returns an intermediate result for :meth:`convert_extracted`, which several columns of one field share."""
        return None

    def convert_extracted(self, array: pa.Array, extracted: Any, context: TimestampContext) -> ConversionResult:
        """Converts strings as :meth:`convert` does, given the result of :meth:`extract` for the same strings."""
        return self.convert(array, context)

    def avoiding(self, texts: tuple[str, ...]) -> FieldType:
        """Returns the type with rendered texts that escape ``texts``, which would end the field; self if it cannot."""
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
        """Returns a mask of the rendered texts whose end ``syntax`` would find elsewhere, and the problem with them."""
        return None

    def map_strings(self, array: pa.Array, replace_strings: ReplaceStrings) -> pa.Array | None:
        """Returns the column with its strings replaced; None if values are not free text."""
        return None

    def comparable(self, array: pa.Array, zone: str) -> pa.Array:
        """Returns the column in the form in which written values are compared with values that are read back."""
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
def _bytes_pattern(pattern: re.Pattern[str]) -> re.Pattern[bytes]:
    """Returns the pattern for UTF-8 bytes; patterns of field types name ASCII characters only, so both match the same."""
    return re.compile(pattern.pattern.encode(), pattern.flags & ~(re.UNICODE | re.ASCII))


def parse_distinct(field_type: FieldType, array: pa.Array, context: TimestampContext) -> ConversionResult:
    """Converts a string array by parsing each distinct text once."""
    encoded = array.dictionary_encode()
    values: list[Any] = []
    valid = np.ones(len(encoded.dictionary), np.bool_)
    for index, text in enumerate(encoded.dictionary.to_pylist()):
        try:
            values.append(field_type.parse(text, context))
        except ValueError:
            values.append(None)
            valid[index] = False
    column = from_values(values, field_type.arrow()).take(encoded.indices)
    return column, None if valid.all() else valid[as_numbers(encoded.indices)]


def render_validated(field_type: FieldType, array: pa.Array) -> RenderResult:
    """Renders strings of a type that only validates them; invalid strings have no text."""
    present = as_bool(array.is_valid())
    _, valid = field_type.convert(array if array.null_count == 0 else array.drop_null(), TimestampContext())
    if valid is None:
        return array, None
    unwritable = np.zeros(len(array), np.bool_)
    unwritable[present] = ~valid
    return array, unwritable
