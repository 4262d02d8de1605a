"""What became of the records that were read: counts, and the reasons of those that do not match."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_REASONS = 100
OTHER = "other"


@dataclass
class RecordMetrics:
    """What became of records; nothing is lost, so ``records`` is the sum of ``rows``, ``filtered`` and ``dropped``.

    Attributes:
        records: that were found.
        rows: that were given.
        filtered: that a time range or a filter left out.
        dropped: that did not match, with ``mode=DROPMALFORMED``.
        corrupt: that did not match and were not filtered; counted among ``rows`` or ``dropped``, too.
        files: whose reading has begun.
        reasons: how many of the corrupt ones there are by reason; beyond 100 reasons the others count as ``other``.
    """

    records: int = 0
    rows: int = 0
    filtered: int = 0
    dropped: int = 0
    corrupt: int = 0
    files: int = field(default=0, compare=False)
    reasons: dict[str, int] = field(default_factory=dict, compare=False)

    def count_corrupt(self, reason: str) -> None:
        """Count a corrupt record by its reason.

        >>> metrics = RecordMetrics()
        >>> metrics.count_corrupt("field 'n': not a number")
        >>> metrics.corrupt, metrics.reasons
        (1, {"field 'n': not a number": 1})
        """
        self.corrupt += 1
        key = reason if reason in self.reasons or len(self.reasons) < MOST_REASONS else OTHER
        self.reasons[key] = self.reasons.get(key, 0) + 1

    def since(self, before: RecordMetrics) -> RecordMetrics:
        """What was counted after ``before``, which is a copy of an earlier state."""
        reasons = {reason: count - before.reasons.get(reason, 0) for reason, count in self.reasons.items()}
        return RecordMetrics(
            self.records - before.records,
            self.rows - before.rows,
            self.filtered - before.filtered,
            self.dropped - before.dropped,
            self.corrupt - before.corrupt,
            self.files - before.files,
            {reason: count for reason, count in reasons.items() if count},
        )

    def top_reasons(self, most: int = 3) -> str:
        """The most frequent reasons, with their counts, as text.

        >>> RecordMetrics(reasons={"a": 1, "b": 3, "c": 2}).top_reasons(2)
        'b (3), c (2), and 1 more of other reasons'
        """
        ranked = sorted(self.reasons.items(), key=lambda one: (-one[1], one[0]))
        rest = sum(count for _, count in ranked[most:])
        shown = [f"{reason} ({count})" for reason, count in ranked[:most]]
        return ", ".join(shown) + (f", and {rest} more of other reasons" if rest else "")
