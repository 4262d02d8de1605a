"""Line parser of separated values: splits one line and converts its values one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark_logs.formats.columnar.reasons import CorruptReason
from pyspark_logs.formats.decoding.parsed_line import ParsedLine
from pyspark_logs.formats.decoding.rejections import RejectionForm
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.delimited.splitter import SplitValue, ValueSplitter
from pyspark_logs.formats.timestamps.parsing import TimestampContext


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
    """Rules by which lines under one header are parsed and validated.

    Attributes:
        value_count: number of values of a line.
        null_value: unquoted text that is null.
        allow_trailing: True if a line may have further values.
        judge_whole: True if a line is validated to its end, and by the columns ``validated_only``, too.
        validated_only: columns that are not requested.
        checks_count: True if the number of values is validated whatever columns are requested.
    """

    value_count: int
    null_value: str = "-"
    allow_trailing: bool = False
    judge_whole: bool = False
    validated_only: tuple[DelimitedColumn, ...] = ()
    checks_count: bool = False

    def last_validated(self, columns: Sequence[DelimitedColumn]) -> int:
        """Returns the index of the last value of a line that is validated; -1: no value is.

        Where it is the last value of the line, the number of values is validated, too.

        Args:
            columns: requested columns.
        """
        judged = max((index for column in columns if column.judged for index in column.source.indices), default=-1)
        return self.value_count - 1 if self.judge_whole or (self.checks_count and judged >= 0) else judged


class DelimitedLineParser:
    r"""Parses lines one at a time.

    A line whose quotes or number of values are not correct is read with backslashes as escapes within quotes, if both are
    correct in this way. Programs with another dialect, such as Spark, write these lines.

    A line is validated up to the end of the last requested value. It is validated as a whole if that is the last value of
    the line or if the rules say so.

    >>> from pyspark_logs.formats.types.text import Text
    >>> column = RequestedColumn("b", Text(), DelimitedSource((1,)))
    >>> parser = DelimitedLineParser(ValueSplitter(",", '"'), [column], DelimitedRules(2))
    >>> parser.parse('1,"x,y"', TimestampContext()).values, parser.parse("1", TimestampContext()).reason
    (['x,y'], 'it has 1 of 2 values')
    """

    def __init__(self, splitter: ValueSplitter, columns: Sequence[DelimitedColumn], rules: DelimitedRules) -> None:
        self.splitter, self.columns, self.rules = splitter, tuple(columns), rules
        has_other_reading = splitter.quote not in (None, "\\") and not splitter.escapes
        self._escaping = replace(splitter, escapes=True) if has_other_reading else None
        self._escaped_quote = f"\\{splitter.quote}"
        self.last_validated = rules.last_validated(columns)
        self.last_parsed = max([self.last_validated, *(index for one in columns for index in one.source.indices)])

    def parse(self, line: str, context: TimestampContext) -> ParsedLine:
        """Returns the values of the columns."""
        splitter = self._splitter_of(line) if self.last_parsed >= 0 else self.splitter
        found, problem = self._split(splitter, line) if self.last_parsed >= 0 else ([], "")
        if problem and len(found) <= self.last_validated:
            return ParsedLine([None] * len(self.columns), problem)
        values: list[Any] = []
        reason: CorruptReason | None = None
        for column in (*self.columns, *self.rules.validated_only):
            value, rejection = self._value(column, found, context)
            values.append(value)
            reason = reason or rejection
        return ParsedLine(values[: len(self.columns)], *(reason or ("", "")), self._rest(splitter, found))

    def _rest(self, splitter: ValueSplitter, found: Sequence[SplitValue]) -> int | None:
        """Returns the index of the values after the last one that has a name; None: there are none, or they were not reached."""
        if not self.rules.allow_trailing or len(found) < self.rules.value_count or found[-1].last:
            return None
        return found[self.rules.value_count - 1].end + len(splitter.separator)

    def _split(self, splitter: ValueSplitter, line: str) -> tuple[list[SplitValue], str]:
        """Returns the values of a line up to the last one that is needed, and the reason why a value is missing."""
        found: list[SplitValue] = []
        try:
            for value in splitter.split(line):
                problem = self._count_problem(len(found), value)
                if problem:
                    return found, problem
                found.append(value)
                if len(found) > self.last_parsed:
                    break
        except ValueError as error:
            return found, str(error)
        return found, ""

    def _splitter_of(self, line: str) -> ValueSplitter:
        """Returns the splitter that reads a line: with escapes, if the line is correct in this way only.

        The whole line decides, so that its values do not depend on the requested columns.
        """
        escaping = self._escaping
        if escaping is None or self._escaped_quote not in line or self._is_correct(self.splitter.count(line)):
            return self.splitter
        return escaping if self._is_correct(escaping.count(line)) else self.splitter

    def _is_correct(self, count: int) -> bool:
        expected = self.rules.value_count
        return count == expected or (self.rules.allow_trailing and count > expected)

    def _count_problem(self, index: int, value: SplitValue) -> str:
        """Returns a message if a line ends too early or too late at a value, else ""."""
        count = self.rules.value_count
        if index < count - 1 and value.last:
            return f"it has {index + 1} of {count} values"
        if index == count - 1 and not value.last and not self.rules.allow_trailing:
            return f"it has more than {count} values"
        return ""

    def _value(
        self, column: DelimitedColumn, found: Sequence[SplitValue], context: TimestampContext
    ) -> tuple[Any, CorruptReason | None]:
        """Returns the value of a column, and the reason why the line is corrupt; None: the column does not make it so."""
        source = column.source
        if not source.indices or max(source.indices) >= len(found):
            return None, None
        texts = [self._text(found[index], column) for index in source.indices]
        if None in texts:
            return None, None
        text = " ".join(text for text in texts if text is not None) + source.suffix
        try:
            return column.type.parse(text, context), None
        except ValueError as error:
            return None, rejection_form(column).reason(text, str(error)) if column.judged else None

    def _text(self, value: SplitValue, column: DelimitedColumn) -> str | None:
        if value.text == "":
            return "" if value.quoted and column.type.keeps_text else None
        return None if value.text == self.rules.null_value and not value.quoted else value.text


def rejection_form(column: DelimitedColumn) -> RejectionForm:
    """Returns the form of the reasons of lines with a rejected value of a column."""
    head = f"column {column.name!r}"
    return RejectionForm(head, category=f"{head}: not of its type", judged=column.judged)
