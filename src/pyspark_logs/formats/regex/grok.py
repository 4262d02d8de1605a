"""From a grok pattern to the regular expression that it stands for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.regex.expression import (
    Builder,
    Expression,
    Group,
    checked,
    put_structure,
    refuse_open,
    shortened,
)
from pyspark_logs.formats.regex.grok_library import GrokPattern, grok_library
from pyspark_logs.formats.regex.syntax import Token, tokens, wrong
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Boolean, Floating, Integer
from pyspark_logs.formats.types.text import Text

TYPES: dict[str, FieldType] = {
    "string": Text(), "int": Integer(32), "long": Integer(64), "float": Floating(), "double": Floating(),
    "boolean": Boolean(),
}  # fmt: skip

_DEFINITION = re.compile(r"(\w+)[ \t]+(.*\S)[ \t]*", re.ASCII)
_BRACKETS = re.compile(r"(?:\[[^\[\]]+\])+")
_FIELD = re.compile(r"[\w@][\w@.-]*")
_MOST_PIECES = 200_000  # of an expression; RE2 refuses smaller ones, and definitions can double at each step


def parse_grok(text: str, definitions: str | None = None) -> Expression:
    r"""A grok pattern, with a column for each name.

    Args:
        text: regular expression with ``%{PATTERN}``, ``%{PATTERN:name}``, ``%{PATTERN:name:type}``.
        definitions: lines of ``NAME pattern``; they come before the library's, for its own patterns, too.

    Raises:
        FormatError: what is wrong, and at which character of the pattern or of a definition.

    >>> parse_grok("%{WORD:level} took %{INT:ms:int}").names()
    ['level', 'ms']
    """
    own = parse_definitions(definitions or "")
    builder = _Expander(own, text).builder
    if not builder.groups:
        raise FormatError(f"grok {shortened(text)!r} names no column; name one as %{{PATTERN:name}}")
    expression = builder.finished(text)
    return checked(replace(expression, groups=_as_columns(expression.groups)), "grok")


def parse_definitions(text: str) -> dict[str, GrokPattern]:
    """One's own patterns: ``NAME pattern`` a line; blank lines and those that begin with ``#`` mean nothing.

    Raises:
        FormatError: a line that is no definition, a name that is defined twice.
    """
    own: dict[str, GrokPattern] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        found = _DEFINITION.fullmatch(stripped)
        if found is None:
            raise FormatError(f"grokPatterns, line {number}: {shortened(stripped)!r} is not 'NAME pattern'")
        name, pattern = found.groups()
        if name in own:
            raise FormatError(f"grokPatterns, line {number}: {name} is defined twice; keep one definition")
        own[name] = GrokPattern(name, pattern)
    return own


def _as_columns(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """The groups; those of one name have the type that one of them has, and one without text gives no value."""
    types: dict[str, FieldType] = {}
    spelled: dict[str, str] = {}
    for group in groups:
        if spelled.setdefault(group.name.lower(), group.name) != group.name:
            other = spelled[group.name.lower()]
            raise FormatError(
                f"grok: {other!r} and {group.name!r} are one column, for names match without case; rename one"
            )
        if type(group.type) is Text:
            continue
        if types.setdefault(group.name, group.type) != group.type:
            raise FormatError(f"grok: column {group.name!r} is named with two types; give it one")
    return tuple(replace(group, type=types.get(group.name, group.type), optional=True) for group in groups)


@dataclass(frozen=True)
class _Reference:
    """``%{PATTERN:column:type}``; ``group`` is None where no column is named."""

    name: str
    group: Group | None


class _Expander:
    """Puts patterns in the place of references."""

    def __init__(self, own: Mapping[str, GrokPattern], text: str) -> None:
        self.own, self.builder = own, Builder()
        self.seamless: set[int] = set()  # places of openings at which the only branch of a pattern begins
        self._put(text, "grok", ())

    def _put(self, text: str, where: str, path: tuple[str, ...]) -> None:
        depth = len(self.builder.frames)
        for token in tokens(text, where, grok=True):
            if token.kind == "reference":
                self._refer(token, where, path)
            elif token.kind == "named":
                self.builder.open(Group(_column(token.value, token.place, where)), token.place)
            else:
                put_structure(self.builder, token, where, depth)
            if len(self.builder.pieces) > _MOST_PIECES:
                raise wrong(where, token.place, "what has become too long", "refer to fewer patterns")
        refuse_open(self.builder, where, depth)

    def _refer(self, token: Token, where: str, path: tuple[str, ...]) -> None:
        reference = _parse_reference(token, where)
        pattern = self.own.get(reference.name) or grok_library().get(reference.name)
        if pattern is None:
            near = difflib.get_close_matches(reference.name.upper(), [*self.own, *grok_library()], n=1)
            hint = f"did you mean {near[0]}?" if near else "define it in grokPatterns"
            raise wrong(where, token.place, f"unknown pattern {reference.name!r}", hint)
        if pattern.name in path:
            way = " -> ".join([*path[path.index(pattern.name) :], pattern.name])
            raise wrong(where, token.place, f"pattern {pattern.name!r}", f"it is made of itself: {way}")
        self.builder.open(reference.group or "(?:", token.place)
        if pattern.not_after or "|" not in pattern.regex:
            self.seamless.add(len(self.builder.pieces) - 1)
        if pattern.not_after:
            self._keep_whole(pattern.not_after)
        inside = f"grokPatterns, {pattern.name}" if pattern.name in self.own else f"pattern {pattern.name}"
        self._put(pattern.regex, inside, (*path, pattern.name))
        self.builder.close()

    def _keep_whole(self, not_after: str) -> None:
        """See to it that a ``.*`` right before this pattern does not end in one of these characters.

        RE2 has no look-behind; but what ``.*`` may end in can be said within it.
        """
        pieces = self.builder.pieces
        place = len(pieces) - 1
        while place in self.seamless:
            place -= 1
        while place >= 0 and pieces[place] == ")":
            place -= 1
        if place >= 1 and pieces[place - 1] == "." and pieces[place] in ("*", "+"):
            least = "?" if pieces[place] == "*" else ""
            pieces[place - 1 : place + 1] = ["", f"(?:.*[^{not_after}]){least}"]


def _parse_reference(token: Token, where: str) -> _Reference:
    """What stands between the braces."""
    name, colon, rest = token.value.partition(":")
    if not re.fullmatch(r"\w+", name, re.ASCII):
        raise wrong(
            where, token.place, f"'%{{{token.value}}}'", "write %{PATTERN}, %{PATTERN:name} or %{PATTERN:name:type}"
        )
    if not colon:
        return _Reference(name, None)
    column, typed, kind = rest.partition(":")
    if typed and kind not in TYPES:
        raise wrong(where, token.place, f"unknown type {kind!r}", f"known are {', '.join(TYPES)}")
    return _Reference(name, Group(_column(column, token.place, where), TYPES[kind] if typed else Text()))


def _column(name: str, place: int, where: str) -> str:
    """The column of a name; ``[http][request]`` is ``http.request``."""
    if _BRACKETS.fullmatch(name):
        return name[1:-1].replace("][", ".")
    if not _FIELD.fullmatch(name):
        hint = "a name is of letters, digits, '_', '.', '-' and '@', or as [outer][inner]"
        raise wrong(where, place, f"column {name!r}", hint)
    return name
