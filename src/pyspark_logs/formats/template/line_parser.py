"""The exact engine: one line at a time, plain Python, for what the fast engines are not sure of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyspark_logs.formats.requested_column import RequestedColumn
from pyspark_logs.formats.template.notation import (
    Blanks,
    Field,
    Following,
    Group,
    Literal,
    Segment,
    Template,
    named_fields,
)
from pyspark_logs.formats.timestamps.parsing import TimestampContext

_BLANKS = re.compile(r"[ \t]+")


@dataclass(frozen=True)
class ParsingRules:
    """The options that are part of a format's meaning.

    ``unasked`` are the format's columns that nobody asked for, but by which whole lines are judged, too.
    """

    null_value: str = "-"
    escape: bool = False
    allow_trailing: bool = False
    judge_whole: bool = False
    unasked: tuple[RequestedColumn[str], ...] = ()


class Reason(NamedTuple):
    """Why a record is corrupt.

    Attributes:
        text: all that is known, with places and values.
        general: the same without what is of this one record alone, to count by.
    """

    text: str
    general: str


@dataclass(frozen=True)
class Parsed:
    """One line's values in the order of the columns, and why it is corrupt.

    Attributes:
        values: of the columns.
        reason: all that is known, with places and values; "" where the line is not corrupt.
        general: see :class:`Reason`; "": what stands before the first colon of ``reason``.
    """

    values: list[Any]
    reason: str
    general: str = ""

    @property
    def why(self) -> Reason:
        """Both forms of the reason."""
        return Reason(self.reason, self.general or self.reason.partition(": ")[0])


class ParsingScope:
    """How far a line must be walked for some columns, and how far it is judged.

    A line is judged up to the last judged column and what ends that; whole, where that is the last of the
    template or the rules say so. ``last`` is the field at which the walk may stop; None: at the line's end.
    """

    def __init__(self, template: Template, columns: Sequence[RequestedColumn[str]], rules: ParsingRules) -> None:
        names = [field.name or "" for field in template.fields]
        judged = max((names.index(column.source) for column in columns if column.judged), default=-1)
        asked = max((names.index(column.source) for column in columns), default=-1)
        end = len(names) - 1
        self.nothing = asked < 0 and not rules.judge_whole
        self.judged_whole = rules.judge_whole or judged == end
        self.last_judged = names[judged] if judged >= 0 else None
        self.last = None if rules.judge_whole or asked in (end, -1) else names[asked]


class TemplateLineParser:
    """Parses lines by the letter of the notation.

    >>> from pyspark_logs.formats.types.text import Text
    >>> from pyspark_logs.formats.template.notation import parse_template
    >>> TemplateLineParser(parse_template("{x} {y}"), [RequestedColumn("y", Text(), "y")], ParsingRules()).parse("a b", TimestampContext()).values
    ['b']
    """

    def __init__(self, template: Template, columns: Sequence[RequestedColumn[str]], rules: ParsingRules) -> None:
        self.template, self.columns, self.rules = template, tuple(columns), rules
        self.scope = ParsingScope(template, columns, rules)
        # Field -> its columns with their places; None: a place nobody asked for, only judged.
        self.wanted: dict[str, list[tuple[int | None, RequestedColumn[str]]]] = {}
        for place, column in enumerate(columns):
            self.wanted.setdefault(column.source, []).append((place, column))
        for column in rules.unasked:
            self.wanted.setdefault(column.source, []).append((None, column))

    def parse(self, line: str, context: TimestampContext) -> Parsed:
        """The values of the columns."""
        if self.scope.nothing:
            return Parsed([], "")
        return _Walk(self, line, context).parse()


class _MismatchError(Exception):
    """The line's structure is not the template's.

    Args:
        general: what is wrong.
        where: in this line.
    """

    def __init__(self, general: str, where: str = "") -> None:
        super().__init__(general + where)
        self.general = general


class _Walk:
    """One line: the place reached, and what was found."""

    def __init__(self, parser: TemplateLineParser, line: str, context: TimestampContext) -> None:
        self.parser, self.line, self.context, self.rules = parser, line, context, parser.rules
        self.values: list[Any] = [None] * len(parser.columns)
        self.reason = self.general = ""
        self.place = 0

    def parse(self) -> Parsed:
        scope = self.parser.scope
        settled = scope.last_judged is None and not scope.judged_whole
        try:
            for name in self._fields():
                settled = settled or (name == scope.last_judged and not scope.judged_whole)
                if name is not None and name == scope.last:
                    break
        except _MismatchError as mismatch:
            if not settled:
                return Parsed([None] * len(self.values), str(mismatch), mismatch.general)
            # What is judged stands. A column that is not is there only where it would be if it were.
            judged = [column.judged for column in self.parser.columns]
            self.values = [value if keep else None for value, keep in zip(self.values, judged, strict=True)]
        return Parsed(self.values, self.reason, self.general)

    def _fields(self) -> Iterator[str | None]:
        """Walk the template; yields the name of each field once its value is known.

        That of a field in a group that is absent is known once there stands what may stand in the group's place.
        """
        steps = self.parser.template.steps
        index, absent = 0, []
        while index < len(steps):
            segment, following, size = steps[index].segment, steps[index].following, steps[index].size
            index += 1
            if isinstance(segment, Group) and not self._stands(segment.segments[0], self.place):
                absent += [field.name for field in named_fields(segment.segments)]
                index += size
                continue
            if isinstance(segment, (Literal, Blanks)):
                self._take(segment)
            yield from absent
            absent.clear()
            if isinstance(segment, Field):
                self._field(segment, following)
                yield segment.name
        if self.place < len(self.line) and not self.rules.allow_trailing:
            raise _MismatchError("text after the last field", f", at byte {self._byte()}")
        yield from absent

    def _byte(self) -> int:
        return len(self.line[: self.place].encode())

    # --- literals and blanks ------------------------------------------------------------------------------

    def _stands(self, segment: Segment, place: int) -> bool:
        if isinstance(segment, Literal):
            return self.line.startswith(segment.text, place)
        return self.line[place : place + 1] in (" ", "\t")

    def _seek(self, stops: tuple[Literal | Blanks, ...]) -> int:
        """The first place at or after the current one where one of them stands; -1: nowhere."""
        first = -1
        for stop in reversed(stops):  # none is looked for behind what was found: the last one is seldom far away
            end = len(self.line) if first < 0 else first
            if isinstance(stop, Literal):
                at = self.line.find(stop.text, self.place, end if first < 0 else end + len(stop.text) - 1)
            else:
                blank = _BLANKS.search(self.line, self.place, end)
                at = blank.start() if blank else -1
            first = at if at >= 0 else first
        return first

    def _take(self, segment: Literal | Blanks) -> None:
        if not self._stands(segment, self.place):
            raise _MismatchError(f"expected {_shown(segment)}", f" at byte {self._byte()}")
        if isinstance(segment, Literal):
            self.place += len(segment.text)
        elif blanks := _BLANKS.match(self.line, self.place):
            self.place = blanks.end()

    # --- fields -------------------------------------------------------------------------------------------

    def _field(self, field: Field, following: Following) -> None:
        if field.padding is not None and field.padding.before:
            spaces = self.line[self.place : self.place + field.padding.width]
            self.place += len(spaces) - len(spaces.lstrip(" "))
        start = self.place
        own = field.type.syntax.match(self.line, start) if field.type.syntax is not None else None
        end, by_itself = self._end(field, own, following)
        if field.never_blank:
            self._check_filled(field, following, end, by_itself)
        self.place = end
        if field.padding is not None and not field.padding.before:
            end = start + len(self.line[start:end].rstrip(" "))
            self._pass_padding(field.padding.width - (end - start), following)
        if field.name is not None and field.name in self.parser.wanted:
            inside = by_itself and own is not None and field.type.quoted
            self._value(field, own[1] if inside and own else self.line[start:end], by_itself)

    def _check_filled(self, field: Field, following: Following, end: int, by_itself: bool) -> None:
        """Raises _MismatchError where a value is missing, or another one stands close behind it."""
        text = self.line[self.place : end]
        if text == "" and end < len(self.line.rstrip(" ")):
            raise _MismatchError(f"nothing stands for field {field.name!r}", f" at byte {self._byte()}")
        if text.startswith(" ") or text.endswith(" "):
            raise _MismatchError(f"a space too many beside field {field.name!r}", f" at byte {self._byte()}")
        if field.type.quoted and not by_itself and text.startswith('"'):
            raise _MismatchError(f"field {field.name!r} is not a quoted text", f" at byte {self._byte()}")
        ended = (
            end == len(self.line)
            or self.line[end] == " "
            or any(self._stands(stop, end) for stop in following.delimiters)
        )
        if following.line_end and not ended:
            raise _MismatchError(f"text close behind field {field.name!r}", f", which begins at byte {self._byte()}")

    def _pass_padding(self, most: int, following: Following) -> None:
        """Behind a value: spaces up to its width, where what ends it is spaces and stands behind them as well."""
        stop = following.delimiters[0] if following.delimiters else None
        if not isinstance(stop, Literal) or stop.text.strip(" "):
            return
        for _ in range(most):
            if not self._stands(stop, self.place + 1):
                break
            self.place += 1

    def _end(self, field: Field, own: re.Match[str] | None, following: Following) -> tuple[int, bool]:
        """Where a field ends, and whether its own syntax says so."""
        if following.field is not None:
            if own is None:
                kind = field.type.notation
                raise _MismatchError(f"field {field.name!r} is not a {kind}", f" at byte {self._byte()}")
            return own.end(), True
        if own is not None and any(self._stands(stop, own.end()) for stop in following.delimiters):
            return own.end(), True
        if own is not None and following.line_end and own.end() == len(self.line):
            return own.end(), True
        first = self._seek(following.delimiters)
        if first >= 0:
            return first, False
        if not following.line_end:
            what = " or ".join(_shown(stop) for stop in following.delimiters)
            raise _MismatchError(f"no {what} after field {field.name!r}", f", which begins at byte {self._byte()}")
        return self._last_end(field, own)

    def _last_end(self, field: Field, own: re.Match[str] | None) -> tuple[int, bool]:
        """The end of the last field, or of the one with nothing but absent groups behind it."""
        if own is not None:
            if not self.rules.allow_trailing:
                raise _MismatchError(f"text after the last field, {field.name!r}")
            return own.end(), True
        if self.rules.allow_trailing and field.type.syntax is None and not field.type.takes_rest:
            blank = self._seek((Blanks(),))
            return (blank if blank >= 0 else len(self.line)), False
        return len(self.line), False

    def _value(self, field: Field, text: str, by_itself: bool) -> None:
        if text in field.null_texts(self.rules.null_value):
            return
        columns = self.parser.wanted[field.name or ""]
        stray = field.type.syntax is not None and not by_itself
        bare = stray and field.type.quotes_optional and not text.startswith('"')
        stray = stray and not bare
        if field.type.quoted and stray:
            for _, column in columns:
                self._blame(column, field, text, "not a quoted text")
            return
        spelling = None if bare else field.type.resolve_escape_style(self.rules.escape)
        if spelling is not None:
            text = spelling.unescape(text)
        for place, column in columns:
            if stray and column.type == field.type:
                self._blame(column, field, text, "what must follow does not stand behind it")
                continue
            try:
                value = column.type.parse(text, self.context)
            except ValueError as error:
                self._blame(column, field, text, str(error))
            else:
                if place is not None:
                    self.values[place] = value

    def _blame(self, column: RequestedColumn[str], field: Field, text: str, problem: str) -> None:
        if column.judged and not self.reason:
            self.reason = f"field {field.name!r}: {text[:80]!r}: {problem}"
            self.general = f"field {field.name!r}: {problem.partition(': ')[0]}"


def _shown(stop: Literal | Blanks) -> str:
    return repr(stop.text) if isinstance(stop, Literal) else "a blank"
