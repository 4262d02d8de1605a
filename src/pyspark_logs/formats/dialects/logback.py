"""Logback and Log4j 2: the pattern of a layout.

What a pattern means is in ``conversions``, how it is written in ``patternlayout``; here it becomes a template.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.dialects.conversions import (
    DATE,
    EXCEPTION,
    LINE_END,
    NOTHING,
    STACK,
    WORDS,
    Conversion,
    date_type,
)
from pyspark_logs.formats.dialects.error_positions import Names, Pasted
from pyspark_logs.formats.dialects.java_dates import has_day, width
from pyspark_logs.formats.dialects.pattern_layout import Item, read_pattern
from pyspark_logs.formats.interface import LineFormat
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.template.notation import Blanks, Field, Literal, Pad, Segment, make_template
from pyspark_logs.formats.timestamps.parsing import compile_pattern
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.temporal import Epoch, Timestamp
from pyspark_logs.formats.types.text import Text
from pyspark_logs.options import FormatOptions

_CLOSED_DATE = "0123456789Z+-.,:"  # what an ISO 8601 time could go on with


def logback_format(options: FormatOptions) -> LineFormat:
    """The format that a PatternLayout writes.

    Raises:
        FormatError: what is wrong with it, and where.
    """
    pasted, items = read_pattern(options.spec)
    segments = _segments(pasted, _one_line(pasted, _flat(pasted, items)))
    if not any(isinstance(segment, Field) for segment in segments):
        raise pasted.wrong(0, pasted.text, "has no conversion word, and so no column; they begin with '%'")
    return TemplateFormat(make_template(pasted.text, segments), options, f"logback {pasted.text!r}")


@dataclass(frozen=True)
class Padding:
    """Spaces beside a group that has a width."""

    item: Item
    before: bool


Flat = str | Item | Padding


def _flat(pasted: Pasted, items: Sequence[str | Item]) -> list[Flat]:
    """Without groups: a group's width is that of its only word, or becomes padding."""
    flat: list[Flat] = []
    for item in items:
        if isinstance(item, str) or item.inside is None:
            flat.append(item)
            continue
        inside = _flat(pasted, item.inside)
        alone = inside[0] if len(inside) == 1 else None
        if item.pad is None or item.pad.width == 0:
            flat += inside
        elif isinstance(alone, Item) and alone.pad is None:
            flat.append(replace(alone, pad=item.pad))
        elif item.pad.before:
            flat += [Padding(item, True), *inside]
        else:
            flat += [*inside, Padding(item, False)]
    merged: list[Flat] = []
    for one in flat:
        if isinstance(one, str) and merged and isinstance(merged[-1], str):
            merged[-1] += one
        else:
            merged.append(one)
    return merged


def _one_line(pasted: Pasted, items: Sequence[Flat]) -> list[Flat]:
    """Up to the line's end. Behind that, and right before it, exceptions may stand: they are lines of their own."""
    kinds = [WORDS[item.word].kind if isinstance(item, Item) else "" for item in items]
    kept: list[Flat] = []
    ended: Item | None = None
    for index, (item, kind) in enumerate(zip(items, kinds, strict=True)):
        if kind in (LINE_END, NOTHING) or (kind == EXCEPTION and _only_ends(items[index + 1 :], kinds[index + 1 :])):
            ended = item if isinstance(item, Item) and kind != NOTHING and ended is None else ended
        elif kind == EXCEPTION and isinstance(item, Item):
            problem = "is followed by other fields; exceptions are lines of their own, at the end of a record"
            raise pasted.wrong(item.place, item.text, problem)
        elif isinstance(item, str) and (ended is not None or "\n" in item):
            text, _, rest = item.partition("\n")
            if (item if ended is not None else rest).strip() or not _only_ends(items[index + 1 :], kinds[index + 1 :]):
                raise _several_lines(pasted, ended or item)
            if ended is None and text:
                kept.append(text)
        elif ended is not None:
            raise _several_lines(pasted, ended)
        else:
            kept.append(item)
    return kept


def _only_ends(items: Sequence[Flat], kinds: Sequence[str]) -> bool:
    """Whether there is nothing but ends of lines, exceptions and blanks."""
    ends = (LINE_END, EXCEPTION, NOTHING)
    pairs = zip(items, kinds, strict=True)
    return all(kind in ends or (isinstance(item, str) and not item.strip()) for item, kind in pairs)


def _several_lines(pasted: Pasted, item: Flat) -> FormatError:
    problem = "begins another line of the record; only exceptions may follow (read those with multiLine=true)"
    if isinstance(item, Item):
        return pasted.wrong(item.place, item.text, problem)
    return pasted.wrong(max(pasted.text.find("\n"), 0), "", f"a line end {problem}")


