"""Rows as a text table for terminals."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark_logs.terminal_text import printable

_NULL = "NULL"
_GAP = "  "
_MIN_WIDTH = 6
_MIN_MIDDLE = 12  # width from which text without spaces is cut in its middle


def table(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], width: int = 120, whole: Collection[str] = ()
) -> list[str]:
    """Returns the lines of a table.

    No line is wider than ``width``: columns without a value are omitted first, then wide columns of text are truncated, then the
    last columns are omitted.

    Args:
        rows: values by column name; a missing value is shown as NULL.
        names: names of the columns.
        width: width of the terminal in characters.
        whole: names of columns that are not truncated, such as ids, which are copied.

    >>> for line in table([{"n": 1, "text": "a"}, {"n": 22}], ["n", "text"]):
    ...     print(line)
     n  text
     1  a
    22  NULL
    """
    columns, omitted = fit_columns(rows, names, width, whole)
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


def fit_columns(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], width: int, whole: Collection[str] = ()
) -> tuple[list[FittedColumn], int]:
    """Returns the columns of a table that fit into a line, with two spaces between them, and the number of omitted columns."""
    heads = [printable(name) for name in names]
    texts = [[cell_text(row.get(name)) for row in rows] for name in names]
    widths = [max(map(_width, [name, *column])) for name, column in zip(heads, texts, strict=True)]
    shown = list(range(len(names)))
    if _line_width(widths) > width:
        with_values = [index for index in shown if any(text != _NULL for text in texts[index])]
        shown = with_values or shown
    omitted = len(names) - len(shown)
    is_text = [
        names[index] not in whole and any(isinstance(row.get(names[index]), str) for row in rows) for index in shown
    ]
    fitted = _fitted_widths([widths[index] for index in shown], is_text, width, omitted)
    columns = []
    for index, column_width in zip(shown, fitted, strict=False):
        is_numeric = all(isinstance(row.get(names[index]), (int, float, type(None))) for row in rows)
        truncated = tuple(_truncated(text, column_width) for text in texts[index])
        columns.append(FittedColumn(_truncated(heads[index], column_width), truncated, column_width, is_numeric))
    return columns, len(names) - len(fitted)


def _line_width(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _fitted_widths(widths: Sequence[int], is_text: Sequence[bool], total: int, omitted: int) -> list[int]:
    """Returns widths of columns that fit into a line: the widest are reduced; if that is not enough, the last are omitted.

    A part of a time or a number would mislead, so those columns are reduced only if one of them alone is too wide.
    """
    fitted = list(widths)
    least = max(_MIN_WIDTH, total // 6)
    while fitted and _line_width(fitted) > total - (len(" (+99)") if omitted or len(fitted) < len(widths) else 0):
        reducible = [i for i, width in enumerate(fitted) if width > least and (is_text[i] or len(fitted) == 1)]
        if reducible:
            fitted[max(reducible, key=lambda i: fitted[i])] -= 1
        else:
            fitted.pop()
    return fitted


def cell_text(value: Any) -> str:
    r"""Returns the text of a value in one line without control characters.

    >>> print(cell_text(None), cell_text(True), cell_text("a\nb"))
    NULL true a\nb
    """
    if value is None:
        return _NULL
    if isinstance(value, dt.datetime):
        precision = "auto" if value.microsecond % 1000 or not value.microsecond else "milliseconds"
        return value.isoformat(sep=" ", timespec=precision).removesuffix("+00:00")
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
    if " " in text or width < _MIN_MIDDLE:
        return _cut(text, width - 1) + "…"
    # The ends of paths, loggers and addresses tell more than their middle.
    tail = _cut(text[::-1], (width - 1) // 2)[::-1]
    return f"{_cut(text, width - 1 - _width(tail))}…{tail}"


def _cut(text: str, width: int) -> str:
    kept = text
    while _width(kept) > width:
        kept = kept[: -max((_width(kept) - width) // 2, 1)]
    return kept
