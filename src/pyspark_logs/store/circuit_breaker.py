"""Circuit breaker, throttling pause and request counts that all requests of a store share."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 20.0


def backoff_s(failures: int) -> float:
    """Returns the delay before the next attempt, in seconds: exponential backoff with full jitter.

    Args:
        failures: number of failed attempts so far.
    """
    return _jitter(0.0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**failures))


class CircuitBreaker:
    """Counts requests, opens after consecutive failures, and pauses all requests when the store throttles. Thread-safe.

    Concurrent failures count once: thirty parallel list requests that are throttled together must not open the circuit.
    Each request takes a ticket, the number of the current round, before it starts. A failure counts only if its ticket is
    still current, and then starts the next round. In a single thread every failed attempt counts.

    Attributes:
        request_counts: number of requests by kind, retries included.
        retry_counts: number of repeated attempts by error code.
        has_succeeded: True once the store has answered a request.
        last_failure: description of the last failure; empty if there was none.
        last_advice: advice to the user on the last failure; empty if there was none.
        is_open: True once the limit of consecutive failures is reached. The circuit never closes again.
    """

    def __init__(self, max_failures: int) -> None:
        """Creates a closed circuit.

        Args:
            max_failures: consecutive failures that open the circuit; 0 disables it.
        """
        self._max_failures = max_failures
        self._lock = threading.Lock()
        self._round = 0
        self._failures = 0
        self._pause_s = 0.0
        self._resume_at = 0.0
        self.request_counts: Counter[str] = Counter()
        self.retry_counts: Counter[str] = Counter()
        self.has_succeeded = False
        self.last_failure = ""
        self.last_advice = ""
        self.is_open = False

    def count_request(self, kind: str) -> None:
        """Counts a request of a kind, such as ``LIST``."""
        with self._lock:
            self.request_counts[kind] += 1

    def count_retry(self, code: str) -> None:
        """Counts an attempt that is repeated because of an error."""
        with self._lock:
            self.retry_counts[code] += 1

    def ticket(self) -> int:
        """Returns the ticket of a request that starts now, for :meth:`record_failure`."""
        return self._round

    def delay_s(self) -> float:
        """Returns the seconds to wait before the next request, jittered so that waiting requests do not resume together."""
        remaining = self._resume_at - time.monotonic()
        return remaining * _jitter(1.0, 1.5) if remaining > 0 else 0.0

    def record_success(self) -> None:
        """Resets the count of consecutive failures and halves the pause of the next throttling."""
        with self._lock:
            self.has_succeeded = True
            self._failures = 0
            self._pause_s /= 2

    def record_failure(self, ticket: int, reason: str, *, advice: str = "", throttled: bool = False) -> None:
        """Records a transient failure.

        Args:
            ticket: result of :meth:`ticket` when the request started.
            reason: description for error messages.
            advice: advice to the user, one or two sentences.
            throttled: True if the store asked for fewer requests.
        """
        with self._lock:
            self.last_failure, self.last_advice = reason, advice
            if ticket != self._round:
                return
            self._round += 1
            self._failures += 1
            if throttled:
                self._pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, self._pause_s * 2))
                self._resume_at = time.monotonic() + _jitter(0.0, self._pause_s)
            self.is_open = self.is_open or 0 < self._max_failures <= self._failures


def _jitter(low: float, high: float) -> float:
    return random.uniform(low, high)  # noqa: S311 - spreads retries; not used for security
