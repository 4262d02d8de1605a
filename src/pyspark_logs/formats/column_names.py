"""Matching of the names of columns and the names in records."""

from __future__ import annotations

from collections.abc import Collection


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
