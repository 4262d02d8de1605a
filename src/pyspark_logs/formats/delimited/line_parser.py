"""Values between separators: the exact parser, one line at a time.

A value that begins with the quote reaches to the next quote that is not doubled, and may hold the separator; behind it
stands the separator or the line's end (RFC 4180). A quote within a value that does not begin with one is text. A line
is a record, so no value holds a line end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyspark_logs.formats.parsed_line import ParsedLine
from pyspark_logs.formats.requested_column import RequestedColumn
from pyspark_logs.formats.timestamps.parsing import TimestampContext


class Value(NamedTuple):
    """One value of a line: its text, whether it was quoted, whether it is the line's last."""

    text: str
    quoted: bool
    last: bool


@dataclass(frozen=True)
class Cutter:
    """How a line is cut into values.

    Attributes:
        separator: one character or more.
        quote: one character; None: there are no quotes.
    """

    separator: str
    quote: str | None

    def values(self, line: str) -> Iterator[Value]:
        """The values in order.

        Raises:
            ValueError: a quote is not closed, or there is text behind one; the values before it have been given.

        >>> [value.text for value in Cutter(",", "'").values("a,'b, ''c''',")]
        ['a', "b, 'c'", '']
        """
        place = 0
        while True:
            if self.quote is not None and line.startswith(self.quote, place):
                text, end = self._quoted(line, place)
                quoted = True
            else:
                end = line.find(self.separator, place)
                end = len(line) if end < 0 else end
                text, quoted = line[place:end], False
            yield Value(text, quoted, end == len(line))
            if end == len(line):
                return
            place = end + len(self.separator)

    def _quoted(self, line: str, place: int) -> tuple[str, int]:
        """The text between the quote at a place and the one that closes it, and where that ends."""
        quote = self.quote or ""
        end = line.find(quote, place + 1)
        while end >= 0 and line.startswith(quote, end + 1):
            end = line.find(quote, end + 2)
        if end < 0:
            raise ValueError(f"a quote is not closed, at byte {_byte(line, place)}")
        text = line[place + 1 : end].replace(quote + quote, quote)
        if end + 1 < len(line) and not line.startswith(self.separator, end + 1):
            raise ValueError(f"there is text behind a closing quote, at byte {_byte(line, end + 1)}")
        return text, end + 1

    def names(self, header: str) -> list[str]:
        """The names in a header line: without quotes and, where there are none, without blanks around them."""
        try:
            return [value.text if value.quoted else value.text.strip() for value in self.values(header)]
        except ValueError:  # whatever it is, it names columns
            quote = self.quote or ""
            return [name.strip().strip(quote) for name in header.split(self.separator)]


def _byte(line: str, place: int) -> int:
    return len(line[:place].encode())


@dataclass(frozen=True)
class DelimitedSource:
    """Values of a line that make up a column's text.

    Attributes:
        indices: indices of the values, which are joined by one space; empty if no line has the column, which is then null.
        suffix: text appended to the values.
    """

    indices: tuple[int, ...] = ()
    suffix: str = ""


DelimitedColumn = RequestedColumn[DelimitedSource]


@dataclass(frozen=True)
class DelimitedRules:
    """What else there is to know of a line.

    Attributes:
        count: of the values that a line has.
        null_value: text that is null, unless it is quoted.
        allow_trailing: further values are fine.
        judge_whole: lines are judged to their ends, and by ``unasked`` columns, too.
        counted: lines are judged by how many values they have, whichever columns are asked for.
    """

    count: int
    null_value: str = "-"
    allow_trailing: bool = False
    judge_whole: bool = False
    unasked: tuple[DelimitedColumn, ...] = ()
    counted: bool = False

    def last_judged(self, columns: Sequence[DelimitedColumn]) -> int:
        """The last value that a line is judged by, and what ends it; -1: there is none."""
        last = self.count - 1
        judged = max((index for column in columns if column.judged for index in column.source.indices), default=-1)
        return last if self.judge_whole or (self.counted and judged >= 0) else judged


class DelimitedLineParser:
    """Parses lines by the letter.

    A line is judged up to the last value that is asked for and what ends it; whole, if that is a line's last value or
    the rules say so. With ``counted`` a value too many or too few anywhere makes it corrupt.

    >>> from pyspark_logs.formats.types.text import Text
    >>> lines = DelimitedLineParser(Cutter(",", '"'), [RequestedColumn("b", Text(), DelimitedSource((1,)))], DelimitedRules(2))
    >>> lines.parse('1,"x,y"', TimestampContext()).values, lines.parse("1", TimestampContext()).reason
    (['x,y'], 'it has 1 of 2 values')
    """

    def __init__(self, cutter: Cutter, columns: Sequence[DelimitedColumn], rules: DelimitedRules) -> None:
        self.cutter, self.columns, self.rules = cutter, tuple(columns), rules
        self.judged = rules.last_judged(columns)
        self.furthest = max([self.judged, *(index for column in columns for index in column.source.indices)])

    def parse(self, line: str, context: TimestampContext) -> ParsedLine:
        """The values of the columns."""
        found: list[Value] = []
        problem = ""
        if self.furthest >= 0:
            try:
                for value in self.cutter.values(line):
                    problem = self._misplaced(len(found), value)
                    if problem:
                        break
                    found.append(value)
                    if len(found) > self.furthest:
                        break
            except ValueError as error:
                problem = str(error)
        if problem and len(found) <= self.judged:
            return ParsedLine([None] * len(self.columns), problem)
        values: list[Any] = []
        reason = general = ""
        for column in (*self.columns, *self.rules.unasked):
            value, wrong = self._value(column, found, context)
            values.append(value)
            if wrong and not reason:
                reason, general = wrong, f"column {column.name!r}: not of its type"
        return ParsedLine(values[: len(self.columns)], reason, general)

    def _misplaced(self, place: int, value: Value) -> str:
        """What is wrong with a value's being, or not being, the last; "" where nothing is."""
        last = self.rules.count - 1
        if place < last and value.last:
            return f"it has {place + 1} of {last + 1} values"
        if place == last and not value.last and not self.rules.allow_trailing:
            return f"it has more than {last + 1} values"
        return ""

    def _value(self, column: DelimitedColumn, found: Sequence[Value], context: TimestampContext) -> tuple[Any, str]:
        """The value, and what is wrong with it."""
        source = column.source
        if not source.indices or max(source.indices) >= len(found):
            return None, ""
        texts = [self._text(found[index], column) for index in source.indices]
        if None in texts:
            return None, ""
        text = " ".join(text for text in texts if text is not None) + source.suffix
        try:
            return column.type.parse(text, context), ""
        except ValueError as error:
            return None, f"column {column.name!r}: {text[:80]!r}: {error}" if column.judged else ""

    def _text(self, value: Value, column: DelimitedColumn) -> str | None:
        if value.text == "":
            return "" if value.quoted and column.type.keeps_text else None
        return None if value.text == self.rules.null_value and not value.quoted else value.text
