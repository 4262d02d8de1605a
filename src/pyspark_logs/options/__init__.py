"""Options: parsed and checked once, here, into frozen dataclasses.

After this room no code touches a raw option. ``OPTIONS`` is the one table of what exists and who uses it: a
reader ignores what only writers use, and the reverse; an unknown name is an error that gives the nearest
known one. Names match without case, because Spark hands them over in lower case.

Inside, imports run one way: ``parsing`` -> ``table`` -> ``values``; ``parsing`` -> ``places``; ``groups`` are what
comes out.
"""

from __future__ import annotations

from pyspark_logs.options.groups import (
    FormatOptions,
    PlanOptions,
    ReadOptions,
    RecordOptions,
    StoreOptions,
    StreamOptions,
    TimeOptions,
    WriteOptions,
    WriteRules,
)
from pyspark_logs.options.parsing import parse_read_options, parse_write_options
from pyspark_logs.options.table import FORMATS, OPTIONS, Option
from pyspark_logs.options.values import parse_duration_us

__all__ = [
    "FORMATS",
    "OPTIONS",
    "FormatOptions",
    "Option",
    "PlanOptions",
    "ReadOptions",
    "RecordOptions",
    "StoreOptions",
    "StreamOptions",
    "TimeOptions",
    "WriteOptions",
    "WriteRules",
    "parse_duration_us",
    "parse_read_options",
    "parse_write_options",
]
