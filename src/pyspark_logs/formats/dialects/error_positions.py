"""What a pasted text is, character by character, and errors that point into it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from pyspark_logs.errors import FormatError

_AROUND = 36  # characters shown to each side of the place of an error


@dataclass(frozen=True)
class Pasted:
    """A text of which every character knows where it stood in the option's value.

    Attributes:
        option: the option.
        source: its value, as the user gave it.
        text: what the value means, once the quotes and escapes of the configuration are undone.
        places: of each character of ``text`` in ``source``.
    """

    option: str
    source: str
    text: str
    places: tuple[int, ...]

    def wrong(self, place: int, what: str, problem: str) -> FormatError:
        """The error about ``what``, which stands at a place of the text."""
        at = self.places[place] if place < len(self.places) else len(self.source)
        return wrong(self.option, self.source, at, what, problem)


def plainly(option: str, source: str) -> Pasted:
    """A text that means what it is."""
    return Pasted(option, source, source, tuple(range(len(source))))


def wrong(option: str, source: str, place: int, what: str, problem: str) -> FormatError:
    """An error that names a directive, says where it stands, and shows it with a caret below."""
    first = source.rfind("\n", 0, place) + 1
    last = source.find("\n", place) if "\n" in source[place:] else len(source)
    begin, end = max(first, place - _AROUND), min(last, place + len(what) + _AROUND)
    head = ("..." if begin > first else "") + source[begin:place]
    tail = source[place:end] + ("..." if end < last else "")
    shown = (head + tail).replace("\t", " ")
    caret = " " * len(head) + "^" * max(1, min(len(what), len(tail)))
    about = f"{what!r}: " if what else ""
    return FormatError(f"option {option!r}: at character {place + 1}: {about}{problem}\n    {shown}\n    {caret}")


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean ...?``, where one of the known names is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


class Names:
    """Names of columns, each given once: the second of a kind is ``name_2``."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def new(self, name: str) -> str:
        """The name, or one that is not given yet."""
        number, found = 2, name
        while found.lower() in self._given:
            found, number = f"{name}_{number}", number + 1
        self._given.add(found.lower())
        return found
