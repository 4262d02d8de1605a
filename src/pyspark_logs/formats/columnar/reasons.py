"""Reasons of the corrupt records of a block, by column: a code for each record, and each distinct message once."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from pyspark_logs.arrow_values import from_numpy, from_texts
from pyspark_logs.formats.columnar.spans import Int32, Int64


class CorruptReason(NamedTuple):
    """Reason why a record is corrupt.

    Attributes:
        text: full message, with positions and values.
        category: message without the details of this one record, by which corrupt records are counted.
    """

    text: str
    category: str


class Reasons(Mapping[int, CorruptReason]):
    """Index of each corrupt record -> the reason.

    A reason is an object only where it is looked up. A file without a matching line has as many reasons as lines.

    Args:
        rows: ascending indices of the corrupt records.
        codes: index of the message of each of these records.
        texts: distinct messages.
        categories: categories.
        categories_of: index of the category of each message.

    >>> reasons = Reasons.of([3, 5], [CorruptReason("n: 'x'", "n"), CorruptReason("n: 'y'", "n")])
    >>> reasons[5], 4 in reasons, list(reasons)
    (CorruptReason(text="n: 'y'", category='n'), False, [3, 5])
    >>> reasons.counts()
    [('n', 2, 3)]
    """

    def __init__(
        self, rows: Int64, codes: Int32, texts: pa.StringArray, categories: Sequence[str], categories_of: Int32
    ) -> None:
        self.rows, self.codes, self.texts = rows, codes, texts
        self.categories, self.categories_of = tuple(categories), categories_of

    @staticmethod
    @functools.cache
    def none() -> Reasons:
        """Returns the reasons of a block without a corrupt record."""
        return Reasons.of((), ())

    @classmethod
    def of(cls, rows: Iterable[int], reasons: Iterable[CorruptReason]) -> Reasons:
        """Returns reasons that are objects by column.

        Args:
            rows: ascending indices of the corrupt records.
            reasons: reason of each of them.
        """
        builder = ReasonsBuilder()
        for row, reason in zip(rows, reasons, strict=True):
            builder.add(row, reason)
        return builder.build()

    @classmethod
    def by_code(cls, rows: Int64, codes: Int32, reasons: Sequence[CorruptReason]) -> Reasons:
        """Returns the reasons of records, each given as an index into distinct reasons."""
        categories: dict[str, int] = {}
        categories_of = np.array([categories.setdefault(one.category, len(categories)) for one in reasons], np.int32)
        return cls(rows, codes, from_texts([one.text for one in reasons]), tuple(categories), categories_of)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[int]:
        return iter(self.rows.tolist())

    def __getitem__(self, row: int) -> CorruptReason:
        index = int(np.searchsorted(self.rows, row))
        if index == len(self.rows) or self.rows[index] != row:
            raise KeyError(row)
        code = self.codes[index]
        return CorruptReason(self.texts[int(code)].as_py(), self.categories[self.categories_of[code]])

    def moved(self, rows: Int64) -> Reasons:
        """Returns the reasons for other indices of the records.

        Args:
            rows: new index of each record, ascending.
        """
        return Reasons(rows[self.rows], self.codes, self.texts, self.categories, self.categories_of)

    def select(self, rows: Int64, default: CorruptReason | None = None) -> Reasons:
        """Returns the reasons of some records, by their index among these.

        Args:
            rows: ascending indices of the records.
            default: reason of the records that have none; None: these records have no reason.
        """
        if len(rows) == len(self.rows) and (rows == self.rows).all():
            found, at = np.arange(len(rows)), np.arange(len(rows))
        else:
            index = np.minimum(np.searchsorted(self.rows, rows), max(len(self.rows) - 1, 0))
            found = np.flatnonzero(self.rows[index] == rows) if len(self.rows) else np.zeros(0, np.int64)
            at = index[found]
        selected = Reasons(found, self.codes[at], self.texts, self.categories, self.categories_of)
        if default is None or len(found) == len(rows):
            return selected
        others = np.setdiff1d(np.arange(len(rows)), found, assume_unique=True)
        return selected.union(Reasons.by_code(others, np.zeros(len(others), np.int32), [default]))

    def union(self, other: Reasons) -> Reasons:
        """Returns the reasons of these and of other records."""
        if len(other) == 0 or len(self) == 0:
            return self if len(other) == 0 else other
        categories = {name: index for index, name in enumerate(dict.fromkeys((*self.categories, *other.categories)))}
        of_other = np.array([categories[name] for name in other.categories], np.int32)[other.categories_of]
        rows = np.concatenate([self.rows, other.rows])
        codes = np.concatenate([self.codes, other.codes + np.int32(len(self.texts))])
        order = np.argsort(rows, kind="stable")
        return Reasons(
            rows[order], codes[order], pa.concat_arrays([self.texts, other.texts]), tuple(categories),
            np.concatenate([self.categories_of, of_other]),
        )  # fmt: skip

    def messages(self) -> pa.StringArray:
        """Returns the message of each record."""
        return self.texts.take(from_numpy(self.codes))

    def counts(self) -> list[tuple[str, int, int]]:
        """Returns each category with its number of records and the index of the first one, in the order of these."""
        if len(self.rows) == 0:
            return []
        found, first, counts = np.unique(self.categories_of[self.codes], return_index=True, return_counts=True)
        return [(self.categories[found[at]], int(counts[at]), int(self.rows[first[at]])) for at in np.argsort(first)]


class ReasonsBuilder:
    """Collects the reasons of records one at a time.

    Attributes:
        rows: indices of the corrupt records.
    """

    def __init__(self) -> None:
        self.rows: list[int] = []
        self._codes: list[int] = []
        self._texts: dict[str, int] = {}
        self._categories: dict[str, int] = {}
        self._categories_of: list[int] = []

    def add(self, row: int, reason: CorruptReason) -> None:
        """Adds the reason of a record after all records before it."""
        code = self._texts.setdefault(reason.text, len(self._texts))
        if code == len(self._categories_of):
            self._categories_of.append(self._categories.setdefault(reason.category, len(self._categories)))
        self.rows.append(row)
        self._codes.append(code)

    def build(self) -> Reasons:
        """Returns the reasons by column."""
        return Reasons(
            np.array(self.rows, np.int64), np.array(self._codes, np.int32), from_texts(list(self._texts)),
            tuple(self._categories), np.array(self._categories_of, np.int32),
        )  # fmt: skip
