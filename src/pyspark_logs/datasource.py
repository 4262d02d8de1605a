"""The Spark face: adapts Spark's Python data source interface to the reader, which knows no Spark.

Spark pickles what is here between the driver, a planning process and the executors. Only signatures, schemas and
filters are translated; what a query means is decided in :mod:`pyspark_logs.reader`.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from pyspark.errors import PySparkException
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

from pyspark_logs.errors import LogSourceError, OptionError
from pyspark_logs.options import ReadOptions, parse_read_options
from pyspark_logs.predicates import (
    Compare,
    Contains,
    EndsWith,
    In,
    IsNull,
    Not,
    Predicate,
    StartsWith,
)
from pyspark_logs.reader import LogReader, ReadTask, infer_schema
from pyspark_logs.schema import parse_ddl, quote_name

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

PUSHDOWN_CONF = "spark.sql.python.filterPushdown.enabled"

_logger = logging.getLogger(__name__)


def register(spark: SparkSession) -> None:
    """Make ``spark.read.format("logs")`` work in this session, and let Spark offer it filters.

    Works on classic and Connect sessions, and more than once. A load takes the filters only if it has the option
    ``filterPushdown``; see :meth:`LogBatchReader.take_filters` for why. Where the session refuses the setting
    (``spark.sql.python.filterPushdown.enabled``), everything works but Spark evaluates the filters: a warning is logged.

    Args:
        spark: the session.

    >>> register(spark)                                                                 # doctest: +SKIP
    >>> spark.read.format("logs").option("preset", "nginx_combined").load("s3://...")   # doctest: +SKIP
    """
    try:
        spark.dataSource.register(LogDataSource)
    except PySparkException as error:
        # Spark 4.0 does not let a session replace what Spark has found by name: this very class.
        if "DATA_SOURCE_ALREADY_EXISTS" not in str(error):
            raise
    try:
        spark.conf.set(PUSHDOWN_CONF, "true")
    except PySparkException as error:
        _logger.warning("filters are evaluated by Spark, not while reading: cannot set %s: %s", PUSHDOWN_CONF, error)


class LogDataSource(DataSource):
    """The format ``logs``: what ``spark.read.format("logs")`` makes of its options."""

    @classmethod
    def name(cls) -> str:
        """The format's name in Spark."""
        return "logs"

    def schema(self) -> StructType:
        """The schema where the user gives none: the format's fields, partition columns, ``_metadata`` if asked for."""
        return to_spark_schema(parse_ddl(infer_schema(self._read_options())))

    def reader(self, schema: StructType) -> LogBatchReader:
        """A reader of just these columns."""
        return LogBatchReader(self._read_options(), schema)

    def writer(self, schema: StructType, overwrite: bool) -> NoReturn:
        """Not in this release."""
        raise _reads_batches_only("writing")

    def streamReader(self, schema: StructType) -> NoReturn:  # noqa: N802 - Spark's signature
        """Not in this release."""
        raise _reads_batches_only("reading a stream")

    def streamWriter(self, schema: StructType, overwrite: bool) -> NoReturn:  # noqa: N802 - Spark's signature
        """Not in this release."""
        raise _reads_batches_only("writing a stream")

    def _read_options(self) -> ReadOptions:
        options = parse_read_options(self.options)
        if options.schema is not None:
            raise OptionError("option 'schema' is for scan(); in Spark say spark.read.schema('level string, ...')")
        return options


# Spark imports every top-level module named pyspark_* and registers its DefaultSource, so `format("logs")` is found
# without register().
DefaultSource = LogDataSource


def _reads_batches_only(what: str) -> LogSourceError:
    return LogSourceError(
        f"format 'logs': {what} is not in version 0.1, which reads batches only; use spark.read.format('logs')"
    )


# --- reading -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LogPartition(InputPartition):
    """One task of the plan, as Spark carries it to an executor."""

    task: ReadTask


