"""The walk of the chain engine: where the fields of all lines of a block are.

The place reached in each line is one int32 array, and each step is taken in all lines together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.prefix_words import Words
from pyspark_logs.formats.columnar.quotes import Quotes
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32, Int64
from pyspark_logs.formats.template.delimiter_search import DelimiterSearch
from pyspark_logs.formats.template.line_parser import Rules
from pyspark_logs.formats.template.notation import After, Blanks, Field, Literal, Segment
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType

# Blanks are stepped over one at a time; a line with more in a row is for the exact parser.
_MOST_BLANKS = 100


@dataclass
class Found:
    """One field of all lines: where its text is, and what is already known of its values."""

    starts: Int32
    ends: Int32
    null: Bool | None = None  # lines where the value is null, whatever the text
    instants: Int64 | None = None
    words: Words | None = None  # the first eight bytes of each text, of numbers


@dataclass
class Outside:
    """What is put back where a group ends: the place of the lines without it, and the lines that go on."""

    place: Int32
    live: Bool | None


@dataclass
class Walk:
    """Where all lines of a block have got to."""

    block: bytes
    view: Bytes
    starts: Int32
    ends: Int32
    context: TimestampContext
    rules: Rules
    found: dict[str, Found] = field(default_factory=dict)
    extracted: dict[str, Any] = field(default_factory=dict)  # field -> what its columns share
    sure: Bool | None = None  # None: all
    live: Bool | None = None  # lines in which the current optional group is there; None: all
    at_found: bool = False  # the literal behind the last field has been found at its end already

    def __post_init__(self) -> None:
        self.place = self.starts
        self._quotes: Quotes | None = None
        self.search = DelimiterSearch(self.block, self.view, self.ends)

    @cached_property
    def has_backslash(self) -> bool:
        """Whether any text of the block may be escaped."""
        return self.block.find(b"\\") >= 0

    # Lines that are no longer walked stand at their end, where nothing is found and nothing goes wrong.

    def _drop(self, bad: Bool) -> None:
        if self.live is not None:
            bad = bad & self.live
        if not bad.any():
            return
        self.sure = ~bad if self.sure is None else self.sure & ~bad
        self.place = np.where(bad, self.ends, self.place)

    def _walking(self, mask: Bool) -> Bool:
        if self.live is not None:
            mask = mask & self.live
        return mask if self.sure is None else mask & self.sure

    def _idle(self) -> Bool:
        """Lines that are not walked any more."""
        return ~self._walking(np.ones(len(self.place), np.bool_))

    def _all_walking(self, mask: Bool) -> bool:
        """Whether it is set in all lines that are still walked."""
        return bool(mask.all() or (mask | self._idle()).all())

    def _settle(self, ends: Int32) -> None:
        """Move on; lines not walked any more stay at their end."""
        if self.live is not None:
            ends = np.where(self.live, ends, self.ends)
        if self.sure is not None:
            ends = np.where(self.sure, ends, self.ends)
        self.place = ends

    def take(self, segment: Literal | Blanks) -> None:
        """Step over a literal or blanks that must stand at the place."""
        if isinstance(segment, Literal):
            if not self.at_found:
                self._drop(~spans.literal_at(self.view, self.place, segment.raw))
            self._settle(self.place + np.int32(len(segment.raw)))
        else:
            if not self.at_found:
                self._drop(~self._blank_at(self.place))
            self._settle(self._behind_blanks())
        self.at_found = False

    def _blank_at(self, places: Int32) -> Bool:
        byte = spans.bytes_at(self.view, places)
        return (byte == 32) | (byte == 9)

    def _behind_blanks(self) -> Int32:
        place = self.place.copy()
        rows = np.flatnonzero(self._blank_at(place))
        for _ in range(_MOST_BLANKS):
            if len(rows) == 0:
                return place
            place[rows] += 1
            byte = self.view[place[rows]]
            rows = rows[(byte == 32) | (byte == 9)]
        endless = np.zeros(len(place), np.bool_)
        endless[rows] = True
        self._drop(endless)
        return place

    def field(self, field: Field, after: After) -> Found:
        """Find a field's end and move there."""
        if field.pad is not None and field.pad.before:
            self._pass_spaces(field.pad.width)
        start = self.place
        by_delimiter = field.type.syntax is None
        if field.type.ends_at_delimiter and len(after.stops) == 1 and isinstance(after.stops[0], Literal):
            by_delimiter = True
            found = self._until(after.stops[0], field.type)
        elif field.type.syntax is not None:
            found = self._own_end(field, after)
        elif after.line_end:
            found = Found(start, self._last_end(field, after))
        else:
            at = self.search.next(after.stops[-1], self.place)
            nowhere = at < 0
            if nowhere.any():
                self._drop(nowhere)  # a group may begin, but what must follow it is missing
                at = np.where(nowhere, self.place, at)
            found = Found(start, self.search.earlier_of(after.stops[:-1], self.place, at))
            prefixes = self.search.prefixes
            if prefixes is not None and prefixes[0] is start and field.type.reads_words:
                found.words = prefixes[1]
            self.at_found = len(after.stops) == 1
        if field.filled and not field.type.quoted:
            one_space = field.type.syntax is None and after.stops == (Literal(" "),)
            self._drop_unfilled(found, edges=not one_space)
        if field.filled and after.line_end and self.rules.allow_trailing:
            ends = found.ends if field.type.syntax is None else self.place
            self._drop((ends < self.ends) & (spans.bytes_at(self.view, ends) != ord(" ")))
        if self.sure is not None or self.live is not None:
            # A line that was dropped meanwhile: an empty text at its end keeps the places in order.
            inactive = self._idle()
            found.words = None
            found.starts = np.where(inactive, self.ends, found.starts)
            found.ends = np.where(inactive, self.ends, found.ends)
            if self.live is not None:
                found.null = ~self.live if found.null is None else found.null | ~self.live
        if field.pad is not None and not field.pad.before:
            self._settle(found.ends)
            self._strip(found)
            self._pass_padding(found, field.pad.width, after)
            return found
        self._settle(found.ends if by_delimiter else self.place)
        return found

    def _until(self, following: Literal, field_type: FieldType) -> Found:
        """Finds a field with a syntax by the delimiter after it; drops lines in which it may extend past that."""
        start, at = self.place, self.search.next(following, self.place)
        self._drop(at < 0)
        at = np.where(at < 0, self.place, at)
        self._drop(field_type.may_continue(self.view, start, at))
        self.at_found = True
        return Found(start, at)

    def _drop_unfilled(self, found: Found, *, edges: bool) -> None:
        """Leave lines out in which a field that must have text has none, or a space at its ``edges``."""
        starts, ends = found.starts, found.ends
        if len(starts) == 0 or ((ends - starts).min() > 0 and not edges):  # as they nearly always are
            return
        bad = (starts == ends) & (ends < self.ends)
        if edges:
            spaced = spans.bytes_at(self.view, starts) == ord(" ")
            spaced |= self.view[np.maximum(ends - 1, 0)] == ord(" ")
            bad |= spaced & (starts < ends)
        self._drop(bad if found.null is None else bad & ~found.null)

    # --- spaces beside a value --------------------------------------------------------------------------

    def _pass_spaces(self, most: int) -> None:
        """Before a value: no more than its width."""
        self.at_found = False
        place = self.place.copy()
        rows = np.flatnonzero(~self._idle())
        for _ in range(most):
            rows = rows[spans.bytes_at(self.view, place[rows]) == ord(" ")]
            place[rows] += 1
        self._settle(place)

    def _strip(self, found: Found) -> None:
        """Take the spaces behind the values off them."""
        ends = found.ends.copy()
        rows = np.arange(len(ends))
        for _ in range(_MOST_BLANKS):
            rows = rows[(ends[rows] > found.starts[rows]) & (self.view[np.maximum(ends[rows] - 1, 0)] == ord(" "))]
            if len(rows) == 0:
                break
            ends[rows] -= 1
        endless = np.zeros(len(ends), np.bool_)
        endless[rows] = True
        self._drop(endless)
        found.ends = ends

    def _pass_padding(self, found: Found, width: int, after: After) -> None:
        """Behind a value: spaces up to its width, where what ends it is spaces and stands behind them as well."""
        stop = after.stops[0] if after.stops else None
        if not isinstance(stop, Literal) or stop.text.strip(" "):
            return
        if self.block.isascii():
            sizes = found.ends - found.starts
        else:
            sizes = pc.utf8_length(spans.field_strings(self.block, found.starts, found.ends)).to_numpy()
        place = self.place.copy()
        rows = np.flatnonzero(~self._idle())
        for step in range(width):
            behind = spans.literal_at(self.view, place[rows] + np.int32(1), stop.raw)
            rows = rows[(sizes[rows] + step < width) & behind]
            if len(rows) == 0:
                break
            place[rows] += 1
        self._settle(place)

    def _last_end(self, field: Field, after: After) -> Int32:
        """The end of a field with nothing behind it, or only optional groups."""
        ends = self.ends
        if self.rules.allow_trailing and not field.type.takes_rest:
            blank = self.search.next(Blanks(), self.place)
            ends = np.where(blank < 0, self.ends, blank)
        if after.stops:
            last = self.search.next(after.stops[-1], self.place)
            at = self.search.earlier_of(after.stops[:-1], self.place, last)
            ends = np.where(at < 0, ends, at)
        return ends

    def _next_stands(self, after: After, places: Int32) -> Bool:
        """Whether there stands what may come next; text after the last field may not."""
        if after.field is not None:
            return np.ones(len(places), np.bool_)
        there: Bool | None = places == self.ends if after.line_end else None
        for stop in after.stops:
            here = self._stands(stop, places)
            there = here if there is None else there | here
        return np.ones(len(places), np.bool_) if there is None else there

    def _followed(self, after: After, places: Int32) -> Bool:
        """Whether behind a field that ends by itself there stands what must."""
        there = self._next_stands(after, places)
        if after.line_end and self.rules.allow_trailing and not there.all():
            # Anything may follow, but a group that begins later on ends the field there.
            there = there | (
                self.search.first_of(after.stops, self.place) < 0 if after.stops else np.ones(len(places), np.bool_)
            )
        return there

    def _stands(self, segment: Segment, places: Int32) -> Bool:
        if isinstance(segment, Literal):
            return spans.literal_at(self.view, places, segment.raw)
        return self._blank_at(places)

    def _own_end(self, field: Field, after: After) -> Found:
        """A field that ends by itself: quoted, date or timestamp."""
        start = self.place
        if field.type.quoted:
            found, ends, sure = self._quoted(after)
            if field.type.allows_raw_quotes:
                sure &= self._next_quote_opens(ends)
        else:
            ends, sure, instants = field.type.scan(
                self.block, self.view, start, self.ends, self.context, lambda offsets: self._followed(after, offsets)
            )
            found = Found(start, ends, instants=instants)
        if field.nullable and not sure.all() and after.field is None:
            null, behind = self._nulls(field, after)
            null &= ~sure
            if null.any():
                ends = np.where(null, behind, ends)
                found.null, sure = null, sure | null
                found.starts = np.where(null, start, found.starts)
                found.ends = np.where(null, start, found.ends)
        self._drop(~sure)
        self.at_found = len(after.stops) == 1 and not after.line_end and after.field is None
        self._settle(ends)
        return found

    def _nulls(self, field: Field, after: After) -> tuple[Bool, Int32]:
        """Lines in which nothing, or the null token, stands in place of a value, and where that ends.

        Only where it cannot be the beginning of a value.
        """
        token = self.rules.null_value
        behind = self.search.first_of(after.stops, self.place) if after.stops else self.ends
        there: Bool = behind >= 0
        if after.line_end:
            behind, there = np.where(there, behind, self.ends), np.ones(len(behind), np.bool_)
        width = behind - self.place
        null = there & (width == 0)
        firsts = [stop.text[0] if isinstance(stop, Literal) else " " for stop in after.stops]
        if not all(field.type.never_begins(first) for first in firsts):
            null &= self.place == self.ends
        if field.filled:
            null &= self.place == self.ends
            token = token if token == token.strip(" ") else ""
        if token and field.type.never_begins(token[0]):
            null |= there & (width == len(token.encode())) & spans.literal_at(self.view, self.place, token.encode())
        return null, behind

    def _quoted(self, after: After) -> tuple[Found, Int32, Bool]:
        """The text between the quotes, the place behind the closing one, and in which lines that is sure."""
        if self._quotes is None:
            self._quotes = Quotes(self.block, self.view, len(self.place), escapes=self.has_backslash)
        opening, closing = self._quotes.next_pair(self.place, self._all_walking)
        sure = (opening == self.place) & (closing < self.ends)
        if sure.all():
            behind = closing + np.int32(1)
            return Found(opening + np.int32(1), closing), behind, self._followed(after, behind)
        behind = np.where(sure, closing + 1, self.ends).astype(np.int32)
        sure &= self._followed(after, behind)
        inner = np.where(sure, opening + 1, self.ends).astype(np.int32)
        return Found(inner, np.where(sure, closing, self.ends).astype(np.int32)), behind, sure

    def _next_quote_opens(self, behind: Int32) -> Bool:
        """Whether the next quote of the line, if there is any, stands behind a blank."""
        if self._quotes is None:
            return np.zeros(len(behind), np.bool_)
        following = self._quotes.following(behind)
        return (following >= self.ends) | (spans.bytes_at(self.view, following - np.int32(1)) == ord(" "))

    def enter_group(self, first: Segment, after: After) -> Outside:
        """Go on only in lines where the group's first literal stands."""
        present = self._walking(self._stands(first, self.place))
        if not (after.line_end and self.rules.allow_trailing):
            self._drop(self._walking(~present) & ~self._next_stands(after, self.place))
        outside = Outside(self.place, self.live)
        self.at_found = True
        if not present.all():
            self.live = present if self.live is None else self.live & present
            self.place = np.where(self.live, self.place, self.ends)
        return outside

    @property
    def nobody(self) -> bool:
        """Whether no line is walked."""
        return self.live is not None and not self.live.any()

    def nothing(self) -> Found:
        """A field that no line has."""
        return Found(self.ends, self.ends, null=np.ones(len(self.ends), np.bool_))

    def leave_group(self, outside: Outside) -> None:
        """Go on in the lines without the group, too."""
        if self.live is not None:
            self.place = np.where(self.live, self.place, outside.place)
        self.live = outside.live
        self.at_found = False

    def finish(self) -> None:
        """Behind the last segment nothing may be left."""
        if not self.rules.allow_trailing:
            self._drop(self.place != self.ends)
