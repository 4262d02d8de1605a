"""Queries of DuckDB, Polars, pyarrow and Python's ``re`` that read the benchmarked formats with the same types as this source.

The application log and the pairs have no reader there; a regular expression divides their lines, in the order in which
their keys are written.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.spark_reads import ALB_NAMES, ALB_TYPES

PATTERNS = {
    "app": r"^(\S+) (\w+) \[([^\]]+)\] req=(\S+) user=(\d+) (.*)$",
    "mixed": r"^(\S+) (\w+) \[([^\]]+)\] req=(\S+) user=(\d+) (.*)$",
    "logfmt": r'^ts=(\S+) level=(\S+) service=(\S+) request_id=(\S+) user_id=(\d+) duration_ms=(\S+) status=(\d+) msg="([^"]*)"$',
}
JSON = ("json", "wide")  # formats of JSON lines
# Columns of each format in their order, with the types of DuckDB.
COLUMNS: dict[str, dict[str, str]] = {
    "app": dict.fromkeys(("ts", "level", "service", "request_id", "user", "message"), "varchar")
    | {"ts": "timestamptz", "user": "bigint"},
    "combined": {
        "remote_host": "varchar", "remote_logname": "varchar", "remote_user": "varchar", "time": "timestamptz",
        "request": "varchar", "status": "int", "bytes": "bigint", "referer": "varchar", "user_agent": "varchar",
    },
    "alb": {name: {"timestamp": "timestamptz", "string": "varchar"}.get(t, t) for name in ALB_NAMES
            for t in [ALB_TYPES.get(name, "string")]},
    "json": {
        "timestamp": "timestamptz", "level": "varchar", "service": "varchar", "request_id": "varchar", "user_id": "bigint",
        "duration_ms": "double", "status": "bigint", "message": "varchar",
    },
}  # fmt: skip
COLUMNS["wide"] = {"timestamp": "timestamptz", "level": "varchar", **data.WIDE}
COLUMNS["mixed"] = COLUMNS["app"]
COLUMNS["logfmt"] = {{"timestamp": "ts", "message": "msg"}.get(name, name): t for name, t in COLUMNS["json"].items()}


def duckdb(kind: str, folder: str, chosen: list[str] | None) -> int:
    """Returns the number of rows that DuckDB reads into Arrow, on a thread for each processor."""
    import duckdb as db

    connection = db.connect(config={"threads": len(os.sched_getaffinity(0))})
    connection.execute("set timezone = 'UTC'")
    result = connection.sql(_sql(kind, f"{folder}/*.log", chosen))
    reader = result.to_arrow_reader(65_536) if hasattr(result, "to_arrow_reader") else result.fetch_arrow_reader(65_536)
    return sum(batch.num_rows for batch in reader)


def _sql(kind: str, path: str, chosen: list[str] | None) -> str:
    types = COLUMNS[kind]
    names = [_alb_name(name) if kind == "alb" else name for name in chosen or types]
    if kind in PATTERNS:
        groups = ", ".join(f"'{name}'" for name in types)
        # The lines that do not match have no values. Polars and this source return null for them.
        cast = "try_cast" if kind == "mixed" else "cast"
        values = ", ".join(f'{cast}(r."{name}" as {types[name]}) "{name}"' for name in names)
        return f"""select {values} from (select regexp_extract(line, '{PATTERNS[kind]}', [{groups}]) r from
            read_csv('{path}', delim='\x01', quote='', escape='', header=false, columns={{'line': 'varchar'}}))"""
    if kind == "combined":
        columns = "{" + ", ".join(f"'{n}': '{'varchar' if n == 'time' else t}'" for n, t in types.items()) + "}"
        columns = columns.replace("'time': 'varchar'", "'t': 'varchar', 'z': 'varchar'")
        stamp = "strptime(t || ' ' || z, '[%d/%b/%Y:%H:%M:%S %z]') as \"time\""
        values = ", ".join(stamp if name == "time" else f'"{name}"' for name in names)
    else:
        columns = "{" + ", ".join(f"'{name}': '{dtype}'" for name, dtype in types.items()) + "}"
        values = ", ".join(f'"{name}"' for name in names)
    if kind in JSON:
        return f"select {values} from read_json('{path}', format='newline_delimited', columns={columns})"
    return f"""select {values} from read_csv('{path}', delim=' ', quote='"', escape='"', header=false, nullstr='-',
        columns={columns})"""


def _alb_name(name: str) -> str:
    """Returns the field of a column; address and port are one field there."""
    return "client" if name == "client_ip" else name


def polars(kind: str, folder: str, chosen: list[str] | None) -> int:
    """Returns the number of rows that Polars reads, on as many threads as the environment says."""
    import polars as pl

    frame: Any
    path = f"{folder}/*.log"
    types = {name: _polars_type(dtype) for name, dtype in COLUMNS[kind].items()}
    if kind in PATTERNS:
        lines = pl.scan_csv(path, separator="\x01", has_header=False, quote_char=None, new_columns=["line"])
        fields = pl.col("line").str.extract_groups(PATTERNS[kind]).struct
        strict = kind != "mixed"
        columns = [
            _typed(fields.field(str(i)), t, name, strict=strict) for i, (name, t) in enumerate(types.items(), start=1)
        ]
        frame = lines.select(columns)
    elif kind in JSON:
        texts = {name: pl.String if dtype is None else dtype for name, dtype in types.items()}
        frame = pl.scan_ndjson(path, schema=texts).with_columns(_typed(pl.col("timestamp"), None, "timestamp"))
    elif kind == "combined":
        texts = {}
        for name, dtype in types.items():
            texts |= {"time": pl.String, "z": pl.String} if name == "time" else {name: dtype}
        rows = pl.scan_csv(path, separator=" ", has_header=False, quote_char='"', schema=texts, null_values="-")
        stamp = pl.concat_str("time", "z", separator=" ").str.to_datetime("[%d/%b/%Y:%H:%M:%S %z]", time_unit="us")
        frame = rows.with_columns(stamp.alias("time")).drop("z")
    else:
        texts = {name: pl.String if dtype is None else dtype for name, dtype in types.items()}
        rows = pl.scan_csv(path, separator=" ", has_header=False, quote_char='"', schema=texts, null_values="-")
        times = [name for name, dtype in types.items() if dtype is None]
        frame = rows.with_columns([_typed(pl.col(name), None, name) for name in times])
    if chosen is not None:
        frame = frame.select([_alb_name(name) if kind == "alb" else name for name in chosen])
    return int(frame.collect(engine="streaming").height)


def _polars_type(dtype: str) -> Any:
    """Returns the type of Polars; None for times, which are read as strings and parsed."""
    import polars as pl

    return {"varchar": pl.String, "int": pl.Int32, "bigint": pl.Int64, "double": pl.Float64}.get(dtype)


def _typed(expression: Any, dtype: Any, name: str, *, strict: bool = True) -> Any:
    import polars as pl

    if dtype is None:
        stamp = expression.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC", strict=strict)
        return stamp.alias(name)
    return (expression if dtype == pl.String else expression.cast(dtype, strict=strict)).alias(name)


def arrow(kind: str, folder: str, chosen: list[str] | None) -> int:
    """Returns the number of rows that the readers of pyarrow for CSV and JSON read on one thread."""
    import pyarrow as pa
    from pyarrow import csv
    from pyarrow import json as ndjson

    pa.set_cpu_count(1)
    types = {name: _arrow_type(dtype) for name, dtype in COLUMNS[kind].items()}
    rows = 0
    for path in sorted(Path(folder).glob("*.log")):
        if kind in JSON:
            wanted = pa.schema([(name, types[name]) for name in chosen or types])
            options = ndjson.ParseOptions(explicit_schema=wanted, unexpected_field_behavior="ignore")
            read = ndjson.ReadOptions(use_threads=False)
            rows += ndjson.read_json(path, read_options=read, parse_options=options).num_rows
            continue
        names = [
            part for name in types for part in ((name, "zone") if name == "time" and kind == "combined" else (name,))
        ]
        convert = csv.ConvertOptions(
            column_types={**types, "zone": pa.string(), **({"time": pa.timestamp("us")} if kind == "combined" else {})},
            null_values=["-"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            include_columns=[_alb_name(name) if kind == "alb" else name for name in chosen or types],
            # The zone is a column of its own, because it follows a space; it is +0000 in all lines.
            timestamp_parsers=["[%d/%b/%Y:%H:%M:%S"] if kind == "combined" else [csv.ISO8601],
        )
        read = csv.ReadOptions(use_threads=False, column_names=names)
        parse = csv.ParseOptions(delimiter=" ")
        with csv.open_csv(path, read_options=read, parse_options=parse, convert_options=convert) as reader:
            rows += sum(batch.num_rows for batch in reader)
    return rows


def _arrow_type(dtype: str) -> Any:
    import pyarrow as pa

    times = pa.timestamp("us", "UTC")
    return {
        "varchar": pa.string(),
        "int": pa.int32(),
        "bigint": pa.int64(),
        "double": pa.float64(),
        "timestamptz": times,
    }[dtype]


def python(kind: str, folder: str, chosen: list[str] | None) -> int:
    """Returns the number of rows that Python's ``re`` and lists of values give, as a script without a library does."""
    import pyarrow as pa

    types = COLUMNS[kind]
    match = re.compile(PATTERNS[kind]).match
    convert = {"bigint": int, "double": float, "timestamptz": dt.datetime.fromisoformat}
    wanted = [
        (i, convert.get(types[name]), _arrow_type(types[name]))
        for i, name in enumerate(types)
        if name in (chosen or types)
    ]
    rows = 0
    for path in sorted(Path(folder).glob("*.log")):
        values: list[list[Any]] = [[] for _ in wanted]
        for line in path.open(encoding="utf-8"):
            found = match(line)
            for column, (i, converted, _) in zip(values, wanted, strict=True):
                text = None if found is None else found[i + 1]
                column.append(text if converted is None or text is None else converted(text))
        arrays = [pa.array(column, dtype) for column, (_, _, dtype) in zip(values, wanted, strict=True)]
        rows += len(arrays[0])
    return rows
