"""Reference parser of delimited lines, one character at a time; engines must agree with it."""

from __future__ import annotations

from datetime import timezone
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa

from tests.reference import templates as reference


class Cell(NamedTuple):
    """Text of a value, and True if it was quoted."""

    text: str
    quoted: bool


def cells_of(line: str, separator: str, quote: str | None, *, escapes: bool = False) -> tuple[list[Cell], bool]:
    """Returns the cells before the first syntax error, and True if the line has none."""
    cells: list[Cell] = []
    at = 0
    while True:
        text, quoted = "", False
        if quote and line[at : at + 1] == quote:
            quoted = True
            at += 1
            while True:
                if at >= len(line):
                    return cells, False
                if escapes and line[at] == "\\" and line[at + 1 : at + 2] in ("\\", quote):
                    at += 1
                elif line[at] == quote:
                    if line[at + 1 : at + 2] != quote:
                        at += 1
                        break
                    at += 1
                text += line[at]
                at += 1
            if at < len(line) and line[at : at + len(separator)] != separator:
                return cells, False
        else:
            while at < len(line) and line[at : at + len(separator)] != separator:
                text += line[at]
                at += 1
        cells.append(Cell(text, quoted))
        if at >= len(line):
            return cells, True
        at += len(separator)


def value_of(text: str, dtype: pa.DataType, zone: str) -> Any:
    """Returns a text as a value of a type; raises ValueError or ArithmeticError if it is not of the type."""
    clock = reference.Clock(timezone.utc if zone == "UTC" else ZoneInfo(zone), None)
    if pa.types.is_string(dtype):
        return text
    if pa.types.is_integer(dtype):
        return reference.to_integer(dtype.bit_width)(text, reference.Type("int"), clock)
    if pa.types.is_floating(dtype):
        return reference.to_double(text, reference.Type("double"), clock)
    if pa.types.is_decimal(dtype):
        return reference.to_decimal(text, reference.Type("decimal", f"{dtype.precision},{dtype.scale}"), clock)
    if pa.types.is_boolean(dtype):
        return reference.to_boolean(text, reference.Type("boolean"), clock)
    if pa.types.is_date(dtype):
        return reference.to_date(text, reference.Type("date"), clock)
    instant = reference.to_timestamp(text, reference.Type("timestamp"), clock)
    return instant if dtype.tz else instant.astimezone(clock.zone).replace(tzinfo=None)


def reference_delimited(
    line: bytes, names: list[str], schema: pa.Schema, *, separator: str, quote: str | None, null_value: str = "-",
    allow_trailing: bool = False, judge_whole: bool = False, zone: str = "UTC", escapes: bool = False,
) -> tuple[dict[str, Any], bool]:  # fmt: skip
    """Returns the values of the columns, and True if the line is corrupt.

    >>> reference_delimited(b'1,"a,b",-', ["x", "y", "z"], pa.schema([("y", "string"), ("z", "int32")]), separator=",", quote='"')
    ({'y': 'a,b', 'z': None}, False)
    """
    values: dict[str, Any] = dict.fromkeys(schema.names)
    positions = {name: names.index(name) for name in schema.names if name in names}
    last = len(names) - 1
    judged = last if judge_whole else max(positions.values(), default=-1)
    if judged < 0:
        return values, False
    text_of_line = line.decode(errors="replace")
    cells, whole = cells_of(text_of_line, separator, quote, escapes=escapes)
    if quote and f"\\{quote}" in text_of_line:
        others, other_whole = cells_of(text_of_line, separator, quote, escapes=True)

        def is_right(count: int) -> bool:
            return count == len(names) or (allow_trailing and count > len(names))

        if not (whole and is_right(len(cells))) and other_whole and is_right(len(others)):
            cells, whole = others, True
    if judged < last:  # the separator after the last judged value is required, too
        ended = len(cells) > judged + 1 or (len(cells) == judged + 1 and not whole)
    else:
        ended = len(cells) == len(names) and whole
        if allow_trailing:
            ended = ended or len(cells) > len(names) or (len(cells) == len(names) and not whole)
    if not ended:
        return values, True
    corrupt = False
    for name, position in positions.items():
        dtype = schema.field(name).type
        text, quoted = cells[position]
        if not quoted and text in ("", null_value):
            continue
        if text == "" and not pa.types.is_string(dtype):
            continue
        try:
            values[name] = value_of(text, dtype, zone)
        except (ValueError, ArithmeticError):
            corrupt = True
    return values, corrupt
