"""The walk of the chain engine: where the fields of all lines of a block are.

The place reached in each line is one int32 array, and each step is taken in all lines together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pyspark_logs.formats import kernels, words
from pyspark_logs.formats.basetypes import FieldType
from pyspark_logs.formats.exact import Rules
from pyspark_logs.formats.numbertypes import Integer
from pyspark_logs.formats.template import Blanks, Field, Literal, Segment
from pyspark_logs.formats.timecolumns import date_shape, shaped_us
from pyspark_logs.formats.timestamps import Moment
from pyspark_logs.formats.timetypes import Timestamp

if TYPE_CHECKING:
    from pyspark_logs.formats.kernels import Bool, Bytes, Int32, Int64
    from pyspark_logs.formats.words import Words


# Looking up all places of a separator costs 5 ns for each place, one search 25 ns more than a place known.
_PLACES_A_SEARCH = 4
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
class Walk:
    """Where all lines of a block have got to."""

    block: bytes
    view: Bytes
    starts: Int32
    ends: Int32
    moment: Moment
    rules: Rules
    separators: dict[bytes, int] = field(default_factory=dict)  # of one byte -> how many fields they end
    dense: set[bytes] = field(default_factory=set)  # those that stand everywhere; kept from block to block
    found: dict[str, Found] = field(default_factory=dict)
    sure: Bool | None = None  # None: all
    live: Bool | None = None  # lines in which the current optional group is there; None: all
    at_found: bool = False  # the literal behind the last field has been found at its end already

    def __post_init__(self) -> None:
        self.place = self.starts
        self._quotes: Int32 | None = None
        self._quote_index: Int64 | slice | None = None
        self._places: dict[bytes, Int32] = {}
        self._cursor: tuple[bytes, Int64] | None = None  # the separator found last, and which of its places
        self._looked: tuple[Int32, Words] | None = None  # where words were looked at last, and these

    @cached_property
    def has_backslash(self) -> bool:
        """Whether any text of the block may be escaped."""
        return self.block.find(b"\\") >= 0

    # Lines that are no longer walked stand at their end, where nothing is found and nothing goes wrong.

    def _drop(self, bad: Bool) -> None:
        import numpy as np

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
        import numpy as np

        return ~self._walking(np.ones(len(self.place), np.bool_))

    def _all_walking(self, mask: Bool) -> bool:
        """Whether it is set in all lines that are still walked."""
        return bool(mask.all() or (mask | self._idle()).all())

    def _settle(self, ends: Int32) -> None:
        """Move on; lines not walked any more stay at their end."""
        import numpy as np

        if self.live is not None:
            ends = np.where(self.live, ends, self.ends)
        if self.sure is not None:
            ends = np.where(self.sure, ends, self.ends)
        self.place = ends

    def take(self, segment: Literal | Blanks) -> None:
        """Step over a literal or blanks that must stand at the place."""
        import numpy as np

        if isinstance(segment, Literal):
            if not self.at_found:
                self._drop(~kernels.literal_at(self.view, self.place, segment.raw))
            self._settle(self.place + np.int32(len(segment.raw)))
            if self._cursor is not None and self._cursor[0] != segment.raw:
                self._cursor = None
        else:
            self._cursor = None
            if not self.at_found:
                self._drop(~self._blank_at(self.place))
            self._settle(self._behind_blanks())
        self.at_found = False

    def _blank_at(self, places: Int32) -> Bool:
        byte = kernels.bytes_at(self.view, places)
        return (byte == 32) | (byte == 9)

    def _behind_blanks(self) -> Int32:
        import numpy as np

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

    def _seek(self, segment: Literal | Blanks) -> Int32:
        """As :meth:`_search`, by what is known of the separators and of this literal in other lines."""
        if not isinstance(segment, Literal):
            return self._search(segment)
        places = self._places_of(segment.raw)
        return self._seek_near(segment) if places is None else self._seek_place(segment.raw, places)

    def _search(self, segment: Segment) -> Int32:
        """Where a literal or a blank first stands at or behind the place; -1: nowhere."""
        import numpy as np

        if isinstance(segment, Literal):
            return kernels.find(self.block, self.place, self.ends, segment.text)
        space = kernels.find(self.block, self.place, self.ends, " ")
        if self.block.find(b"\t") < 0:
            return space
        tab = kernels.find(self.block, self.place, self.ends, "\t")
        return np.where((tab >= 0) & ((space < 0) | (tab < space)), tab, space)

    def _seek_near(self, literal: Literal) -> Int32:
        """As :meth:`_seek`, where fields are so short in most lines that looking at a few bytes beats searching."""
        import numpy as np

        first = self.starts.size // 2  # a line from the middle is as good a guess as the first, and never a header
        start, end = (int(places[first]) if len(places) else 0 for places in (self.place, self.ends))
        if not 0 <= self.block.find(literal.raw, start, end) - start < words.SOON:
            return kernels.find(self.block, self.place, self.ends, literal.text)
        near = words.words_at(self.view, self.place)
        self._looked = self.place, near
        at = words.first_soon(self.view, self.place, near, literal.raw[0])
        nowhere = at >= self.ends
        right = at - self.place < words.SOON
        if len(literal.raw) > 1:
            right &= kernels.literal_at(self.view, at, literal.raw)
        if nowhere.any():
            right |= nowhere
            at[nowhere] = -1
        rest = np.flatnonzero(~right)
        if len(rest):
            if 8 * len(rest) > len(right):
                return kernels.find(self.block, self.place, self.ends, literal.text)
            at[rest] = kernels.find(self.block, self.place[rest], self.ends[rest], literal.text)
        return at

    def _places_of(self, separator: bytes) -> Int32 | None:
        """All places of a separator of one byte, where knowing them is cheaper than searching."""
        import numpy as np

        if separator not in self.separators or separator in self.dense:
            return None
        if separator not in self._places:
            hits = self.view[: len(self.block)] == separator[0]
            worth = np.count_nonzero(hits) <= _PLACES_A_SEARCH * self.separators[separator] * len(self.starts)
            # Two sentinels, so that an index past the last place is still an index.
            sentinels = np.array([len(self.block)] * 2, np.int32)
            if not worth:
                self.dense.add(separator)
                return None
            self._places[separator] = np.append(np.flatnonzero(hits).astype(np.int32), sentinels)
        return self._places[separator]

    def _seek_place(self, separator: bytes, places: Int32) -> Int32:
        """As :meth:`_seek`, among known places."""
        import numpy as np

        # Right behind a separator the next one is the next of the list.
        if self._cursor is not None and self._cursor[0] == separator:
            index = np.minimum(self._cursor[1] + 1, len(places) - 1)
        else:
            index = np.searchsorted(places[:-1], self.place)
        self._cursor = (separator, index)
        at = places[index]
        return np.where(at < self.ends, at, np.int32(-1))

    def field(self, field: Field, following: Segment | None, group: Segment | None) -> Found:
        """Find a field's end and move there."""
        import numpy as np

        start = self.place
        if field.type.syntax is not None:
            found = self._own_end(field, following, group)
        elif isinstance(following, (Literal, Blanks)):
            at = self._seek(following)
            nowhere = at < 0
            if nowhere.any():
                self._drop(nowhere)
                at = np.where(nowhere, self.place, at)
            found = Found(start, at)
            if self._looked is not None and self._looked[0] is start and isinstance(field.type, Integer):
                found.words = self._looked[1]
            self.at_found = True
        else:
            found = Found(start, self._last_end(field, group))
        if self.sure is not None or self.live is not None:
            # A line that was dropped meanwhile: an empty text at its end keeps the places in order.
            inactive = self._idle()
            found.words = None
            found.starts = np.where(inactive, self.ends, found.starts)
            found.ends = np.where(inactive, self.ends, found.ends)
            if self.live is not None:
                found.null = ~self.live if found.null is None else found.null | ~self.live
        self._settle(found.ends if found.instants is None and not field.type.quoted else self.place)
        return found

    def _last_end(self, field: Field, group: Segment | None) -> Int32:
        """The end of a field with nothing behind it, or only an optional group."""
        import numpy as np

        self._cursor = None

        ends = self.ends
        if self.rules.allow_trailing and not field.type.takes_rest:
            blank = self._seek(Blanks())
            ends = np.where(blank < 0, self.ends, blank)
        if isinstance(group, (Literal, Blanks)):
            at = self._seek(group)
            ends = np.where(at < 0, ends, at)
        return ends

    def _followed(self, following: Segment | None, group: Segment | None, places: Int32) -> Bool:
        """Whether behind a field that ends by itself there stands what must."""
        import numpy as np

        if isinstance(following, Field):
            return np.ones(len(places), np.bool_)
        if following is not None:
            return self._stands(following, places)
        there: Bool = places == self.ends
        if group is not None:
            there |= self._stands(group, places)
        if self.rules.allow_trailing and not there.all():
            # Anything may follow, but a group that begins later on ends the field there.
            there |= np.ones(len(places), np.bool_) if group is None else self._search(group) < 0
        return there

    def _stands(self, segment: Segment, places: Int32) -> Bool:
        if isinstance(segment, Literal):
            return kernels.literal_at(self.view, places, segment.raw)
        return self._blank_at(places)

    def _own_end(self, field: Field, following: Segment | None, group: Segment | None) -> Found:
        """A field that ends by itself: quoted, date or timestamp."""
        import numpy as np

        self._cursor = None

        start = self.place
        if field.type.quoted:
            found, ends, sure = self._quoted(following, group)
        else:
            stamp = isinstance(field.type, Timestamp)
            learn = field.type.learn if isinstance(field.type, Timestamp) else date_shape
            ends, instants, sure = shaped_us(
                self.block, self.view, start, self.ends, learn, self.moment if stamp else Moment(),
                lambda places: self._followed(following, group, places),
            )  # fmt: skip
            found = Found(start, ends, instants=instants)
        if field.nullable and not sure.all() and not isinstance(following, Field):
            null, behind = self._nulls(field, following, group)
            null &= ~sure
            if null.any():
                ends = np.where(null, behind, ends)
                found.null, sure = null, sure | null
                found.starts = np.where(null, start, found.starts)
                found.ends = np.where(null, start, found.ends)
        self._drop(~sure)
        self.at_found = isinstance(following, (Literal, Blanks))
        self._settle(ends)
        return found

    def _nulls(self, field: Field, following: Literal | Blanks | None, group: Segment | None) -> tuple[Bool, Int32]:
        """Lines in which nothing, or the null token, stands in place of a value, and where that ends.

        Only where it cannot be the beginning of a value.
        """
        import numpy as np

        stop, token = following or group, self.rules.null_value
        behind = self._search(stop) if stop is not None else self.ends
        there: Bool = behind >= 0
        if following is None:
            behind, there = np.where(there, behind, self.ends), np.ones(len(behind), np.bool_)
        width = behind - self.place
        null = there & (width == 0)
        first = stop.text[0] if isinstance(stop, Literal) else " "
        if stop is not None and not _never_begins(field.type, first):
            null &= self.place == self.ends
        if token and _never_begins(field.type, token[0]):
            null |= there & (width == len(token.encode())) & kernels.literal_at(self.view, self.place, token.encode())
        return null, behind

    def _quoted(self, following: Segment | None, group: Segment | None) -> tuple[Found, Int32, Bool]:
        """The text between the quotes, the place behind the closing one, and in which lines that is sure."""
        import numpy as np

        if self._quotes is None:
            # Two sentinels, so that an index past the last quote is still an index.
            quotes = kernels.unescaped_quotes(self.block, self.view, escapes=self.has_backslash)
            self._quotes = np.append(quotes, np.array([len(self.block)] * 3, np.int32))
        quotes, count = self._quotes, len(self.place)
        index = self._quote_index
        if index is None:
            # Where all lines have the same number of quotes, as they mostly do, it is clear which are whose.
            each = max((len(quotes) - 3) // max(count, 1), 1)
            index = slice(0, each * count, each)
        opening, closing = _and_next(quotes, index)
        if len(closing) != count or not self._all_walking(opening == self.place):
            index = np.searchsorted(quotes[:-2], self.place)
            opening, closing = _and_next(quotes, index)
        if isinstance(index, slice):
            self._quote_index = slice(index.start + 2, index.stop + 2, index.step)
        else:
            self._quote_index = np.minimum(index + 2, len(quotes) - 2)
        sure = (opening == self.place) & (closing < self.ends)
        if sure.all():
            behind = closing + np.int32(1)
            return Found(opening + np.int32(1), closing), behind, self._followed(following, group, behind)
        behind = np.where(sure, closing + 1, self.ends).astype(np.int32)
        sure &= self._followed(following, group, behind)
        inner = np.where(sure, opening + 1, self.ends).astype(np.int32)
        return Found(inner, np.where(sure, closing, self.ends).astype(np.int32)), behind, sure

    def enter_group(self, first: Segment) -> None:
        """Go on only in lines where the group's first literal stands."""
        import numpy as np

        present = self._walking(self._stands(first, self.place))
        absent = self._walking(~present)
        if not self.rules.allow_trailing:
            self._drop(absent & (self.place != self.ends))
        self._cursor = None
        self.live = present if self.live is None else self.live & present
        self.place = np.where(self.live, self.place, self.ends)
        self.at_found = True

    def finish(self) -> None:
        """Behind the last segment nothing may be left."""
        if not self.rules.allow_trailing:
            self._drop(self.place != self.ends)


def _and_next(places: Int32, index: Int64 | slice) -> tuple[Int32, Int32]:
    """The places of these indices, and of those one higher."""
    if isinstance(index, slice):
        return places[index], places[index.start + 1 : index.stop + 1 : index.step]
    return places[index], places[index + 1]


def _never_begins(field_type: FieldType, character: str) -> bool:
    """Whether no value of a type that ends by itself begins with this character."""
    if field_type.quoted:
        return character != '"'
    pattern = field_type.pattern if isinstance(field_type, Timestamp) else None
    if pattern is None:
        return not character.isdigit()
    if character.isalnum():
        return False  # perhaps none does, but that is seldom asked
    if pattern[0] == "%":
        return character not in {"d": " ", "e": " ", "z": "+-", "%": "%"}.get(pattern[1:2], "\0")
    return character not in " \t" if pattern[0] in " \t" else character != pattern[0]
