"""Segments of a template: literal text, blanks, fields and optional groups.

The segments are a small tree: a group is a segment that contains segments. Parsers and writers use the tree as a list of
steps, in which the steps of a group follow the step of the group; each step has the segments that may follow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pyspark_logs.formats.types.field_type import FieldType


@dataclass(frozen=True)
class Literal:
    """Constant text."""

    text: str

    @property
    def raw(self) -> bytes:
        """The text in UTF-8."""
        return self.text.encode()


@dataclass(frozen=True)
class Blanks:
    """``{~}``: one or more spaces or tabs."""


@dataclass(frozen=True)
class FieldPadding:
    """Spaces beside a value that is shorter than a width.

    Pattern layouts of logging libraries have widths; the template notation does not.

    Attributes:
        width: length of the value and its spaces, in characters.
        before: True if the spaces are before the value.
        max_length: length of the longest value that is written, in characters; None: any. Longer values are read, too.
    """

    width: int
    before: bool
    max_length: int | None = None


@dataclass(frozen=True)
class Field:
    """Text of a line that is a value.

    Attributes:
        name: name of the field; None for ``{}``, whose text is skipped.
        type: type of the text.
        nullable: True if the null token and the empty text are null.
        padding: spaces beside the value.
        null_text: text written for null, and read as null beside the null token; None: the null token.
        never_blank: True if a value is never empty and neither begins nor ends with a space. A line in which it seems
            to be has a separator twice, or lacks one, so that the values after it would be read as other fields.
        ends_last: True if the field ends at the last occurrence of the literal after it; see :class:`RightBound`.
    """

    name: str | None
    type: FieldType
    nullable: bool = False
    padding: FieldPadding | None = None
    null_text: str | None = None
    never_blank: bool = False
    ends_last: bool = False

    def null_texts(self, null_value: str) -> tuple[str, ...]:
        """Returns the texts that are null, the one that is written first and the empty text last."""
        if not self.nullable:
            return ()
        return tuple(dict.fromkeys((null_value, "") if self.null_text is None else (self.null_text, null_value, "")))


@dataclass(frozen=True)
class Group:
    """``{? ... ?}``: segments that are all present where the first of them is, and else all absent."""

    segments: tuple[Segment, ...]


Plain = Literal | Blanks | Field
Segment = Plain | Group


@dataclass(frozen=True)
class RightBound:
    """Literals that determine the end of a field with ``ends_last``.

    The field ends at the last occurrence of the literal after it that lies before the end of the next field. The next
    field ends at the first occurrence of the literal after it, or at the last one if it has ``ends_last`` itself or the
    template ends after that literal.

    Attributes:
        delimiters: the literal after the field, and those after the next fields that also end at a last occurrence.
        limit: literal that follows; its first occurrence after the delimiters bounds the search. None: the line end does.
    """

    delimiters: tuple[Literal, ...]
    limit: Literal | None = None


@dataclass(frozen=True)
class Following:
    """Segments that may follow a field, or be at the position of an absent group.

    Attributes:
        delimiters: first segments of the groups that come next, then the segment after them unless that is a field;
            the first of them in the line ends a field.
        line_end: True if the line may end there.
        field: field that comes next, directly or after optional groups.
        right_bound: end of a field with ``ends_last``; None: the field has no ``ends_last``, or the template is invalid.
    """

    delimiters: tuple[Literal | Blanks, ...] = ()
    line_end: bool = False
    field: Field | None = None
    right_bound: RightBound | None = None


@dataclass(frozen=True)
class TemplateStep:
    """A segment, and the segments that may follow it.

    Attributes:
        segment: segment of the template.
        following: segments that may follow.
        size: number of steps after this one that belong to it; 0 unless it is a group.
    """

    segment: Segment
    following: Following
    size: int = 0

    @property
    def takes_appended(self) -> bool:
        """True if the step is a group without a named field at the end of the template, which takes appended fields."""
        is_last = self.following.line_end and not self.following.delimiters
        return isinstance(self.segment, Group) and is_last and not named_fields(self.segment.segments)


@dataclass(frozen=True)
class Template:
    """A compiled template, checked by :mod:`~pyspark_logs.formats.template.notation`.

    Attributes:
        text: the notation, or the text that the template was made from; for messages.
        segments: segments in order; no literal is next to another.
    """

    text: str
    segments: tuple[Segment, ...]

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Named fields in order, including those of groups."""
        return named_fields(self.segments)

    @property
    def takes_rest(self) -> bool:
        """True if the template ends with a named field that takes the rest of a line."""
        *_, last = _flatten(self.segments)
        return isinstance(last, Field) and last.name is not None and last.type.takes_rest

    @property
    def word_count(self) -> int:
        """Number of words that spaces in the literals of the template separate, up to its last named field."""
        last = self.fields[-1].name
        count = 1
        for segment in _flatten(self.segments):
            if isinstance(segment, Blanks) or (isinstance(segment, Literal) and " " in segment.text):
                count += 1
            elif isinstance(segment, Field) and segment.name == last:
                break
        return count

    @cached_property
    def steps(self) -> tuple[TemplateStep, ...]:
        """Segments in order, those of a group after the group."""
        return tuple(_steps(self.segments, ()))


def named_fields(segments: Iterable[Segment]) -> tuple[Field, ...]:
    """Returns the named fields in order, including those of groups."""
    return tuple(s for s in _flatten(segments) if isinstance(s, Field) and s.name is not None)


def _flatten(segments: Iterable[Segment]) -> Iterator[Plain]:
    for segment in segments:
        if isinstance(segment, Group):
            yield from _flatten(segment.segments)
        else:
            yield segment


def _steps(segments: tuple[Segment, ...], outer: tuple[Segment, ...]) -> Iterator[TemplateStep]:
    """Yields the steps of segments.

    Args:
        segments: segments of a template or group.
        outer: segments after them.
    """
    for index, segment in enumerate(segments, start=1):
        later = (*segments[index:], *outer)
        inner = tuple(_steps(segment.segments, later)) if isinstance(segment, Group) else ()
        following = _following(later)
        if isinstance(segment, Field) and segment.ends_last:
            following = replace(following, right_bound=_right_bound(later))
        yield TemplateStep(segment, following, len(inner))
        yield from inner


def _following(later: tuple[Segment, ...]) -> Following:
    delimiters: list[Literal | Blanks] = []
    for segment in later:
        if isinstance(segment, Field):
            return Following(tuple(delimiters), field=segment)
        first = segment.segments[0] if isinstance(segment, Group) else segment
        if isinstance(first, (Literal, Blanks)):
            delimiters.append(first)
        if not isinstance(segment, Group):
            return Following(tuple(delimiters))
    return Following(tuple(delimiters), line_end=True)


def _right_bound(later: Sequence[Segment]) -> RightBound | None:
    """Returns the end of a field with ``ends_last``; None if a group or blanks would determine it.

    Args:
        later: segments after the field.
    """
    delimiters: list[Literal] = []
    while later and isinstance(later[0], Literal):
        delimiters.append(later[0])
        if len(later) == 1:
            return RightBound(tuple(delimiters))
        field, later = later[1], later[2:]
        if not isinstance(field, Field):
            return None
        if not later:
            return RightBound(tuple(delimiters))
        if not field.ends_last and len(later) > 1:
            return RightBound(tuple(delimiters), later[0]) if isinstance(later[0], Literal) else None
    return None
