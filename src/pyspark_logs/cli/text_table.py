"""Rows as a table for a terminal."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

_NULL = "NULL"
_GAP = "  "
_NARROWEST = 6


def table(rows: Sequence[Mapping[str, Any]], names: Sequence[str], width: int = 120) -> list[str]:
    """Lines of a table, none wider than ``width``; wide columns are cut first, and then the last columns left out.

    Args:
        rows: name -> value; one that is missing is NULL.
        names: the columns.
        width: characters of the terminal.

    >>> for line in table([{"n": 1, "text": "a"}, {"n": 22}], ["n", "text"]):
    ...     print(line)
     n  text
     1  a
    22  NULL
    """
    texts = [[_text(row.get(name)) for row in rows] for name in names]
    right = [all(isinstance(row.get(name), (int, float, type(None))) for row in rows) for name in names]
    sizes = [max(map(_cells, [name, *column])) for name, column in zip(names, texts, strict=True)]
    sizes = _fitted(sizes, width)
    lines = []
    for number in range(-1, len(rows)):
        cells = []
        for name, column, size, is_number in zip(names, texts, sizes, right, strict=False):
            text = _cut(name if number < 0 else column[number], size)
            blanks = " " * (size - _cells(text))
            cells.append(blanks + text if is_number else text + blanks)
        left_out = len(names) - len(sizes)
        more = f"{_GAP}(+{left_out})" if left_out and number < 0 else ""
        lines.append((_GAP.join(cells) + more).rstrip())
    return lines


def _fitted(sizes: Sequence[int], width: int) -> list[int]:
    """Sizes whose sum fits: the widest are made narrower; if that is not enough, the last go."""
    fitted = list(sizes)
    while fitted and sum(fitted) + len(_GAP) * (len(fitted) - 1) > width - (
        len(" (+99)") if len(fitted) < len(sizes) else 0
    ):
        widest = max(range(len(fitted)), key=lambda index: fitted[index])
        if fitted[widest] <= max(_NARROWEST, width // 6):
            fitted.pop()
        else:
            fitted[widest] -= 1
    return fitted


def _text(value: Any) -> str:
    if value is None:
        return _NULL
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ").removesuffix("+00:00")
    if isinstance(value, bool):
        return str(value).lower()
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))


def _cells(text: str) -> int:
    """How many places of a terminal a text takes: two for each wide character."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def _cut(text: str, size: int) -> str:
    if _cells(text) <= size:
        return text
    kept = text
    while _cells(kept) > size - 1:
        kept = kept[: max(len(kept) - max(_cells(kept) - size, 1), 0)]
    return kept + "…"
