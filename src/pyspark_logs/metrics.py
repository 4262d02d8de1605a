"""Metrics of records that were read: counts by outcome, and corrupt records by reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

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

    def count_corrupt(self, reason: str) -> None:
        """Counts a corrupt record by its reason.

        >>> metrics = RecordMetrics()
        >>> metrics.count_corrupt("field 'n': not a number")
        >>> metrics.corrupt, metrics.reasons
        (1, {"field 'n': not a number": 1})
        """
        self.corrupt += 1
        key = reason if reason in self.reasons or len(self.reasons) < MAX_REASONS else OTHER
        self.reasons[key] = self.reasons.get(key, 0) + 1

    def copy(self) -> RecordMetrics:
        """Returns the present counts, for :meth:`since`."""
        counts = {each.name: getattr(self, each.name) for each in fields(RecordMetrics)}
        numbers = {name: dict(getattr(self, name)) for name in ("reasons", "retries", "engines")}
        return RecordMetrics(**{**counts, **numbers})

    def count_retries(self, counts: Mapping[str, int]) -> None:
        """Adds numbers of repeated requests by error code."""
        for code, count in counts.items():
            self.retries[code] = self.retries.get(code, 0) + count

    def count_engines(self, counts: Mapping[str, int]) -> None:
        """Adds numbers of records by the engine that decoded them.

        >>> metrics = RecordMetrics()
        >>> metrics.count_engines({"compiled": 2})
        >>> metrics.count_engines({"compiled": 1, "line parser": 1})
        >>> metrics.engines
        {'compiled': 3, 'line parser': 1}
        """
        for engine, count in counts.items():
            self.engines[engine] = self.engines.get(engine, 0) + count

    def since(self, before: RecordMetrics) -> RecordMetrics:
        """Returns the counts since ``before``, a copy of an earlier state."""
        reasons = {reason: count - before.reasons.get(reason, 0) for reason, count in self.reasons.items()}
        retries = {code: count - before.retries.get(code, 0) for code, count in self.retries.items()}
        engines = {engine: count - before.engines.get(engine, 0) for engine, count in self.engines.items()}
        return RecordMetrics(
            self.records - before.records,
            self.rows - before.rows,
            self.filtered - before.filtered,
            self.dropped - before.dropped,
            self.corrupt - before.corrupt,
            self.files - before.files,
            {reason: count for reason, count in reasons.items() if count},
            self.damaged - before.damaged,
            self.joined - before.joined,
            self.appended - before.appended,
            {code: count for code, count in retries.items() if count},
            {engine: count for engine, count in engines.items() if count},
        )

    def add(self, other: RecordMetrics) -> None:
        """Adds the counts of other records.

        >>> metrics = RecordMetrics(records=1, corrupt=1, reasons={"a": 1})
        >>> metrics.add(RecordMetrics(records=2, corrupt=1, reasons={"b": 1}))
        >>> metrics.records, metrics.corrupt, metrics.reasons
        (3, 2, {'a': 1, 'b': 1})
        """
        self.count_retries(other.retries)
        self.count_engines(other.engines)
        for each in fields(RecordMetrics):
            if each.name not in ("reasons", "retries", "engines"):
                setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        for reason, count in other.reasons.items():
            key = reason if reason in self.reasons or len(self.reasons) < MAX_REASONS else OTHER
            self.reasons[key] = self.reasons.get(key, 0) + count

    def top_reasons(self, limit: int = 3) -> str:
        """Returns the most frequent reasons with their counts, as text.

        >>> RecordMetrics(reasons={"a": 1, "b": 3, "c": 2}).top_reasons(2)
        'b (3), c (2), and 1 more of other reasons'
        """
        ranked = sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))
        others = sum(count for _, count in ranked[limit:])
        shown = [f"{reason} ({count})" for reason, count in ranked[:limit]]
        return ", ".join(shown) + (f", and {others} more of other reasons" if others else "")
