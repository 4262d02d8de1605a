"""Streams of new files, independent of Spark.

::

    stream = LogStream(options, "ts timestamp, message string")
    start = stream.initial_offset()
    end = stream.latest_offset(start, max_files=1000, max_bytes=None)
    tasks = stream.plan_batch(start, end)      # lists nothing: the offset holds the files of the batch
    stream.commit_batch(end)

The package :mod:`pyspark_logs.offsets` defines offsets and their guarantees; this package supplies the listings. State
in memory only saves requests: a stream that is started again from an offset returns the same files.

Import direction: ``log_stream`` -> ``listings``, ``batch_planning``, ``cleaning`` -> ``stream_root``; ``log_stream`` ->
``batch_summary``, ``missing_files``, ``rotation``.
"""

from __future__ import annotations

from pyspark_logs.stream.log_stream import LogStream

__all__ = ["LogStream"]
