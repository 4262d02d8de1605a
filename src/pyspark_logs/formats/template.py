"""The template notation: text to segments.

A template is literal text and fields in braces; ``{? ... ?}`` groups at its end are optional. Since a
group may only be followed by the end of what encloses it, a template is a list of *levels*: level 0 is
always there, each further one only if the one before it is and its first literal follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.basetypes import FieldType, Text
from pyspark_logs.formats.fieldtypes import TYPES


@dataclass(frozen=True)
class Literal:
    """Text that must stand there."""

    text: str

    @property
    def raw(self) -> bytes:
        """As UTF-8."""
        return self.text.encode()


@dataclass(frozen=True)
class Blanks:
    """``{~}``: one or more spaces or tabs, as many as there are."""


@dataclass(frozen=True)
class Field:
    """A field; ``name`` is None for ``{}``, whose text is skipped."""

    name: str | None
    type: FieldType
    nullable: bool = False


Segment = Literal | Blanks | Field


@dataclass(frozen=True)
class Template:
    """A compiled template.

    Attributes:
        levels: the segments; level 0 first, then each nested optional group.
    """

    text: str
    levels: tuple[tuple[Segment, ...], ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The named fields in order."""
        return tuple(s for level in self.levels for s in level if isinstance(s, Field) and s.name is not None)


_FIELD_END = re.compile(r"[^{}()]*(?:\(.*?\)\??)?\}", re.DOTALL)
_NAME = re.compile(r"[^\W\d][\w.-]*|\d[\w.-]*", re.UNICODE)


def parse_template(text: str, *, escape: str = "none") -> Template:
    """Compile a template.

    Raises:
        FormatError: what is wrong, and at which character of the template.

    >>> [field.name for field in parse_template("{ts:timestamp} [{level}] {message}").fields]
    ['ts', 'level', 'message']
    """
    levels: list[list[Segment]] = [[]]
    depth, closed = 0, False
    for kind, value, place in _tokens(text):
        if closed and kind != "close":
            raise _wrong(text, place, "nothing may follow an optional group but the end of what encloses it")
        if kind == "open":
            depth += 1
            levels.append([])
        elif kind == "close":
            if depth == 0:
                raise _wrong(text, place, "'?}' closes a group that was not opened with '{?'")
            depth, closed = depth - 1, True
        elif kind == "literal":
            levels[-1].append(Literal(value))
        elif value == "~":
            levels[-1].append(Blanks())
        else:
            levels[-1].append(_field(text, place, value))
    if depth:
        raise _wrong(text, len(text), "a group opened with '{?' is not closed with '?}'")
    template = Template(text, tuple(tuple(level) for level in levels))
    _check(template, escape)
    return template


def _wrong(text: str, place: int, problem: str) -> FormatError:
    return FormatError(f"template {text!r}: at character {place + 1}: {problem}")


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """(kind, value, place) of literals, fields and group marks."""
    literal, start, place = "", 0, 0
    while place < len(text):
        two = text[place : place + 2]
        mark = {"{?": "open", "?}": "close"}.get(two)
        if text.startswith("?}}", place):  # a question mark and a brace: a group is never closed before a '}'
            mark = None
        if two in ("{{", "}}"):
            literal, place = literal + two[0], place + 2
        elif mark is not None or text[place] == "{":
            if literal:
                yield "literal", literal, start
                literal = ""
            if mark is not None:
                yield mark, "", place
                place += 2
            else:
                end = _field_end(text, place)
                yield "field", text[place + 1 : end], place
                place = end + 1
            start = place
        elif text[place] == "}":
            raise _wrong(text, place, "a single '}' closes nothing; write '}}' for a literal brace")
        else:
            literal, place = literal + text[place], place + 1
    if literal:
        yield "literal", literal, start


def _field_end(text: str, place: int) -> int:
    """Where the ``}`` of a field stands; the parentheses of a type may hold anything but ``)}`` and ``)?}``."""
    closing = _FIELD_END.match(text, place + 1)
    if closing is None:
        raise _wrong(text, place, "'{' is not closed; write '{{' for a literal brace")
    return closing.end() - 1


def _field(text: str, place: int, inside: str) -> Field:
    if inside == "":
        return Field(None, Text())
    name, colon, notation = inside.partition(":")
    nullable = notation.endswith("?") or (not colon and name.endswith("?"))
    name = name.removesuffix("?") if not colon else name
    if not _NAME.fullmatch(name):
        raise _wrong(text, place, f"{name!r} is not a field name (letters, digits, '_', '-' and '.')")
    if colon and not notation.removesuffix("?"):
        raise _wrong(text, place, f"field {name!r} has a ':' but no type; known are {', '.join(TYPES)}")
    type_name, bracket, argument = notation.removesuffix("?").partition("(")
    make = TYPES.get(type_name or "string")
    if make is None:
        raise _wrong(text, place, f"field {name!r}: unknown type {type_name!r}; known are {', '.join(TYPES)}")
    try:
        return Field(name, make(type_name, argument.removesuffix(")") if bracket else None), nullable)
    except FormatError as error:
        raise _wrong(text, place, f"field {name!r}: {error}") from error


def _check(template: Template, escape: str) -> None:
    text = template.text
    if not template.fields:
        raise FormatError(f"template {text!r} has no named field; write one as {{name}} or {{name:type}}")
    seen: dict[str, str] = {}
    for field in template.fields:
        name = field.name or ""
        if name.lower() in seen:
            raise FormatError(f"template {text!r}: field {name!r} appears twice (names match without case)")
        seen[name.lower()] = name
    before: Segment | None = None
    for depth, level in enumerate(template.levels):
        if depth and (not level or isinstance(level[0], Field)):
            raise FormatError(f"template {text!r}: an optional group must begin with literal text or {{~}}")
        for segment in level:
            if isinstance(segment, Literal) and ("\n" in segment.text or "\r" in segment.text):
                raise FormatError(f"template {text!r}: a literal holds a line end, but a record is one line")
            if isinstance(segment, Literal) and escape != "none" and "\\" in segment.text:
                raise FormatError(f"template {text!r}: escape=backslash needs literals without backslashes")
            if isinstance(segment, Field) and isinstance(before, Field) and before.type.syntax is None:
                raise FormatError(
                    f"template {text!r}: nothing separates field {before.name!r} from {segment.name!r};"
                    " put literal text between them (only quoted, date and timestamps end by themselves)"
                )
            before = segment
