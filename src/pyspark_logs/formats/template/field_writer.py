"""Writer of one field of a template: renders its values, and finds those that would not be read back.

The checks compare texts with constants and are exact; no check depends on other fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, concat_texts, from_texts, null_mask, text_scalar, to_scalar
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.template.segments import FieldPadding
from pyspark_logs.formats.types import escapes
from pyspark_logs.formats.types.casts import replace_invalid_utf8
from pyspark_logs.formats.types.escape_styles import EscapeStyle
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.writing.field_context import BLANKS, LINE_ENDS, FieldContext
from pyspark_logs.formats.writing.line_writer import FindUnencodable, UnwritableValues, characters_of, unwritable_values

_MAX_OVERLAPS = 8  # replacing one of several overlapping occurrences leaves the others for the next round


@dataclass(frozen=True)
class FieldWriter:
    """Writer of one field.

    Attributes:
        type: type of the field.
        null_texts: texts that are read as null, the preferred one first; (): the field is not nullable.
        escape: True if unquoted strings have backslash escapes.
        zone: zone of timestamps without a zone.
        unencodable: function from characters to those that the encoding lacks; None: it lacks none.
        padding: spaces beside the value; None: there are none.
        never_blank: True if a value is never empty and neither begins nor ends with a space.
    """

    type: FieldType
    null_texts: tuple[str, ...]
    escape: bool
    zone: str
    unencodable: FindUnencodable | None = field(default=None, compare=False)
    padding: FieldPadding | None = None
    never_blank: bool = False

    @property
    def nullable(self) -> bool:
        """True if null can be written."""
        return bool(self.null_texts)

    def null_text(self, context: FieldContext) -> str | None:
        """Returns the text written for null, without quotes; None if no text would be read as null."""
        if self.type.quoted:
            return next((text for text in self.null_texts if not set('"\\\r\n') & set(text)), None)
        texts = [text for text in self.null_texts if not self.never_blank or (text and text == text.strip(" "))]
        if "" in texts and self._matches_nothing:
            return ""
        return next((text for text in texts if context.accepts(text)), None)

    @property
    def _matches_nothing(self) -> bool:
        """True if the syntax of the field matches the empty text, so that the field may be left out."""
        return self.type.syntax is not None and self.type.syntax.fullmatch("") is not None

    def texts(self, array: pa.Array, context: FieldContext, column: int) -> tuple[pa.Array, list[UnwritableValues]]:
        """Renders the values of a column.

        Args:
            array: values.
            context: surroundings of the field.
            column: index of the column, for the unwritable values.

        Returns:
            A text for each value, without the quotes of a quoted field, and the values that would not read back.
        """
        field_type = self.type.avoiding(context.terminators)
        texts, mask = field_type.render(array, self.zone)
        found = unwritable_values(column, mask, f"is not a value that a field of type {field_type.notation} can write")
        if field_type.is_nested:
            texts, mask = replace_invalid_utf8(texts)
            found += unwritable_values(column, mask, "is not valid UTF-8")
        style = field_type.resolve_escape_style(self.escape)
        if style is not None:
            texts = self._escape(texts, context, style)
        elif self.unencodable is not None and field_type.alphabet is None and field_type.syntax is None:
            mask = _mask_any(texts, self.unencodable(characters_of(texts)), pc.match_substring)
            found += unwritable_values(column, mask, "has a character that the encoding lacks")
        if self.never_blank and not field_type.quoted:
            mask = as_bool(pc.match_substring_regex(texts, r"^ | \z|^\z"))
            found += unwritable_values(column, mask, "is empty, or begins or ends with a space")
        if self.nullable:
            is_null_text = as_bool(pc.is_in(texts, value_set=from_texts(list(self.null_texts))))
            found += unwritable_values(column, is_null_text, "would be read as null")
        if field_type.syntax is None:
            found += _check_delimited(texts, context, column, field_type.alphabet)
        else:
            found += _check_syntax(texts, field_type, column)
        if context.continuation:
            mask = _mask_any(texts, (context.continuation,), pc.starts_with)
            found += unwritable_values(column, mask, "would go on the list before it")
        if self.padding is not None:
            found += _check_padding(texts, self.padding, context, column)
        if array.null_count:
            null = self.null_text(context)
            if null is None:
                why = (
                    "would not be read as null here"
                    if self.nullable
                    else "cannot be written: the field has no '?', as in {name?}"
                )
                found += unwritable_values(column, null_mask(array), why)
            texts = texts.fill_null(text_scalar(null or ""))
        if self.padding is not None:
            pad = pc.utf8_lpad if self.padding.before else pc.utf8_rpad
            texts = pad(texts, self.padding.width, " ")
        return texts, found

    def _escape(self, texts: pa.Array, context: FieldContext, style: EscapeStyle) -> pa.Array:
        """Returns texts with all escapes that the context requires."""
        tails = (*context.early_tails, *context.uncertain_tails)
        texts = self.type.escape(style, texts, context.terminators, tails)
        heads = list(context.group_prefixes)
        if not self.type.quoted:
            heads = [
                *(BLANKS if context.follows_blanks else ()),
                *(prefix[0] for prefix in context.forbidden_prefixes),
                *filter(None, (context.continuation,)),
                *heads,
            ]
        for head in heads:
            texts = escapes.escape_first_character(texts, pc.starts_with(texts, head), style.escape_all)
        for null in filter(None, self.null_texts):
            texts = escapes.escape_first_character(texts, pc.equal(texts, text_scalar(null)), style.escape_all)
        for character in self.unencodable(characters_of(texts)) if self.unencodable is not None else ():
            texts = pc.replace_substring(texts, character, style.escape_all(character))
        return texts

    def replace_by_spaces(self, array: pa.Array, context: FieldContext) -> pa.Array | None:
        """Returns values with spaces instead of unwritable characters; None if the type does not allow spaces."""

        def replace_strings(strings: pa.Array, separator: str | None) -> pa.Array:
            if separator is None:
                return self._replace_strings(strings, context, context.terminators)
            element_context = replace(context, forbidden_prefixes=(), group_prefixes=())
            return self._replace_strings(strings, element_context, (*context.terminators, separator))

        return self.type.map_strings(array, replace_strings)

    def _replace_strings(self, texts: pa.Array, context: FieldContext, terminators: Iterable[str]) -> pa.Array:
        texts = pc.replace_substring_regex(texts, "[\n\r]", " ")
        for terminator in terminators:
            for _ in range(_MAX_OVERLAPS if terminator.strip(" ") else 0):
                texts = pc.replace_substring(texts, terminator, " ")
        for tail in sorted(context.early_tails, key=len, reverse=True):
            texts = pc.replace_substring_regex(texts, re.escape(tail) + r"\z", " ")
        for prefix in (*context.forbidden_prefixes, *context.group_prefixes):
            mask = pc.starts_with(texts, prefix)
            texts = pc.if_else(mask, pc.utf8_replace_slice(texts, 0, 1, " "), texts)
        for character in self.unencodable(characters_of(texts)) if self.unencodable is not None else ():
            texts = pc.replace_substring(texts, character, " ")
        for null in filter(None, self.null_texts):
            texts = pc.if_else(pc.equal(texts, text_scalar(null)), text_scalar(" "), texts)
        return texts


def _check_delimited(
    texts: pa.Array, context: FieldContext, column: int, alphabet: str | None
) -> list[UnwritableValues]:
    """Returns the unwritable values of a field that delimiters end.

    Args:
        texts: rendered values.
        context: surroundings of the field.
        column: index of the column.
        alphabet: characters that the texts may contain; None: any.
    """

    def possible(parts: Iterable[str]) -> list[str]:
        return [part for part in parts if alphabet is None or set(part) <= set(alphabet)]

    found: list[UnwritableValues] = []
    if alphabet is None:
        data = spans.string_bytes(texts)
        if len(data) and data.min() < ord(" "):
            mask = _mask_any(texts, LINE_ENDS, pc.match_substring)
            found += unwritable_values(column, mask, "holds a line end")
    for end in possible(context.terminators):
        if escapes.contains_text(texts, end):
            mask = as_bool(pc.match_substring(texts, end))
            found += unwritable_values(column, mask, f"holds {end!r}, which ends the field")
    mask = _mask_any(texts, possible(context.early_tails), pc.ends_with)
    found += unwritable_values(column, mask, f"and {context.text_after!r} after it hold twice what ends the field")
    if context.follows_blanks and alphabet is None:
        mask = _mask_any(texts, BLANKS, pc.starts_with)
        if context.is_before_blank:
            mask |= as_bool(pc.equal(pc.binary_length(texts), to_scalar(0, pa.int32())))
        found += unwritable_values(column, mask, "would lose a blank to the blanks before it")
    mask = _mask_any(texts, possible(context.forbidden_prefixes), pc.starts_with)
    found += unwritable_values(
        column, mask, "would make the line a comment, or begin it with a byte order mark or padding"
    )
    if alphabet is None:  # lines of other types are parsed: a number may have the same value without its beginning
        mask = _mask_any(texts, context.group_prefixes, pc.starts_with)
        found += unwritable_values(column, mask, "would be read as the beginning of a part that is missing here")
    return found


def _check_syntax(texts: pa.Array, field_type: FieldType, column: int) -> list[UnwritableValues]:
    """Returns the unwritable values of a field that its syntax ends."""
    problem = field_type.check_rendered(texts)
    found = [] if problem is None else unwritable_values(column, *problem)
    if field_type.alphabet is None:
        found += unwritable_values(column, _mask_any(texts, LINE_ENDS, pc.match_substring), "holds a line end")
    return found


def _check_padding(
    texts: pa.Array, padding: FieldPadding, context: FieldContext, column: int
) -> list[UnwritableValues]:
    """Returns the values that padding makes unwritable."""
    mask = as_bool((pc.starts_with if padding.before else pc.ends_with)(texts, " "))
    found = unwritable_values(column, mask, "would lose a space to the padding")
    if padding.max_length is not None:
        mask = as_bool(pc.greater(pc.utf8_length(texts), padding.max_length))
        found += unwritable_values(
            column, mask, f"is longer than the {padding.max_length} characters that are written of it"
        )
    for delimiter in () if padding.before else context.delimiters:
        # The end of the value and the spaces after it may form a delimiter.
        padded = concat_texts(pc.utf8_rpad(texts, padding.width, " "), delimiter)
        mask = as_bool(pc.less(pc.find_substring(padded, delimiter), pc.binary_length(texts)))
        found += unwritable_values(column, mask, f"and the spaces after it hold {delimiter!r}, which ends the field")
    return found


def _mask_any(texts: pa.Array, parts: Iterable[str], test: Callable[[pa.Array, str], pa.Array]) -> Bool:
    """Returns a mask of the texts for which a test is true with any of several parts."""
    mask: Bool = np.zeros(len(texts), np.bool_)
    for part in parts:
        mask |= as_bool(test(texts, part))
    return mask
