"""One classic session for all tests of this directory; other kinds of sessions run in separate processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

# By default workers run the first `python3` on the path.
os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
# Java compiles for long runs by default, which takes more time than the queries of these tests: 6 tests took 58 s instead of 116.
os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/spark/" in item.path.as_posix():
            item.add_marker(pytest.mark.spark)


@pytest.fixture(scope="session")
def session() -> Iterator[Any]:
    """Session without the data source."""
    sql = pytest.importorskip("pyspark.sql")
    builder = sql.SparkSession.builder.master("local[2]").appName("pyspark-logs tests")
    for key, value in {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.warehouse.dir": "/nonexistent",
    }.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
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
