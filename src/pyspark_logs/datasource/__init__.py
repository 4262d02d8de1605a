"""The Spark face: adapts Spark's Python data source interface to reader and writer, which know no Spark.

Spark pickles what is here between the driver, a planning process and the executors. Only signatures, schemas and
filters are translated; what a query means is decided in :mod:`pyspark_logs.reader` and :mod:`pyspark_logs.writer`.

Inside, imports run one way: ``source`` -> ``stream_reader``, ``writers`` -> ``batch_reader`` -> ``filters``, ``schemas``.
"""

from __future__ import annotations

from pyspark_logs.datasource.source import DefaultSource, LogDataSource, register

__all__ = ["DefaultSource", "LogDataSource", "register"]
