"""A local Spark session that leaves no files and no process, and writes nothing to the terminal."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# These variables could select another Spark than the one installed beside this package.
_REMOVED_VARIABLES = (
    "SPARK_HOME",
    "SPARK_CONF_DIR",
    "SPARK_REMOTE",
    "SPARK_API_MODE",
    "SPARK_MASTER",
    "PYSPARK_SUBMIT_ARGS",
)


@contextmanager
def spark_session(directory: Path) -> Iterator[SparkSession]:
    """Starts Spark with two threads, and stops it and its JVM when the block ends.

    Args:
        directory: directory of all files that Spark writes; its ``spark.log`` takes the error output of the JVM and the
            workers.
    """
    from pyspark.sql import SparkSession

    for name in _REMOVED_VARIABLES:
        os.environ.pop(name, None)
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"  # a laptop's own name often does not resolve
    builder = SparkSession.builder.master("local[2]").appName("pyspark-logs demo")
    for key, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # quick to start, not to run
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(directory),
        "spark.sql.warehouse.dir": str(directory / "warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
    }.items():
        builder = builder.config(key, value)
    with _deferred_interrupts() as check_interrupts, _errors_to(directory / "spark.log"):
        spark = builder.getOrCreate()
    gateway = spark.sparkContext._gateway  # noqa: SLF001 - nothing public waits for the JVM to end
    try:
        check_interrupts()
        yield spark
    finally:
        # The threads of PySpark print an EOFError when the JVM closes its connections before they end.
        with _errors_to(directory / "spark.log"):
            spark.stop()
            if gateway is not None:
                gateway.shutdown()
                _wait_for_exit(gateway.proc)


@contextmanager
def _deferred_interrupts() -> Iterator[Callable[[], None]]:
    """Defers Ctrl-C until the yielded function is called: an interrupted PySpark would leave a JVM that is starting."""
    received: list[int] = []

    def raise_if_received() -> None:
        if received:
            raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda number, _: received.append(number))
    try:
        yield raise_if_received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for_exit(jvm: subprocess.Popen[bytes]) -> None:
    """Closes the input of the JVM, which makes it exit, and waits for that."""
    if jvm.stdin is not None:
        jvm.stdin.close()
    try:
        jvm.wait(timeout=20)
    except subprocess.TimeoutExpired:
        jvm.kill()
        jvm.wait()


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Sends Python's log to a file: steps show what it would repeat, and Py4J logs an error when Ctrl-C interrupts it."""
    handler = logging.FileHandler(path, encoding="utf-8")
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


@contextmanager
def _errors_to(path: Path) -> Iterator[None]:
    """Sends the error stream of this process, and of its children started meanwhile, to a file."""
    sys.stderr.flush()
    saved = os.dup(2)
    with path.open("ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
