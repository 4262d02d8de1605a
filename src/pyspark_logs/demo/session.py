"""A Spark session on this machine that leaves nothing behind and writes nothing to the terminal."""

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

# A Spark that the shell has set up elsewhere, or a remote one, is another Spark than the one installed here.
_NOT_OURS = ("SPARK_HOME", "SPARK_CONF_DIR", "SPARK_REMOTE", "SPARK_API_MODE", "SPARK_MASTER", "PYSPARK_SUBMIT_ARGS")


@contextmanager
def spark_session(folder: Path) -> Iterator[SparkSession]:
    """Start Spark with two threads, and stop it with its JVM when the block ends.

    Args:
        folder: for all that Spark writes; ``spark.log`` there takes what the JVM and its workers would say on the
            terminal.
    """
    from pyspark.sql import SparkSession

    for name in _NOT_OURS:
        os.environ.pop(name, None)
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"  # a laptop's own name often does not resolve
    builder = SparkSession.builder.master("local[2]").appName("pyspark-logs demo")
    for key, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # quick to start, not to run
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
    }.items():
        builder = builder.config(key, value)
    with _logging_to(folder / "spark.log"):
        with _uninterrupted() as check_interrupts, _errors_to(folder / "spark.log"):
            spark = builder.getOrCreate()
        gateway = spark.sparkContext._gateway  # noqa: SLF001 - nothing public waits for the JVM to end
        try:
            check_interrupts()
            yield spark
        finally:
            with _errors_to(folder / "spark.log"):
                spark.stop()
            if gateway is not None:
                gateway.shutdown()
                _end(gateway.proc)


@contextmanager
def _uninterrupted() -> Iterator[Callable[[], None]]:
    """Put off Ctrl-C until the function given is called: PySpark would leave the JVM that it is starting behind."""
    seen: list[int] = []

    def raise_if_seen() -> None:
        if seen:
            raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda number, _: seen.append(number))
    try:
        yield raise_if_seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(jvm: subprocess.Popen[bytes]) -> None:
    """Wait for the JVM, which ends when its input does."""
    if jvm.stdin is not None:
        jvm.stdin.close()
    try:
        jvm.wait(timeout=20)
    except subprocess.TimeoutExpired:
        jvm.kill()
        jvm.wait()


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Send what Python logs to a file: the link to the JVM logs an error when Ctrl-C interrupts it."""
    handler = logging.FileHandler(path, encoding="utf-8")
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


@contextmanager
def _errors_to(path: Path) -> Iterator[None]:
    """Send the error stream of this process, and of those it starts meanwhile, to a file."""
    sys.stderr.flush()
    kept = os.dup(2)
    with path.open("ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
