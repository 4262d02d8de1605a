"""What a named pattern is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pattern:
    """A pattern of the library, or of the user's own.

    Attributes:
        name: as references have it.
        meaning: in a line, for the documentation.
        text: RE2, with references.
        not_after: what must not stand before the pattern, as the inside of a character class. Unlike the rest it is
            kept only where it makes a difference on lines as they are: behind ``.*``, which must leave a number whole.
    """

    name: str
    meaning: str
    text: str
    not_after: str = ""
