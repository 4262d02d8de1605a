"""Template notation, parsed into segments.

A template is literal text and fields in braces; groups in ``{? ... ?}`` are optional.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.template.segments import Blanks, Field, Following, Group, Literal, Segment, Template
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.registry import TYPES, find_type
from pyspark_logs.formats.types.text import Text

_FIELD_END = re.compile(r"[^{}()]*(?:\(.*?\)>?\??)?\}", re.DOTALL)
_MAX_DEPTH = 50  # of nested groups
_NAME = re.compile(r"[^\W\d][\w.-]*|\d[\w.-]*", re.UNICODE)


def parse_template(text: str, *, escape: str = "none", types: Mapping[str, FieldType] | None = None) -> Template:
    """Compiles a template.

    Args:
        text: template in the notation.
        escape: value of the option ``escape``.
        types: types of fields by name, for types without a name in the notation.

    Raises:
        FormatError: the template is invalid; the message has the position of the error.

    >>> [field.name for field in parse_template("{ts:timestamp} [{level}] {message}").fields]
    ['ts', 'level', 'message']
    """
    segments: list[Segment] = []
    outer: list[list[Segment]] = []  # the segments around each open group
    for kind, value, position in _tokens(text):
        if kind == "open":
            if len(outer) == _MAX_DEPTH:
                raise _error(
                    text, position, f"optional groups are nested deeper than {_MAX_DEPTH}; remove some of them"
                )
            outer.append(segments)
            segments = []
        elif kind == "close":
            if not outer:
                raise _error(text, position, "'?}' closes a group that was not opened with '{?'")
            segments = [*outer.pop(), Group(tuple(segments))]
        elif kind == "literal":
            segments.append(Literal(value))
        elif value == "~":
            segments.append(Blanks())
        else:
            field = _parse_field(text, position, value)
            segments.append(replace(field, type=(types or {}).get(field.name or "", field.type)))
    if outer:
        raise _error(text, len(text), "a group opened with '{?' is not closed with '?}'")
    return make_template(text, segments, escape=escape)


def make_template(text: str, segments: Iterable[Segment], *, escape: str = "none") -> Template:
    """Returns a template of segments that were made from another notation.

    Args:
        text: text that the segments were made from, for messages.
        segments: segments in order. Adjacent literals are joined and empty ones removed, because a field ends at the
            whole literal after it.
        escape: value of the option ``escape``; with ``backslash`` no literal may contain a backslash.

    Raises:
        FormatError: the template is invalid.

    >>> time, rest = Field("time", Text()), Group((Literal(" "), Field("rest", Text())))
    >>> make_template("%t", [Literal("["), Literal(""), time, Literal("]"), rest]) == Template(
    ...     "%t", parse_template("[{time}]{? {rest}?}").segments
    ... )
    True
    """
    template = Template(text, _join_literals(segments))
    _check(template, escape)
    return template


def forbid_blank_values(template: Template, exceptions: Collection[str]) -> Template:
    """Returns the template with ``never_blank`` set in all named fields except some.

    >>> [field.never_blank for field in forbid_blank_values(parse_template("{a} {b} {c}"), ["b"]).fields]
    [True, False, True]
    """

    def changed(segments: Iterable[Segment]) -> tuple[Segment, ...]:
        return tuple(
            Group(changed(segment.segments))
            if isinstance(segment, Group)
            else replace(segment, never_blank=segment.name is not None and segment.name not in exceptions)
            if isinstance(segment, Field)
            else segment
            for segment in segments
        )

    return replace(template, segments=changed(template.segments))


def _join_literals(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Returns the segments with adjacent literals joined."""
    joined: list[Segment] = []
    for segment in segments:
        if isinstance(segment, Group):
            joined.append(Group(_join_literals(segment.segments)))
        elif isinstance(segment, Literal) and joined and isinstance(joined[-1], Literal):
            joined[-1] = Literal(joined[-1].text + segment.text)
        elif segment != Literal(""):
            joined.append(segment)
    return tuple(joined)


