"""Reference writer: renders a row in the plainest way, without a check that the line reads back.

`tests/unit/formats/writing/test_encoder.py` parses its lines with the reference parser: if a line reads back as its row, the encoder
must not refuse the row. This module shares no code with the package.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta, timezone
from typing import Any

from tests.reference.templates import Blanks, Clock, Field, Group, Literal, Segment, Type

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def render(segments: list[Segment], values: dict[str, Any], *, null_value: str, clock: Clock) -> str:
    """Returns a line without its end; a group is written if one of its fields is not null."""
    line = ""
    for segment in segments:
        if isinstance(segment, Group):
            if any(values[name] is not None for name in names(segment.segments)):
                line += render(segment.segments, values, null_value=null_value, clock=clock)
        elif isinstance(segment, Literal):
            line += segment.text
        elif isinstance(segment, Blanks):
            line += " "
        else:
            value = None if segment.name is None else values[segment.name]
            text = null_value if value is None else text_of(value, segment.type, clock)
            line += f'"{text}"' if segment.type.name == "quoted" else text
    return line


def names(segments: list[Segment]) -> list[str]:
    """Returns the names of the fields of segments, nested groups included."""
    found = []
    for segment in segments:
        if isinstance(segment, Group):
            found += names(segment.segments)
        elif isinstance(segment, Field) and segment.name is not None:
            found.append(segment.name)
    return found


def text_of(value: Any, kind: Type, clock: Clock) -> str:
    """Returns the plainest text of a value."""
    if kind.name == "quoted":
        return json.dumps(value, ensure_ascii=False)[1:-1] if set(value) <= set('abc "\\\n\r\t') else str(value)
    if kind.name == "list":
        return str(kind.argument.join(map(str, value)))
    if kind.name == "map":
        return " ".join(f"{key}={text}" for key, text in value.items())
    if kind.name == "boolean":
        return "true" if value else "false"
    if kind.name == "decimal":
        return f"{value:f}"
    if isinstance(value, datetime):
        return time_text(value, kind, clock)
    return value.isoformat() if isinstance(value, date) else repr(value) if isinstance(value, float) else str(value)


def time_text(value: datetime, kind: Type, clock: Clock) -> str:
    """Returns the text of an instant: ISO 8601, a number since 1970, or by a pattern of Python's strftime."""
    if kind.name == "epoch":
        micros = (value - EPOCH) // timedelta(microseconds=1)
        power = {"s": 6, "ms": 3, "us": 0, "ns": -3}[kind.argument]
        if power <= 0:
            return str(micros * 10**-power)
        whole, rest = divmod(abs(micros), 10**power)
        return ("-" if micros < 0 else "") + str(whole) + (f".{rest:0{power}}" if rest else "")
    if not kind.argument:
        return value.astimezone(timezone.utc).replace(tzinfo=None).isoformat() + "Z"
    utc = "%z" in kind.argument or "%:z" in kind.argument or "%Z" in kind.argument
    pattern = kind.argument.replace("%L", str(value.microsecond // 1000)).replace("%:z", "%z")
    digits = re.sub(r"%([1-9])f", lambda match: f"{value.microsecond:06}000"[: int(match[1])], pattern)
    return value.astimezone(timezone.utc if utc else clock.zone).strftime(digits)
