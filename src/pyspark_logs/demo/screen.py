"""What is written to the terminal: at most 100 columns, no control characters but bold and dim."""

from __future__ import annotations

import os
import sys

WIDTH = 98


def say(text: str = "") -> None:
    """Write lines, now: a visitor should see what is being waited for."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def heading(number: int, title: str) -> None:
    """The title of a step."""
    say()
    say(_styled(f"{number}  {title} ".ljust(WIDTH, "-"), "1"))


def show_code(code: str) -> None:
    """Code about to be run."""
    for line in code.strip("\n").splitlines():
        say(_styled(f"    {line}".rstrip(), "36"))
    say()


def _styled(text: str, style: str) -> str:
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return text if plain else f"\x1b[{style}m{text}\x1b[0m"
