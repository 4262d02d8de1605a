"""The options and the schema of a load, from the arguments of a public function."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pyspark_logs.options import ReadOptions, parse_read_options
from pyspark_logs.schema_inference import load_schema


def resolve_load(path: str | os.PathLike[str] | list[str], options: Mapping[str, Any]) -> tuple[ReadOptions, str]:
    """Returns the checked options of a load, and its schema as Spark DDL.

    Args:
        path: directory, file or glob, or a list of them.
        options: options of the reader by name.

    Raises:
        LogSourceError: as :func:`~pyspark_logs.schema_inference.infer_schema`.
    """
    parsed = parse_read_options({**options, ("paths" if isinstance(path, (list, tuple)) else "path"): path})
    return parsed, load_schema(parsed)
