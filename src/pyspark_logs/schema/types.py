"""The types of both notations, and the errors of schemas that parser and renderer share."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa

from pyspark_logs.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable

# Nested types are parsed, rendered and filled recursively.
MAX_DEPTH = 128

# Spark types that columns of logs cannot have -> the types to declare instead.
_SUBSTITUTES = {
    "interval": "bigint (a count of units) or string",
    "time": "string",
    "variant": "string (and parse_json in a query)",
    "void": "string",
    "geometry": "string",
    "geography": "string",
    **dict.fromkeys(("text", "str", "object", "json", "uuid", "ip", "word"), "string"),
    **dict.fromkeys(("datetime", "datetime64", "timestamptz", "instant"), "timestamp"),
    **dict.fromkeys(("int64", "uint32", "uint64"), "bigint"),
    **dict.fromkeys(("int32", "uint16"), "int"),
    **dict.fromkeys(("float64", "number"), "double"),
    "float32": "float",
    "bool": "boolean",
}


@cache
def atomic_types() -> dict[str, pa.DataType]:
    """Returns the Arrow type of each name of a Spark type without parameters."""
    return {
        "string": pa.string(),
        "boolean": pa.bool_(),
        "tinyint": pa.int8(),
        "smallint": pa.int16(),
        "int": pa.int32(),
        "bigint": pa.int64(),
        "float": pa.float32(),
        "double": pa.float64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "timestamp_ntz": pa.timestamp("us"),
        "binary": pa.binary(),
    }


def too_deep(path: str) -> OptionError:
    """Returns the error for a column with more than ``MAX_DEPTH`` levels of types."""
    return OptionError(
        f"schema: column {path[:100]!r} has types nested deeper than {MAX_DEPTH}; declare the inner ones as string"
    )


def check_names(names: Iterable[str], path: str) -> None:
    """Raises OptionError for two equal names (ignoring case) of a schema, or of the struct at a path."""
    seen: dict[str, str] = {}
    where = f" in {path!r}" if path else ""
    for name in names:
        if name.lower() in seen:
            raise OptionError(
                f"schema: columns {seen[name.lower()]!r} and {name!r}{where} have the same name (names match without"
                " case); rename or drop one"
            )
        seen[name.lower()] = name


def not_null(path: str) -> OptionError:
    """Returns the error for a column that is declared NOT NULL."""
    return OptionError(
        f"schema: column {path!r} is NOT NULL, but a line that does not match has no value;"
        " leave NOT NULL out, and filter with IS NOT NULL or set mode=DROPMALFORMED"
    )


def unsupported(path: str, type_name: str, substitute: str = "") -> OptionError:
    """Returns the error for a column of an unsupported type; the message names the type to declare instead."""
    supported = ", ".join((*atomic_types(), "decimal(p,s)", "array<>", "map<,>", "struct<>"))
    hint = substitute or _SUBSTITUTES.get(type_name) or f"one of {supported}"
    return OptionError(f"schema: column {path!r} has the unsupported type {type_name}; use {hint}")
