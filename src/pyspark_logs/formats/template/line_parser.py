"""Line parser of templates: parses one line at a time and defines the meaning of a template.

It parses the lines that the template engine leaves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark_logs.formats.decoding.parsed_line import ParsedLine
from pyspark_logs.formats.decoding.rejections import NOT_QUOTED, TEXT_MISSING, RejectionForm
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.template.line_delimiters import BLANKS, begins, find_first, find_last
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
from pyspark_logs.terminal_text import with_article


@dataclass(frozen=True)
class ParsingRules:
    """Options that are part of the meaning of a template.

    Attributes:
        null_value: null token.
        escape: True if unquoted strings have backslash escapes.
        allow_trailing: True if text after the last field is ignored.
        judge_whole: True if any field of the template makes a line corrupt, not only the requested ones.
        unrequested: fields that were not requested, but make a line corrupt.
        finds_appended: True if the text after the last field is sought in lines that are parsed to their end.
    """

    null_value: str = "-"
    escape: bool = False
    allow_trailing: bool = False
    judge_whole: bool = False
    unrequested: tuple[RequestedColumn[str], ...] = ()
    finds_appended: bool = False


class ParsingScope:
    """FieldPart of a line that must be parsed for the requested columns, and the part by which the line is judged.

    A line is judged up to the end of the last judged column; as a whole if that is the last field of the template, or
    if the rules say so.

    Attributes:
        nothing: True if a line need not be parsed at all.
        judged_whole: True if the line is judged as a whole.
        last_judged: field up to which a line is judged; None: no field is.
        last: field after which parsing ends; None: the end of the line.
    """

    def __init__(self, template: Template, columns: Sequence[RequestedColumn[str]], rules: ParsingRules) -> None:
        names = [field.name or "" for field in template.fields]
        located = [(names.index(one.source), column.judged) for column in columns for one in column.locations]
        judged = max((index for index, is_judged in located if is_judged), default=-1)
        requested = max((index for index, _ in located), default=-1)
        end = len(names) - 1
        self.nothing = requested < 0 and not rules.judge_whole
        self.judged_whole = rules.judge_whole or judged == end
        self.last_judged = names[judged] if judged >= 0 else None
        self.last = None if rules.judge_whole or requested in (end, -1) else names[requested]


class TemplateLineParser:
    """Parses lines by a template.

    >>> from pyspark_logs.formats.types.text import Text
    >>> from pyspark_logs.formats.template.notation import parse_template
    >>> columns = [RequestedColumn("y", Text(), "y")]
    >>> TemplateLineParser(parse_template("{x} {y}"), columns, ParsingRules()).parse("a b", TimestampContext()).values
    ['b']

    Args:
        template: template of the lines.
        columns: requested columns.
        rules: options of the format.
    """

    def __init__(self, template: Template, columns: Sequence[RequestedColumn[str]], rules: ParsingRules) -> None:
        self.template, self.columns, self.rules = template, tuple(columns), rules
        self.scope = ParsingScope(template, columns, rules)
        # Field -> its columns with their indices; None: the column was not requested and is only validated.
        self.columns_by_field: dict[str, list[tuple[int | None, RequestedColumn[str]]]] = {}
        for index, column in enumerate(columns):
            for one in column.locations:
                self.columns_by_field.setdefault(one.source, []).append((index, one))
        for column in rules.unrequested:
            self.columns_by_field.setdefault(column.source, []).append((None, column))

    def parse(self, line: str, context: TimestampContext) -> ParsedLine:
        """Returns the values of the columns."""
        if self.scope.nothing:
            return ParsedLine([], "")
        return _LineScanner(self, line, context).parse()


class _MismatchError(Exception):
    """A line does not have the structure of the template.

    Args:
        category: the problem.
        details: its position in this line.
    """

    def __init__(self, category: str, details: str = "") -> None:
        super().__init__(category + details)
        self.category = category


class _LineScanner:
    """Scan of one line.

    Attributes:
        position: position reached in the line, in characters.
        values: values found so far.
        reason: reason why the line is corrupt, by a value; "": it is not.
        category: category of the reason.
        rest: position after the last named field; None: it was not reached.
    """

    def __init__(self, parser: TemplateLineParser, line: str, context: TimestampContext) -> None:
        self.parser, self.line, self.context, self.rules = parser, line, context, parser.rules
        self.values: list[Any] = [None] * len(parser.columns)
        self.reason = self.category = ""
        self.position = 0
        self.rest: int | None = None

    def parse(self) -> ParsedLine:
        scope = self.parser.scope
        is_judged = (
            scope.last_judged is None and not scope.judged_whole
        )  # everything that judges the line has been parsed
        try:
            for name in self._fields():
                is_judged = is_judged or (name == scope.last_judged and not scope.judged_whole)
                if name is not None and name == scope.last:
                    break
        except _MismatchError as mismatch:
            if not is_judged:
                return ParsedLine([None] * len(self.values), str(mismatch), mismatch.category)
            # Judged columns are complete. A column that is not judged has a value only in a line that would be valid if
            # the column were judged.
            judged = [column.judged for column in self.parser.columns]
            self.values = [value if keep else None for value, keep in zip(self.values, judged, strict=True)]
        return ParsedLine(self.values, self.reason, self.category, self.rest)

    def _fields(self) -> Iterator[str | None]:
        """Scans the template, and yields the name of each field once its value is known.

        A group that the line does not have leaves its fields null. Their names are yielded only when the literal or the blanks
        after the group are found, because without them the line does not match.
        """
        steps = self.parser.template.steps
        index, absent = 0, []
        while index < len(steps):
            step = steps[index]
            segment, index = step.segment, index + 1
            if self.rules.finds_appended and step.takes_appended:
                self.rest = self.position
            if isinstance(segment, Group) and not begins(self.line, segment.segments[0], self.position):
                absent += [field.name for field in named_fields(segment.segments)]
                index += step.size
                continue
            if isinstance(segment, (Literal, Blanks)):
                self._skip(segment)
            yield from absent
            absent.clear()
            if isinstance(segment, Field):
                self._scan_field(segment, step.following)
                yield segment.name
        if self.rules.finds_appended and self.rest is None:
            self.rest = self.position
        if self.position < len(self.line) and not self.rules.allow_trailing:
            raise _MismatchError("text after the last field", f", at byte {self._offset()}")
        yield from absent

    def _offset(self) -> int:
        """Returns the position in bytes, for messages."""
        return len(self.line[: self.position].encode())

    # --- literals and blanks ------------------------------------------------------------------------------

    def _skip(self, segment: Literal | Blanks) -> None:
        """Moves after a literal or blanks.

        Raises:
            _MismatchError: they are not at the position.
        """
        if not begins(self.line, segment, self.position):
            raise _MismatchError(f"expected {_describe(segment)}", f" at byte {self._offset()}")
        if isinstance(segment, Literal):
            self.position += len(segment.text)
        elif blanks := BLANKS.match(self.line, self.position):
            self.position = blanks.end()

    # --- fields -------------------------------------------------------------------------------------------

    def _scan_field(self, field: Field, following: Following) -> None:
        if field.padding is not None and field.padding.before:
            spaces = self.line[self.position : self.position + field.padding.width]
            self.position += len(spaces) - len(spaces.lstrip(" "))
        start = self.position
        match = field.type.syntax.match(self.line, start) if field.type.syntax is not None else None
        end, by_syntax = self._field_end(field, match, following)
        if field.never_blank:
            self._check_not_blank(field, following, end, by_syntax)
        self.position = end
        if field.padding is not None and not field.padding.before:
            end = start + len(self.line[start:end].rstrip(" "))
            self._skip_padding(field.padding.width - (end - start), following)
        if field.name is not None and field.name in self.parser.columns_by_field:
            is_quoted = by_syntax and match is not None and field.type.quoted
            self._parse_value(field, match[1] if is_quoted and match else self.line[start:end], by_syntax)

    def _check_not_blank(self, field: Field, following: Following, end: int, by_syntax: bool) -> None:
        """Checks a field that is never blank.

        Raises:
            _MismatchError: the value is missing, has a space at an end, or has text directly after it.
        """
        text = self.line[self.position : end]
        if text == "" and end < len(self.line.rstrip(" ")):
            raise _MismatchError(f"field {field.name!r} is empty", f" at byte {self._offset()}")
        if text.startswith(" ") or text.endswith(" "):
            raise _MismatchError(f"a space too many beside field {field.name!r}", f" at byte {self._offset()}")
        if field.type.quoted and not by_syntax and text.startswith('"'):
            raise _MismatchError(f"field {field.name!r} is not a quoted text", f" at byte {self._offset()}")
        is_ended = end == len(self.line) or self.line[end] == " "
        is_ended = is_ended or any(begins(self.line, delimiter, end) for delimiter in following.delimiters)
        if following.line_end and not is_ended:
            raise _MismatchError(
                f"text directly after field {field.name!r}", f", which begins at byte {self._offset()}"
            )

    def _skip_padding(self, max_count: int, following: Following) -> None:
        """Moves after the padding of a value, if the delimiter after the field consists of spaces."""
        delimiter = following.delimiters[0] if following.delimiters else None
        if not isinstance(delimiter, Literal) or delimiter.text.strip(" "):
            return
        for _ in range(max_count):
            if not begins(self.line, delimiter, self.position + 1):
                break
            self.position += 1

    def _field_end(self, field: Field, match: re.Match[str] | None, following: Following) -> tuple[int, bool]:
        """Returns the end of a field, and True if its syntax determines the end.

        Args:
            field: field that begins at the position.
            match: match of the syntax there; None if the type has none or the text does not match.
            following: segments that may follow the field.
        """
        if following.field is not None:
            if match is None:
                raise _MismatchError(
                    f"field {field.name!r} is not {with_article(field.type.notation)}", f" at byte {self._offset()}"
                )
            return match.end(), True
        if match is not None:
            if any(begins(self.line, delimiter, match.end()) for delimiter in following.delimiters):
                return match.end(), True
            if following.line_end and match.end() == len(self.line):
                return match.end(), True
        bound = following.right_bound
        if bound is None:
            first = find_first(self.line, following.delimiters, self.position)
        else:
            first = find_last(self.line, bound, self.position)
        if first >= 0:
            return first, False
        if not following.line_end:
            expected = " or ".join(_describe(delimiter) for delimiter in following.delimiters)
            raise _MismatchError(
                f"no {expected} after field {field.name!r}", f", which begins at byte {self._offset()}"
            )
        return self._last_end(field, match)

    def _last_end(self, field: Field, match: re.Match[str] | None) -> tuple[int, bool]:
        """Returns the same as :meth:`_field_end` for a field that only absent groups follow."""
        if match is not None:
            if not self.rules.allow_trailing:
                raise _MismatchError(f"text after the last field, {field.name!r}")
            return match.end(), True
        if self.rules.allow_trailing and field.type.syntax is None and not field.type.takes_rest:
            blank = find_first(self.line, (Blanks(),), self.position)
            return (blank if blank >= 0 else len(self.line)), False
        return len(self.line), False

    def _parse_value(self, field: Field, text: str, by_syntax: bool) -> None:
        if text in field.null_texts(self.rules.null_value):
            return
        columns = self.parser.columns_by_field[field.name or ""]
        is_unmatched = field.type.syntax is not None and not by_syntax
        is_bare = is_unmatched and field.type.quotes_optional and not text.startswith('"')
        is_unmatched = is_unmatched and not is_bare
        if field.type.quoted and is_unmatched:
            for _, column in columns:
                self._reject(column, field, text, NOT_QUOTED)
            return
        style = None if is_bare else field.type.resolve_escape_style(self.rules.escape)
        if style is not None:
            text = style.unescape(text)
        for index, column in columns:
            if is_unmatched and (field.type.must_match or column.type == field.type):
                self._reject(column, field, text, TEXT_MISSING)
                continue
            try:
                value = column.type.parse(text, self.context)
            except ValueError as error:
                self._reject(column, field, text, str(error))
            else:
                if index is not None and self.values[index] is None:
                    self.values[index] = value

    def _reject(self, column: RequestedColumn[str], field: Field, text: str, problem: str) -> None:
        """Makes the line corrupt by a value, unless the column is not judged or the line is corrupt already."""
        if column.judged and not self.reason:
            self.reason, self.category = rejection_form(field).reason(text, problem)


def rejection_form(field: Field) -> RejectionForm:
    """Returns the form of the reasons of lines with a rejected value of a field."""
    return RejectionForm(f"field {field.name!r}", unmatched=NOT_QUOTED if field.type.quoted else TEXT_MISSING)


def _describe(delimiter: Literal | Blanks) -> str:
    return repr(delimiter.text) if isinstance(delimiter, Literal) else "a blank"
