"""Searches for the lines that do not have the structure of a template.

The search takes the steps of the line parser, in all lines together, as long as it is certain where each field ends. A line
without the text that must follow does not match. A line is dropped from the search where its next field may end at several
offsets, and once the last field by which lines are judged was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool, Int32, Int64
from pyspark_logs.formats.decoding.mismatches import UNCERTAIN, classes_at
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.template.delimiter_search import DelimiterSearch
from pyspark_logs.formats.template.line_parser import ParsingRules, ParsingScope
from pyspark_logs.formats.template.segments import (
    Blanks,
    Field,
    Following,
    Group,
    Literal,
    Template,
    named_fields,
)
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType

_MAX_BRANCHES = 32  # combinations of optional groups that are followed
_MAX_BLANKS = 100
_SPACE, _TAB = b" \t"


@dataclass(frozen=True)
class _Branch:
    """Lines that took the same steps.

    Attributes:
        step: index of the next step.
        rows: indices of the lines, ascending.
        offsets: offset reached in each of them.
        ends: end offset of each of them.
    """

    step: int
    rows: Int64
    offsets: Int32
    ends: Int32

    def at(self, step: int, mask: Bool | None = None, offsets: Int32 | None = None) -> _Branch:
        """Returns the branch at another step, with the lines of a mask (None: all) at other offsets (None: the same)."""
        offsets = self.offsets if offsets is None else offsets
        if mask is None or mask.all():
            return _Branch(step, self.rows, offsets, self.ends)
        return _Branch(step, self.rows[mask], offsets[mask], self.ends[mask])


class TemplateMismatchSearch:
    """Finds the lines without the structure of a template.

    Args:
        template: template of the lines.
        columns: requested columns.
        rules: options of the format.
    """

    def __init__(self, template: Template, columns: Sequence[RequestedColumn[str]], rules: ParsingRules) -> None:
        self.template, self.rules = template, rules
        self.scope = ParsingScope(template, columns, rules)
        self.judges = not self.scope.nothing and (self.scope.judged_whole or self.scope.last_judged is not None)

    def find(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> Int64:
        """Returns the classes of the lines that do not match; see :class:`MismatchSearch`."""
        classes = np.full(len(starts), UNCERTAIN, np.int64)
        if self.judges:
            _BlockSearch(self, block, starts, context, classes).follow(_Branch(0, np.arange(len(starts)), starts, ends))
        return classes


class _BlockSearch:
    """The search in the lines of one block.

    Args:
        search: the template, and the part of it by which lines are judged.
        block: lines, valid UTF-8.
        starts: start offset of each line.
        context: zone and year bound of the file.
        classes: classes of the lines, which are set as lines are found.
    """

    def __init__(
        self, search: TemplateMismatchSearch, block: bytes, starts: Int32, context: TimestampContext, classes: Int64
    ) -> None:
        self.steps, self.rules, self.scope = search.template.steps, search.rules, search.scope
        self.block, self.view, self.starts = block, spans.terminated_view(block), starts
        self.context, self.classes = context, classes

    def follow(self, branch: _Branch) -> None:
        """Takes the steps of the template, first in these lines, then in those that lack an optional group."""
        branches = [branch]
        for _ in range(_MAX_BRANCHES):
            if not branches:
                return
            at: _Branch | None = branches.pop()
            while at is not None and len(at.rows):
                at = self._take_step(at, branches)

    def _take_step(self, at: _Branch, branches: list[_Branch]) -> _Branch | None:
        """Returns the lines after a step; None: their search ends."""
        if at.step == len(self.steps):
            if not self.rules.allow_trailing:
                self._report(at, at.offsets < at.ends)
            return None
        step = self.steps[at.step]
        if isinstance(step.segment, Group):
            first, inner = step.segment.segments[0], named_fields(step.segment.segments)
            if isinstance(first, (Field, Group)):
                return None
            present = self._begins(first, at)
            if not present.all() and not any(self._is_last(field) for field in inner):
                branches.append(at.at(at.step + 1 + step.size, ~present))
            return at.at(at.step + 1, present)
        if isinstance(step.segment, Field):
            return self._take_field(at, step.segment, step.following)
        missing = ~self._begins(step.segment, at)
        self._report(at, missing)
        at = at.at(at.step + 1, ~missing)
        if isinstance(step.segment, Literal):
            return at.at(at.step, offsets=at.offsets + np.int32(len(step.segment.raw)))
        return self._skip(at, _MAX_BLANKS, (_SPACE, _TAB))

    def _take_field(self, at: _Branch, field: Field, following: Following) -> _Branch | None:
        """Returns the lines in which the end of a field is certain, at this end."""
        if field.padding is not None and field.padding.before:
            skipped = self._skip(at, field.padding.width, (_SPACE,), may_remain=True)
            at = skipped.at(at.step)
        if following.field is not None:
            self._report(at, self._lacks_syntax(field.type, at))
            return None
        bound = following.right_bound
        if not following.delimiters or (bound is not None and following.line_end):
            return None
        search = DelimiterSearch(self.block, self.view, at.ends)
        found = (
            search.next(bound.delimiters[0], at.offsets) if bound is not None else self._first(search, following, at)
        )
        missing = found < 0
        if not following.line_end:
            self._report(at, missing)
        if bound is not None or (field.padding is not None and not field.padding.before) or self._is_last(field):
            return None
        at, found = at.at(at.step, ~missing), found[~missing]
        if field.type.syntax is not None:
            found = self._ends_by_syntax(field.type, following, at, found)
        if field.never_blank:
            spaced = spans.bytes_at(self.view, at.offsets) == _SPACE
            spaced |= self.view[np.maximum(found - 1, 0)] == _SPACE
            found = np.where(spaced | (found == at.offsets), np.int32(-1), found)
        return at.at(at.step + 1, found >= 0, found)

    def _is_last(self, field: Field) -> bool:
        """Returns True if a line that has the field matches, whatever follows."""
        if field.name is None:
            return False
        return field.name == self.scope.last or (field.name == self.scope.last_judged and not self.scope.judged_whole)

    @staticmethod
    def _first(search: DelimiterSearch, following: Following, at: _Branch) -> Int32:
        """Returns the first of the delimiters that may follow a field; -1 in lines without one."""
        if len(following.delimiters) == 1:
            return search.next(following.delimiters[0], at.offsets)
        return search.first_of(following.delimiters, at.offsets)

    def _ends_by_syntax(self, field_type: FieldType, following: Following, at: _Branch, found: Int32) -> Int32:
        """Returns the ends of values of a type with a syntax; -1 in lines in which they are uncertain.

        Args:
            field_type: the type.
            following: segments that may follow the field.
            at: lines in which the field begins.
            found: offset of the delimiter in each line, which ends a text that is not of the syntax.
        """
        lacking = self._lacks_syntax(field_type, at)
        ends = np.where(lacking, found, np.int32(-1))
        rest = at.at(at.step, ~lacking)
        if lacking.all() or field_type.quoted or field_type.ends_at_delimiter:
            return ends

        def is_followed(offsets: Int32) -> Bool:
            here = rest.at(rest.step, offsets=offsets)
            masks = [self._begins(delimiter, here) for delimiter in following.delimiters]
            masks += [offsets == rest.ends] if following.line_end else []
            return np.logical_or.reduce(masks)

        scanned = field_type.scan(self.block, self.view, rest.offsets, rest.ends, self.context, is_followed)
        ends[~lacking] = np.where(scanned.certain, scanned.ends, np.int32(-1))
        return ends

    def _lacks_syntax(self, field_type: FieldType, at: _Branch) -> Bool:
        """Returns a mask of the lines in which certainly no text of the syntax of a type begins."""
        syntax = field_type.syntax
        if syntax is None or syntax.match("") is not None:
            return np.zeros(len(at.rows), np.bool_)
        first = spans.bytes_at(self.view, at.offsets)
        return _excluded_bytes(field_type)[first] | (at.offsets == at.ends)

    def _begins(self, segment: Literal | Blanks, at: _Branch) -> Bool:
        """Returns a mask of the lines with a literal or a blank at their offset."""
        if isinstance(segment, Literal):
            raw = segment.raw
            return spans.literal_at(self.view, at.offsets, raw) & (at.offsets + np.int32(len(raw)) <= at.ends)
        first = spans.bytes_at(self.view, at.offsets)
        return ((first == _SPACE) | (first == _TAB)) & (at.offsets < at.ends)

    def _skip(self, at: _Branch, most: int, characters: Sequence[int], *, may_remain: bool = False) -> _Branch:
        """Moves past at most ``most`` of the characters; drops lines with more of them unless ``may_remain``."""
        offsets, rows = at.offsets.copy(), np.arange(len(at.rows))
        for _ in range(most):
            first = spans.bytes_at(self.view, offsets[rows])
            rows = rows[np.isin(first, characters) & (offsets[rows] < at.ends[rows])]
            if len(rows) == 0:
                return at.at(at.step, offsets=offsets)
            offsets[rows] += 1
        kept = np.ones(len(at.rows), np.bool_)
        kept[rows] = may_remain
        return at.at(at.step, kept, offsets)

    def _report(self, at: _Branch, mask: Bool) -> None:
        """Sets the classes of lines that do not match: by the step, and by the offset that the message names."""
        rows = at.rows[mask]
        self.classes[rows] = classes_at(at.step, at.offsets[mask] - self.starts[rows])


def _excluded_bytes(field_type: FieldType) -> Bool:
    """Returns a mask of the bytes with which no text of a type's syntax begins."""
    return np.array([byte < 128 and field_type.never_begins(chr(byte)) for byte in range(256)], np.bool_)
