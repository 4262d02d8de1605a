"""Output to the terminal: at most 100 columns, with bold and coloured text on a terminal only."""

from __future__ import annotations

import os
import sys

WIDTH = 98


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
        say(_styled(f"    {line}".rstrip(), "36"))
    say()


def _styled(text: str, style: str) -> str:
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return text if plain else f"\x1b[{style}m{text}\x1b[0m"
