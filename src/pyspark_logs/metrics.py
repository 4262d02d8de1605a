"""Metrics of records that were read: counts by outcome, and corrupt records by reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

MAX_REASONS = 100
OTHER = "other"


@dataclass
class RecordMetrics:
    """Counts of records by outcome; ``records`` is the sum of ``rows``, ``filtered`` and ``dropped``.

    Attributes:
        records: number of records found.
        rows: number of rows returned.
        filtered: number of records excluded by a time range or a filter.
        dropped: number of records that do not match the format, with ``mode=DROPMALFORMED``.
        corrupt: number of records that do not match the format and were not filtered; they are also part of ``rows`` or
            ``dropped``.
        files: number of files whose reading has begun.
        reasons: number of corrupt records by reason; beyond 100 reasons, further ones count as ``other``.
        damaged: number of files that were read up to damage in their compression, with ``ignoreCorruptFiles``.
        joined: number of lines that were joined to the record before them.
        appended: number of records with text after the last field of their format; records that were not read to their end do
            not count.
        retries: number of repeated requests by error code.
        engines: number of records by the engine that decoded them: ``compiled``, ``numpy``, or ``line parser`` for the
            records that are decoded one at a time.
        seconds: seconds by the phase of reading, with the option ``profileTasks``; summed over the threads.
    """

    records: int = 0
    rows: int = 0
    filtered: int = 0
    dropped: int = 0
    corrupt: int = 0
    files: int = field(default=0, compare=False)
    reasons: dict[str, int] = field(default_factory=dict, compare=False)
    damaged: int = field(default=0, compare=False)
    joined: int = field(default=0, compare=False)
    appended: int = field(default=0, compare=False)
    retries: dict[str, int] = field(default_factory=dict, compare=False)
    engines: dict[str, int] = field(default_factory=dict, compare=False, repr=False)
    seconds: dict[str, float] = field(default_factory=dict, compare=False, repr=False)

    def count_corrupt(self, reason: str, count: int = 1) -> None:
        """Counts corrupt records by their reason.

        >>> metrics = RecordMetrics()
        >>> metrics.count_corrupt("field 'n': not a number")
        >>> metrics.corrupt, metrics.reasons
        (1, {"field 'n': not a number": 1})
        """
        self.corrupt += count
        self._add_reason(reason, count)

    def _add_reason(self, reason: str, count: int) -> None:
        key = reason if reason in self.reasons or len(self.reasons) < MAX_REASONS else OTHER
        self.reasons[key] = self.reasons.get(key, 0) + count

    def copy(self) -> RecordMetrics:
        """Returns the present counts, for :meth:`since`."""
        return self.since(RecordMetrics())

    def count_retries(self, counts: Mapping[str, int]) -> None:
        """Adds numbers of repeated requests by error code."""
        _add(self.retries, counts)

    def count_engines(self, counts: Mapping[str, int]) -> None:
        """Adds numbers of records by the engine that decoded them.

        >>> metrics = RecordMetrics()
        >>> metrics.count_engines({"compiled": 2})
        >>> metrics.count_engines({"compiled": 1, "line parser": 1})
        >>> metrics.engines
        {'compiled': 3, 'line parser': 1}
        """
        _add(self.engines, counts)

    def since(self, before: RecordMetrics) -> RecordMetrics:
        """Returns the counts since ``before``, a copy of an earlier state."""
        counts: dict[str, Any] = {name: getattr(self, name) - getattr(before, name) for name in _NUMBERS}
        for name in _BY_KEY:
            earlier = getattr(before, name)
            found = {key: count - earlier.get(key, 0) for key, count in getattr(self, name).items()}
            counts[name] = {key: count for key, count in found.items() if count}
        return RecordMetrics(**counts)

    def add(self, other: RecordMetrics) -> None:
        """Adds the counts of other records.

        >>> metrics = RecordMetrics(records=1, corrupt=1, reasons={"a": 1})
        >>> metrics.add(RecordMetrics(records=2, corrupt=1, reasons={"b": 1}))
        >>> metrics.records, metrics.corrupt, metrics.reasons
        (3, 2, {'a': 1, 'b': 1})
        """
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.count_retries(other.retries)
        self.count_engines(other.engines)
        for phase, seconds in other.seconds.items():
            self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds
        for reason, count in other.reasons.items():
            self._add_reason(reason, count)

    def top_reasons(self, limit: int = 3) -> str:
        """Returns the most frequent reasons with their counts, as text.

        >>> RecordMetrics(reasons={"a": 1, "b": 3, "c": 2}).top_reasons(2)
        'b (3), c (2), and 1 more of other reasons'
        """
        ranked = sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))
        others = sum(count for _, count in ranked[limit:])
        shown = [f"{reason} ({count})" for reason, count in ranked[:limit]]
        return ", ".join(shown) + (f", and {others} more of other reasons" if others else "")


_BY_KEY = ("reasons", "retries", "engines", "seconds")
_NUMBERS = tuple(each.name for each in fields(RecordMetrics) if each.name not in _BY_KEY)


def _add(counts: dict[str, int], others: Mapping[str, int]) -> None:
    for key, count in others.items():
        counts[key] = counts.get(key, 0) + count
