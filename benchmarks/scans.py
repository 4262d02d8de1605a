"""``scan()`` on one core, compared with DuckDB, Polars, pyarrow and Python's ``re`` on one core: all columns and three, typed, into memory.

Each contender runs in a process of its own that may use one processor only, so that a helper thread of any of
them gets no second one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import data, peers, timing
from benchmarks.spark_reads import THREE

READINGS = {"Python re": 1}  # of a process, without the first; 5 of the other contenders


# All contenders are given the types, so that none infers them.
SCHEMAS = {
    kind: ", ".join(f"{name} {dtype}" for name, dtype in types.items())
    .replace("varchar", "string")
    .replace("timestamptz", "timestamp")
    for kind, types in peers.COLUMNS.items()
    if kind in ("json", "logfmt")
}


def ours(kind: str, folder: str, chosen: list[str] | None) -> int:
    import pyarrow as pa

    import pyspark_logs
    from benchmarks.spark_reads import OPTIONS
    from pyspark_logs.formats.registry import resolve_format
    from pyspark_logs.options import parse_read_options
    from pyspark_logs.schema import parse_ddl

    pa.set_cpu_count(1)
    options = parse_read_options({**OPTIONS[kind], "path": folder})
    schema = parse_ddl(SCHEMAS[kind]) if kind in SCHEMAS else resolve_format(options.format).schema()
    if schema is not None and chosen is not None:
        schema = pa.schema([schema.field(name) for name in chosen])
    return sum(batch.num_rows for batch in pyspark_logs.scan(folder, threads=1, schema=schema, **OPTIONS[kind]))


CONTENDERS = {
    "pyspark-logs scan()": ours,
    "DuckDB": peers.duckdb,
    "Polars": peers.polars,
    "pyarrow": peers.arrow,
    "Python re": peers.python,
}


def contenders(kind: str) -> list[str]:
    """Returns the contenders that read a format; pyarrow has no expressions, and the others are faster for CSV and JSON than ``re``."""
    return [name for name in CONTENDERS if name != ("pyarrow" if kind in peers.PATTERNS else "Python re")]


def child(name: str, kind: str, folder: str, *chosen: str) -> None:
    """Reads on one processor, once to warm up and then up to five times; prints the shortest time in seconds, and the rows.

    What else a machine does only ever makes a reading longer, so the shortest is nearest to what it costs.
    """
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
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
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    for kind in kinds:
        folder = data.make(kind, root, mib)
        size = data.total_bytes(folder)
        for title, chosen in (("all columns", []), ("three columns", THREE[kind])):
            seconds: dict[str, list[float]] = {name: [] for name in contenders(kind)}
            counted: set[int] = set()
            for _ in range(rounds):
                for name, times in seconds.items():
                    command = [sys.executable, "-m", "benchmarks", "--child", name, kind, str(folder), *chosen]
                    out = subprocess.run(
                        command, env=environment, check=True, capture_output=True, text=True
                    ).stdout.split()
                    times.append(float(out[0]))
                    counted.add(int(out[1]))
            if len(counted) != 1:
                raise SystemExit(f"{kind}: the contenders read different numbers of rows: {sorted(counted)}")
            print(
                timing.table(
                    f"{kind}: {title} into Arrow, one core, {size >> 20} MiB", seconds, size, "pyspark-logs scan()"
                ),
                flush=True,
            )
