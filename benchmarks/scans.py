"""``scan()`` compared with DuckDB, Polars, pyarrow and Python's ``re``: all columns and three, typed, into memory.

Each contender runs in a process of its own that may use one processor only, so that a helper thread of any of
them gets no second one. With two processors, those that have threads are compared, with all columns.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import data, peers, timing
from benchmarks.spark_reads import THREE

READINGS = {"Python re": 1}  # of a process, without the first; 5 of the other contenders


# All contenders are given the types, so that none infers them.
SCHEMAS = {
    kind: ", ".join(f"{name} {dtype}" for name, dtype in types.items())
    .replace("varchar", "string")
    .replace("timestamptz", "timestamp")
    for kind, types in peers.COLUMNS.items()
    if kind in (*peers.JSON, "logfmt")
}


def ours(kind: str, folder: str, chosen: list[str] | None) -> int:
    import pyarrow as pa

    from benchmarks.spark_reads import OPTIONS
    from pyspark_logs.formats.registry import resolve_format
    from pyspark_logs.options import parse_read_options
    from pyspark_logs.schema import parse_ddl

    threads = len(os.sched_getaffinity(0))
    pa.set_cpu_count(threads)
    options = parse_read_options({**OPTIONS[kind], "path": folder})
    schema = parse_ddl(SCHEMAS[kind]) if kind in SCHEMAS else resolve_format(options.format).schema()
    if schema is not None and chosen is not None:
        schema = pa.schema([schema.field(name) for name in chosen])
    return count_rows(folder, threads=threads, schema=schema, **OPTIONS[kind])


def count_rows(path: str, **options: Any) -> int:
    """Returns the number of rows that ``scan()`` reads."""
    import pyspark_logs

    return sum(batch.num_rows for batch in pyspark_logs.scan(path, **options))


OURS = "pyspark-logs scan()"
CONTENDERS = {
    OURS: ours,
    "DuckDB": peers.duckdb,
    "Polars": peers.polars,
    "pyarrow": peers.arrow,
    "Python re": peers.python,
}
THREADED = (OURS, "DuckDB", "Polars")


def contenders(kind: str) -> list[str]:
    """Returns the contenders that read a format; pyarrow has no expressions, and the others are faster for CSV and JSON than ``re``."""
    return [name for name in CONTENDERS if name != ("pyarrow" if kind in peers.PATTERNS else "Python re")]


def child(processors: str, name: str, kind: str, folder: str, *chosen: str) -> None:
    """Reads on some processors, once to warm up and then up to five times; prints the shortest time in seconds, and the rows.

    What else a machine does only ever makes a reading longer, so the shortest is nearest to what it costs.
    """
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(processors)])
    read = CONTENDERS[name]
    columns = list(chosen) or None
    rows = read(kind, folder, columns)
    seconds = []
    for _ in range(READINGS.get(name, 5)):
        started = time.perf_counter()
        read(kind, folder, columns)
        seconds.append(time.perf_counter() - started)
    print(min(seconds), rows)


def run(root: Path, mib: int, rounds: int, kinds: list[str]) -> None:
    """Prints the tables of reading without Spark."""
    for kind in kinds:
        folder = data.make(kind, root, mib)
        size = data.total_bytes(folder)
        names = contenders(kind)
        for title, chosen in (("all columns", []), ("three columns", THREE[kind])):
            seconds = _measure(kind, folder, chosen, names, rounds, processors=1)
            print(
                timing.table(f"{kind}: {title} into Arrow, one core, {size >> 20} MiB", seconds, size, OURS), flush=True
            )
        if len(os.sched_getaffinity(0)) > 1:
            seconds = _measure(kind, folder, [], [name for name in names if name in THREADED], rounds, processors=2)
            print(timing.table(f"{kind}: into Arrow, two cores, {size >> 20} MiB", seconds, size, OURS), flush=True)


def _measure(
    kind: str, folder: Path, chosen: list[str], names: list[str], rounds: int, *, processors: int
) -> dict[str, list[float]]:
    """Returns the seconds of each contender in each round."""
    environment = {**os.environ, "POLARS_MAX_THREADS": str(processors), "OMP_NUM_THREADS": str(processors)}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    counted: set[int] = set()
    for _ in range(rounds):
        for name, times in seconds.items():
            command = [sys.executable, "-m", "benchmarks", "--child", str(processors), name, kind, str(folder), *chosen]
            out = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()
            times.append(float(out[0]))
            counted.add(int(out[1]))
    if len(counted) != 1:
        raise SystemExit(f"{kind}: the contenders read different numbers of rows: {sorted(counted)}")
    return seconds
