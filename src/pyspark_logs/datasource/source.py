"""The format ``logs``: what Spark asks first, and how a session comes to know it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException
from pyspark.sql.datasource import DataSource, DataSourceStreamReader
from pyspark.sql.types import StructType

from pyspark_logs.errors import OptionError
from pyspark_logs.options import ReadOptions, WriteOptions, parse_read_options, parse_write_options

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pyspark_logs.datasource.batch_reader import LogBatchReader
    from pyspark_logs.datasource.writers import LogBatchWriter, LogStreamWriter

PUSHDOWN_CONF = "spark.sql.python.filterPushdown.enabled"

# The imports inside the methods below are the boundary of the package: this module is imported wherever Spark looks for
# data sources, with or without pyarrow and numpy; the modules that the methods import need both.

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
    """The format ``logs``: what ``spark.read.format("logs")`` and ``df.write.format("logs")`` make of their options."""

    @classmethod
    def name(cls) -> str:
        """The format's name in Spark."""
        return "logs"

    def schema(self) -> StructType:
        """The schema where the user gives none: the format's fields, partition columns, ``_metadata`` if asked for."""
        from pyspark_logs.datasource.schemas import to_spark_schema
        from pyspark_logs.reader import infer_schema
        from pyspark_logs.schema import parse_ddl

        return to_spark_schema(parse_ddl(infer_schema(self._read_options())))

    def reader(self, schema: StructType) -> LogBatchReader:
        """A reader of just these columns."""
        from pyspark_logs.datasource.batch_reader import LogBatchReader

        return LogBatchReader(self._read_options(), schema)

    def writer(self, schema: StructType, overwrite: bool) -> LogBatchWriter:
        """A writer of rows of this schema, once it is known that format, layout and store can take them."""
        from pyspark_logs.datasource.writers import LogBatchWriter

        writer = LogBatchWriter(self._write_options(), schema, overwrite)
        writer.check()
        return writer

    def streamReader(self, schema: StructType) -> DataSourceStreamReader:  # noqa: N802 - Spark's signature
        """A reader of these columns of files as they land."""
        from pyspark_logs.datasource.stream_reader import stream_reader_class

        return stream_reader_class()(self._read_options(), schema)

    def streamWriter(self, schema: StructType, overwrite: bool) -> LogStreamWriter:  # noqa: N802 - Spark's signature
        """A writer of micro-batches, in output mode append; Spark itself refuses update for sources in Python.

        Raises:
            OptionError: ``outputMode("complete")``.
        """
        from pyspark_logs.datasource.writers import LogStreamWriter

        if overwrite:
            raise OptionError(
                "outputMode 'complete' would replace everything with each batch; use 'append', or write with foreachBatch"
            )
        writer = LogStreamWriter(self._write_options(), schema)
        writer.check()
        return writer

    def _write_options(self) -> WriteOptions:
        from pyspark_logs.store import split_scheme

        options = parse_write_options(self.options)
        if split_scheme(options.path)[0] == "memory":
            raise OptionError(
                f"cannot write to {options.path} with Spark: memory:// is of one process, and tasks run in others; write to local"
                " files, or with pyspark_logs.write()"
            )
        return options

    def _read_options(self) -> ReadOptions:
        options = parse_read_options(self.options)
        if options.schema is not None:
            raise OptionError("option 'schema' is for scan(); in Spark say spark.read.schema('level string, ...')")
        return options


# Spark imports every top-level module named pyspark_* and registers its DefaultSource, so `format("logs")` is found
# without register().
DefaultSource = LogDataSource
