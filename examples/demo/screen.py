"""Output to the terminal: at most 80 columns, with bold and coloured text, and the time of long waits, on a terminal only."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
import time
from collections.abc import Iterator

WIDTH = 78
_PATIENCE_S = 1.0


def say(text: str = "") -> None:
    """Writes lines and flushes them."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def heading(number: int, title: str) -> None:
    """Writes the title of a step."""
    say()
    say(_styled(f"{number}  {title} ".ljust(WIDTH, "-"), "1"))


def show_code(code: str) -> None:
    """Writes code that is about to run."""
    for line in code.strip("\n").splitlines():
        say(_styled(f"  {line}".rstrip(), "36"))
    say()


class SnippetOutput(io.TextIOBase):
    """Standard output of a snippet: each line is shown when it is complete, and the blank lines between lines as one.

    Attributes:
        lines: number of lines shown.
    """

    def __init__(self) -> None:
        self.lines = 0
        self._target = sys.stdout  # before the snippet redirects it
        self._rest = ""
        self._is_blank = False

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in map(str.rstrip, lines):
            if line:
                with _line_lock:
                    erase = _ERASE if _is_terminal() else ""
                    self._target.write(f"{erase}\n{line}\n" if self._is_blank and self.lines else f"{erase}{line}\n")
                    self._target.flush()
                self.lines += 1
            # Spark writes no blank line between a truncated table and further output.
            self._is_blank = not line or line.startswith("only showing ")
        return len(text)

    def end(self) -> None:
        """Shows a line without a line end, and one blank line after all."""
        if self._rest:
            self.write("\n")
        if self.lines:
            say()


@contextlib.contextmanager
def waiting() -> Iterator[None]:
    """Shows the seconds that pass until the block ends, on a terminal, if they are more than one."""
    if not _is_terminal():
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_count_seconds, args=(stop, time.monotonic()), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


_line_lock = threading.Lock()
_ERASE = "\r\x1b[K"


def _count_seconds(stop: threading.Event, start: float) -> None:
    shown = False
    while not stop.wait(0.5):
        seconds = time.monotonic() - start
        if seconds >= _PATIENCE_S:
            with _line_lock:
                _to_terminal(f"{_ERASE}  ... {seconds:.0f} s")
            shown = True
    if shown:
        with _line_lock:
            _to_terminal(_ERASE)


def _to_terminal(text: str) -> None:
    if sys.__stdout__ is not None:
        sys.__stdout__.write(text)
        sys.__stdout__.flush()


def _is_terminal() -> bool:
    return sys.__stdout__ is not None and sys.__stdout__.isatty() and os.environ.get("TERM") != "dumb"


def _styled(text: str, style: str) -> str:
    return text if not _is_terminal() or "NO_COLOR" in os.environ else f"\x1b[{style}m{text}\x1b[0m"
