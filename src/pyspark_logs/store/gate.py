"""What all requests of one store share: failures in a row, and the pause that throttling asks for."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 20.0


def backoff_s(failures: int) -> float:
    """Exponential backoff with full jitter before the next try, after ``failures`` failed ones."""
    return _jitter(0.0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**failures))


class Gate:
    """A circuit breaker, a shared pause and the request counts of one store; safe to use from threads.

    Requests that fail side by side are one event, not many: a burst of thirty parallel listings
    that a store throttles all at once must not open the circuit. So a request takes a ticket (the
    number of the current round) before it starts, and its failure counts only if no other failure
    has ended that round meanwhile. For a single thread this counts every failed attempt.
    """

    def __init__(self, max_failures: int) -> None:
        self._max_failures = max_failures
        self._lock = threading.Lock()
        self._round = 0
        self._failures = 0
        self._pause_s = 0.0
        self._resume_at = 0.0
        self.request_counts: Counter[str] = Counter()
        self.last_failure = ""
        self.is_open = False

    def count(self, kind: str) -> None:
        """Count a request of this kind."""
        with self._lock:
            self.request_counts[kind] += 1

    def ticket(self) -> int:
        """What a request that starts now hands in if it fails."""
        return self._round

    def delay_s(self) -> float:
        """How long the caller waits before its next request; jittered, so that waiters do not return at once."""
        remaining = self._resume_at - time.monotonic()
        return remaining * _jitter(1.0, 1.5) if remaining > 0 else 0.0

    def succeeded(self) -> None:
        """The store answered: the row of failures ends, the pause of the next throttling is halved."""
        with self._lock:
            self._failures = 0
            self._pause_s /= 2

    def failed(self, ticket: int, reason: str, *, throttled: bool = False) -> None:
        """A request failed for a reason that may pass."""
        with self._lock:
            self.last_failure = reason
            if ticket != self._round:
                return
            self._round += 1
            self._failures += 1
            if throttled:
                self._pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, self._pause_s * 2))
                self._resume_at = time.monotonic() + _jitter(0.0, self._pause_s)
            # Zero switches the circuit off, as it does for retries.
            self.is_open = self.is_open or 0 < self._max_failures <= self._failures


def _jitter(low: float, high: float) -> float:
    return random.uniform(low, high)  # noqa: S311 - spreads retries, protects nothing
