"""The circuit breaker."""

from __future__ import annotations

import threading

from pyspark_logs.store.circuit_breaker import CircuitBreaker


class TestCircuitBreaker:
    def test_concurrent_failures_count_once(self):
        breaker = CircuitBreaker(3)
        for _ in range(2):
            tickets = [breaker.ticket() for _ in range(30)]
            for ticket in tickets:
                breaker.record_failure(ticket, "SlowDown")
        assert not breaker.is_open
        breaker.record_failure(breaker.ticket(), "SlowDown")
        assert breaker.is_open

    def test_throttling_delays_requests_and_success_halves_the_pause(self, monkeypatch):
        monkeypatch.setattr("pyspark_logs.store.circuit_breaker._jitter", lambda low, high: high)
        breaker = CircuitBreaker(100)
        assert breaker.delay_s() == 0
        pauses = []
        for _ in range(12):
            breaker.record_failure(breaker.ticket(), "SlowDown", throttled=True)
            pauses.append(breaker._pause_s)
        assert pauses[:3] == [0.2, 0.4, 0.8]
        assert pauses[-1] == 20.0
        assert 0 < breaker.delay_s() <= 30.0
        breaker.record_success()
        assert breaker._pause_s == 10.0

    def test_a_limit_of_zero_disables_the_breaker(self):
        breaker = CircuitBreaker(0)
        for _ in range(100):
            breaker.record_failure(breaker.ticket(), "SlowDown")
        assert not breaker.is_open

    def test_counting_from_several_threads(self):
        breaker = CircuitBreaker(1)
        threads = [
            threading.Thread(target=lambda: [breaker.count_request("GET") for _ in range(2000)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert breaker.request_counts["GET"] == 8000
