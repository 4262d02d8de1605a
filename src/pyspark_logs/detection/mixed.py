"""Files whose lines have several formats: groups of lines that begin alike, and the best format of each group."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pyspark_logs.errors import LogSourceError
from pyspark_logs.formats.anyof.member import widen
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import parse_read_options
from pyspark_logs.records import find_lines

_MAX_MEMBERS = 5
_MAX_LINES, _MAX_LINE_CHARS = 1000, 4096
# Share of the lines that look like the first lines of records from which they are a group, and least number of them.
_MIN_SHARE, _MIN_LINES = 0.02, 3
# Share of a group that its format must match.
_MIN_MATCHING = 0.9
_HEAD_CHARS, _FORM_CHARS = 60, 12
# A time of day, a date, or seconds since 1970; lines of stack traces begin without any.
_TIME = re.compile(r"\d:\d\d:\d\d|\d{4}[-/.]\d\d[-/.]\d\d|(?<!\d)1\d{9}(?!\d)|^[IWEF]\d{4} |\d{6}[ T]\d{4}")
_NUMBER, _WORD = re.compile(r"[0-9]+"), re.compile(r"[^\W\d_]+")
# These match any object or any line with a pair, so they are tried after the others.
_GENERAL = ("json", "logfmt")

FormatOptions = Mapping[str, str]


@dataclass(frozen=True)
class FoundFormat:
    """The best format of a group of lines.

    Attributes:
        options: options that name the format.
        schema: columns of the lines.
    """

    options: FormatOptions
    schema: pa.Schema

    @property
    def is_general(self) -> bool:
        """True for JSON and logfmt, whose keys are read as any type."""
        return not self.options.keys().isdisjoint(_GENERAL)


def mixed_format(
    lines: Sequence[str], best: FormatOptions | None, find_format: Callable[[Sequence[str]], FoundFormat | None]
) -> dict[str, str] | None:
    """Returns the option ``anyOf`` for lines of several formats; None if one format suffices, or fewer than two are found.

    Args:
        lines: lines of a sample.
        best: options of the best format of all lines; None if there is none.
        find_format: function that returns the best format of lines that begin alike.
    """
    records = [line[:_MAX_LINE_CHARS] for line in lines[:_MAX_LINES] if _is_first_line(line)]
    least = max(_MIN_LINES, _MIN_SHARE * len(records))
    forms = [_form(line) for line in records]
    if best is not None and len(records) - len(_matching(best, records)) < least:
        return None
    members: list[FoundFormat] = []
    left = set(range(len(records)))
    for form, _ in Counter(forms).most_common():
        group = [index for index, each in enumerate(forms) if each == form and index in left]
        if len(group) < least or len(members) == _MAX_MEMBERS:
            continue
        found = find_format([records[index] for index in group])
        member = None if found is None else _as_member(found.options)
        if found is None or member is None:
            continue
        matches = _matching(member, records)
        if len(matches.intersection(group)) < _MIN_MATCHING * len(group):
            continue
        left -= matches
        members.append(FoundFormat(member, found.schema))
    if len(members) < 2:
        return None
    members.sort(key=lambda member: member.is_general)
    return {"anyOf": json.dumps(_rename_fields(members), ensure_ascii=False)}


def _rename_fields(members: Sequence[FoundFormat]) -> list[FormatOptions]:
    """Returns the options of members, in which fields of templates have other names if their types are not those of other members."""
    types: dict[str, pa.DataType] = {}
    for member in members:
        if "template" not in member.options:
            types |= {field.name.lower(): field.type for field in member.schema}
    general = {field.name.lower() for member in members if member.is_general for field in member.schema}
    renamed = []
    for member in members:
        template = member.options.get("template")
        for field in member.schema if template is not None else ():
            key = field.name.lower()
            reads_any = key in general and pa.types.is_string(field.type)
            if key not in types or reads_any:
                types[key] = field.type
            elif template is not None and widen(types[key], field.type) is None:
                template = re.sub(
                    rf"\{{{re.escape(field.name)}(?=[:?<>}}])", f"{{{_unused_name(field.name, types)}", template
                )
        renamed.append(member.options if template is None else {**member.options, "template": template})
    return renamed


def _unused_name(name: str, taken: Collection[str]) -> str:
    return next(f"{name}_{number}" for number in itertools.count(2) if f"{name}_{number}".lower() not in taken)


def _is_first_line(line: str) -> bool:
    """Returns True if a line looks like the first line of a record: it begins with a time, or is a JSON object."""
    if line[:1] in (" ", "\t"):
        return False
    return _TIME.search(line[:_HEAD_CHARS]) is not None or (line.startswith("{") and line.rstrip().endswith("}"))


def _form(line: str) -> str:
    """Returns the beginning of a line without its letters and digits, which is equal for most lines of a format."""
    if line.startswith("{"):
        return "{"
    return _WORD.sub("a", _NUMBER.sub("0", line[:_HEAD_CHARS]))[:_FORM_CHARS]


def _as_member(options: FormatOptions) -> FormatOptions | None:
    """Returns the options of a format as a member of ``anyOf``; None if the format cannot be one."""
    if "header" in options:
        return None
    return {name: value for name, value in options.items() if name != "multiLine"}


def _matching(options: FormatOptions, lines: Sequence[str]) -> set[int]:
    """Returns the indices of the lines that match a format as a member of ``anyOf``; none if it cannot be one."""
    block = find_lines("\n".join(line.replace("\r", " ") or " " for line in lines).encode("utf-8", "replace"), 0)
    member = _as_member(options)
    if member is None or len(block) != len(lines):
        return set()
    members = [*json.loads(member["anyOf"])] if "anyOf" in member else [member]
    try:
        form = resolve_format(parse_read_options({"path": "/", "anyOf": members}).format)
        decoded = form.block_decoder(Projection(judge_whole=True)).decode(block, TimestampContext())
    except LogSourceError:
        return set()
    corrupt = () if decoded.corrupt is None else decoded.corrupt.nonzero()[0].tolist()
    return set(range(len(lines))).difference(corrupt)