class LogBatchReader(LogReader, DataSourceReader):
    """A :class:`~pyspark_logs.reader.LogReader` that Spark can call."""

    def __init__(self, options: ReadOptions, schema: StructType) -> None:
        super().__init__(options, to_ddl(schema))
        # Other collations compare strings in other ways than we do. A filter on the raw text of corrupt rows must not
        # decide which lines are judged.
        raw_text = options.records.corrupt_column.lower()
        self._takes = frozenset(f.name for f in schema.fields if f.name.lower() != raw_text and not _is_collated(f))

    @property
    def pushFilters(self) -> _PushFilters:  # noqa: N802 - Spark's name
        """Takes filters from Spark, where Spark offers them; see :class:`_PushFilters`."""
        return _PushFilters(self)

    def partitions(self) -> list[InputPartition]:
        """Plan the read: list, prune, and cut into tasks."""
        return [LogPartition(task) for task in self.plan().tasks]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Read one task. Spark makes up a partition without one when the plan is empty."""
        if isinstance(partition, LogPartition):
            yield from self.read_task(partition.task)

    def take_filters(self, filters: list[Any]) -> list[Any]:
        """Take what is evaluated here exactly as in Spark; the rest is returned, by identity.

        Nothing is taken without the option ``filterPushdown``. Spark 4.1 to 4.3 keep what was pushed with the
        loaded frame, not with the query: after ``df.where(...).count()`` a plain ``df.count()`` reads with the
        filter, too, without asking us, and in a union of two filtered frames the last filter wins. Whoever gives
        the option promises to use each load in one query.
        """
        if not self.options.plan.filter_pushdown:
            return list(filters)
        predicates = [from_spark(spark_filter) for spark_filter in filters]
        ours = [predicate for predicate in predicates if predicate is not None and predicate.column in self._takes]
        taken = {id(predicate) for predicate, exact in zip(ours, self.push(ours), strict=True) if exact}
        return [kept for kept, predicate in zip(filters, predicates, strict=True) if id(predicate) not in taken]


class _PushFilters:
    """``reader.pushFilters``, passing for not overridden.

    Spark 4.1 and later refuse a reader that overrides ``pushFilters`` while ``spark.sql.python.filterPushdown.enabled``
    is off, which is the default, and a reader cannot see the setting. What they look at is the ``__func__`` of the
    bound method. Spark 4.0 has no ``pushFilters``, and does not look.
    """

    def __init__(self, reader: LogBatchReader) -> None:
        self.__func__ = getattr(DataSourceReader, "pushFilters", None)
        self._reader = reader

    def __call__(self, filters: list[Any]) -> list[Any]:
        return self._reader.take_filters(filters)


def from_spark(spark_filter: Any) -> Predicate | None:
    """One of Spark's filters as a predicate; None for nested columns, other filters and other literals.

    The filters' classes are told apart by name: Spark 4.0 has none of them.

    >>> from pyspark.sql.datasource import EqualTo, IsNotNull
    >>> from_spark(EqualTo(("level",), "ERROR"))
    Compare(column='level', op='=', value='ERROR')
    >>> from_spark(IsNotNull(("level",)))
    Not(child=IsNull(column='level'))
    >>> from_spark(EqualTo(("_metadata", "file_size"), 5)) is None
    True
    """
    name = type(spark_filter).__name__
    if name == "Not":
        child = from_spark(spark_filter.child)
        return None if child is None else Not(child)
    if len(spark_filter.attribute) != 1:
        return None
    column = spark_filter.attribute[0]
    if name in ("IsNull", "IsNotNull"):
        return IsNull(column) if name == "IsNull" else Not(IsNull(column))
    values = list(spark_filter.value) if name == "In" else [spark_filter.value]
    if not all(value is None or isinstance(value, (str, bool, int, dt.date)) for value in values):
        return None
    if name == "In":
        return In(column, tuple(values))
    if name in _OPERATORS:
        return Compare(column, _OPERATORS[name], values[0])
    if name in _MATCHES and isinstance(values[0], str):
        return _MATCHES[name](column, values[0])
    return None


_OPERATORS: dict[str, str] = {
    "EqualTo": "=",
    "EqualNullSafe": "<=>",
    "LessThan": "<",
    "LessThanOrEqual": "<=",
    "GreaterThan": ">",
    "GreaterThanOrEqual": ">=",
}
_MATCHES: dict[str, type[StartsWith | EndsWith | Contains]] = {
    "StringStartsWith": StartsWith,
    "StringEndsWith": EndsWith,
    "StringContains": Contains,
}


# --- schemas -------------------------------------------------------------------------------------------


def to_ddl(schema: StructType) -> str:
    """A Spark schema as the DDL that the reader takes. Collations are dropped: they change comparisons, not values.

    >>> to_ddl(StructType.fromJson({"type": "struct", "fields": [
    ...     {"name": "user-agent", "type": "string", "nullable": True, "metadata": {}}]}))
    '`user-agent` string'
    """
    return ", ".join(f"{quote_name(field.name)} {_field_type(field)}" for field in schema.fields)


def _field_type(field: StructField) -> str:
    return _type_ddl(field.dataType, field.nullable)


def _type_ddl(data_type: DataType, nullable: bool) -> str:
    # What is not nullable is written down too, so that the one place which refuses it can name the column.
    end = "" if nullable else " NOT NULL"
    if isinstance(data_type, StructType):
        fields = ",".join(f"{quote_name(field.name)}:{_field_type(field)}" for field in data_type.fields)
        return f"struct<{fields}>{end}"
    if isinstance(data_type, ArrayType):
        return f"array<{_type_ddl(data_type.elementType, data_type.containsNull)}>{end}"
    if isinstance(data_type, MapType):
        value = _type_ddl(data_type.valueType, data_type.valueContainsNull)
        return f"map<{_type_ddl(data_type.keyType, True)},{value}>{end}"
    return data_type.simpleString().partition(" collate ")[0] + end


def to_spark_schema(schema: pa.Schema) -> StructType:
    """An Arrow schema of Spark's types as a Spark schema.

    Spark would take DDL too, but reads it by its settings: ``timestamp`` can mean ``timestamp_ntz``, and a column
    named ``user`` can be a syntax error.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema, prefer_timestamp_ntz=True)


def _is_collated(field: StructField) -> bool:
    """Whether Spark compares this string other than by its bytes (``char(n)`` is padded, and recorded aside)."""
    return " collate " in field.dataType.simpleString() or "__CHAR_VARCHAR_TYPE_STRING" in (field.metadata or {})
