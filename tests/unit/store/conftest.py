"""Fixtures of the tests of stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.coverage_cases import measure_first_cases
from tests.support.fault_proxy import FaultProxy
from tests.support.s3_server import S3Bucket


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    measure_first_cases(items, Path(__file__).parent, cases=3)


@pytest.fixture
def faulty(s3: S3Bucket) -> Iterator[FaultProxy]:
    server = FaultProxy(s3.endpoint)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def no_backoff(monkeypatch):
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    monkeypatch.setattr("pyspark_logs.store.circuit_breaker.FIRST_PAUSE_S", 0.001)
