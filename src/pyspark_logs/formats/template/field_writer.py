"""One field of a template, written: its texts, and which of them would not be read as what they were.

Where a field ends is the reader's rule, turned around: a text must not hold what ends it, nor end in
the beginning of that. The checks are made of constants and are exact; none looks at other fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.line_writer import FindUnencodable, UnwritableValues, characters_of, unwritable_values
from pyspark_logs.formats.template.notation import FieldPadding
from pyspark_logs.formats.types import escapes
from pyspark_logs.formats.types.casts import replace_invalid_utf8
from pyspark_logs.formats.types.escape_styles import EscapeStyle
from pyspark_logs.formats.types.field_type import FieldType

BLANKS = (" ", "\t")
# Our reader ends a line at \n and \r\n only. Others end it at a lone \r too, so that would forge a line for them.
LINE_ENDS = ("\n", "\r")
_ROUNDS = 8  # overlapping occurrences take one round each


@dataclass(frozen=True)
class Place:
    """What stands around a field in the lines with the same groups.

    Attributes:
        delimiters: literals that end it, whether they follow or begin a group that is absent.
        behind: the constant text that follows, up to the next field or the line's end.
        open: whether a field follows that text.
        blanks_end: whether any blank ends it.
        must_end_itself: whether it is read by its own syntax or not at all.
        behind_blanks: whether ``{~}`` stands before it.
        forbidden_prefixes: what no line may begin with, if this field begins the line.
        seeming: with what stands before it, a text that begins so looks like a group that is absent.
        continuation: text that would continue the field before this one; "": none does.
    """

    delimiters: tuple[str, ...] = ()
    behind: str = ""
    open: bool = False
    blanks_end: bool = False
    must_end_itself: bool = False
    behind_blanks: bool = False
    forbidden_prefixes: tuple[str, ...] = ()
    seeming: tuple[str, ...] = ()
    continuation: str = ""

    @property
    def blank_follows(self) -> bool:
        """Whether a blank follows."""
        return self.behind.startswith(BLANKS)

    @property
    def ends(self) -> tuple[str, ...]:
        """Texts that end the field wherever they stand in it."""
        return (*self.delimiters, *(BLANKS if self.blanks_end else ()))

    @property
    def tails(self) -> tuple[str, ...]:
        """A text that ends so holds a stop too early, together with what follows: ``" |"`` before ``" | "``."""
        return tuple(begun for begun, rest in self._cut_stops() if self.behind.startswith(rest))

    @property
    def unsure_tails(self) -> tuple[str, ...]:
        """A text that ends so may hold a stop too early: the field behind what follows decides."""
        cut = self._cut_stops() if self.open else ()
        return tuple(begun for begun, rest in cut if rest.startswith(self.behind) and rest != self.behind)

    def _cut_stops(self) -> Iterable[tuple[str, str]]:
        return ((stop[:size], stop[size:]) for stop in self.delimiters for size in range(1, len(stop)))

    def takes(self, text: str) -> bool:
        """Whether a text that does not delimit itself is read as it is, here."""
        if self.must_end_itself or any(end in text for end in (*self.ends, *LINE_ENDS)):
            return False
        swallowed = self.behind_blanks and (text.startswith(BLANKS) or (not text and self.blank_follows))
        swallowed |= self.continuation != "" and text.startswith(self.continuation)
        return (
            not swallowed
            and not text.endswith(self.tails)
            and not text.startswith((*self.forbidden_prefixes, *self.seeming))
        )


@dataclass(frozen=True)
class FieldWriter:
    """Writes one field.

    Attributes:
        type: what its texts mean.
        nulls: what is read as null, the best first; empty: nothing is.
        escape: whether unquoted strings have backslash escapes.
        zone: of timestamps without a zone.
        unencodable: tells which of some characters the encoding does not have; None: it has all.
        pad: the spaces beside the value.
        filled: whether there is always a text, without a space at its ends.
    """

    type: FieldType
    nulls: tuple[str, ...]
    escape: bool
    zone: str
    unencodable: FindUnencodable | None = field(default=None, compare=False)
    pad: FieldPadding | None = None
    filled: bool = False

    @property
    def nullable(self) -> bool:
        """Whether it is a ``?`` field."""
        return bool(self.nulls)

    def null_text(self, place: Place) -> str | None:
        """What null is written as, without quotes; None: nothing would be read as null."""
        if self.type.quoted:
            return next((text for text in self.nulls if not set('"\\\r\n') & set(text)), None)
        fit = [text for text in self.nulls if not self.filled or (text and text == text.strip(" "))]
        return next((text for text in fit if place.takes(text) or self._ends_empty(text, place)), None)

    def _ends_empty(self, text: str, place: Place) -> bool:
        """Whether the empty text is one of a type that says itself where its texts end."""
        return (
            place.must_end_itself
            and text == ""
            and self.type.syntax is not None
            and bool(self.type.syntax.fullmatch(""))
        )

    def texts(self, array: pa.Array, place: Place, column: int) -> tuple[pa.Array, list[UnwritableValues]]:
        """The texts (a quoted field's without its quotes), and which of them would not read back."""
        kind = self.type.avoiding(place.ends)

        texts, wrong = kind.render(array, self.zone)
        found = unwritable_values(column, wrong, f"is no value that a field of type {kind.notation} can write")
        if kind.is_nested:
            texts, wrong = replace_invalid_utf8(texts)
            found += unwritable_values(column, wrong, "is not valid UTF-8")
        spelling = kind.resolve_escape_style(self.escape)
        if spelling is not None:
            texts = self._escaped(texts, place, spelling)
        elif self.unencodable is not None and kind.alphabet is None and kind.syntax is None:
            lacking = _marked(texts, self.unencodable(characters_of(texts)), _has)
            found += unwritable_values(column, lacking, "has a character that the encoding lacks")
        if self.filled and not kind.quoted:
            bare = spans.as_bool(pc.match_substring_regex(texts, r"^ | \z|^\z").fill_null(False))
            found += unwritable_values(column, bare, "is empty, or begins or ends with a space")
        if self.nullable:
            found += unwritable_values(column, self._read_as_null(texts), "would be read as null")
        if kind.syntax is None:
            found += _ended_early(texts, place, column, kind.alphabet)
            if kind.alphabet is None:  # others may mean the same without their beginning
                seeming = _marked(texts, place.seeming, pc.starts_with)
                found += unwritable_values(
                    column, seeming, "would be read as the beginning of a part that is missing here"
                )
        else:
            problem = kind.check_rendered(texts)
            if problem is not None:
                found += unwritable_values(column, *problem)
            if kind.alphabet is None:
                found += unwritable_values(column, _marked(texts, LINE_ENDS, _has), "holds a line end")
        if place.continuation:
            continued = _marked(texts, (place.continuation,), pc.starts_with)
            found += unwritable_values(column, continued, "would go on the list before it")
        if self.pad is not None:
            found += _padding_troubles(texts, self.pad, place, column)
        if array.null_count:
            null = self.null_text(place)
            why = "would not be read as null here" if self.nullable else "cannot be written: the field has no '?'"
            if null is None:
                found += unwritable_values(column, array.is_null().to_numpy(zero_copy_only=False), why)
            texts = texts.fill_null(null or "")
        if self.pad is not None:
            texts = (pc.utf8_lpad if self.pad.before else pc.utf8_rpad)(texts, self.pad.width, " ")
        return texts, found

    def _read_as_null(self, texts: pa.Array) -> Bool:
        return np.logical_or.reduce([spans.as_bool(pc.equal(texts, null)) for null in self.nulls])

    def _escaped(self, texts: pa.Array, place: Place, spelling: EscapeStyle) -> pa.Array:
        """With all escapes that this place needs."""
        texts = self.type.escape(spelling, texts, place.ends, (*place.tails, *place.unsure_tails))
        if not self.type.quoted:
            firsts = [*(BLANKS if place.behind_blanks else ()), *(head[0] for head in place.forbidden_prefixes)]
            for first in (*firsts, *filter(None, (place.continuation,))):
                texts = escapes.escape_first_character(texts, pc.starts_with(texts, first), spelling.escape_all)
        for first in place.seeming:
            texts = escapes.escape_first_character(texts, pc.starts_with(texts, first), spelling.escape_all)
        for null in filter(None, self.nulls):
            texts = escapes.escape_first_character(texts, pc.equal(texts, null), spelling.escape_all)
        for character in self.unencodable(characters_of(texts)) if self.unencodable is not None else ():
            texts = pc.replace_substring(texts, character, spelling.escape_all(character))
        return texts

    def spaced(self, array: pa.Array, place: Place) -> pa.Array | None:
        """The values with a space for what cannot be written; None: no space makes a value of the type."""

        def replace_strings(strings: pa.Array, separator: str | None) -> pa.Array:
            if separator is None:
                return self._spaced_texts(strings, place, ())
            return self._spaced_texts(strings, replace(place, forbidden_prefixes=(), seeming=()), (separator,))

        return self.type.map_strings(array, replace_strings)

    def _spaced_texts(self, texts: pa.Array, place: Place, also: tuple[str, ...]) -> pa.Array:
        texts = pc.replace_substring_regex(texts, "[\n\r]", " ")
        for end in (*place.ends, *also):
            for _ in range(_ROUNDS if end.strip(" ") else 0):
                texts = pc.replace_substring(texts, end, " ")
        for tail in sorted(place.tails, key=len, reverse=True):
            texts = pc.replace_substring_regex(texts, re.escape(tail) + r"\z", " ")
        for head in (*place.forbidden_prefixes, *place.seeming):
            begun = pc.starts_with(texts, head)
            texts = pc.if_else(begun, pc.utf8_replace_slice(texts, 0, 1, " "), texts)
        for character in self.unencodable(characters_of(texts)) if self.unencodable is not None else ():
            texts = pc.replace_substring(texts, character, " ")
        for null in filter(None, self.nulls):
            texts = pc.if_else(pc.equal(texts, null), " ", texts)
        return texts


def _padding_troubles(texts: pa.Array, pad: FieldPadding, place: Place, column: int) -> list[UnwritableValues]:
    """What is wrong with texts that get spaces at one side."""
    lost = (pc.starts_with if pad.before else pc.ends_with)(texts, " ")
    found = unwritable_values(column, spans.as_bool(lost), "would lose a space to the padding")
    if pad.max_length is not None:
        long = spans.as_bool(pc.greater(pc.utf8_length(texts), pad.max_length))
        found += unwritable_values(
            column, long, f"is longer than the {pad.max_length} characters that are written of it"
        )
    for stop in () if pad.before else place.delimiters:
        # The spaces may make up a stop together with the value's end.
        whole = pc.binary_join_element_wise(pc.utf8_rpad(texts, pad.width, " "), stop, "")
        early = spans.as_bool(pc.less(pc.find_substring(whole, stop), pc.binary_length(texts)))
        found += unwritable_values(column, early, f"and the spaces behind it hold {stop!r}, which ends the field")
    return found


def _has(texts: pa.Array, part: str) -> pa.Array:
    return pc.match_substring(texts, part)


def _marked(texts: pa.Array, parts: Iterable[str], test: Callable[[pa.Array, str], pa.Array]) -> Bool:
    """The texts for which a test is true of any of the parts."""
    marked: Bool = np.zeros(len(texts), np.bool_)
    for part in parts:
        marked |= spans.as_bool(test(texts, part))
    return marked


def _ended_early(texts: pa.Array, place: Place, column: int, alphabet: str | None) -> list[UnwritableValues]:
    """What is wrong with the texts of a field that does not delimit itself."""

    def possible(parts: Iterable[str]) -> list[str]:
        return [part for part in parts if alphabet is None or set(part) <= set(alphabet)]

    found: list[UnwritableValues] = []
    if alphabet is None:
        data = spans.string_bytes(texts)
        if len(data) and data.min() < ord(" "):
            found += unwritable_values(column, _marked(texts, LINE_ENDS, _has), "holds a line end")
    for end in possible(place.ends):
        if escapes.contains_text(texts, end):
            found += unwritable_values(column, spans.as_bool(_has(texts, end)), f"holds {end!r}, which ends the field")
    tails = _marked(texts, possible(place.tails), pc.ends_with)
    found += unwritable_values(column, tails, f"and {place.behind!r} behind it hold twice what ends the field")
    if place.behind_blanks and alphabet is None:
        blank = _marked(texts, BLANKS, pc.starts_with)
        if place.blank_follows:
            blank |= spans.as_bool(pc.equal(pc.binary_length(texts), 0))
        found += unwritable_values(column, blank, "would lose a blank to the blanks before it")
    forbidden_prefixes = _marked(texts, possible(place.forbidden_prefixes), pc.starts_with)
    return found + unwritable_values(
        column, forbidden_prefixes, "would make the line a comment, or begin it with a byte order mark"
    )
