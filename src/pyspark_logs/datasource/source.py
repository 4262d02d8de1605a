"""The data source ``logs`` and its registration in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.errors import PySparkException
from pyspark.sql.datasource import DataSource, DataSourceStreamReader
from pyspark.sql.types import StructType

from pyspark_logs.datasource.redaction import REDACTION_CONF, redact_options
from pyspark_logs.datasource.spark_log import mute_replacement_warning
from pyspark_logs.datasource.worker_python import warn_of_other_python
from pyspark_logs.errors import OptionError
from pyspark_logs.options import ReadOptions, WriteOptions, parse_read_options, parse_write_options
from pyspark_logs.terminal_text import get_logger

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from pyspark_logs.datasource.batch_reader import LogBatchReader
    from pyspark_logs.datasource.writers import LogBatchWriter, LogStreamWriter

PUSHDOWN_CONF = "spark.sql.python.filterPushdown.enabled"

# Spark imports this module when it looks for data sources, where pyarrow and numpy may be missing. The methods below
# import the modules that need them.

_logger = get_logger(__name__)


def register(spark: SparkSession) -> None:
    """Registers the format ``logs`` in a session, enables the pushdown of filters, and lets Spark redact secrets in plans.

    Works with classic and Connect sessions, and may be called more than once. A load accepts filters only with the option
    ``filterPushdown``; see :meth:`LogBatchReader.accept_filters` for the reason. If the session refuses the setting
    ``spark.sql.python.filterPushdown.enabled``, Spark evaluates all filters, and a warning is logged. The options
    ``storageOptions``, ``proxy`` and ``externalId`` are added to ``spark.sql.redaction.options.regex``.

    Args:
        spark: session.

    >>> register(spark)                                                                 # doctest: +SKIP
    >>> spark.read.format("logs").option("preset", "nginx_combined").load("s3://...")   # doctest: +SKIP
    """
    if not hasattr(spark, "dataSource"):
        raise OptionError(
            f"register() takes a SparkSession of Spark 4.0 or later, not {type(spark).__name__}; create it with"
            " SparkSession.builder.getOrCreate()"
        )
    warn_of_other_python(spark)
    mute_replacement_warning(spark)
    try:
        spark.dataSource.register(_source_of(spark))
    except PySparkException as error:
        # Spark 4.0 has found this class by its name and does not let a session replace it.
        if "DATA_SOURCE_ALREADY_EXISTS" not in str(error):
            raise
    try:
        spark.conf.set(PUSHDOWN_CONF, "true")
    except PySparkException as error:
        _logger.warning("filters are evaluated by Spark, not while reading: cannot set %s: %s", PUSHDOWN_CONF, error)
    try:
        redact_options(spark)
    except PySparkException as error:
        _logger.warning(
            "plans may show the options storageOptions, proxy and externalId: cannot set %s: %s", REDACTION_CONF, error
        )


def _source_of(spark: SparkSession) -> type[LogDataSource]:
    """Returns the data source with the number of tasks that the session runs at the same time, if it tells.

    Spark plans in a Python process that is told nothing about the session. Connect and shared clusters do not show it to
    their clients, either.
    """
    try:
        parallelism = int(spark.sparkContext.defaultParallelism)
    except Exception:  # noqa: BLE001 - also errors of py4j, which Connect lacks; the default is good enough
        return LogDataSource
    # Spark sends a class that no module contains by value, together with its attributes.
    attributes = {"parallelism": parallelism, "__module__": LogDataSource.__module__, "__doc__": LogDataSource.__doc__}
    return type(LogDataSource.__name__, (LogDataSource,), attributes)


class LogDataSource(DataSource):
    """The data source of ``spark.read.format("logs")`` and ``df.write.format("logs")``.

    Attributes:
        parallelism: number of tasks that the session runs at the same time; None: the processors of the machine that plans.
    """

    parallelism: int | None = None

    @classmethod
    def name(cls) -> str:
        """Returns the name of the format in Spark."""
        return "logs"

    def schema(self) -> StructType:
        """Returns the schema of a load without a user schema: fields, partition columns, and ``_metadata`` if enabled."""
        from pyspark_logs.datasource.schemas import to_spark_schema
        from pyspark_logs.schema import parse_ddl
        from pyspark_logs.schema_inference import infer_schema

        return to_spark_schema(parse_ddl(infer_schema(self._read_options())))

    def reader(self, schema: StructType) -> LogBatchReader:
        """Returns a batch reader of the columns of a schema."""
        from pyspark_logs.datasource.batch_reader import LogBatchReader
        from pyspark_logs.planning import processors

        return LogBatchReader(self._read_options(), schema, self.parallelism or processors())

    def writer(self, schema: StructType, overwrite: bool) -> LogBatchWriter:
        """Returns a batch writer, after a check that format, layout and store can write the schema."""
        from pyspark_logs.datasource.writers import LogBatchWriter

        writer = LogBatchWriter(self._write_options(), schema, overwrite)
        writer.check()
        return writer

    def streamReader(self, schema: StructType) -> DataSourceStreamReader:  # noqa: N802 - Spark's signature
        """Returns a stream reader of the columns of a schema."""
        from pyspark_logs.datasource.stream_reader import stream_reader_class

        return stream_reader_class()(self._read_options(), schema)

    def streamWriter(self, schema: StructType, overwrite: bool) -> LogStreamWriter:  # noqa: N802 - Spark's signature
        """Returns a writer of micro-batches in output mode append. Spark refuses output mode update for Python data sources.

        Raises:
            OptionError: ``outputMode("complete")``.
        """
        from pyspark_logs.datasource.writers import LogStreamWriter

        if overwrite:
            raise OptionError(
                "outputMode 'complete' would replace everything with each batch; use 'append', or write with foreachBatch"
            )
        writer = LogStreamWriter(self._write_options(), schema, self.options.get("checkpointlocation", ""))
        writer.check()
        return writer

    def _write_options(self) -> WriteOptions:
        from pyspark_logs.store import split_scheme

        options = parse_write_options(self.options)
        if split_scheme(options.path)[0] == "memory":
            raise OptionError(
                f"cannot write to {options.path} with Spark: memory:// exists in one process, and tasks run in other processes; write"
                " to local files, or with pyspark_logs.write()"
            )
        return options

    def _read_options(self) -> ReadOptions:
        options = parse_read_options(self.options)
        if options.schema is not None:
            raise OptionError("option 'schema' is for scan(); in Spark say spark.read.schema('level string, ...')")
        return options


# Spark imports every top-level module named pyspark_* and registers its DefaultSource, so that `format("logs")` works
# without register().
DefaultSource = LogDataSource
