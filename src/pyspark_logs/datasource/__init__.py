"""Spark's Python data source API, implemented by the reader and the writer, which do not depend on Spark.

Spark pickles the classes of this package between the driver, a planning process and the executors. The package
translates only signatures, schemas and filters; :mod:`pyspark_logs.reader` and :mod:`pyspark_logs.writer` do the rest.

Imports between its modules: ``source`` -> ``redaction``, ``spark_log``, ``worker_python``, ``stream_reader``, ``writers`` ->
``batch_reader`` -> ``filters``, ``schemas``, ``worker_process``.
"""

from __future__ import annotations

from pyspark_logs.datasource.source import DefaultSource, LogDataSource, register

__all__ = ["DefaultSource", "LogDataSource", "register"]
