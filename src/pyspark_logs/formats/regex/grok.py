"""Grok patterns: expansion of ``%{PATTERN:column:type}`` references into one regular expression."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.notations import notation_advice
from pyspark_logs.formats.re2_tokenizer import Token, syntax_error, tokenize, truncate
from pyspark_logs.formats.regex.expression import CaptureGroup, Expression, ExpressionBuilder
from pyspark_logs.formats.regex.grok_library import GrokPattern, grok_library
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Boolean, Floating, Integer
from pyspark_logs.formats.types.text import Text

TYPES: dict[str, FieldType] = {
    "string": Text(), "int": Integer(32), "long": Integer(64), "float": Floating(), "double": Floating(),
    "boolean": Boolean(),
}  # fmt: skip
# Spark's names.
_ALIASES = {"integer": "int", "bigint": "long"}

_DEFINITION = re.compile(r"(\w+)[ \t]+(.*\S)[ \t]*", re.ASCII)
_BRACKETED_NAME = re.compile(r"(?:\[[^\[\]]+\])+")
_COLUMN_NAME = re.compile(r"[\w@][\w@.-]*")
# Definitions can double the length of the expression at each level; RE2's own limit is lower.
_MAX_PIECES = 200_000


def parse_grok(text: str, definitions: str | None = None) -> Expression:
    r"""Expands a grok pattern; each name is a column.

    Args:
        text: regular expression with ``%{PATTERN}``, ``%{PATTERN:name}``, ``%{PATTERN:name:type}``.
        definitions: lines of ``NAME pattern``, which override patterns of the library wherever these are referred to.

    Raises:
        FormatError: the pattern or a definition is not valid; the message has the position.

    >>> parse_grok("%{WORD:level} took %{INT:ms:int}").column_names()
    ['level', 'ms']
    """
    builder = _Expander(parse_definitions(definitions or ""), text).builder
    if not builder.groups:
        raise FormatError(
            f"grok {truncate(text)!r} names no column; name one as %{{PATTERN:name}}{notation_advice(text, 'grok')}"
        )
    expression = builder.build(text, "grok")
    return replace(expression, groups=_resolve_columns(expression.groups))


def parse_definitions(text: str) -> dict[str, GrokPattern]:
    """Parses the option ``grokPatterns``: ``NAME pattern`` a line, blank lines, and comments that begin with ``#``.

    Raises:
        FormatError: a line is not a definition, or a name is defined twice.
    """
    definitions: dict[str, GrokPattern] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _DEFINITION.fullmatch(stripped)
        if match is None:
            raise FormatError(f"grokPatterns, line {number}: {truncate(stripped)!r} is not 'NAME pattern'")
        name, regex = match.groups()
        if name in definitions:
            raise FormatError(f"grokPatterns, line {number}: {name} is defined twice; keep one definition")
        definitions[name] = GrokPattern(name, regex)
    return definitions


def _resolve_columns(groups: tuple[CaptureGroup, ...]) -> tuple[CaptureGroup, ...]:
    """Returns the groups, all optional, with one type for all groups of a column."""
    types: dict[str, FieldType] = {}
    spellings: dict[str, str] = {}
    for group in groups:
        spelling = spellings.setdefault(group.name.lower(), group.name)
        if spelling != group.name:
            raise FormatError(
                f"grok: {spelling!r} and {group.name!r} are one column, because names are not case-sensitive; rename one"
            )
        if group.type.keeps_text:
            continue
        if types.setdefault(group.name, group.type) != group.type:
            raise FormatError(f"grok: column {group.name!r} is named with two types; give it one")
    return tuple(replace(group, type=types.get(group.name, group.type), optional=True) for group in groups)


@dataclass(frozen=True)
class _Reference:
    """A reference ``%{PATTERN:column:type}``; ``group`` is None if it names no column."""

    name: str
    group: CaptureGroup | None


class _Expander:
    """Builds an expression from a grok pattern, replacing references by the patterns they name.

    Attributes:
        definitions: the user's patterns by name.
        builder: builder of the expression.
        transparent: indices of the opening pieces across which a ``.*`` is still directly before a pattern: those of
            groups with one alternative, and of patterns with ``not_after``, which applies to all their alternatives.
    """

    def __init__(self, definitions: Mapping[str, GrokPattern], text: str) -> None:
        self.definitions, self.builder = definitions, ExpressionBuilder()
        self.transparent: set[int] = set()
        self._expand(text, "grok", ())

    def _expand(self, text: str, source: str, path: tuple[str, ...]) -> None:
        """Adds a pattern to the expression.

        Args:
            text: the pattern.
            source: name of the pattern, for messages.
            path: names of the patterns that contain it, outermost first.
        """
        depth = self.builder.depth
        for token in tokenize(text, source, grok=True):
            if token.kind == "reference":
                self._expand_reference(token, source, path)
            elif token.kind == "named_group":
                self.builder.open(CaptureGroup(_parse_column(token.value, token.offset, source)), token.offset)
            else:
                self.builder.add_token(token, source, depth)
            if len(self.builder.pieces) > _MAX_PIECES:
                hint = "refer to fewer patterns"
                raise syntax_error(source, token.offset, "the expanded expression is too long", hint)
        self.builder.check_closed(source, depth)

    def _expand_reference(self, token: Token, source: str, path: tuple[str, ...]) -> None:
        reference = _parse_reference(token, source)
        pattern = self.definitions.get(reference.name) or grok_library().get(reference.name)
        if pattern is None:
            near = difflib.get_close_matches(reference.name.upper(), [*self.definitions, *grok_library()], n=1)
            hint = f"did you mean {near[0]}?" if near else "define it in grokPatterns"
            raise syntax_error(source, token.offset, f"unknown pattern {reference.name!r}", hint)
        if pattern.name in path:
            cycle = " -> ".join([*path[path.index(pattern.name) :], pattern.name])
            raise syntax_error(source, token.offset, f"pattern {pattern.name!r}", f"it refers to itself: {cycle}")
        self.builder.open(reference.group or "(?:", token.offset)
        if pattern.not_after or "|" not in pattern.regex:
            self.transparent.add(len(self.builder.pieces) - 1)
        if pattern.not_after:
            self._restrict_preceding_wildcard(pattern.not_after)
        kind = "grokPatterns," if pattern.name in self.definitions else "pattern"
        self._expand(pattern.regex, f"{kind} {pattern.name}", (*path, pattern.name))
        self.builder.close()

    def _restrict_preceding_wildcard(self, not_after: str) -> None:
        """Rewrites a ``.*`` directly before the pattern so that it does not end with one of these characters.

        This emulates a look-behind assertion, which RE2 lacks: ``.*`` becomes ``(?:.*[^0-9])?``.
        """
        pieces = self.builder.pieces
        index = len(pieces) - 1
        while index in self.transparent:
            index -= 1
        while index >= 0 and pieces[index] == ")":
            index -= 1
        if index >= 1 and pieces[index - 1] == "." and pieces[index] in ("*", "+"):
            quantifier = "?" if pieces[index] == "*" else ""
            pieces[index - 1 : index + 1] = ["", f"(?:.*[^{not_after}]){quantifier}"]


def _parse_reference(token: Token, source: str) -> _Reference:
    name, colon, rest = token.value.partition(":")
    if not re.fullmatch(r"\w+", name, re.ASCII):
        hint = "write %{PATTERN}, %{PATTERN:name} or %{PATTERN:name:type}"
        raise syntax_error(source, token.offset, f"'%{{{token.value}}}'", hint)
    if not colon:
        return _Reference(name, None)
    column, typed, type_name = rest.partition(":")
    type_name = _ALIASES.get(type_name, type_name)
    if typed and type_name not in TYPES:
        hint = f"known are {', '.join(TYPES)}"
        raise syntax_error(source, token.offset, f"unknown type {type_name!r}", hint)
    field_type = TYPES[type_name] if typed else Text()
    return _Reference(name, CaptureGroup(_parse_column(column, token.offset, source), field_type))


def _parse_column(name: str, offset: int, source: str) -> str:
    """Returns the column that a name stands for; ``[http][request]`` is ``http.request``."""
    if _BRACKETED_NAME.fullmatch(name):
        return name[1:-1].replace("][", ".")
    if not _COLUMN_NAME.fullmatch(name):
        hint = "a name consists of letters, digits, '_', '.', '-' and '@', or is written as [outer][inner]"
        raise syntax_error(source, offset, f"column {name!r}", hint)
    return name
