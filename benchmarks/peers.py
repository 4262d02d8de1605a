"""Queries of DuckDB and Polars that read the benchmarked formats with the same types as this source.

The application log and the pairs have no reader there; a regular expression divides their lines, in the order in which
their keys are written.
"""

from __future__ import annotations

from typing import Any

from benchmarks.spark_reads import ALB_NAMES, ALB_TYPES

PATTERNS = {
    "app": r"^(\S+) (\w+) \[([^\]]+)\] req=(\S+) user=(\d+) (.*)$",
    "logfmt": r'^ts=(\S+) level=(\S+) service=(\S+) request_id=(\S+) user_id=(\d+) duration_ms=(\S+) status=(\d+) msg="([^"]*)"$',
}
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
COLUMNS["logfmt"] = {{"timestamp": "ts", "message": "msg"}.get(name, name): t for name, t in COLUMNS["json"].items()}


def duckdb(kind: str, folder: str, chosen: list[str] | None) -> int:
    """Returns the number of rows that DuckDB reads into Arrow on one thread."""
    import duckdb as db

    connection = db.connect(config={"threads": 1})
    connection.execute("set timezone = 'UTC'")
    result = connection.sql(_sql(kind, f"{folder}/*.log", chosen))
    reader = result.to_arrow_reader(65_536) if hasattr(result, "to_arrow_reader") else result.fetch_arrow_reader(65_536)
    return sum(batch.num_rows for batch in reader)


def _sql(kind: str, path: str, chosen: list[str] | None) -> str:
    types = COLUMNS[kind]
    names = [_alb_name(name) if kind == "alb" else name for name in chosen or types]
    if kind in PATTERNS:
        groups = ", ".join(f"'{name}'" for name in types)
        values = ", ".join(f'cast(r."{name}" as {types[name]}) "{name}"' for name in names)
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
    if kind == "json":
        return f"select {values} from read_json('{path}', format='newline_delimited', columns={columns})"
    return f"""select {values} from read_csv('{path}', delim=' ', quote='"', escape='"', header=false, nullstr='-',
        columns={columns})"""


def _alb_name(name: str) -> str:
    """Returns the field of a column; address and port are one field there."""
    return "client" if name == "client_ip" else name


def polars(kind: str, folder: str, chosen: list[str] | None) -> int:
    """Returns the number of rows that Polars reads on one thread."""
    import polars as pl

    frame: Any
    path = f"{folder}/*.log"
    types = {name: _polars_type(dtype) for name, dtype in COLUMNS[kind].items()}
    if kind in PATTERNS:
        lines = pl.scan_csv(path, separator="\x01", has_header=False, quote_char=None, new_columns=["line"])
        fields = pl.col("line").str.extract_groups(PATTERNS[kind]).struct
        columns = [_typed(fields.field(str(i)), t, name) for i, (name, t) in enumerate(types.items(), start=1)]
        frame = lines.select(columns)
    elif kind == "json":
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


def _typed(expression: Any, dtype: Any, name: str) -> Any:
    import polars as pl

    if dtype is None:
        stamp = expression.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC")
        return stamp.alias(name)
    return (expression if dtype == pl.String else expression.cast(dtype)).alias(name)
