"""Rows as a text table for terminals."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark_logs.terminal_text import printable

_NULL = "NULL"
_GAP = "  "
_MIN_WIDTH = 6


def table(rows: Sequence[Mapping[str, Any]], names: Sequence[str], width: int = 120) -> list[str]:
    """Returns the lines of a table.

    No line is wider than ``width``: wide columns are truncated first, then the last columns are omitted.

    Args:
        rows: values by column name; a missing value is shown as NULL.
        names: names of the columns.
        width: width of the terminal in characters.

    >>> for line in table([{"n": 1, "text": "a"}, {"n": 22}], ["n", "text"]):
    ...     print(line)
     n  text
     1  a
    22  NULL
    """
    columns, omitted = fit_columns(rows, names, width)
    lines = []
    for index in range(-1, len(rows)):
        cells = []
        for column in columns:
            text = column.name if index < 0 else column.texts[index]
            padding = " " * (column.width - _width(text))
            cells.append(padding + text if column.is_numeric else text + padding)
        note = f"{_GAP}(+{omitted})" if omitted and index < 0 else ""
        lines.append((_GAP.join(cells) + note).rstrip())
    return lines


@dataclass(frozen=True)
class FittedColumn:
    """A column of a table for a terminal.

    Attributes:
        name: name of the column, truncated to its width.
        texts: texts of its values, truncated likewise.
        width: width in characters.
        is_numeric: True if all values are numbers, which are aligned on the right.
    """

    name: str
    texts: tuple[str, ...]
    width: int
    is_numeric: bool


def fit_columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str], width: int) -> tuple[list[FittedColumn], int]:
    """Returns the columns of a table that fit into a line, with two spaces between them, and the number of omitted columns."""
    heads = [printable(name) for name in names]
    texts = [[cell_text(row.get(name)) for row in rows] for name in names]
    widths = [max(map(_width, [name, *column])) for name, column in zip(heads, texts, strict=True)]
    fitted = _fitted_widths(widths, width)
    columns = []
    for name, head, column, column_width in zip(names, heads, texts, fitted, strict=False):
        is_numeric = all(isinstance(row.get(name), (int, float, type(None))) for row in rows)
        truncated = tuple(_truncated(text, column_width) for text in column)
        columns.append(FittedColumn(_truncated(head, column_width), truncated, column_width, is_numeric))
    return columns, len(names) - len(fitted)


def _fitted_widths(widths: Sequence[int], total: int) -> list[int]:
    """Returns widths of columns that fit into a line: the widest are reduced; if that is not enough, the last are omitted."""
    fitted = list(widths)
    while fitted and sum(fitted) + len(_GAP) * (len(fitted) - 1) > total - (
        len(" (+99)") if len(fitted) < len(widths) else 0
    ):
        widest = max(range(len(fitted)), key=lambda index: fitted[index])
        if fitted[widest] <= max(_MIN_WIDTH, total // 6):
            fitted.pop()
        else:
            fitted[widest] -= 1
    return fitted


def cell_text(value: Any) -> str:
    r"""Returns the text of a value in one line without control characters.

    >>> print(cell_text(None), cell_text(True), cell_text("a\nb"))
    NULL true a\nb
    """
    if value is None:
        return _NULL
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ").removesuffix("+00:00")
    if isinstance(value, bool):
        return str(value).lower()
    return printable(str(value))


def _width(text: str) -> int:
    """Returns the number of terminal cells of a text: two for a wide character, none for a combining character."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def _truncated(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    kept = text
    while _width(kept) > width - 1:
        kept = kept[: max(len(kept) - max(_width(kept) - width, 1), 0)]
    return kept + "…"
