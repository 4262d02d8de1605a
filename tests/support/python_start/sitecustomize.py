"""Lets the Python processes of Spark start with less work. Python imports this module before all others.

Spark puts its package into their path as a ZIP archive of sources, which each process would compile again. The installed package,
which has the same modules, is compiled once.

Daemons import the modules of workers before they fork them, and workers need not import them. Spark imports them after the fork,
because some modules start threads. None of these do on Linux.
"""

from __future__ import annotations

import sys

if sys.platform == "linux" and any(argument.startswith("pyspark.") for argument in sys.orig_argv[:4]):
    sys.path[:] = [path for path in sys.path if not path.endswith("/python/lib/pyspark.zip")]
    if "pyspark.daemon" in sys.orig_argv:
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
