"""Names in a header and the columns that they name.

A name that is empty, or that an earlier value has, cannot name a column. The column is then called ``_c3`` after the
index of its value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_NOT_IN_NAMES = re.compile(r"\W+")


def column_name(name: str) -> str:
    """Returns the column for a name in a header: in lower case, with an underscore for each run of punctuation.

    >>> [column_name(name) for name in ("x-edge-location", "cs(User-Agent)", "sc-win32-status", "Took (ms)")]
    ['x_edge_location', 'cs_user_agent', 'sc_win32_status', 'took_ms']
    """
    return _NOT_IN_NAMES.sub("_", name).strip("_").lower()


def unique_names(names: Iterable[str]) -> tuple[str, ...]:
    """Replaces the names that are empty, or that differ from an earlier name at most in case.

    >>> unique_names(["a", "", "A", "_c1"])
    ('a', '_c1', '_c2', '_c3')
    """
    unique: list[str] = []
    taken: set[str] = set()
    for index, given in enumerate(names):
        name = given
        if not name or name.lower() in taken:
            name = f"_c{index}"
        while name.lower() in taken:
            name += "_"
        taken.add(name.lower())
        unique.append(name)
    return tuple(unique)


class NameIndex:
    """Finds the value that a column reads by the names of the values of a line.

    >>> index = NameIndex(["Date", "cs(User-Agent)", "date"])
    >>> index.find("date"), index.find("DATE"), index.find("cs_user_agent"), index.find("other")
    (2, 0, 1, None)
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._indices: list[dict[str, int]] = [{}, {}, {}]
        for index, name in enumerate(names):
            for indices, key in zip(self._indices, _keys(name), strict=True):
                indices.setdefault(key, index)

    def find(self, column: str) -> int | None:
        """Returns the index of the value with the same name, else of one that differs in case, else in punctuation."""
        for indices, key in zip(self._indices, _keys(column), strict=True):
            if key and key in indices:
                return indices[key]
        return None


def _keys(name: str) -> tuple[str, str, str]:
    """Returns the forms in which names are compared, the strictest first."""
    return name, name.lower(), column_name(name)
