"""The Python interpreter of Spark's workers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark_logs.terminal_text import get_logger

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_logger = get_logger(__name__)
_SEARCH = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pyspark_logs') is None)"
_TIMEOUT_S = 10


def warn_of_other_python(spark: SparkSession) -> None:
    """Logs a warning if a local session runs its workers with a Python that does not have this package.

    Spark starts workers with ``PYSPARK_PYTHON``, by default the first ``python3`` of ``PATH``. A program that runs in a virtual
    environment which is not activated has another one, and the first load fails with ``ModuleNotFoundError``. Clusters and
    Connect servers have interpreters of their own, which this process cannot ask.

    Args:
        spark: session.
    """
    try:
        context = spark.sparkContext
        command, master = str(context.pythonExec), str(context.master)
    except Exception:  # noqa: BLE001 - Connect and shared clusters refuse to show the context
        return
    # Databricks replaces the interpreter of a notebook's tasks, and a cluster of one node is local.
    is_local = master.startswith("local") and "cluster" not in master and "DATABRICKS_RUNTIME_VERSION" not in os.environ
    found = shutil.which(command)
    if not is_local or found is None or _is_this_python(found) or _has_package(found):
        return
    _logger.warning(
        "Spark runs its workers with %s, which does not have pyspark_logs; this program runs with %s. Set"
        " os.environ['PYSPARK_PYTHON'] = sys.executable before the session is created, or activate the environment",
        found, sys.executable,
    )  # fmt: skip


def _is_this_python(path: str) -> bool:
    """Returns True if two names in one directory are the same file: all interpreters of an environment link to one elsewhere."""
    ours, theirs = Path(sys.executable).absolute(), Path(path).absolute()
    return ours.parent == theirs.parent and ours.resolve() == theirs.resolve()


def _has_package(path: str) -> bool:
    """Returns False if an interpreter says that it does not have this package."""
    command = [path, "-c", _SEARCH]
    try:
        ended = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603 - Spark runs it, too
    except (OSError, subprocess.TimeoutExpired):
        return True
    return ended.returncode != 1
