"""The template notation: text to segments.

A template is literal text and fields in braces; groups in ``{? ... ?}`` may be absent. It is a small tree:
a group is a segment that holds segments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
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


@dataclass(frozen=True)
class Group:
    """``{? ... ?}``: segments that are there, all of them, where the first of them stands; else none is."""

    segments: tuple[Segment, ...]


Plain = Literal | Blanks | Field
Segment = Plain | Group


@dataclass(frozen=True)
class Template:
    """A compiled template. Made by :func:`parse_template` or :func:`make_template`, which check it.

    Attributes:
        text: the notation, or whatever it was made from; for messages.
        segments: what must stand in a line, in order; a literal is never next to another.
    """

    text: str
    segments: tuple[Segment, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The named fields in order, those of groups among them."""
        return tuple(s for s in flat(self.segments) if isinstance(s, Field) and s.name is not None)

    @property
    def levels(self) -> tuple[tuple[Plain, ...], ...]:
        """The segments without groups; level 0 first, then each nested optional group."""
        levels, segments = [], self.segments
        while True:
            levels.append(tuple(s for s in segments if not isinstance(s, Group)))
            if not segments or not isinstance(segments[-1], Group):
                return tuple(levels)
            segments = segments[-1].segments


def flat(segments: Iterable[Segment]) -> Iterator[Plain]:
    """All segments in order, those of groups in the place of the groups."""
    for segment in segments:
        if isinstance(segment, Group):
            yield from flat(segment.segments)
        else:
            yield segment


_FIELD_END = re.compile(r"[^{}()]*(?:\(.*?\)\??)?\}", re.DOTALL)
_NAME = re.compile(r"[^\W\d][\w.-]*|\d[\w.-]*", re.UNICODE)


def parse_template(text: str, *, escape: str = "none") -> Template:
    """Compile a template.

    Raises:
        FormatError: what is wrong, and at which character of the template.

    >>> [field.name for field in parse_template("{ts:timestamp} [{level}] {message}").fields]
    ['ts', 'level', 'message']
    """
    segments: list[Segment] = []
    outer: list[list[Segment]] = []  # the segments around each open group
    for kind, value, place in _tokens(text):
        if segments and isinstance(segments[-1], Group) and kind != "close":
            raise _wrong(text, place, "nothing may follow an optional group but the end of what encloses it")
        if kind == "open":
            outer.append(segments)
            segments = []
        elif kind == "close":
            if not outer:
                raise _wrong(text, place, "'?}' closes a group that was not opened with '{?'")
            segments = [*outer.pop(), Group(tuple(segments))]
        elif kind == "literal":
            segments.append(Literal(value))
        elif value == "~":
            segments.append(Blanks())
        else:
            segments.append(_field(text, place, value))
    if outer:
        raise _wrong(text, len(text), "a group opened with '{?' is not closed with '?}'")
    return make_template(text, segments, escape=escape)


def make_template(text: str, segments: Iterable[Segment], *, escape: str = "none") -> Template:
    """A template of segments that were made from something else than this notation.

    Args:
        text: what they were made from, for messages.
        segments: in order. Literals side by side are one, and empty ones none: a field ends at the whole text.
        escape: the option; with ``backslash`` a literal may hold no backslash.

    Raises:
        FormatError: the same as of the notation, without a place.

    >>> time, rest = Field("time", Text()), Group((Literal(" "), Field("rest", Text())))
    >>> make_template("%t", [Literal("["), Literal(""), time, Literal("]"), rest]) == Template(
    ...     "%t", parse_template("[{time}]{? {rest}?}").segments
    ... )
    True
    """
    template = Template(text, _joined(segments))
    _check(template, escape)
    return template


def _joined(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """The segments with each run of literals as one."""
    joined: list[Segment] = []
    for segment in segments:
        if isinstance(segment, Group):
            joined.append(Group(_joined(segment.segments)))
        elif isinstance(segment, Literal) and joined and isinstance(joined[-1], Literal):
            joined[-1] = Literal(joined[-1].text + segment.text)
        elif segment != Literal(""):
            joined.append(segment)
    return tuple(joined)


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
    _check_order(text, template.segments)
    for segment in flat(template.segments):
        if isinstance(segment, Literal) and ("\n" in segment.text or "\r" in segment.text):
            raise FormatError(f"template {text!r}: a literal holds a line end, but a record is one line")
        if isinstance(segment, Literal) and escape != "none" and "\\" in segment.text:
            raise FormatError(f"template {text!r}: escape=backslash needs literals without backslashes")


def _check_order(text: str, segments: Iterable[Segment]) -> None:
    before: Segment | None = None
    for segment in segments:
        if isinstance(segment, Group):
            if not segment.segments or not isinstance(segment.segments[0], (Literal, Blanks)):
                raise FormatError(f"template {text!r}: an optional group must begin with literal text or {{~}}")
            _check_order(text, segment.segments)
        if isinstance(before, Group):
            raise FormatError(
                f"template {text!r}: nothing may follow an optional group but the end of what encloses it"
            )
        if isinstance(segment, Field) and isinstance(before, Field) and before.type.syntax is None:
            raise FormatError(
                f"template {text!r}: nothing separates field {before.name!r} from {segment.name!r};"
                " put literal text between them (only quoted, date and timestamps end by themselves)"
            )
        before = segment