def _error(text: str, position: int, problem: str) -> FormatError:
    return FormatError(f"template {text!r}: at character {position + 1}: {problem}")


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Yields (kind, value, position) of literals, fields and group marks."""
    literal, start, position = "", 0, 0
    while position < len(text):
        two = text[position : position + 2]
        mark = {"{?": "open", "?}": "close"}.get(two)
        if mark == "close" and _count_braces(text, position + 1) % 2 == 0:  # a question mark and literal braces
            mark = None
        if two in ("{{", "}}"):
            literal, position = literal + two[0], position + 2
        elif mark is not None or text[position] == "{":
            if literal:
                yield "literal", literal, start
                literal = ""
            if mark is not None:
                yield mark, "", position
                position += 2
            else:
                end = _field_end(text, position)
                yield "field", text[position + 1 : end], position
                position = end + 1
            start = position
        elif text[position] == "}":
            raise _error(text, position, "a single '}' closes nothing; write '}}' for a literal brace")
        else:
            literal, position = literal + text[position], position + 1
    if literal:
        yield "literal", literal, start


def _count_braces(text: str, position: int) -> int:
    """Returns the number of ``}`` in a row: after ``?}}`` text goes on, in ``?}}}`` a group ends before a literal brace."""
    return len(text) - position - len(text[position:].lstrip("}"))


def _field_end(text: str, position: int) -> int:
    """Returns the position of the ``}`` of a field.

    The argument of a type may contain anything but ``)`` before ``}``, ``?}``, ``>}`` and ``>?}``.
    """
    closing = _FIELD_END.match(text, position + 1)
    if closing is None:
        raise _error(text, position, "'{' is not closed; write '{{' for a literal brace")
    return closing.end() - 1


def _parse_field(text: str, position: int, inside: str) -> Field:
    nullable, ends_last = inside.endswith("?"), inside.removesuffix("?").endswith(">")
    inside = inside.removesuffix("?").removesuffix(">")
    if inside == "" and not nullable:
        return Field(None, Text(), ends_last=ends_last)
    name, colon, notation = inside.partition(":")
    if not _NAME.fullmatch(name):
        if colon and name.endswith("?") and _NAME.fullmatch(name[:-1]):
            raise _error(
                text, position, f"the '?' of field {name[:-1]!r} follows its type: {{{name[:-1]}:{notation}?}}"
            )
        raise _error(text, position, f"{name!r} is not a field name (letters, digits, '_', '-' and '.')")
    if colon and not notation:
        raise _error(text, position, f"field {name!r} has a ':' but no type; known are {', '.join(TYPES)}")
    type_name, bracket, argument = notation.partition("(")
    try:
        make = find_type(type_name or "string")
    except FormatError as error:
        if text[:position].endswith("%"):
            raise _error(
                text, position - 1, "%{...} is grok; write grok= for such a pattern, or {name:type} here"
            ) from error
        raise _error(text, position, f"field {name!r}: {error}") from error
    try:
        field_type = make(type_name, argument.removesuffix(")") if bracket else None)
    except FormatError as error:
        raise _error(text, position, f"field {name!r}: {error}") from error
    return Field(name, field_type, nullable, ends_last=ends_last)


def _check(template: Template, escape: str) -> None:
    text = template.text
    if not template.fields:
        raise FormatError(
            f"template {text!r} has no named field; write one as {{name}} or {{name:type}}. `pyspark-logs detect FILE` proposes a template"
        )
    seen: dict[str, str] = {}
    for field in template.fields:
        name = field.name or ""
        if name.lower() in seen:
            raise FormatError(f"template {text!r}: field {name!r} appears twice (names match without case)")
        seen[name.lower()] = name
    _check_groups(text, template.segments)
    for step in template.steps:
        segment, following = step.segment, step.following
        if isinstance(segment, Literal) and ("\n" in segment.text or "\r" in segment.text):
            raise FormatError(f"template {text!r}: a literal holds a line end, but a record is one line")
        if isinstance(segment, Literal) and escape != "none" and "\\" in segment.text:
            raise FormatError(f"template {text!r}: escape=backslash needs literals without backslashes")
        if isinstance(segment, Field) and segment.ends_last:
            _check_right_bound(text, segment, following)
        elif isinstance(segment, Field):
            _check_readable(text, segment, following)
        if isinstance(segment, Field) and segment.type.syntax is None and following.field is not None:
            nothing = "nothing but what may be absent" if following.delimiters else "nothing"
            raise FormatError(
                f"template {text!r}: {nothing} separates field {segment.name!r} from {following.field.name!r};"
                " put literal text between them (only quoted, date and timestamps end by themselves)"
            )


def _check_right_bound(text: str, field: Field, following: Following) -> None:
    """Raises FormatError if a field that ends at the last occurrence of a literal has no such literal."""
    if field.type.syntax is not None:
        raise FormatError(
            f"template {text!r}: field {field.name!r} ends by itself, as all fields of type {field.type.notation}; remove its '>'"
        )
    if following.right_bound is None:
        raise FormatError(
            f"template {text!r}: field {field.name!r} has a '>', which needs literal text after the field and after the"
            " field after that, without groups and {~}; remove the '>', or write the text"
        )


def _check_readable(text: str, field: Field, following: Following) -> None:
    """Raises FormatError if a delimiter that ends a field occurs in a text that the type of the field needs."""
    for delimiter in following.delimiters:
        for literal in (delimiter.text,) if isinstance(delimiter, Literal) else (" ", "\t"):
            value = field.type.unreadable_before(literal)
            if value is None:
                continue
            never = f"be {value!r}, which is one of {field.type.notation}"
            advice = f"leave {value!r} out"
            if field.type.is_nested:
                never, advice = f"have a second element after {value!r}", "another separator into the type"
            raise FormatError(
                f"template {text!r}: field {field.name!r} ends at the first {literal!r}, so it can never {never}; write other text"
                f" after the field, or {advice}"
            )


def _check_groups(text: str, segments: Iterable[Segment]) -> None:
    for segment in segments:
        if isinstance(segment, Group):
            if not segment.segments or not isinstance(segment.segments[0], (Literal, Blanks)):
                raise FormatError(f"template {text!r}: an optional group must begin with literal text or {{~}}")
            _check_groups(text, segment.segments)
