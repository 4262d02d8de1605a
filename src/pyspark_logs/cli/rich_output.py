"""Reports and progress on terminals, if the package rich is installed. Text of data is never taken for rich's markup."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TextIO

from pyspark_logs.rendering.text_table import fit_columns
from pyspark_logs.terminal_text import format_count, printable

# Text of a cell -> style.
_STYLES = {
    "NULL": "dim", "complete": "green", "committed": "green", "unfinished": "yellow", "undecided": "yellow", "wrong": "bold red",
}  # fmt: skip


def open_console(stream: TextIO, width: int | None = None) -> Any:
    """Returns a console of rich; None if the stream is not a terminal or rich is not installed.

    Args:
        stream: standard output or standard error.
        width: width of the terminal; None: rich determines it.
    """
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)


class RichOutput:
    """Writes a report to a console of rich; see ``ReportOutput``."""

    def __init__(self, console: Any) -> None:
        self._console = console

    def line(self, text: str = "") -> None:
        """Writes a line, which the terminal wraps."""
        from rich.text import Text

        self._console.print(Text(printable(text)), soft_wrap=True)

    def table(self, rows: Sequence[Mapping[str, Any]], names: Sequence[str], whole: Collection[str] = ()) -> None:
        """Writes a table with the columns that a text table has."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        columns, omitted = fit_columns(rows, names, self._console.width, whole)
        # Two characters between columns, as fit_columns() expects: the padding and the divider.
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        for column in columns:
            table.add_column(
                Text(column.name), justify="right" if column.is_numeric else "left", no_wrap=True, min_width=column.width,
                max_width=column.width,
            )  # fmt: skip
        for cells in zip(*(column.texts for column in columns), strict=True):
            table.add_row(*(Text(text, style=_STYLES.get(text, "")) for text in cells))
        self._console.print(table)
        if omitted:
            self.line(f"and {format_count(omitted, 'more column')}")

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Writes a line for each pair; long values are wrapped beside their names."""
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in pairs:
            grid.add_row(Text(printable(name)), Text(printable(value)))
        self._console.print(grid)
