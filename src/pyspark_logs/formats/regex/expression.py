"""Regular expressions with columns: the groups that give each column, and the pattern for RE2.

The pattern captures only the groups of requested columns, because RE2 spends time on every capturing group of a line.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import from_texts
from pyspark_logs.errors import FormatError
from pyspark_logs.formats.notations import notation_advice
from pyspark_logs.formats.re2_tokenizer import Token, syntax_error, tokenize, truncate
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.text import Text

_NAME = re.compile(r"[^\W\d]\w*")
_MAX_DEPTH = 100  # of nested groups, which are decomposed recursively


@dataclass(frozen=True)
class CaptureGroup:
    """A group whose text is a column's value.

    Attributes:
        name: name of the column; groups of different alternatives may share it.
        type: field type that reads the text.
        optional: True if an empty text is null. For ``regex``, a group is optional if the expression can match
            without it, because it is quantified by ``?`` or ``*`` or belongs to one of several alternatives. For
            ``grok`` every group is, as in Logstash.
    """

    name: str
    type: FieldType = field(default_factory=Text)
    optional: bool = False


@dataclass(frozen=True)
class Expression:
    """A regular expression in RE2's syntax.

    Attributes:
        text: the user's expression.
        pieces: parts of the pattern in order; an integer stands for the opening of the capturing group of that index.
        groups: capturing groups in the order in which they open.
    """

    text: str
    pieces: tuple[str | int, ...]
    groups: tuple[CaptureGroup, ...]

    @property
    def consumes_rest(self) -> bool:
        """True if the expression ends with ``.*`` or ``.+``, within any groups."""
        last = [piece for piece in self.pieces[-20:] if piece not in (")", "$", "")]
        return last[-2:-1] == ["."] and last[-1] in ("*", "+", "*?", "+?")

    def column_names(self) -> list[str]:
        """Returns the names of the columns, ordered by their first group."""
        return list(dict.fromkeys(group.name for group in self.groups))

    def groups_of(self, name: str) -> list[int]:
        """Returns the indices of the groups of a column."""
        return [index for index, group in enumerate(self.groups) if group.name == name]

    def pattern(self, captured: Collection[int], *, multi_line: bool = False) -> str:
        """Returns the pattern in which only the given groups capture, as ``g0``, ``g1`` ...

        Args:
            captured: indices of groups.
            multi_line: True if the dot matches line ends.
        """
        pieces = [piece if isinstance(piece, str) else f"(?P<g{piece}>" if piece in captured else "(?:"
                  for piece in self.pieces]  # fmt: skip
        return ("(?s)" if multi_line else "") + "".join(pieces)


@dataclass
class _OpenGroup:
    """A group that has been opened and not closed.

    Attributes:
        groups_before: number of capturing groups opened before it.
        groups_within: the same number, including the group itself if it captures.
        offset: index of its parenthesis in the expression.
        has_alternatives: True once ``|`` was read directly within it.
    """

    groups_before: int
    groups_within: int
    offset: int
    has_alternatives: bool = False


class ExpressionBuilder:
    """Builds an expression from tokens and determines which of its groups are optional."""

    def __init__(self) -> None:
        self.pieces: list[str | int] = []
        self.groups: list[CaptureGroup] = []
        self.optional: set[int] = set()
        self.open_groups: list[_OpenGroup] = []
        self.has_alternatives = False  # outside of all groups
        self.quantified_from = 0  # index of the first group that a quantifier read next would apply to

    @property
    def depth(self) -> int:
        """Number of open groups."""
        return len(self.open_groups)

    def add_token(self, token: Token, source: str, depth: int) -> None:
        """Adds a token that is neither a reference nor a named group.

        Args:
            token: the token.
            source: name of the expression that contains the token, for messages.
            depth: number of groups that were open at the beginning of that expression.
        """
        if token.kind == "open":
            self.open(token.value, token.offset)
        elif token.kind == "close":
            if self.depth == depth:
                raise syntax_error(source, token.offset, "')'", "no group is open; write \\) for a parenthesis")
            self.close()
        elif token.kind == "alternation":
            self._add_alternation()
        elif token.kind == "quantifier":
            self._add_quantifier(token)
        else:
            self.pieces.append(token.value)
            self.quantified_from = len(self.groups)

    def open(self, opening: str | CaptureGroup, offset: int) -> None:
        """Opens a capturing group, or another group given by its opening.

        Raises:
            FormatError: too many groups are open.
        """
        if self.depth == _MAX_DEPTH:
            raise FormatError(
                f"the expression's groups are nested deeper than {_MAX_DEPTH}, at character {offset + 1} of the innermost"
                " pattern; remove groups that neither capture nor repeat"
            )
        before = len(self.groups)
        if isinstance(opening, CaptureGroup):
            self.pieces.append(before)
            self.groups.append(opening)
        else:
            self.pieces.append(opening)
        self.open_groups.append(_OpenGroup(before, len(self.groups), offset))

    def close(self) -> None:
        """Closes the group that was opened last."""
        group = self.open_groups.pop()
        if group.has_alternatives:
            self.optional.update(range(group.groups_within, len(self.groups)))
        self.pieces.append(")")
        self.quantified_from = group.groups_before

    def check_closed(self, source: str, depth: int) -> None:
        """Raises FormatError if more than ``depth`` groups are open at the end of an expression."""
        if self.depth > depth:
            hint = "the group is not closed by ')'; write \\( for a parenthesis"
            raise syntax_error(source, self.open_groups[-1].offset, "'('", hint)

    def build(self, text: str, source: str) -> Expression:
        """Returns the expression.

        Args:
            text: the user's expression.
            source: name of the expression, for messages.

        Raises:
            FormatError: RE2 does not accept the expression.
        """
        if self.has_alternatives:
            self.optional.update(range(len(self.groups)))
        groups = [replace(group, optional=index in self.optional) for index, group in enumerate(self.groups)]
        expression = Expression(text, tuple(self.pieces), tuple(groups))
        try:
            pc.match_substring_regex(from_texts([""]), expression.pattern(range(len(groups))))
        except pa.ArrowInvalid as error:
            raise FormatError(f"{source} {truncate(text)!r}: RE2 refuses it: {_re2_message(error)}") from error
        return expression

    def _add_alternation(self) -> None:
        self.pieces.append("|")
        if self.open_groups:
            self.open_groups[-1].has_alternatives = True
        else:
            self.has_alternatives = True

    def _add_quantifier(self, token: Token) -> None:
        self.pieces.append(token.value)
        if token.allows_zero:
            self.optional.update(range(self.quantified_from, len(self.groups)))
        self.quantified_from = len(self.groups)


def parse_regex(text: str) -> Expression:
    r"""Parses a regular expression in RE2's syntax; each named group is a column.

    Raises:
        FormatError: the expression is not valid, or has no named group.

    >>> parse_regex(r"(?<level>\w+) (took|in) (?P<ms>\d+)?").pattern([1])
    '(?:\\w+) (?:took|in) (?P<g1>\\d+)?'
    """
    builder, source = ExpressionBuilder(), "regex"
    for token in tokenize(text, source):
        if token.kind == "named_group":
            _check_name(token, builder.groups, source)
            builder.open(CaptureGroup(token.value), token.offset)
        else:
            builder.add_token(token, source, 0)
    builder.check_closed(source, 0)
    if not builder.groups:
        raise FormatError(
            f"regex {text!r} has no named group; write one as (?<name>...) for each column{notation_advice(text, 'regex')}"
        )
    return builder.build(text, source)


def _check_name(token: Token, groups: Collection[CaptureGroup], source: str) -> None:
    if not _NAME.fullmatch(token.value):
        hint = "a group's name is a letter or '_', then letters, digits and '_'"
        raise syntax_error(source, token.offset, f"group named {token.value!r}", hint)
    if token.value.lower() in {group.name.lower() for group in groups}:
        hint = "there is one already (names are not case-sensitive); rename one"
        raise syntax_error(source, token.offset, f"group named {token.value!r}", hint)


def _re2_message(error: Exception) -> str:
    message = str(error).removeprefix("Invalid regular expression: ")
    return truncate(re.sub(r"\(\?P<g\d+>", "(", message))
