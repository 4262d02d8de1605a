"""Sessions of Spark for tests: quick to start, and with little work for a query of a few rows.

Tests in the process of pytest share the session of ``tests/spark/conftest.py``. A program of its own is for what a session
cannot show: another master, or a driver that dies.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

# Java compiles for long runs by default, which takes more time than the queries of tests; and the classes of Spark need no
# verification.
_JAVA_OPTIONS = (
    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
)
_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.warehouse.dir": "/nonexistent",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.extraJavaOptions": _JAVA_OPTIONS,
    "spark.python.authenticate.socketTimeout": "2m",  # workers start slowly on a busy machine
}
# Code generated for each query takes longer to compile than to run interpreted plans over a few rows.
INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}
# Directory of a module that Python imports at its start. It also serves older releases of Spark.
PYTHON_START = Path(__file__).with_name("python_start")


def python_path(*before: Path) -> str:
    """Returns the ``PYTHONPATH`` of this process with :data:`PYTHON_START`, and other directories before it."""
    return os.pathsep.join(filter(None, [*map(str, before), str(PYTHON_START), os.environ.get("PYTHONPATH")]))


def start_session(master: str = "local[2]", **settings: str) -> Any:
    """Starts a session.

    Args:
        master: URL of the master; ``connect`` for a Spark Connect server in a process of its own.
        settings: further settings, or other values of the usual ones.
    """
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder
    builder = builder.remote("local[2]") if master == "connect" else builder.master(master)
    for key, value in {**_SETTINGS, **settings}.items():
        builder = builder.config(key, value)
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = python_path()
    try:
        return builder.getOrCreate()  # the JVM gets the environment of this moment, and its daemons that of the JVM
    finally:
        if path is None:
            os.environ.pop("PYTHONPATH", None)
        else:
            os.environ["PYTHONPATH"] = path
