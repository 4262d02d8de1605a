"""Regular expressions with columns: which group gives which column, and the pattern that RE2 gets.

A pattern captures only what is wanted: each further group costs RE2 time on every line.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.regex.syntax import Token, tokens, wrong
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.text import Text

_NAME = re.compile(r"[^\W\d]\w*")
_SHOWN = 200


@dataclass(frozen=True)
class Group:
    """A group whose text is a column's.

    Attributes:
        name: of the column; several groups may have one (in alternatives).
        type: what the text means.
        optional: whether no text is no value: of a regex, where it can match without the group, which stands under
            ``?``, ``*`` or in one of several branches; of grok always, as in Logstash.
    """

    name: str
    type: FieldType = field(default_factory=Text)
    optional: bool = False


@dataclass(frozen=True)
class Expression:
    """A regular expression, as RE2 is to have it.

    Attributes:
        text: as the user wrote it.
        pieces: texts, and in the place of each capturing group's opening its index in ``groups``.
        groups: in the order in which they open.
    """

    text: str
    pieces: tuple[str | int, ...]
    groups: tuple[Group, ...]

    @property
    def takes_rest(self) -> bool:
        """Whether it ends in ``.*`` or ``.+``, whatever the groups around that."""
        last = [piece for piece in self.pieces[-20:] if piece not in (")", "$", "")]
        return last[-2:-1] == ["."] and last[-1] in ("*", "+", "*?", "+?")

    def names(self) -> list[str]:
        """The columns, in order of their first group."""
        return list(dict.fromkeys(group.name for group in self.groups))

    def of(self, name: str) -> list[int]:
        """The groups of a column."""
        return [index for index, group in enumerate(self.groups) if group.name == name]

    def pattern(self, keep: Collection[int], *, multi_line: bool = False) -> str:
        """The pattern in which these groups capture, as ``g0``, ``g1`` ..., and no others.

        Args:
            keep: indices of groups.
            multi_line: the dot matches line ends, too.
        """
        opened = [piece if isinstance(piece, str) else f"(?P<g{piece}>" if piece in keep else "(?:"
                  for piece in self.pieces]  # fmt: skip
        return ("(?s)" if multi_line else "") + "".join(opened)


@dataclass(frozen=True)
class _Frame:
    """A group that is open: how many groups there were before it, and with it; where it began."""

    before: int
    within: int
    place: int


class Builder:
    """Puts an expression together from tokens, and finds out which of its groups are optional."""

    def __init__(self) -> None:
        self.pieces: list[str | int] = []
        self.groups: list[Group] = []
        self.optional: set[int] = set()
        self.frames: list[_Frame] = []
        self.branching: list[bool] = [False]  # whether there is a '|' in each open group; first: outside of all
        self.repeated = 0  # how many groups there were before what a quantifier would repeat

    def text(self, piece: str) -> None:
        """An atom."""
        self.pieces.append(piece)
        self.repeated = len(self.groups)

    def branch(self) -> None:
        """A ``|``."""
        self.pieces.append("|")
        self.branching[-1] = True

    def open(self, opening: str | Group, place: int) -> None:
        """A group begins: one that captures, or another with what it begins with."""
        before = len(self.groups)
        if isinstance(opening, Group):
            self.pieces.append(before)
            self.groups.append(opening)
        else:
            self.pieces.append(opening)
        self.frames.append(_Frame(before, len(self.groups), place))
        self.branching.append(False)

    def close(self) -> None:
        """The group that was opened last ends."""
        frame = self.frames.pop()
        if self.branching.pop():
            self.optional.update(range(frame.within, len(self.groups)))
        self.pieces.append(")")
        self.repeated = frame.before

    def repeat(self, token: Token) -> None:
        """What was put last is repeated."""
        self.pieces.append(token.value)
        if token.may_lack:
            self.optional.update(range(self.repeated, len(self.groups)))
        self.repeated = len(self.groups)

    def finished(self, text: str) -> Expression:
        """The expression."""
        if self.branching[0]:
            self.optional.update(range(len(self.groups)))
        groups = [replace(group, optional=index in self.optional) for index, group in enumerate(self.groups)]
        return Expression(text, tuple(self.pieces), tuple(groups))


def put_structure(builder: Builder, token: Token, where: str, depth: int) -> None:
    """Put a token that is neither a reference nor named.

    Args:
        builder: what the token goes to.
        token: of kind ``text``, ``open``, ``close``, ``or`` or ``repeat``.
        where: what the token is from, for messages.
        depth: how many groups were open before that text began.
    """
    if token.kind == "open":
        builder.open(token.value, token.place)
    elif token.kind == "close":
        if len(builder.frames) == depth:
            raise wrong(where, token.place, "')'", "no group is open; write \\) for a parenthesis")
        builder.close()
    elif token.kind == "or":
        builder.branch()
    elif token.kind == "repeat":
        builder.repeat(token)
    else:
        builder.text(token.value)


def refuse_open(builder: Builder, where: str, depth: int) -> None:
    """Raises FormatError where a group is still open at the end of a text."""
    if len(builder.frames) > depth:
        place = builder.frames[-1].place
        raise wrong(where, place, "'('", "the group is not closed by ')'; write \\( for a parenthesis")


def parse_regex(text: str) -> Expression:
    r"""A regular expression in RE2's syntax, with a column for each named group.

    Raises:
        FormatError: what is wrong, and where.

    >>> parse_regex(r"(?<level>\w+) (took|in) (?P<ms>\d+)?").pattern([1])
    '(?:\\w+) (?:took|in) (?P<g1>\\d+)?'
    """
    builder, where = Builder(), "regex"
    for token in tokens(text, where):
        if token.kind == "named":
            if not _NAME.fullmatch(token.value):
                hint = "a group's name is a letter or '_', then letters, digits and '_'"
                raise wrong(where, token.place, f"group named {token.value!r}", hint)
            if token.value.lower() in {group.name.lower() for group in builder.groups}:
                hint = "there is one already (names match without case); rename one"
                raise wrong(where, token.place, f"group named {token.value!r}", hint)
            builder.open(Group(token.value), token.place)
        else:
            put_structure(builder, token, where, 0)
    refuse_open(builder, where, 0)
    if not builder.groups:
        raise FormatError(f"regex {text!r} has no named group; write one as (?<name>...), a column for each")
    return checked(builder.finished(text), where)


def checked(expression: Expression, where: str) -> Expression:
    """The expression, once RE2 has taken it.

    Raises:
        FormatError: with RE2's message.
    """
    try:
        pc.match_substring_regex(pa.array([""]), expression.pattern(range(len(expression.groups))))
    except pa.ArrowInvalid as error:
        raise FormatError(f"{where} {shortened(expression.text)!r}: RE2 refuses it: {_message(error)}") from error
    return expression


def _message(error: Exception) -> str:
    message = str(error).removeprefix("Invalid regular expression: ")
    return shortened(re.sub(r"\(\?P<g\d+>", "(", message))


def shortened(text: str) -> str:
    """At most 200 characters."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
