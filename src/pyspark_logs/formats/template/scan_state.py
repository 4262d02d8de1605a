"""State of a scan: the offset reached in each line of a block, and the spans of the fields found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.prefix_words import Words
from pyspark_logs.formats.columnar.spans import (
    Bool,
    Bytes,
    Int32,
    Int64,
)
from pyspark_logs.formats.template.segments import Literal, Segment

_SPACE, _TAB = 32, 9


@dataclass
class FieldSpans:
    """Spans of one field in all lines of a block, and properties of its values that the scan found.

    Attributes:
        starts: start offset of the text in each line.
        ends: end offset of the text in each line.
        null: mask of the lines in which the value is null whatever its text; None: no line.
        instants: times as microseconds since the epoch; None: the field is not a time.
        words: first eight bytes of each text; None: they were not loaded.
    """

    starts: Int32
    ends: Int32
    null: Bool | None = None
    instants: Int64 | None = None
    words: Words | None = None


@dataclass(frozen=True)
class GroupState:
    """State of the lines before an optional group, for :meth:`LineCursor.leave_group`."""

    offsets: Int32
    in_group: Bool | None


class LineCursor:
    """Offset reached in each line of a block, and the lines that are still scanned.

    Lines that are uncertain, and lines without the optional group that is scanned, are not scanned. Their offset is the end
    of the line, where no literal is found and no test fails.

    Attributes:
        view: bytes of the block, from :func:`spans.terminated_view`.
        ends: end offset of each line.
        offsets: offset reached in each line.
        certain: mask of the lines that have the structure of the template so far; None: all lines.
        in_group: mask of the lines that have the optional group; None: all lines, or no group is scanned.
    """

    def __init__(self, view: Bytes, starts: Int32, ends: Int32) -> None:
        self.view, self.ends, self.offsets = view, ends, starts
        self.certain: Bool | None = None
        self.in_group: Bool | None = None

    def drop(self, mask: Bool) -> None:
        """Makes lines uncertain; lines without the group that is scanned are not affected."""
        if self.in_group is not None:
            mask = mask & self.in_group
        if not mask.any():
            return
        self.certain = ~mask if self.certain is None else self.certain & ~mask
        self.offsets = np.where(mask, self.ends, self.offsets)

    def advance(self, offsets: Int32) -> None:
        """Moves to an offset in each line that is still scanned."""
        if self.in_group is not None:
            offsets = np.where(self.in_group, offsets, self.ends)
        if self.certain is not None:
            offsets = np.where(self.certain, offsets, self.ends)
        self.offsets = offsets

    def scanned(self, mask: Bool) -> Bool:
        """Returns the part of a mask that is in lines still scanned."""
        if self.in_group is not None:
            mask = mask & self.in_group
        return mask if self.certain is None else mask & self.certain

    def not_scanned(self) -> Bool:
        """Returns a mask of the lines that are not scanned any more."""
        return ~self.scanned(np.ones(len(self.ends), np.bool_))

    def holds_in_all(self, mask: Bool) -> bool:
        """Returns True if a mask is set in all lines still scanned."""
        return bool(mask.all() or (mask | self.not_scanned()).all())

    @property
    def is_group_absent(self) -> bool:
        """True if no line has the group that is scanned."""
        return self.in_group is not None and not self.in_group.any()

    def enter_group(self, present: Bool) -> GroupState:
        """Restricts the scan to the lines that have a group; returns the state before it."""
        state = GroupState(self.offsets, self.in_group)
        if not present.all():
            self.in_group = present if self.in_group is None else self.in_group & present
            self.offsets = np.where(self.in_group, self.offsets, self.ends)
        return state

    def leave_group(self, state: GroupState) -> None:
        """Resumes the scan of the lines that lack the group."""
        if self.in_group is not None:
            self.offsets = np.where(self.in_group, self.offsets, state.offsets)
        self.in_group = state.in_group

    def begins(self, segment: Segment, offsets: Int32) -> Bool:
        """Returns a mask of the lines in which a literal or a blank is at the offset."""
        if isinstance(segment, Literal):
            return spans.literal_at(self.view, offsets, segment.raw)
        return self.blank_at(offsets)

    def blank_at(self, offsets: Int32) -> Bool:
        """Returns a mask of the lines in which a space or a tab is at the offset."""
        byte = spans.bytes_at(self.view, offsets)
        return (byte == _SPACE) | (byte == _TAB)
