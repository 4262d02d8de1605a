"""Spark's Python workers as processes: work between tasks."""

from __future__ import annotations

import gc
import sys

_DAEMON = "pyspark.daemon"  # the main module of workers that Spark reuses


def exclude_modules_from_collections() -> None:
    """Excludes the objects of imported modules from further garbage collections of a worker, at its first call.

    Spark's daemon collects garbage after each task of a worker that it reuses. With numpy, pyarrow and this package, the
    collection visits 60,000 objects, which takes 11 to 20 ms of processor time; the task itself takes 100 to 500 ms for 128 MiB.
    Other processes are left as they are. See ``worker`` in ``pyspark/daemon.py`` and :func:`gc.freeze`.
    """
    if gc.get_freeze_count() == 0 and _main_module() == _DAEMON:
        gc.collect()
        gc.freeze()


def _main_module() -> str | None:
    """Returns the name of the module that was started by ``python -m``."""
    return getattr(getattr(sys.modules.get("__main__"), "__spec__", None), "name", None)