# --- segments ------------------------------------------------------------------------------------------------


def _segments(pasted: Pasted, items: list[Flat]) -> list[Segment]:
    segments: list[Segment] = []
    names = Names()
    for index, item in enumerate(items):
        after = items[index + 1] if index + 1 < len(items) else None
        if isinstance(item, str):
            segments += [Literal(item)] if item else []
        elif isinstance(item, Padding):
            if item.before and segments and isinstance(segments[-1], Blanks):
                continue  # the padding of the group before reaches here
            if item.before:
                before = segments.pop() if segments else None
                if not isinstance(before, Literal) or not before.text.endswith(" "):
                    raise _unpadded(pasted, item)
                segments += [Literal(before.text[:-1]), Blanks()]
            elif isinstance(after, str) and after.startswith(" "):
                segments.append(Blanks())
                items[index + 1] = after[1:]
            elif after is not None:
                raise _unpadded(pasted, item)
        else:
            segments += _field(pasted, item, after, names)
    return _open_end(segments)


def _open_end(segments: list[Segment]) -> list[Segment]:
    """With blanks between the last text and the line's end as its padding, since the text may hold blanks itself.

    Logback manual, chapter 6, has ``%msg %n`` in its first examples.
    """
    if len(segments) < 2:
        return segments
    *before, field, end = segments
    if not (isinstance(end, Literal) and not end.text.strip(" ") and isinstance(field, Field)):
        return segments
    if not isinstance(field.type, Text) or field.pad is not None:
        return segments
    return [*before, replace(field, pad=Pad(0, False, None))]


def _unpadded(pasted: Pasted, padding: Padding) -> FormatError:
    where = "before" if padding.before else "behind"
    problem = f"a group with a width needs a space {where} it, so that one can tell where the padding ends"
    return pasted.wrong(padding.item.place, padding.item.text, problem)


def _field(pasted: Pasted, item: Item, after: Flat | None, names: Names) -> list[Segment]:
    conversion = WORDS[item.word]
    column, kind, null = conversion.column, conversion.type, conversion.null
    if conversion.kind == DATE:
        strict = not (after is None or (isinstance(after, str) and after[0] not in _CLOSED_DATE))
        try:
            return _time(item, date_type(item.options, strict=strict), after, names)
        except FormatError as error:
            raise pasted.wrong(item.place, item.text, str(error)) from error
    if conversion.kind == STACK:
        raise pasted.wrong(item.place, item.text, "writes several lines, in the middle of a record")
    if conversion.by_option:
        column, null = _key(conversion, item)
    if after is not None and not isinstance(after, str) and not (isinstance(after, Padding) and not after.before):
        text = after.text if isinstance(after, Item) else after.item.text
        problem = f"nothing separates it from {text!r}, so nobody can tell where it ends; put text between them"
        raise pasted.wrong(item.place, item.text, problem)
    pad = item.pad if item.pad is not None and (item.pad.width or item.pad.most is not None) else None
    return [Field(names.new(column), kind, null is not None, pad, null)]


def _key(conversion: Conversion, item: Item) -> tuple[str, str]:
    """Column and null text of ``%X{key:-default}``; without a key, or with several, all keys are one text."""
    name, _, default = (item.options[0] if item.options else "").partition(":-")
    return (conversion.column if not name.strip() or "," in name else name.strip()), default


def _time(item: Item, kind: Timestamp | Epoch, after: Flat | None, names: Names) -> list[Segment]:
    """A date, padded by as many spaces as its pattern leaves; a string where the pattern has no day."""
    made: FieldType = kind
    pattern = (kind.pattern or kind.written) if isinstance(kind, Timestamp) else None
    padding = 0
    if item.pad is not None and pattern is not None:
        size = width(pattern)
        if size is None or (item.pad.most is not None and item.pad.most < size):
            raise FormatError("a date is cut, or has no fixed width to pad; give it no width")
        padding = max(0, item.pad.width - size)
    if pattern is not None and not has_day(pattern):
        made = Text()
        shown = "".join(piece if piece[0] != "%" else "0" for piece in compile_pattern(pattern).pieces)
        if not isinstance(after, str) and after is not None:
            raise FormatError("a time without a day is a string, and nothing separates it from what follows")
        if isinstance(after, str) and after in shown:
            raise FormatError(f"a time without a day is a string, and {after!r} behind it stands in it, too")
    field = Field(names.new("timestamp" if made is kind else "time"), made)
    spaces = Literal(" " * padding)
    return [spaces, field] if item.pad is not None and item.pad.before else [field, spaces]
