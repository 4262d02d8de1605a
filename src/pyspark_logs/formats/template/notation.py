"""The template notation: text to segments.

A template is literal text and fields in braces; groups in ``{? ... ?}`` may be absent. It is a small tree:
a group is a segment that holds segments. Who walks it takes it as a list of steps, in which a group is a
number of steps that may be left out; each step knows what may come after it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.registry import TYPES
from pyspark_logs.formats.types.text import Text


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
class Pad:
    """Spaces beside a value that is shorter than a width; no part of the value. The notation has none, others do.

    Attributes:
        width: in characters, of the value and its spaces.
        before: whether the spaces stand before the value.
        most: the longest value that is written; None: any. It is read whatever its length.
    """

    width: int
    before: bool
    most: int | None = None


@dataclass(frozen=True)
class Field:
    """A field; ``name`` is None for ``{}``, whose text is skipped.

    ``null`` is what null is written as here, and read beside the null token, where that is another one. A ``filled`` one has
    always text, which neither begins nor ends with a space: where it seems otherwise, what separates fields stands
    twice, or not at all, and all behind would be taken for its neighbours.
    """

    name: str | None
    type: FieldType
    nullable: bool = False
    pad: Pad | None = None
    null: str | None = None
    filled: bool = False

    def nulls(self, null_value: str) -> tuple[str, ...]:
        """The texts that are null here, the one that is written first; the empty text is the last."""
        if not self.nullable:
            return ()
        return tuple(dict.fromkeys((null_value, "") if self.null is None else (self.null, null_value, "")))


@dataclass(frozen=True)
class Group:
    """``{? ... ?}``: segments that are there, all of them, where the first of them stands; else none is."""

    segments: tuple[Segment, ...]


Plain = Literal | Blanks | Field
Segment = Plain | Group


@dataclass(frozen=True)
class After:
    """What may come right behind a field, or in the place of a group that is absent.

    Attributes:
        stops: what each of the groups that come next begins with, then what follows them if that is no field;
            the first of them in the line ends a field.
        line_end: whether the line may end there.
        field: the field that may come next, with nothing before it but groups.
    """

    stops: tuple[Literal | Blanks, ...] = ()
    line_end: bool = False
    field: Field | None = None


@dataclass(frozen=True)
class Step:
    """A segment, and what may come after it. The ``size`` steps behind that of a group are the group's own."""

    segment: Segment
    after: After
    size: int = 0


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
        return named(self.segments)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The segments in order, those of groups behind their groups."""
        return tuple(_steps(self.segments, ()))


def named(segments: Iterable[Segment]) -> tuple[Field, ...]:
    """The named fields in order, those of groups among them."""
    return tuple(s for s in _flat(segments) if isinstance(s, Field) and s.name is not None)


def _flat(segments: Iterable[Segment]) -> Iterator[Plain]:
    for segment in segments:
        if isinstance(segment, Group):
            yield from _flat(segment.segments)
        else:
            yield segment


def _steps(segments: tuple[Segment, ...], behind: tuple[Segment, ...]) -> Iterator[Step]:
    for index, segment in enumerate(segments, start=1):
        following = (*segments[index:], *behind)
        inside = tuple(_steps(segment.segments, following)) if isinstance(segment, Group) else ()
        yield Step(segment, _after(following), len(inside))
        yield from inside


def _after(following: tuple[Segment, ...]) -> After:
    stops: list[Literal | Blanks] = []
    for segment in following:
        if isinstance(segment, Field):
            return After(tuple(stops), field=segment)
        first = segment.segments[0] if isinstance(segment, Group) else segment
        if isinstance(first, (Literal, Blanks)):
            stops.append(first)
        if not isinstance(segment, Group):
            return After(tuple(stops))
    return After(tuple(stops), line_end=True)


_FIELD_END = re.compile(r"[^{}()]*(?:\(.*?\)\??)?\}", re.DOTALL)
_NAME = re.compile(r"[^\W\d][\w.-]*|\d[\w.-]*", re.UNICODE)


def parse_template(text: str, *, escape: str = "none", types: Mapping[str, FieldType] | None = None) -> Template:
    """Compile a template.

    Args:
        text: the notation.
        escape: the option.
        types: of fields by name, for types that the notation has no name for.

    Raises:
        FormatError: what is wrong, and at which character of the template.

    >>> [field.name for field in parse_template("{ts:timestamp} [{level}] {message}").fields]
    ['ts', 'level', 'message']
    """
    segments: list[Segment] = []
    outer: list[list[Segment]] = []  # the segments around each open group
    for kind, value, place in _tokens(text):
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
            field = _field(text, place, value)
            segments.append(replace(field, type=(types or {}).get(field.name or "", field.type)))
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


def all_filled(template: Template, but: Collection[str]) -> Template:
    """The template with all named fields ``filled``, but for some.

    >>> [field.filled for field in all_filled(parse_template("{a} {b} {c}"), ["b"]).fields]
    [True, False, True]
    """

    def of(segments: Iterable[Segment]) -> tuple[Segment, ...]:
        return tuple(
            Group(of(one.segments))
            if isinstance(one, Group)
            else replace(one, filled=one.name is not None and one.name not in but)
            if isinstance(one, Field)
            else one
            for one in segments
        )

    return replace(template, segments=of(template.segments))


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
        if mark == "close" and _braces(text, place + 1) % 2 == 0:  # a question mark and literal braces
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


def _braces(text: str, place: int) -> int:
    """How many ``}`` stand there: with ``?}}`` text goes on, with ``?}}}`` a group ends before a literal brace."""
    return len(text) - place - len(text[place:].lstrip("}"))


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
    _check_groups(text, template.segments)
    for step in template.steps:
        segment, after = step.segment, step.after
        if isinstance(segment, Literal) and ("\n" in segment.text or "\r" in segment.text):
            raise FormatError(f"template {text!r}: a literal holds a line end, but a record is one line")
        if isinstance(segment, Literal) and escape != "none" and "\\" in segment.text:
            raise FormatError(f"template {text!r}: escape=backslash needs literals without backslashes")
        if isinstance(segment, Field) and segment.type.syntax is None and after.field is not None:
            nothing = "nothing but what may be absent" if after.stops else "nothing"
            raise FormatError(
                f"template {text!r}: {nothing} separates field {segment.name!r} from {after.field.name!r};"
                " put literal text between them (only quoted, date and timestamps end by themselves)"
            )


def _check_groups(text: str, segments: Iterable[Segment]) -> None:
    for segment in segments:
        if isinstance(segment, Group):
            if not segment.segments or not isinstance(segment.segments[0], (Literal, Blanks)):
                raise FormatError(f"template {text!r}: an optional group must begin with literal text or {{~}}")
            _check_groups(text, segment.segments)
