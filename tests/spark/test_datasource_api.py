"""Spark's data source API without a session: filters, schemas and registration as plain calls."""

from __future__ import annotations

import datetime as dt
import logging
import pickle
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("pyspark")

from pyspark import cloudpickle
from pyspark.errors import PySparkException
from pyspark.sql import datasource as api
from pyspark.sql.types import ArrayType, IntegerType, MapType, StringType, StructType

from pyspark_logs.datasource import DefaultSource, LogDataSource, register
from pyspark_logs.datasource.batch_reader import LogBatchReader
from pyspark_logs.datasource.filters import from_spark
from pyspark_logs.datasource.schemas import to_ddl
from pyspark_logs.errors import OptionError
from pyspark_logs.predicates import Compare, Contains, In, IsNull, Not
from pyspark_logs.schema import parse_ddl

needs_pushdown = pytest.mark.skipif(not hasattr(api, "EqualTo"), reason="Spark 4.0 pushes no filters")


def reader(schema: StructType, **options: str) -> LogBatchReader:
    source = LogDataSource({"path": "/tmp/logs", "template": "{a} {b:double} {c}", **options})
    return source.reader(schema)


@needs_pushdown
def test_filters_become_predicates() -> None:
    instant = dt.datetime(2026, 11, 22, tzinfo=dt.timezone.utc)
    assert from_spark(api.Not(api.EqualTo(("a",), "x"))) == Not(Compare("a", "=", "x"))
    assert from_spark(api.In(("a",), [instant, None])) == In("a", (instant, None))
    assert from_spark(api.StringContains(("a.b",), "x")) == Contains("a.b", "x")
    assert from_spark(api.IsNull(("a",))) == IsNull("a")
    for unsupported in (
        api.EqualTo(("a",), Decimal(1)),
        api.LessThan(("a",), 1.5),
        api.EqualTo(("a",), b"x"),
        api.EqualTo(("a",), ["x"]),
        api.In(("a",), [1, 1.5]),
        api.Not(api.IsNull(("a", "b"))),
        SimpleNamespace(attribute=("a",), value="x"),  # a filter of a later Spark
    ):
        assert from_spark(unsupported) is None


@needs_pushdown
def test_filters_that_are_not_accepted_are_returned() -> None:
    schema = (
        StructType()
        .add("a", StringType())
        .add("b", "double")
        .add("c", StringType("UTF8_LCASE"))
        .add("_corrupt_record", "string")
    )
    logs = reader(schema, filterPushdown="true")
    accepted = [api.EqualTo(("a",), "x"), api.EqualTo(("a",), "x"), api.IsNotNull(("a",))]
    refused = [
        api.GreaterThan(("b",), 1.5),
        api.IsNotNull(("b",)),
        api.EqualTo(("c",), "x"),
        api.EqualTo(("_corrupt_record",), "x"),
        api.IsNotNull(("nosuch",)),
        api.EqualTo(("a",), 5),
    ]
    returned = logs.pushFilters([*accepted, *refused])
    assert [id(one) for one in returned] == [id(one) for one in refused]
    sent = cloudpickle.loads(cloudpickle.dumps(logs))
    assert sent.predicates == logs.predicates


@needs_pushdown
def test_without_the_option_no_filter_is_accepted() -> None:
    logs = reader(StructType().add("a", "string"))
    filters = [api.EqualTo(("a",), "x")]
    assert logs.pushFilters(filters) == filters
    assert logs.predicates == ()


def test_push_filters_looks_like_the_inherited_method() -> None:
    # Spark makes this comparison before it refuses readers with pushFilters while the setting is off.
    base = getattr(api.DataSourceReader, "pushFilters", None)
    assert getattr(reader(StructType().add("a", "string")).pushFilters, "__func__", None) is base


def test_the_partition_of_an_empty_plan_has_no_rows() -> None:
    assert list(reader(StructType().add("a", "string")).read(api.InputPartition(None))) == []


def test_no_io_before_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyspark_logs.reader.open_store", lambda *_: pytest.fail("I/O in a constructor"))
    assert reader(StructType().add("a", "string")).schema_ddl == "a string"


def test_the_ddl_of_a_spark_schema() -> None:
    schema = (
        StructType()
        .add("user-agent", StringType("UNICODE_CI"))
        .add("s", StructType().add("a`b", MapType(StringType(), ArrayType(IntegerType()))))
    )
    assert to_ddl(schema) == "`user-agent` string, s struct<`a``b`:map<string,array<int>>>"


@pytest.mark.parametrize(
    "schema",
    [
        StructType().add("x", "string", nullable=False),
        StructType().add("x", StructType().add("y", "integer", nullable=False)),
        StructType().add("x", ArrayType(IntegerType(), containsNull=False)),
        StructType().add("x", MapType(StringType(), IntegerType(), valueContainsNull=False)),
    ],
)
def test_not_null_is_refused_at_every_level(schema: StructType) -> None:
    with pytest.raises(OptionError, match=r"column 'x(\.y)?' is NOT NULL"):
        parse_ddl(to_ddl(schema))


def test_output_mode_complete_is_refused() -> None:
    with pytest.raises(OptionError, match="outputMode 'complete' would replace everything") as caught:
        LogDataSource({"path": "s3://b/x", "json": "true"}).streamWriter(StructType(), overwrite=True)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_writing_to_memory_is_refused() -> None:
    schema = StructType().add("a", StringType())
    with pytest.raises(OptionError, match="memory:// exists in one process"):
        LogDataSource({"path": "memory://x", "json": "true"}).writer(schema, overwrite=False)


def test_the_class_that_spark_looks_for() -> None:
    assert DefaultSource.name() == "logs"
    assert cloudpickle.loads(cloudpickle.dumps(DefaultSource)) is DefaultSource


def session(register_error: str = "", conf_error: str = "") -> Any:
    def refuse(message: str) -> None:
        if message:
            raise PySparkException(message)

    return SimpleNamespace(
        dataSource=SimpleNamespace(register=lambda _: refuse(register_error)),
        conf=SimpleNamespace(get=lambda _: "(?i)url", set=lambda *_: refuse(conf_error)),
    )


def test_register_if_the_session_refuses_the_setting(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        register(session(conf_error="[CONFIG_NOT_AVAILABLE]"))
    assert "filters are evaluated by Spark" in caplog.text
    assert "plans may show the options storageOptions, proxy and externalId" in caplog.text


def test_register_if_spark_has_found_the_format() -> None:
    register(session(register_error="[DATA_SOURCE_ALREADY_EXISTS] Data source 'logs' already exists."))


def test_register_raises_other_errors() -> None:
    with pytest.raises(PySparkException, match="no session"):
        register(session(register_error="no session"))
