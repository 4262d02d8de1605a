"""``scan()`` on one core, compared with DuckDB and Polars on one core: all columns, typed, into memory.

Each contender runs in a process of its own that may use one processor only, so that a helper thread of any of
them gets no second one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import data, timing

READINGS = 5  # per process, without the first
APP_PATTERN = r"^(\S+) (\w+) \[([^\]]+)\] req=(\S+) user=(\d+) (.*)$"


def ours(kind: str, folder: str) -> int:
    import pyarrow as pa

    import pyspark_logs
    from benchmarks.spark_reads import OPTIONS

    pa.set_cpu_count(1)
    return sum(batch.num_rows for batch in pyspark_logs.scan(folder, **OPTIONS[kind]))


def duckdb(kind: str, folder: str) -> int:
    import duckdb as db

    connection = db.connect(config={"threads": 1})
    connection.execute("set timezone = 'UTC'")
    if kind == "app":
        names = "['ts', 'level', 'service', 'request_id', 'user', 'message']"
        query = f"""select cast(r.ts as timestamptz) ts, r.level, r.service, r.request_id, cast(r."user" as bigint) "user",
            r.message from (select regexp_extract(line, '{APP_PATTERN}', {names}) r from read_csv('{folder}/*.log',
            delim='\x01', quote='', escape='', header=false, columns={{'line': 'varchar'}}))"""
    else:
        columns = "{'host':'varchar','logname':'varchar','usr':'varchar','t':'varchar','z':'varchar','request':'varchar','status':'int','bytes':'bigint','referer':'varchar','agent':'varchar'}"
        query = f"""select host, logname, usr, strptime(t || ' ' || z, '[%d/%b/%Y:%H:%M:%S %z]') ts, request, status,
            bytes, referer, agent from read_csv('{folder}/*.log', delim=' ', quote='"', escape='"', header=false,
            nullstr='-', columns={columns})"""
    result = connection.execute(query)
    reader = result.to_arrow_reader(65_536) if hasattr(result, "to_arrow_reader") else result.fetch_record_batch(65_536)
    return sum(batch.num_rows for batch in reader)


def polars(kind: str, folder: str) -> int:
    import polars as pl

    if kind == "app":
        lines = pl.scan_csv(
            f"{folder}/*.log", separator="\x01", has_header=False, quote_char=None, new_columns=["line"]
        )
        fields = pl.col("line").str.extract_groups(APP_PATTERN).struct
        frame = lines.select(
            fields.field("1").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC").alias("ts"),
            fields.field("2").alias("level"),
            fields.field("3").alias("service"),
            fields.field("4").alias("request_id"),
            fields.field("5").cast(pl.Int64).alias("user"),
            fields.field("6").alias("message"),
        )
    else:
        types = {"host": pl.String, "logname": pl.String, "user": pl.String, "t": pl.String, "z": pl.String}
        types |= {"request": pl.String, "status": pl.Int32, "bytes": pl.Int64, "referer": pl.String, "agent": pl.String}
        rows = pl.scan_csv(
            f"{folder}/*.log", separator=" ", has_header=False, quote_char='"', schema=types, null_values="-"
        )
        stamp = pl.concat_str("t", "z", separator=" ").str.to_datetime("[%d/%b/%Y:%H:%M:%S %z]", time_unit="us")
        frame = rows.with_columns(stamp.alias("t")).drop("z")
    return frame.collect(engine="streaming").height


CONTENDERS = {"pyspark-logs scan()": ours, "DuckDB": duckdb, "Polars": polars}


def child(name: str, kind: str, folder: str) -> None:
    """Reads on one processor, once to warm up and then ``READINGS`` times; prints the shortest time in seconds, and the rows.

    What else a machine does only ever makes a reading longer, so the shortest is nearest to what it costs.
    """
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    read = CONTENDERS[name]
    rows = read(kind, folder)
    seconds = []
    for _ in range(READINGS):
        started = time.perf_counter()
        read(kind, folder)
        seconds.append(time.perf_counter() - started)
    print(min(seconds), rows)


def run(root: Path, mib: int, rounds: int, kinds: list[str]) -> None:
    """Prints the tables of reading without Spark."""
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    for kind in [kind for kind in ("app", "combined") if kind in kinds]:
        folder = data.make(kind, root, mib)
        size = data.total_bytes(folder)
        seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
        counted: set[int] = set()
        for _ in range(rounds):
            for name in CONTENDERS:
                command = [sys.executable, "-m", "benchmarks", "--child", name, kind, str(folder)]
                out = subprocess.run(
                    command, env=environment, check=True, capture_output=True, text=True
                ).stdout.split()
                seconds[name].append(float(out[0]))
                counted.add(int(out[1]))
        if len(counted) != 1:
            raise SystemExit(f"{kind}: the contenders read different numbers of rows: {sorted(counted)}")
        print(
            timing.table(
                f"{kind}: all columns into Arrow, one core, {size >> 20} MiB", seconds, size, "pyspark-logs scan()"
            ),
            flush=True,
        )
