"""The exact engine: one line at a time, plain Python, for what the fast engines are not sure of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark_logs.formats import escapes
from pyspark_logs.formats.fieldtypes import FieldType
from pyspark_logs.formats.template import Blanks, Field, Literal, Segment, Template
from pyspark_logs.formats.timestamps import Moment


@dataclass(frozen=True)
class Column:
    """A column wanted of a format.

    Attributes:
        name: the column.
        type: what the field's text means (the format's type, or the one that a schema asks for).
        judged: whether the column counts when a line is called corrupt.
        part_of: the format's field, where that is named otherwise (``client_ip`` is part of ``client``).
    """

    name: str
    type: FieldType
    judged: bool = True
    part_of: str | None = None

    @property
    def field(self) -> str:
        """The format's field whose text this column reads."""
        return self.part_of or self.name


@dataclass(frozen=True)
class Rules:
    """The options that are part of a format's meaning."""

    null_value: str = "-"
    escape: bool = False
    allow_trailing: bool = False
    judge_whole: bool = False


@dataclass(frozen=True)
class Parsed:
    """One line's values in the order of the columns, and why it is corrupt ("" where it is not)."""

    values: list[Any]
    reason: str


class _Mismatch(Exception):
    """The line's structure is not the template's."""


def parse_line(line: str, template: Template, columns: Sequence[Column], rules: Rules, moment: Moment) -> Parsed:
    """Parse one line by the letter of the notation.

    >>> from pyspark_logs.formats.fieldtypes import Text
    >>> from pyspark_logs.formats.template import parse_template
    >>> parse_line("a b", parse_template("{x} {y}"), [Column("y", Text())], Rules(), Moment()).values
    ['b']
    """
    return _Line(line, template, columns, rules, moment).parse()


class _Line:
    """The state of one parse: the line, the place reached, and what was found."""

    def __init__(
        self, line: str, template: Template, columns: Sequence[Column], rules: Rules, moment: Moment
    ) -> None:
        self.line, self.template, self.columns, self.rules, self.moment = line, template, columns, rules, moment
        self.wanted: dict[str, list[Column]] = {}
        for column in columns:
            self.wanted.setdefault(column.field, []).append(column)
        self.found: dict[str, Any] = {}
        self.reason = ""
        self.place = 0
        names = [field.name for field in template.fields]
        judged = [names.index(column.field) for column in columns if column.judged]
        self.last_judged = names[max(judged)] if judged else None
        asked = [names.index(column.field) for column in columns]
        self.last_asked = names[max(asked)] if asked else None

    def parse(self) -> Parsed:
        whole = self.rules.judge_whole
        done = not whole and self.last_judged is None
        try:
            if whole or self.last_asked is not None:
                for field in self._fields():
                    done = done or (not whole and field.name is not None and field.name == self.last_judged)
                    if not whole and field.name is not None and field.name == self.last_asked:
                        break
        except _Mismatch as mismatch:
            if not done:
                return Parsed([None] * len(self.columns), str(mismatch))
        return Parsed([self.found.get(column.name) for column in self.columns], self.reason)

    def _fields(self) -> Any:
        """Walk the template; yields each field once its text is known."""
        for depth, level in enumerate(self.template.levels):
            if depth and not self._group_follows(level[0]):
                break
            following = self.template.levels[depth + 1][0] if depth + 1 < len(self.template.levels) else None
            for index, segment in enumerate(level):
                if not isinstance(segment, Field):
                    self._take(segment)
                    continue
                next_segment = level[index + 1] if index + 1 < len(level) else None
                self._field(segment, next_segment, following if next_segment is None else None)
                yield segment
        if self.place < len(self.line) and not self.rules.allow_trailing:
            raise _Mismatch(f"text after the last field, at byte {self._byte()}")

    def _byte(self) -> int:
        return len(self.line[: self.place].encode())

    def _group_follows(self, first: Segment) -> bool:
        return self._stands(first, self.place)

    def _stands(self, segment: Segment | None, place: int) -> bool:
        if segment is None:
            return place == len(self.line)
        if isinstance(segment, Literal):
            return self.line.startswith(segment.text, place)
        return isinstance(segment, Field) or self.line[place : place + 1] in (" ", "\t")

    def _seek(self, segment: Segment) -> int:
        """The first place at or after the current one where a literal or a blank stands; -1: nowhere."""
        if isinstance(segment, Literal):
            return self.line.find(segment.text, self.place)
        places = [place for place in (self.line.find(" ", self.place), self.line.find("\t", self.place)) if place >= 0]
        return min(places, default=-1)

    def _take(self, segment: Literal | Blanks) -> None:
        if not self._stands(segment, self.place):
            what = repr(segment.text) if isinstance(segment, Literal) else "a blank"
            raise _Mismatch(f"expected {what} at byte {self._byte()}")
        if isinstance(segment, Literal):
            self.place += len(segment.text)
        else:
            while self.line[self.place : self.place + 1] in (" ", "\t"):
                self.place += 1

    def _field(self, field: Field, following: Segment | None, group: Segment | None) -> None:
        start = self.place
        own = field.type.syntax.match(self.line, start) if field.type.syntax is not None else None
        end_known = own is not None and self._own_end_holds(own.end(), following, group)
        if own is not None and end_known:
            self.place = own.end()
        elif isinstance(following, Field):
            raise _Mismatch(f"field {field.name!r} is not a {type(field.type).__name__.lower()} at byte {self._byte()}")
        else:
            self.place = self._end_by_search(field, following, group, own is not None)
        text = self.line[start : self.place]
        if field.type.quoted and own is not None and end_known:
            self._value(field, own.group(1), inside_quotes=True)
        else:
            self._value(field, text, inside_quotes=False)

    def _own_end_holds(self, end: int, following: Segment | None, group: Segment | None) -> bool:
        if following is not None:
            return self._stands(following, end)
        if group is not None and self._stands(group, end):
            return True
        return end == len(self.line) or self.rules.allow_trailing

    def _end_by_search(self, field: Field, following: Segment | None, group: Segment | None, own: bool) -> int:
        if following is not None:
            end = self._seek(following)
            if end < 0:
                what = repr(following.text) if isinstance(following, Literal) else "a blank"
                raise _Mismatch(f"no {what} after field {field.name!r}, which begins at byte {self._byte()}")
            return end
        if group is not None:
            end = self._seek(group)
            if end >= 0:
                return end
        if own:
            raise _Mismatch(f"text after the last field, {field.name!r}")
        if field.type.takes_rest or not self.rules.allow_trailing:
            return len(self.line)
        end = self._seek(Blanks())
        return end if end >= 0 else len(self.line)

    def _value(self, field: Field, text: str, *, inside_quotes: bool) -> None:
        if field.name is None:
            return
        columns = self.wanted.get(field.name, [])
        if self.rules.judge_whole and not columns:
            columns = [Column(field.name, field.type)]
        if field.nullable and text in ("", self.rules.null_value):
            return
        if field.type.quoted and not inside_quotes:
            self._blame(field, text, "not a quoted text", columns)
            return
        if field.type.quoted or (field.type.text and self.rules.escape):
            text = escapes.unescape(text)
        for column in columns:
            try:
                self.found[column.name] = column.type.parse(text, self.moment)
            except (ValueError, OverflowError) as error:
                self._blame(field, text, str(error), [column])

    def _blame(self, field: Field, text: str, problem: str, columns: Sequence[Column]) -> None:
        judged = self.rules.judge_whole or any(column.judged for column in columns)
        if judged and not self.reason:
            self.reason = f"field {field.name!r}: {text[:80]!r}: {problem}"
