"""Logback and Log4j 2: the lines that a pattern layout writes.

Source: Logback manual, chapter 6 "Layouts"; Apache Log4j 2 manual, "Pattern Layout". :mod:`layout_properties` finds the
pattern in the configuration, :mod:`pattern_layout` parses the pattern, :mod:`conversions` lists the conversion words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.dialects.config_text import ConfigText
from pyspark_logs.formats.dialects.conversions import EQUALS_WORDS, NOT_EMPTY_WORDS, WORDS, Conversion, Output
from pyspark_logs.formats.dialects.directives import ColumnNames
from pyspark_logs.formats.dialects.java_dates import fixed_width, has_day
from pyspark_logs.formats.dialects.last_delimiters import end_at_last
from pyspark_logs.formats.dialects.layout_conditions import OptionalText, resolve_condition
from pyspark_logs.formats.dialects.layout_dates import date_type
from pyspark_logs.formats.dialects.layout_properties import read_layout
from pyspark_logs.formats.dialects.pattern_layout import LayoutElement, parse_pattern
from pyspark_logs.formats.line_format import LineFormat
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.template.notation import make_template
from pyspark_logs.formats.template.segments import Blanks, Field, FieldPadding, Group, Literal, Segment
from pyspark_logs.formats.timestamps.parsing import compile_pattern
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.text import Text
from pyspark_logs.options import FormatOptions

_DATE_CONTINUATIONS = "0123456789Z+-.,:"  # characters with which a date in ISO 8601 may continue


def logback_format(options: FormatOptions) -> LineFormat:
    """Returns the format of the lines that a pattern layout writes.

    Raises:
        FormatError: the pattern is not understood; the message shows the position.
    """
    config = read_layout(options.spec)
    elements = _first_line(config, _flatten(config, parse_pattern(config)))
    segments = end_at_last(_trailing_padding(_build_segments(config, elements)), "message")
    if not any(isinstance(segment, (Field, Group)) for segment in segments):
        raise config.no_columns("has no conversion word, so there are no columns; words begin with '%'")
    return TemplateFormat(make_template(config.text, segments), options, f"logback {config.text!r}")


@dataclass(frozen=True)
class GroupPadding:
    """Spaces before or after a group with a width.

    Attributes:
        group: group that is padded.
        before: True if the spaces precede the group.
    """

    group: LayoutElement
    before: bool


FlatElement = str | LayoutElement | GroupPadding | OptionalText


def _flatten(config: ConfigText, elements: Sequence[str | LayoutElement]) -> list[FlatElement]:
    """Returns the elements without groups: the width of a group goes to its only word, or becomes padding."""
    flat: list[FlatElement] = []
    for element in elements:
        for part in [element] if isinstance(element, str) or element.children is None else _ungroup(config, element):
            if isinstance(part, str) and flat and isinstance(flat[-1], str):
                flat[-1] += part
            else:
                flat.append(part)
    return flat


def _ungroup(config: ConfigText, group: LayoutElement) -> list[FlatElement]:
    children = _flatten(config, group.children or ())
    if group.word in NOT_EMPTY_WORDS | EQUALS_WORDS and not _ends_record(children):
        plain = [child for child in children if isinstance(child, (str, LayoutElement))]
        if len(plain) < len(children):
            raise config.error(
                group.offset, group.text, "encloses a group that is padded or may be missing; simplify it"
            )
        return [*resolve_condition(config, group, plain)]
    if group.pad is None or group.pad.width == 0:
        return children
    only_child = children[0] if len(children) == 1 else None
    if isinstance(only_child, LayoutElement) and only_child.pad is None:
        return [replace(only_child, pad=group.pad)]
    if group.pad.before:
        return [GroupPadding(group, before=True), *children]
    return [*children, GroupPadding(group, before=False)]


# --- line ends and exceptions --------------------------------------------------------------------------------


def _first_line(config: ConfigText, elements: Sequence[FlatElement]) -> list[FlatElement]:
    """Returns the elements of the first line of a record.

    Exceptions may follow the line end or precede it immediately; their text is further lines of the record.

    Raises:
        FormatError: another element follows the line end, or an exception.
    """
    kept: list[FlatElement] = []
    line_end: FlatElement | None = None
    for index, element in enumerate(elements):
        output = _output(element)
        ends_here = _ends_record(elements[index + 1 :])
        if output in (Output.LINE_END, Output.NOTHING) or (output is Output.EXCEPTION and ends_here):
            line_end = element if output is not Output.NOTHING and line_end is None else line_end
        elif output is Output.EXCEPTION and isinstance(element, LayoutElement):
            problem = "is followed by other fields; exceptions are lines of their own, at the end of a record"
            raise config.error(element.offset, element.text, problem)
        elif isinstance(element, str) and (line_end is not None or "\n" in element):
            text, _, rest = element.partition("\n")
            if (element if line_end is not None else rest).strip() or not ends_here:
                raise _second_line(config, line_end or element)
            if line_end is None and text:
                kept.append(text)
        elif line_end is not None:
            raise _second_line(config, line_end)
        else:
            kept.append(element)
    return kept


def _output(element: FlatElement) -> Output | None:
    return WORDS[element.word].output if isinstance(element, LayoutElement) else None


def _ends_record(elements: Sequence[FlatElement]) -> bool:
    """Returns true if the elements are only line ends, exceptions and blanks."""
    return all(
        not element.strip() if isinstance(element, str) else (output := _output(element)) and output.may_end_record
        for element in elements
    )


def _second_line(config: ConfigText, line_end: FlatElement) -> FormatError:
    problem = "begins another line of the record; only exceptions may follow (read those with multiLine=true)"
    if isinstance(line_end, LayoutElement):
        return config.error(line_end.offset, line_end.text, problem)
    return config.error(max(config.text.find("\n"), 0), "", f"a line end {problem}")


# --- segments of the template --------------------------------------------------------------------------------


def _build_segments(config: ConfigText, elements: list[FlatElement], names: ColumnNames | None = None) -> list[Segment]:
    segments: list[Segment] = []
    names = ColumnNames() if names is None else names
    for index, element in enumerate(elements):
        following = elements[index + 1] if index + 1 < len(elements) else None
        if isinstance(element, str):
            segments += [Literal(element)] if element else []
        elif isinstance(element, LayoutElement):
            segments += _field_segments(config, element, following, names)
        elif isinstance(element, OptionalText):
            segments.append(Group(tuple(_build_segments(config, [*element.children], names))))
        elif element.before:
            if segments and isinstance(segments[-1], Blanks):
                continue  # the padding after the preceding group extends to this group
            preceding = segments.pop() if segments else None
            if not isinstance(preceding, Literal) or not preceding.text.endswith(" "):
                raise _unpadded(config, element)
            segments += [Literal(preceding.text[:-1]), Blanks()]
        elif isinstance(following, str) and following.startswith(" "):
            segments.append(Blanks())
            elements[index + 1] = following[1:]
        elif following is not None:
            raise _unpadded(config, element)
    return segments


def _unpadded(config: ConfigText, padding: GroupPadding) -> FormatError:
    side = "before" if padding.before else "after"
    problem = f"a group with a width needs a space {side} it, so that the end of the padding can be found"
    return config.error(padding.group.offset, padding.group.text, problem)


def _trailing_padding(segments: list[Segment]) -> list[Segment]:
    """Returns the segments with blanks between the last text and the line end as padding of that text.

    The first examples of the Logback manual, chapter 6, end in ``%msg %n``. The message may contain blanks itself.
    """
    if len(segments) < 2:
        return segments
    *preceding, field, end = segments
    if not (isinstance(end, Literal) and not end.text.strip(" ") and isinstance(field, Field)):
        return segments
    if not pa.types.is_string(field.type.arrow()) or field.padding is not None:
        return segments
    return [*preceding, replace(field, padding=FieldPadding(0, False, None))]


def _field_segments(
    config: ConfigText, element: LayoutElement, following: FlatElement | None, names: ColumnNames
) -> list[Segment]:
    """Returns the field of a conversion word, and the spaces that pad a date.

    Raises:
        FormatError: the word's output is not a field, or no text separates it from the next word.
    """
    conversion = WORDS[element.word]
    if conversion.output is Output.DATE:
        fixed_form = following is not None and (not isinstance(following, str) or following[0] in _DATE_CONTINUATIONS)
        try:
            return _date_segments(element, date_type(element.options, fixed_form=fixed_form), following, names)
        except FormatError as error:
            raise config.error(element.offset, element.text, str(error)) from error
    if conversion.output is Output.CALLERS:
        raise config.error(element.offset, element.text, "writes several lines, in the middle of a record")
    if isinstance(following, LayoutElement) or (isinstance(following, GroupPadding) and following.before):
        text = following.text if isinstance(following, LayoutElement) else following.group.text
        raise config.unseparated(element.offset, element.text, text)
    column, null = _keyed(conversion, element) if conversion.named_by_option else (conversion.column, conversion.null)
    null = null if element.null_text is None else element.null_text
    pad = element.pad if element.pad is not None and (element.pad.width or element.pad.max_length is not None) else None
    return [Field(names.add(column), conversion.type, null is not None, pad, null)]


def _keyed(conversion: Conversion, element: LayoutElement) -> tuple[str, str]:
    """Returns column and null text of ``%X{key:-default}``; without a key, or with several, one column has all keys."""
    key, _, default = (element.options[0] if element.options else "").partition(":-")
    return (conversion.column if not key.strip() or "," in key else key.strip()), default


def _date_segments(
    element: LayoutElement, date: FieldType, following: FlatElement | None, names: ColumnNames
) -> list[Segment]:
    """Returns a date, and the spaces up to its width; a pattern without a day gives a string.

    Raises:
        FormatError: the width of the date is not fixed, or the end of a string cannot be found.
    """
    pattern = date.rendered_pattern
    spaces = Literal(" " * _date_padding(element.pad, pattern))
    column: str = "timestamp"
    field_type = date
    if pattern is not None and not has_day(pattern):
        _check_end_of_time(pattern, following)
        column, field_type = "time", Text()
    field = Field(names.add(column), field_type)
    return [spaces, field] if element.pad is not None and element.pad.before else [field, spaces]


def _date_padding(pad: FieldPadding | None, pattern: str | None) -> int:
    if pad is None or pattern is None:
        return 0
    width = fixed_width(pattern)
    if width is None or (pad.max_length is not None and pad.max_length < width):
        raise FormatError("a date is cut, or has no fixed width to pad; remove its width")
    return max(0, pad.width - width)


def _check_end_of_time(pattern: str, following: FlatElement | None) -> None:
    """Raises FormatError if the end of a time without a day, which is a string, cannot be found."""
    if following is not None and not isinstance(following, str):
        raise FormatError("a time without a day is a string, and nothing separates it from what follows")
    example = "".join(piece if piece[0] != "%" else "0" for piece in compile_pattern(pattern).tokens)
    if following is not None and following in example:
        raise FormatError(f"a time without a day is a string, and the text after it, {following!r}, occurs in it")
