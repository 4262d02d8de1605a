"""Options, parsed and checked once into frozen dataclasses.

``OPTIONS`` is the table of all options and their users. No other package handles raw options. Names match without case,
because Spark passes them in lower case. A reader ignores options that only writers use, and a writer those that only
readers use. An unknown name is an error that suggests the nearest known name.

Modules: ``table`` lists the options, ``text``, ``numbers`` and ``times`` parse their values, ``line_formats`` finds the line
format and the members of ``anyOf``, ``parsing`` combines the values into the dataclasses of ``groups``, and ``containment``
compares directories with load paths.
"""

from __future__ import annotations

from pyspark_logs.options.groups import (
    FetchOptions,
    FormatMember,
    FormatOptions,
    PlanOptions,
    ReadOptions,
    RecordOptions,
    ReportOptions,
    StoreOptions,
    StreamOptions,
    TimeOptions,
    WriteOptions,
    WriteRules,
)
from pyspark_logs.options.parsing import parse_read_options, parse_write_options
from pyspark_logs.options.table import FORMATS, OPTIONS, Option
from pyspark_logs.options.times import parse_duration_us

__all__ = [
    "FORMATS",
    "OPTIONS",
    "FetchOptions",
    "FormatMember",
    "FormatOptions",
    "Option",
    "PlanOptions",
    "ReadOptions",
    "RecordOptions",
    "ReportOptions",
    "StoreOptions",
    "StreamOptions",
    "TimeOptions",
    "WriteOptions",
    "WriteRules",
    "parse_duration_us",
    "parse_read_options",
    "parse_write_options",
]
