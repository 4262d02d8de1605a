"""Progress of commands: on terminals only, and only if they take more than a second.

A command that reads everything reports what it has read. While a command reports nothing, because it lists, plans or waits for a
slow store, a thread shows its requests.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pyspark_logs.terminal_text import format_count

if TYPE_CHECKING:
    from pyspark_logs.api.read_progress import ReadProgress

_PATIENCE_S = 1.0
_INTERVAL_S = 0.5  # between two states of the requests


@contextmanager
def show_progress(parsed: argparse.Namespace) -> Iterator[Callable[[ReadProgress], None] | None]:
    """Yields a function that shows the state of a command; None if standard error is not a terminal, is a dumb
    terminal, or ``--json`` is given.

    Until the function is called, the requests of the command are shown. What was shown is erased at the end of the block.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb" or getattr(parsed, "json", False):
        yield None
        return
    from pyspark_logs.cli.rich_output import open_console

    console = open_console(sys.stderr)
    line: _TextLine | _RichBar = _TextLine() if console is None else _RichBar(console)
    requests = _RequestLine(parsed.command)

    def show(progress: ReadProgress) -> None:
        if progress.seconds >= _PATIENCE_S:
            requests.end()
            line.show(progress)

    try:
        yield show
    finally:
        requests.end()
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

        rate = progress.done / progress.seconds
        remaining = "" if progress.remaining_s is None else f", {format_seconds(progress.remaining_s)} left"
        self.write(
            f"{format_bytes(progress.done)} of {format_bytes(progress.total)} ({format_bytes(rate)}/s{remaining}),"
            f" {_counts(progress)}"
        )

    def write(self, text: str) -> None:
        self._is_shown = True
        # A line that the terminal wraps could not be replaced.
        text = text[: shutil.get_terminal_size((80, 24)).columns - 1]
        # A warning of a logger begins at the start of the line.
        sys.stderr.write(f"\r\x1b[K{text}\r")
        sys.stderr.flush()

    def erase(self) -> None:
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


class _RequestLine:
    """A line with the requests of a command, which a thread writes until the end."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._line = _TextLine()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pyspark-logs-progress", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        from pyspark_logs.api.read_progress import count_requests

        started, before, counts = time.monotonic(), count_requests(), Counter[str]()
        patience = _PATIENCE_S
        while not self._ended.wait(patience):
            # A store that is no longer in use takes its numbers with it.
            counts |= count_requests() - before
            self._line.write(f"{self._command}: {_requests(counts)}, {time.monotonic() - started:.0f} s")
            patience = _INTERVAL_S

    def end(self) -> None:
        """Ends the thread, and erases the line."""
        if not self._ended.is_set():
            self._ended.set()
            self._thread.join()
            self._line.erase()


def _requests(counts: Counter[str]) -> str:
    """Returns numbers of requests by their kinds.

    >>> _requests(Counter(LIST=2, GET=1)), _requests(Counter(PUT=1)), _requests(Counter())
    ('2 LIST and 1 GET requests', '1 PUT request', 'no request')
    """
    kinds = [f"{count} {kind}" for kind, count in counts.items()]
    if not kinds:
        return "no request"
    listed = " and ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))
    return f"{listed} {'request' if counts.total() == 1 else 'requests'}"


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
