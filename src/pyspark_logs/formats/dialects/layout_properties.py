"""The pattern in a configuration file of Logback or Log4j 2, with its properties substituted.

Source: Logback manual, chapter 3 "Configuration" (Variable substitution, default values); Apache Log4j 2 manual,
"Configuration" (Property Substitution).
"""

from __future__ import annotations

import re

from pyspark_logs.formats.dialects.config_text import ConfigText, error_at

MAX_DEPTH = 50  # properties and groups within others

_ELEMENT = re.compile(r"\s*<pattern>(.*)</pattern>\s*", re.IGNORECASE | re.DOTALL)
_ASSIGNMENT = re.compile(r"\s*[\w.-]*pattern(?:\.\w+)?\s*[=:]\s*", re.IGNORECASE)
_REFERENCE = re.compile(r"\$?\$\{")
_PROCESS_ID = re.compile(r"(?:sys:|env:)?PID", re.ASCII)


def read_layout(source: str) -> ConfigText:
    """Returns the pattern of a ``<pattern>`` element, of a ``...Pattern=...`` property, or of the bare value.

    ``${NAME:-default}`` becomes the default, ``${PID}`` becomes ``%pid``.

    Raises:
        FormatError: a property has no default, or is not closed.
    """
    start, end = 0, len(source)
    element = _ELEMENT.fullmatch(source)
    assignment = _ASSIGNMENT.match(source)
    if element is not None:
        start, end = element.span(1)
    elif assignment is not None:
        start = assignment.end()
    text, offsets = _substitute(source, start, end, 0)
    return ConfigText("logback", source, text, tuple(offsets))


def _substitute(source: str, start: int, end: int, depth: int) -> tuple[str, list[int]]:
    """Returns a range of the source with its properties substituted, and the offset of each character."""
    text, offsets = "", list[int]()
    offset = start
    while offset < end:
        reference = _REFERENCE.match(source, offset, end)
        if reference is None:
            text += source[offset]
            offsets.append(offset)
            offset += 1
            continue
        close = closing_brace(source, reference.end(), end)
        if close < 0 or depth > MAX_DEPTH:
            raise error_at("logback", source, offset, source[offset:end], "'${' is not closed with '}'")
        name, default, _ = source[reference.end() : close].partition(":-")
        if _PROCESS_ID.fullmatch(name.strip()):
            value, value_offsets = "%pid", [offset] * 4
        elif not default:
            problem = f"has no default: replace it by the value of {name!r}"
            raise error_at("logback", source, offset, source[offset : close + 1], problem)
        else:
            value, value_offsets = _substitute(source, reference.end() + len(name) + 2, close, depth + 1)
        text += value
        offsets += value_offsets
        offset = close + 1
    return text, offsets


def closing_brace(text: str, start: int, end: int) -> int:
    """Returns the offset of the brace that closes the one before ``start``, or -1."""
    open_braces = 1
    for offset in range(start, end):
        open_braces += {"{": 1, "}": -1}.get(text[offset], 0)
        if open_braces == 0:
            return offset
    return -1
