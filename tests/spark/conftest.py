"""One classic session for all tests of this directory; other kinds of sessions run in separate processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.fault_proxy import FaultProxy
from tests.support.s3_server import S3Bucket
from tests.support.spark_session import INTERPRETED, start_session


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/spark/" in item.path.as_posix():
            item.add_marker(pytest.mark.spark)


@pytest.fixture(scope="session")
def session() -> Iterator[Any]:
    """Session without the data source."""
    pytest.importorskip("pyspark.sql")
    # A task that fails is tried twice, as clusters try it four times.
    session = start_session("local[2,2]", **INTERPRETED)
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture
def spark(session: Any) -> Iterator[Any]:
    """Session with the format registered and pushdown enabled, as the documentation recommends."""
    import pyspark_logs

    pyspark_logs.register(session)
    yield session
    session.conf.set("spark.sql.python.filterPushdown.enabled", "false")
    session.catalog.dropTempView("logs_view")


@pytest.fixture
def proxy(s3: S3Bucket) -> Iterator[FaultProxy]:
    """Proxy of the bucket, which records the requests and can hold them."""
    server = FaultProxy(s3.endpoint)
    server.start()
    yield server
    server.stop()
