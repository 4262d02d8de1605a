"""Progress of commands that read everything: on terminals only, and only if they take more than a second."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pyspark_logs.terminal_text import format_count

if TYPE_CHECKING:
    from pyspark_logs.api.read_progress import ReadProgress

_PATIENCE_S = 1.0


@contextmanager
def show_progress(parsed: argparse.Namespace) -> Iterator[Callable[[ReadProgress], None] | None]:
    """Yields a function that shows the state of a command; None if standard error is no terminal, or ``--json`` is given.

    What was shown is erased at the end of the block.
    """
    if not sys.stderr.isatty() or getattr(parsed, "json", False):
        yield None
        return
    from pyspark_logs.cli.rich_output import open_console

    console = open_console(sys.stderr)
    line: _TextLine | _RichBar = _TextLine() if console is None else _RichBar(console)

    def show(progress: ReadProgress) -> None:
        if progress.seconds >= _PATIENCE_S:
            line.show(progress)

    try:
        yield show
    finally:
        line.erase()


def _counts(progress: ReadProgress) -> str:
    corrupt = f", {progress.corrupt} corrupt" if progress.corrupt else ""
    return f"{format_count(progress.records, 'record')}{corrupt}"


class _TextLine:
    """A line of text, which replaces the one before it."""

    def __init__(self) -> None:
        self._is_shown = False

    def show(self, progress: ReadProgress) -> None:
        from pyspark_logs.rendering.units import format_bytes, format_seconds

        self._is_shown = True
        rate = progress.done / progress.seconds
        remaining = "" if progress.remaining_s is None else f", {format_seconds(progress.remaining_s)} left"
        sys.stderr.write(
            f"\r\x1b[K{format_bytes(progress.done)} of {format_bytes(progress.total)} ({format_bytes(rate)}/s{remaining}),"
            f" {_counts(progress)}"
        )
        sys.stderr.flush()

    def erase(self) -> None:
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


class _RichBar:
    """A bar of rich, with the rate and an estimate of the remaining time."""

    def __init__(self, console: Any) -> None:
        self._console = console
        self._bar: Any = None
        self._task: Any = None

    def show(self, progress: ReadProgress) -> None:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        if self._bar is None:
            self._bar = Progress(
                BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn(), TimeRemainingColumn(),
                TextColumn("{task.fields[counts]}", markup=False), console=self._console, transient=True,
            )  # fmt: skip
            self._bar.start()
            self._task = self._bar.add_task("", total=progress.total, counts="")
        self._bar.update(self._task, completed=progress.done, counts=_counts(progress))

    def erase(self) -> None:
        if self._bar is not None:
            self._bar.stop()
