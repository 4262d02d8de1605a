"""HTML for notebooks: tables and bar charts. All text is escaped; colours follow the notebook's theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from pyspark_logs.rendering.text_table import cell_text
from pyspark_logs.terminal_text import printable

_BAR_WIDTH, _CHART_HEIGHT = 12, 80
_MAX_UNBROKEN = 32  # characters of a cell that is one line


def html_table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Returns a table.

    Args:
        rows: values by column name; a missing value is shown as NULL.
        names: names of the columns.

    >>> html_table([{"a": "<b>"}], ["a"])
    '<div style="overflow-x:auto"><table><thead><tr><th style="text-align:left;white-space:nowrap">a</th></tr></thead><tbody><tr><td style="text-align:left;white-space:nowrap">&lt;b&gt;</td></tr></tbody></table></div>'
    """
    texts = {name: [cell_text(row.get(name)) for row in rows] for name in names}
    styles = {name: _style([row.get(name) for row in rows], texts[name]) for name in names}
    head = "".join(f'<th style="{styles[name]}">{escape(printable(name))}</th>' for name in names)
    body = "".join(
        "<tr>" + "".join(f'<td style="{styles[name]}">{escape(texts[name][index])}</td>' for name in names) + "</tr>"
        for index in range(len(rows))
    )
    return f'<div style="overflow-x:auto"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _style(values: Sequence[Any], texts: Sequence[str]) -> str:
    """Returns the style of the cells of a column."""
    # Notebooks align cells on the right, which suits numbers only, and break times and sizes at their blanks.
    side = "right" if values and all(isinstance(value, (int, float, type(None))) for value in values) else "left"
    is_short = all(len(text) <= _MAX_UNBROKEN for text in texts)
    return f"text-align:{side}{';white-space:nowrap' if is_short else ''}"


def bar_chart(bars: Sequence[tuple[str, int, int]], title: str) -> str:
    """Returns an SVG of stacked bars, and its title below it.

    Args:
        bars: label of each bar, its total, and the part of the total that is marked in red.
        title: description of the bars.
    """
    most = max((total for _, total, _ in bars), default=0) or 1
    shapes = []
    for index, (label, total, marked) in enumerate(bars):
        left = index * _BAR_WIDTH
        high, red = (round(count * _CHART_HEIGHT / most, 1) for count in (total, marked))
        tip = f"<title>{escape(label)}: {total}, of them {marked} marked</title>"
        shapes.append(
            f'<g>{tip}<rect x="{left}" y="{_CHART_HEIGHT - high}" width="{_BAR_WIDTH - 2}" height="{high}"'
            f' fill="#2a9d8f"/><rect x="{left}" y="{_CHART_HEIGHT - red}" width="{_BAR_WIDTH - 2}" height="{red}"'
            ' fill="#d1495b"/></g>'
        )
    width = max(len(bars) * _BAR_WIDTH, 1)
    return (
        f'<figure style="margin:0"><svg role="img" viewBox="0 0 {width} {_CHART_HEIGHT}" width="{width}" height="{_CHART_HEIGHT}"'
        f' style="max-width:100%"><title>{escape(title)}</title>{"".join(shapes)}</svg>'
        f"<figcaption>{escape(title)}</figcaption></figure>"
    )
