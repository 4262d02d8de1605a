"""Choice between modules that Cython compiled and their interpreted form.

The environment variable ``PYSPARK_LOGS_COMPILED`` decides. With ``0``, compiled modules are not used. With ``1``, it is an
error if they are missing. Without a value, they are used where they are installed as shared libraries.
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import os

from pyspark_logs.errors import OptionError

VARIABLE = "PYSPARK_LOGS_COMPILED"


def setting() -> str:
    """Returns the value of the environment variable: ``""``, ``"0"`` or ``"1"``.

    Raises:
        OptionError: the variable has another value.
    """
    value = os.environ.get(VARIABLE, "")
    if value not in ("", "0", "1"):
        raise OptionError(f"environment variable {VARIABLE}={value!r}: expected 0, 1 or no value")
    return value


@functools.lru_cache(maxsize=32)
def is_compiled(module: str) -> bool:
    """Returns True if a module is a shared library; it is not imported."""
    spec = importlib.util.find_spec(module)
    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    return spec is not None and spec.origin is not None and spec.origin.endswith(suffixes)
