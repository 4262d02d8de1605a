"""Searches for the lines of a block that do not match, before the line parser parses lines one at a time.

A search sorts lines that certainly do not match into classes. The reasons of the lines of a class are equal, so the line
parser parses one line of each. The line parser thus remains the only source of messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from pyspark_logs.formats.columnar.spans import Int32, Int64
from pyspark_logs.formats.timestamps.parsing import TimestampContext

UNCERTAIN = -1
SEARCHED = "numpy"  # name of the searches among the names of engines
_POSITION_BITS = 32


class MismatchSearch(Protocol):
    """Finds lines that do not match."""

    def find(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> Int64:
        """Returns the class of each line ``block[starts[i]:ends[i]]``; ``UNCERTAIN`` for lines that may match.

        The arguments are those of :meth:`Engine.parse <pyspark_logs.formats.decoding.decoder.Engine.parse>`.
        """


class NoLineMatches:
    """Puts all lines of a block into one class: the search of a format that no line matches, always for the same reason."""

    def find(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> Int64:
        """Returns the same class for all lines."""
        return np.zeros(len(starts), np.int64)


def classes_at(problem: int, positions: Int32 | Int64) -> Int64:
    """Returns the classes of lines with a problem at a position that its message names."""
    return (problem << _POSITION_BITS) + positions.astype(np.int64)


def first_of_each(classes: Int64) -> tuple[Int64, Int32]:
    """Returns the index of the first line of each class, and the index of the class of each line.

    >>> [array.tolist() for array in first_of_each(np.array([7, 3, 7, 7]))]
    [[0, 1], [0, 1, 0, 0]]
    """
    if len(classes) and (classes == classes[0]).all():
        return np.zeros(1, np.int64), np.zeros(len(classes), np.int32)
    _, first, codes = np.unique(classes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return first[order], rank[codes]


def byte_table(characters: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Returns a mask of all bytes in which those of some ASCII characters are set."""
    table = np.zeros(256, np.bool_)
    table[[ord(character) for character in characters]] = True
    return table
