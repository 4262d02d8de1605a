"""Imports the modules of Spark's Python workers into their daemon; workers are forked, and then need not import them.

Spark imports them after the fork, because some modules start threads. None of these do on Linux.
"""

from __future__ import annotations

import sys

if sys.platform == "linux" and "pyspark.daemon" in sys.orig_argv:
    import gc
    import importlib

    for name in (
        sys.orig_argv[-1],
        "pyspark.sql.profiler",
        "pyspark_logs.datasource",
        "pyspark_logs.reader",
        "pyspark_logs.writer",
    ):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
