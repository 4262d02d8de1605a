"""Scanner of fields: finds the fields of a template in all lines of a block at once.

Each segment of the template is a step that is taken in all lines together: the offset reached in each line is one
int32 array. Lines whose structure is not surely the template's are dropped, for the line parser.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.quotes import Quotes
from pyspark_logs.formats.columnar.spans import Bool, Int32
from pyspark_logs.formats.template import padding
from pyspark_logs.formats.template.delimiter_search import DelimiterSearch
from pyspark_logs.formats.template.line_parser import ParsingRules
from pyspark_logs.formats.template.scan_state import FieldSpans, GroupState, LineCursor
from pyspark_logs.formats.template.segments import Blanks, Field, Following, Literal, RightBound, Segment
from pyspark_logs.formats.timestamps.parsing import TimestampContext

_SPACE = ord(" ")


class FieldScanner:
    """Scans the segments of a template in the lines of one block, from left to right.

    Args:
        block: lines, valid UTF-8.
        starts: start offset of each line, ascending.
        ends: end offset of each line.
        context: zone and year bound of the file.
        rules: options of the format.
    """

    def __init__(
        self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext, rules: ParsingRules
    ) -> None:
        self.block, self.view, self.ends = block, spans.terminated_view(block), ends
        self.context, self.rules = context, rules
        self.cursor = LineCursor(self.view, starts, ends)
        self.search = DelimiterSearch(block, self.view, ends)
        self._is_delimiter_found = False  # the cursor is at the next literal, which need not be compared again

    @cached_property
    def has_backslash(self) -> bool:
        """True if any text of the block may be escaped."""
        return self.block.find(b"\\") >= 0

    @cached_property
    def _quotes(self) -> Quotes:
        return Quotes(self.block, self.view, len(self.ends), escapes=self.has_backslash)

    def skip(self, segment: Literal | Blanks) -> None:
        """Moves the cursor past a literal or blanks; drops lines that do not have them at the cursor."""
        cursor = self.cursor
        if not self._is_delimiter_found:
            cursor.drop(~cursor.begins(segment, cursor.offsets))
        if isinstance(segment, Literal):
            cursor.advance(cursor.offsets + np.int32(len(segment.raw)))
        else:
            padding.skip_blanks(cursor)
        self._is_delimiter_found = False

    def finish(self) -> None:
        """Drops lines with text after the last segment."""
        if not self.rules.allow_trailing:
            self.cursor.drop(self.cursor.offsets != self.ends)

    # --- optional groups ----------------------------------------------------------------------------------

    def enter_group(self, first: Segment, following: Following) -> GroupState:
        """Restricts the scan to the lines in which the first segment of an optional group is at the cursor."""
        cursor = self.cursor
        present = cursor.scanned(cursor.begins(first, cursor.offsets))
        if not (following.line_end and self.rules.allow_trailing):
            cursor.drop(cursor.scanned(~present) & ~self._is_at_following(following, cursor.offsets))
        self._is_delimiter_found = True
        return cursor.enter_group(present)

    def leave_group(self, state: GroupState) -> None:
        """Resumes the scan of the lines without the group."""
        self.cursor.leave_group(state)
        self._is_delimiter_found = False

    def absent_field(self) -> FieldSpans:
        """Returns the spans of a field that is absent from all lines: empty, at the ends of the lines, and null."""
        return FieldSpans(self.ends, self.ends, null=np.ones(len(self.ends), np.bool_))

    # --- fields -------------------------------------------------------------------------------------------

    def scan_field(self, field: Field, following: Following) -> FieldSpans:
        """Finds a field that begins at the cursor, and moves to its end."""
        cursor, field_type = self.cursor, field.type
        if field.padding is not None and field.padding.before:
            self._is_delimiter_found = False
            padding.skip_spaces(cursor, field.padding.width)
        is_delimited = field_type.syntax is None
        delimiter = following.delimiters[0] if len(following.delimiters) == 1 else None
        if field_type.ends_at_delimiter and isinstance(delimiter, Literal):
            is_delimited = True
            found = self._scan_to_literal(field, delimiter)
        elif field_type.syntax is not None:
            found = self._scan_by_syntax(field, following)
        elif following.right_bound is not None:
            found = self._scan_to_last(following.right_bound)
        elif following.line_end:
            found = FieldSpans(cursor.offsets, self._last_ends(field, following))
        else:
            found = self._scan_to_delimiter(field, following)
        if field.never_blank:
            self._drop_blank(field, found, following)
        self._exclude_unscanned(found)
        if field.padding is not None and not field.padding.before:
            cursor.advance(found.ends)
            padding.strip_spaces(cursor, found)
            padding.skip_padding(cursor, self.block, found, field.padding.width, following)
        else:
            cursor.advance(found.ends if is_delimited else cursor.offsets)
        return found

    def _scan_to_delimiter(self, field: Field, following: Following) -> FieldSpans:
        """Finds the first of the delimiters that may follow a field."""
        starts, delimiters = self.cursor.offsets, following.delimiters
        ends = self.search.next(delimiters[-1], starts)
        missing = ends < 0
        if missing.any():  # an earlier delimiter may be there, but the last one must follow it
            self.cursor.drop(missing)
            ends = np.where(missing, self.cursor.offsets, ends)
        found = FieldSpans(starts, self.search.earlier_of(delimiters[:-1], self.cursor.offsets, ends))
        prefixes = self.search.prefixes
        if field.type.reads_words and prefixes is not None and prefixes[0] is starts:
            found.words = prefixes[1]
        self._is_delimiter_found = len(delimiters) == 1
        return found

    def _scan_to_last(self, bound: RightBound) -> FieldSpans:
        """Finds the end of a field that ends at the last occurrence of a literal."""
        starts = self.cursor.offsets
        ends = self.search.last(bound, starts)
        missing = ends < 0
        self.cursor.drop(missing)
        self._is_delimiter_found = True
        return FieldSpans(starts, np.where(missing, self.cursor.offsets, ends))

    def _scan_to_literal(self, field: Field, literal: Literal) -> FieldSpans:
        """Finds the literal after a field with a syntax; drops lines in which the value may extend past it."""
        starts = self.cursor.offsets
        ends = self.search.next(literal, starts)
        self.cursor.drop(ends < 0)
        ends = np.where(ends < 0, self.cursor.offsets, ends)
        self.cursor.drop(field.type.may_continue(self.view, starts, ends))
        self._is_delimiter_found = True
        return FieldSpans(starts, ends)

    def _last_ends(self, field: Field, following: Following) -> Int32:
        """Returns the end of a field that only optional groups follow, in each line."""
        offsets, ends = self.cursor.offsets, self.ends
        if self.rules.allow_trailing and not field.type.takes_rest:
            blank = self.search.next(Blanks(), offsets)
            ends = np.where(blank < 0, ends, blank)
        if following.delimiters:
            last = self.search.next(following.delimiters[-1], offsets)
            first = self.search.earlier_of(following.delimiters[:-1], offsets, last)
            ends = np.where(first < 0, ends, first)
        return ends

    def _drop_blank(self, field: Field, found: FieldSpans, following: Following) -> None:
        """Drops lines in which a field that is never blank is, or has text directly after it."""
        if not field.type.quoted:
            # A value before one space cannot end with a space, nor begin with one: it would end there.
            ends_at_space = field.type.syntax is None and following.delimiters == (Literal(" "),)
            padding.drop_blank_values(self.cursor, found, check_edges=not ends_at_space)
        if following.line_end and self.rules.allow_trailing:
            ends = found.ends if field.type.syntax is None else self.cursor.offsets
            self.cursor.drop((ends < self.ends) & (spans.bytes_at(self.view, ends) != _SPACE))

    def _exclude_unscanned(self, found: FieldSpans) -> None:
        """Makes the field empty at the end of each line not scanned any more, so that offsets stay ascending."""
        cursor = self.cursor
        if cursor.certain is None and cursor.in_group is None:
            return
        unscanned = cursor.not_scanned()
        found.words = None
        found.starts = np.where(unscanned, self.ends, found.starts)
        found.ends = np.where(unscanned, self.ends, found.ends)
        if cursor.in_group is not None:
            found.null = ~cursor.in_group if found.null is None else found.null | ~cursor.in_group

    # --- fields with a syntax -----------------------------------------------------------------------------

    def _scan_by_syntax(self, field: Field, following: Following) -> FieldSpans:
        """Finds a field by the syntax of its type."""
        starts = self.cursor.offsets
        if field.type.quoted:
            found, ends, certain = self._scan_quoted(following)
            if field.type.allows_raw_quotes:
                certain &= self._is_quote_after_space(ends)
        else:
            ends, certain, instants = field.type.scan(
                self.block, self.view, starts, self.ends, self.context,
                lambda offsets: self._is_followed(following, offsets),
            )  # fmt: skip
            found = FieldSpans(starts, ends, instants=instants)
        if field.nullable and not certain.all() and following.field is None:
            null, null_ends = self._scan_null(field, following)
            null &= ~certain
            if null.any():
                ends = np.where(null, null_ends, ends)
                found.null, certain = null, certain | null
                found.starts = np.where(null, starts, found.starts)
                found.ends = np.where(null, starts, found.ends)
        self.cursor.drop(~certain)
        self._is_delimiter_found = len(following.delimiters) == 1 and not following.line_end and following.field is None
        self.cursor.advance(ends)
        return found

    def _scan_quoted(self, following: Following) -> tuple[FieldSpans, Int32, Bool]:
        """Finds quoted text.

        Returns:
            Spans of the text between the quotes, end offsets after the closing quotes, and a mask of the lines in which
            both are certain.
        """
        opening, closing = self._quotes.next_pair(self.cursor.offsets, self.cursor.holds_in_all)
        certain = (opening == self.cursor.offsets) & (closing < self.ends)
        if certain.all():
            ends = closing + np.int32(1)
            return FieldSpans(opening + np.int32(1), closing), ends, self._is_followed(following, ends)
        ends = np.where(certain, closing + 1, self.ends).astype(np.int32)
        certain &= self._is_followed(following, ends)
        starts = np.where(certain, opening + 1, self.ends).astype(np.int32)
        return FieldSpans(starts, np.where(certain, closing, self.ends).astype(np.int32)), ends, certain

    def _is_quote_after_space(self, offsets: Int32) -> Bool:
        """Returns a mask of the lines whose next quote is right of a space; lines without a quote are in the mask."""
        quotes = self._quotes.following(offsets)
        return (quotes >= self.ends) | (spans.bytes_at(self.view, quotes - np.int32(1)) == _SPACE)

    def _scan_null(self, field: Field, following: Following) -> tuple[Bool, Int32]:
        """Finds null values: no text, or the null token, that cannot be the beginning of a value.

        Returns:
            A mask of the lines with a null value, and the end offset of that.
        """
        offsets, delimiters = self.cursor.offsets, following.delimiters
        ends = self.search.first_of(delimiters, offsets) if delimiters else self.ends
        has_end: Bool = ends >= 0
        if following.line_end:
            ends, has_end = np.where(has_end, ends, self.ends), np.ones(len(ends), np.bool_)
        lengths = ends - offsets
        null = has_end & (lengths == 0)
        first_characters = [one.text[0] if isinstance(one, Literal) else " " for one in delimiters]
        if not all(field.type.never_begins(first) for first in first_characters):
            null &= offsets == self.ends
        token = self.rules.null_value
        if field.never_blank:
            null &= offsets == self.ends
            token = token if token == token.strip(" ") else ""
        if token and field.type.never_begins(token[0]):
            raw = token.encode()
            null |= has_end & (lengths == len(raw)) & spans.literal_at(self.view, offsets, raw)
        return null, ends

    # --- text after a field -------------------------------------------------------------------------------

    def _is_followed(self, following: Following, offsets: Int32) -> Bool:
        """Returns a mask of the lines in which a field with a syntax may end at the offset."""
        mask = self._is_at_following(following, offsets)
        if following.line_end and self.rules.allow_trailing and not mask.all():
            # Any text may follow, unless an optional group begins in it: that ends the field.
            if not following.delimiters:
                return np.ones(len(offsets), np.bool_)
            mask = mask | (self.search.first_of(following.delimiters, self.cursor.offsets) < 0)
        return mask

    def _is_at_following(self, following: Following, offsets: Int32) -> Bool:
        """Returns a mask of the lines in which the text that may come next is at the offset."""
        if following.field is not None:
            return np.ones(len(offsets), np.bool_)
        mask: Bool | None = offsets == self.ends if following.line_end else None
        for delimiter in following.delimiters:
            here = self.cursor.begins(delimiter, offsets)
            mask = here if mask is None else mask | here
        return np.ones(len(offsets), np.bool_) if mask is None else mask
