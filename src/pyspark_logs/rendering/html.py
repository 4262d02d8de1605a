"""HTML for notebooks: tables and bar charts. All text is escaped; colours follow the notebook's theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from pyspark_logs.rendering.text_table import cell_text
from pyspark_logs.terminal_text import printable

_BAR_WIDTH, _CHART_HEIGHT = 12, 80


def html_table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Returns a table.

    Args:
        rows: values by column name; a missing value is shown as NULL.
        names: names of the columns.

    >>> html_table([{"a": "<b>"}], ["a"])
    '<div style="overflow-x:auto"><table><thead><tr><th style="text-align:left">a</th></tr></thead><tbody><tr><td style="text-align:left">&lt;b&gt;</td></tr></tbody></table></div>'
    """
    # Notebooks align cells on the right, which suits numbers only.
    sides = {
        name: "right" if rows and all(isinstance(row.get(name), (int, float, type(None))) for row in rows) else "left"
        for name in names
    }
    head = "".join(f'<th style="text-align:{sides[name]}">{escape(printable(name))}</th>' for name in names)
    body = "".join(
        "<tr>"
        + "".join(f'<td style="text-align:{sides[name]}">{escape(cell_text(row.get(name)))}</td>' for name in names)
        + "</tr>"
        for row in rows
    )
    return f'<div style="overflow-x:auto"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def bar_chart(bars: Sequence[tuple[str, int, int]], title: str) -> str:
    """Returns an SVG of stacked bars.

    Args:
        bars: label of each bar, its total, and the part of the total that is marked in red.
        title: text for screen readers and for pointing at the chart.
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
        f'<svg role="img" viewBox="0 0 {width} {_CHART_HEIGHT}" width="{width}" height="{_CHART_HEIGHT}"'
        f' style="max-width:100%"><title>{escape(title)}</title>{"".join(shapes)}</svg>'
    )
