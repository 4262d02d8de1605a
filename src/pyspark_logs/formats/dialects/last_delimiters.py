"""Fields of a configured layout that end at the last occurrence of the text after them.

A message, or the name of a thread, may contain the text that follows it in the layout: Kafka writes ``%m (%c)``, and its
messages are full of parentheses; ZooKeeper writes ``[%t:%C{1}@%L]``, and its threads have colons. The fields after such a
value have no spaces and little punctuation, so the last occurrence is the separator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pyspark_logs.formats.template.segments import Field, Literal, Segment


def end_at_last(segments: Sequence[Segment], message: str) -> list[Segment]:
    """Returns the segments, with ``ends_last`` set in the fields that need it.

    These are the message and the fields after it, up to the end of the line, and each text before a field whose type
    excludes the literal between them.

    Args:
        segments: segments of a layout.
        message: name of the field that holds any text.

    >>> from pyspark_logs.formats.template.notation import parse_template
    >>> def last(text: str) -> list[str]:
    ...     return [one.name for one in end_at_last(parse_template(text).segments, "m") if isinstance(one, Field) and one.ends_last]
    >>> last("{p} {m} ({c:class}) [{t}]"), last("[{t}:{c:class}@{l:int}] - {m}")
    (['m', 'c', 't'], ['t'])
    """
    changed = list(segments)
    is_anchored = any(isinstance(segment, Field) and segment.name == message for segment in segments[:-1])
    for index in range(len(changed) - 1, -1, -1):
        field, later = changed[index], changed[index + 1 :]
        if not isinstance(field, Field):
            continue
        is_anchored = is_anchored and field.type.syntax is None and _is_separable(later)
        if field.type.syntax is None and later and (is_anchored or _is_ambiguous(field, later)):
            changed[index] = replace(field, ends_last=True)
        is_anchored = is_anchored and field.name != message
    return changed


def _is_separable(later: Sequence[Segment]) -> bool:
    """Returns True if a literal follows that the next field cannot seem to begin or end with.

    Spaces that pad a field cannot be told from a literal of spaces.
    """
    if not later or not isinstance(later[0], Literal):
        return not later
    following = later[1] if len(later) > 1 else None
    if isinstance(following, Field):
        return following.padding is None or bool(later[0].text.strip(" "))
    return following is None


def _is_ambiguous(field: Field, later: Sequence[Segment]) -> bool:
    """Returns True if a field may contain the literal after it, and the field after that literal may not."""
    if field.type.is_validated or len(later) < 2 or not _is_separable(later):
        return False
    literal, following, *rest = later
    if not isinstance(literal, Literal) or not isinstance(following, Field) or following.type.syntax is not None:
        return False
    return following.type.excludes(literal.text) and (not rest or isinstance(rest[0], Literal))
