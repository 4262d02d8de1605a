"""The Spark face: adapts Spark's Python data source interface to reader and writer, which know no Spark.

Spark pickles what is here between the driver, a planning process and the executors. Only signatures, schemas and
filters are translated; what a query means is decided in :mod:`pyspark_logs.reader` and :mod:`pyspark_logs.writer`.

Inside, imports run one way: ``source`` -> ``stream_reader``, ``writers`` -> ``batch_reader`` -> ``filters``, ``schemas``.
"""

from __future__ import annotations

from pyspark_logs.datasource.batch_reader import LogBatchReader, LogPartition
from pyspark_logs.datasource.filters import from_spark
from pyspark_logs.datasource.schemas import to_ddl, to_spark_schema
from pyspark_logs.datasource.source import DefaultSource, LogDataSource, register
from pyspark_logs.datasource.stream_reader import LogStreamReader, LogStreamReaderWithoutLimits
from pyspark_logs.datasource.writers import LogBatchWriter, LogCommitMessage, LogStreamWriter

__all__ = [
    "DefaultSource",
    "LogBatchReader",
    "LogBatchWriter",
    "LogCommitMessage",
    "LogDataSource",
    "LogPartition",
    "LogStreamReader",
    "LogStreamReaderWithoutLimits",
    "LogStreamWriter",
    "from_spark",
    "register",
    "to_ddl",
    "to_spark_schema",
]
