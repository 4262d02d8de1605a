"""The names in a header, and which of them a column is.

A name that is empty, or the same as one before it, cannot name a column: that is ``_c3``, by its place from 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_NOT_IN_NAMES = re.compile(r"\W+")


def column_name(name: str) -> str:
    """A header's name as a column: in lower case, what is neither letter nor digit an underscore.

    >>> [column_name(name) for name in ("x-edge-location", "cs(User-Agent)", "sc-win32-status", "Took (ms)")]
    ['x_edge_location', 'cs_user_agent', 'sc_win32_status', 'took_ms']
    """
    return _NOT_IN_NAMES.sub("_", name).strip("_").lower()


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Usable names, no two the same without regard to case.

    >>> distinct(["a", "", "A", "_c1"])
    ('a', '_c1', '_c2', '_c3')
    """
    found: list[str] = []
    taken: set[str] = set()
    for place, given in enumerate(names):
        name = given
        if not name or name.lower() in taken:
            name = f"_c{place}"
        while name.lower() in taken:
            name += "_"
        taken.add(name.lower())
        found.append(name)
    return tuple(found)


class Places:
    """Where the columns of a file are, by its names.

    >>> places = Places(["Date", "cs(User-Agent)", "date"])
    >>> places.find("date"), places.find("DATE"), places.find("cs_user_agent"), places.find("other")
    (2, 0, 1, None)
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._known: list[dict[str, int]] = [{}, {}, {}]
        for place, name in enumerate(names):
            for known, spelling in zip(self._known, _spellings(name), strict=True):
                known.setdefault(spelling, place)

    def find(self, column: str) -> int | None:
        """The place from 0: of the same name, else one that differs in case only, else in punctuation only."""
        for known, spelling in zip(self._known, _spellings(column), strict=True):
            if spelling and spelling in known:
                return known[spelling]
        return None


def _spellings(name: str) -> tuple[str, str, str]:
    return name, name.lower(), column_name(name)
