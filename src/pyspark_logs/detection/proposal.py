"""Proposal of a template for lines of an unknown format.

The template is built from left to right. Each step appends the most specific segment that nearly all lines have at their
current position: a timestamp, level, number, quoted string, key, or a word with its delimiter. Where the lines have no
structure in common any more, the message begins.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark_logs.detection.segments import PUNCTUATION, STEPS, TemplateDraft
from pyspark_logs.detection.value_patterns import TimestampSyntax, timestamp_syntaxes

_MAX_FIELDS = 40
_MAX_LINES, _MAX_LINE_CHARS = 1000, 4096
# Share of all lines that must fit the template.
_MIN_REMAINING_SHARE = 0.95
# Share of lines that begin with a timestamp from which the other lines are taken for continuations, as stack traces are.
_MIN_DATED_SHARE = 0.2
# Fields without a type that are recognised by their values.
_TELLING_NAMES = frozenset(("level", "program", "client_ip", "request"))


def propose_templates(lines: Sequence[str]) -> list[str]:
    """Returns templates for lines, the most detailed one first; each fits at least about 95 % of them.

    >>> propose_templates(["2026-11-22 01:00:11,045 INFO [main] a.B: x y", "2026-11-22 01:00:12,1 WARN [w-1] a.C: z"])[0]
    '{ts:timestamp} {level} [{thread}] {logger}: {message}'
    """
    lines = _first_lines([line[:_MAX_LINE_CHARS] for line in lines[:_MAX_LINES] if line.strip()])
    if not lines:
        return []
    draft = TemplateDraft(list(lines), len(lines))
    complete = False
    while draft.field_count < _MAX_FIELDS:
        if draft.has(lambda rest: not rest):
            complete = True
            break
        before = len(draft.segments)
        if not any(step(draft) for step in STEPS) or len(draft.rests) < _MIN_REMAINING_SHARE * draft.line_count:
            del draft.segments[before:]
            break
        if draft.segments[-1][-1] in " }" or draft.segments[-1] == "{~}":
            draft.cuts.append(len(draft.segments))
    return _templates(draft, complete)


def _first_lines(lines: Sequence[str]) -> Sequence[str]:
    """Returns the first lines of records: those that begin with the most frequent timestamp syntax, or else all lines."""
    best: Sequence[str] = ()
    for syntax in timestamp_syntaxes():
        dated = _dated_lines(lines, syntax, max(len(best) + 1, _MIN_DATED_SHARE * len(lines)))
        best = dated or best
    return best or lines


def _dated_lines(lines: Sequence[str], syntax: TimestampSyntax, least: float) -> list[str]:
    """Returns the lines that begin with a syntax; an empty list if there are fewer than ``least``."""
    dated = []
    for remaining, line in zip(range(len(lines) - 1, -1, -1), lines, strict=True):
        if syntax.end(line) or (line[:1] in PUNCTUATION and syntax.end(line[1:])):
            dated.append(line)
        elif len(dated) + remaining < least:
            return []
    return dated if len(dated) >= least else []


def _templates(draft: TemplateDraft, complete: bool) -> list[str]:
    """Returns the draft as a template, then its beginnings with the rest of the line as message.

    Args:
        draft: the draft.
        complete: True if the draft covers whole lines.
    """
    segments = draft.segments
    if not _has_structure(segments):
        return []
    templates = ["".join(segments)] if complete and draft.field_count else []
    if not complete and not (segments and _is_field(segments[-1])):
        templates.append("".join(segments) + "{message}")
    templates += [
        "".join(segments[:cut]) + "{message}"
        for cut in reversed(draft.cuts)
        if not _is_field(segments[cut - 1]) and _has_structure(segments[:cut])
    ]
    return list(dict.fromkeys(templates))


def _has_structure(segments: Sequence[str]) -> bool:
    """Returns True if a field is typed, a level or a process, or delimited by more than a blank or a colon; prose has none."""
    fields = [segment for segment in segments if _is_field(segment)]
    delimiters = "".join(segment for segment in segments if not _is_field(segment)).replace("{~}", "")
    return any(":" in segment or segment.strip("{}") in _TELLING_NAMES for segment in fields) or bool(
        fields and delimiters.strip(" :,.-'")
    )


def _is_field(segment: str) -> bool:
    return segment.startswith("{") and segment not in ("{~}", "{{")
