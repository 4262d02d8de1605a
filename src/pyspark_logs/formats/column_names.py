"""Matching of the names of columns and the names in records."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence


def find_name(names: Collection[str], column: str) -> str | None:
    """Returns the name in a record that a column reads: the same name, else the last one that differs only in case.

    >>> find_name(["Level", "level"], "level"), find_name(["Level", "LEVEL"], "level"), find_name(["other"], "level")
    ('level', 'LEVEL', None)
    """
    if column in names:
        return column
    found, lower = None, column.lower()
    for name in names:
        if name.lower() == lower:
            found = name
    return found


class KeyIndex:
    """Columns by the keys that they read, so that a record takes time for its own keys and not for all columns.

    Args:
        keys: key that each column reads; None: the column has a value in every record.

    >>> index = KeyIndex(["Level", "time", None])
    >>> list(index.find({"level": 1})), list(index.find({"a": 1, "b": 1, "c": 1}))
    ([0, 2], [0, 1, 2])
    """

    def __init__(self, keys: Sequence[str | None]) -> None:
        self._count = len(keys)
        self._indices: dict[str | None, list[int]] = {}
        for index, key in enumerate(keys):
            self._indices.setdefault(None if key is None else key.lower(), []).append(index)

    def find(self, names: Collection[str]) -> Iterable[int]:
        """Returns the indices of the columns that may have a value in a record with these names, ascending."""
        if len(names) >= self._count:
            return range(self._count)
        found = {index for name in names for index in self._indices.get(name.lower(), ())}
        return sorted(found.union(self._indices.get(None, ())))
