"""Outputs of reports for people. A report writes lines, tables and pairs to an output, which decides their form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from pyspark_logs.rendering.text_table import table
from pyspark_logs.terminal_text import printable


class ReportOutput(Protocol):
    """A receiver of the parts of a report. Text may have any characters; outputs escape those that control terminals."""

    def line(self, text: str = "") -> None:
        """Adds a line of text."""
        ...

    def table(self, rows: Sequence[Mapping[str, Any]], names: Sequence[str], whole: Collection[str] = ()) -> None:
        """Adds a table of the named values of rows, no wider than the terminal; the columns ``whole`` are not truncated."""
        ...

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Adds names with their values, which are shown whole."""
        ...


class PlainOutput:
    r"""Collects a report as lines of plain text.

    Attributes:
        width: width of tables in characters.
        lines: the lines.

    >>> output = PlainOutput(20)
    >>> output.line("a\x1b[31m")
    >>> output.pairs([("files", "2"), ("", "none")])
    >>> output.lines
    ['a\\x1b[31m', 'files  2', '       none']
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[str] = []

    def line(self, text: str = "") -> None:
        """Adds a line."""
        self.lines.append(printable(text))

    def table(self, rows: Sequence[Mapping[str, Any]], names: Sequence[str], whole: Collection[str] = ()) -> None:
        """Adds a text table."""
        self.lines += table(rows, names, self.width, whole)

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Adds a line for each pair."""
        longest = max((len(name) for name, _ in pairs), default=0)
        self.lines += [printable(f"{name.ljust(longest)}  {value}") for name, value in pairs]
